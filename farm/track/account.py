"""What a run has to say to a tracking server, read from the files of its folder."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_FILES = ("summary.json", "manifest.json", "experiment.yaml", "report.html")
_LONGEST_TAG = 5000
_LONGEST_PARAM = 500


@dataclass(frozen=True)
class CandidateAccount:
    """One candidate: the name, tags, parameters and numbers of its child run; what is unknown is left out."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class RunAccount:
    """One run of an experiment: its parent run's tags, parameters and files, and its candidates."""

    experiment: str
    run_id: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    files: tuple[Path, ...]
    candidates: tuple[CandidateAccount, ...]


def account_of(folder: Path) -> RunAccount:
    """The account of a finished run."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    experiment = YAML(typ="safe").load(folder / "experiment.yaml")
    return RunAccount(
        experiment=manifest["name"],
        run_id=manifest["run_id"],
        tags=_tags(manifest, summary),
        params=_flat({key: experiment[key] for key in experiment if key not in ("models", "stack")}),
        files=tuple(folder / name for name in _FILES if (folder / name).is_file()),
        candidates=tuple(
            _candidate(study, candidate, experiment)
            for study in summary["studies"]
            for candidate in study["candidates"]
        ),
    )


def environment_snapshot() -> str:
    """Every installed distribution with its version, one a line, as pip writes them."""
    found = {f"{one.metadata['Name']}=={one.version}" for one in metadata.distributions() if one.metadata["Name"]}
    return "\n".join(sorted(found, key=str.casefold)) + "\n"


def _tags(manifest: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, str]:
    executor = manifest["executor"]
    passed = [f"{one['symbol']}/{one['trial']}" for one in summary["passed"]]
    tags = {
        "farm.run_id": manifest["run_id"],
        "farm.verdict": summary["verdict"],
        "farm.passed": ", ".join(passed),
        "farm.experiment_digest": summary["experiment_digest"],
        "farm.version": manifest["code"]["version"],
        "farm.commit": manifest["code"]["commit"],
        "farm.dirty": manifest["code"]["dirty"],
        "farm.ledger_heads": _whole_or_where(manifest["ledger_heads"]),
        "farm.data": _whole_or_where(manifest["data"]),
        **{f"farm.ray.{key}": executor.get(key) for key in ("address", "job_id", "submission_id", "dashboard")},
    }
    return {key: str(value)[:_LONGEST_TAG] for key, value in tags.items() if value not in (None, "")}


def _whole_or_where(by_study: Mapping[str, str]) -> str:
    """A digest a study as JSON, or where it stands when a tag cannot hold it: half of one proves nothing."""
    text = json.dumps(by_study, sort_keys=True)
    return text if len(text) <= _LONGEST_TAG else f"{len(by_study)} studies: see manifest.json"


def _candidate(
    study: Mapping[str, Any], candidate: Mapping[str, Any], experiment: Mapping[str, Any]
) -> CandidateAccount:
    numbers = {
        **candidate["evidence"],
        **{f"score.{key}": value for key, value in candidate["scores"].items()},
        **candidate["metrics"],
        "raw_trials": study["raw_trials"],
        "effective_trials": study["effective_trials"],
        "pbo": study["overfitting"]["pbo"],
        "certifiable_sharpe": study["certifiable_sharpe"],
    }
    trial = candidate["trial"]
    recipe = experiment["models"].get(trial, {"stack": experiment.get("stack")})
    return CandidateAccount(
        name=f"{study['symbol']}/{trial}",
        tags={
            "farm.verdict": candidate["verdict"],
            "farm.reasons": "; ".join(candidate["reasons"])[:_LONGEST_TAG],
            "farm.symbol": study["symbol"],
            "farm.trial": trial,
        },
        params={"symbol": study["symbol"], "trial": trial, "role": candidate["role"], **_flat(recipe)},
        metrics={
            key: float(value)
            for key, value in numbers.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
    )


def _flat(tree: Any, prefix: str = "") -> dict[str, str]:
    """Leaves of nested mappings by dotted name; a list is one leaf.

    >>> _flat({"a": {"b": 1, "c": [2, 3]}, "d": None})
    {'a.b': '1', 'a.c': '[2, 3]', 'd': 'null'}
    """
    if isinstance(tree, Mapping) and tree:
        leaves: dict[str, str] = {}
        for key, value in tree.items():
            leaves |= _flat(value, f"{prefix}.{key}" if prefix else str(key))
        return leaves
    return {prefix: json.dumps(tree)[:_LONGEST_PARAM]}
