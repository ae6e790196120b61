"""What the report reads: a run's own files, and nothing else."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farm.errors import BadInput

Json = dict[str, Any]
_FILES = ("summary.json", "manifest.json", "experiment.yaml", "trials.parquet", "returns.parquet", "oof.parquet")


@dataclass(frozen=True, eq=False)
class RunFiles:
    """A finished run as its files tell it.

    ``trials`` are the rows of its trials.parquet; ``lockbox`` are its looks at sealed spans, ``openings`` and
    ``refusals``, empty where nobody asked for one.
    """

    folder: Path
    summary: Json
    manifest: Json
    experiment: Json
    experiment_text: str
    trials: tuple[Json, ...]
    lockbox: Json

    @property
    def studies(self) -> list[Json]:
        """The studies of the summary, in its order."""
        return self.summary["studies"]

    def returns(self, symbols: Sequence[str]) -> pa.Table:
        """The session returns of these symbols alone: symbol, trial, path, session, gross, net."""
        columns = ["symbol", "trial", "path", "session", "gross", "net"]
        wanted = [("symbol", "in", list(symbols))]
        return pq.read_table(self.folder / "returns.parquet", columns=columns, filters=wanted, use_threads=False)

    def predictions(self, symbols: Sequence[str]) -> pa.Table | None:
        """The out-of-fold rows of these symbols: trial, decided_at, split, label, p_down, p_up; None without any.

        Of several symbols, which stand in one study, the rows also say whose they are.
        """
        path = self.folder / "oof.parquet"
        columns = ["trial", "decided_at", "split", "label", "p_down", "p_up"]
        if not set(columns) <= set(pq.read_schema(path).names):
            return None
        told = columns if len(symbols) == 1 else [*columns, "symbol"]
        return pq.read_table(path, columns=told, filters=[("symbol", "in", list(symbols))], use_threads=False)


def read_run(folder: Path) -> RunFiles:
    """The files of a finished run.

    Raises
    ------
    BadInput
        A file is missing: the run did not finish, or this is no run's folder.
    ValueError
        A study has no baseline: a result that stands beside nothing cannot be read, so there is no report of it.
    """
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise BadInput(
            f"{folder}: found no {', '.join(missing)}; a report needs a run that finished, so run the experiment again "
            "(it goes on where it stopped)"
        )
    text = (folder / "experiment.yaml").read_text(encoding="utf-8")
    columns = ["symbol", "trial", "role", "status"]
    files = RunFiles(
        folder=folder,
        summary=json.loads((folder / "summary.json").read_text(encoding="utf-8")),
        manifest=json.loads((folder / "manifest.json").read_text(encoding="utf-8")),
        experiment=parsed_yaml(text),
        experiment_text=text,
        trials=tuple(pq.read_table(folder / "trials.parquet", columns=columns).to_pylist()),
        lockbox=_lockbox(folder / "lockbox.json"),
    )
    if "fits" not in files.manifest:
        raise BadInput(
            f"{folder / 'manifest.json'}: found no account of the fits; the run was stopped before its end, so run the "
            "experiment again (it goes on where it stopped)"
        )
    for study in files.studies:
        if not any(other["role"] == "baseline" for other in study["others"]):
            raise ValueError(
                f"{folder / 'summary.json'}: study {study['symbol']} has no baseline among its trials; at least one "
                "must stand beside the candidates, so run the experiment again with its baselines"
            )
    return files


def _lockbox(file: Path) -> Json:
    said: Json = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {"openings": [], "refusals": []} | said


def parsed_yaml(text: str) -> Json:
    """The experiment in a YAML text; empty for an empty one."""
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text) or {}
