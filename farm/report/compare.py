"""Two runs side by side: what was changed, and what that did to every candidate they share."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.report.read import Json, RunFiles, read_run
from farm.report.wording import listed
from farm.stats.difference import Difference, paired_difference

NOT_SET = "(not set)"

Series = tuple[NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class Change:
    """Something that is not the same in both runs."""

    what: str
    a: Any
    b: Any


@dataclass(frozen=True)
class SharedTrial:
    """One candidate of both runs: its part of either summary, and B less A over the sessions that both have."""

    symbol: str
    trial: str
    a: Json
    b: Json
    sessions: int
    sessions_a: int
    sessions_b: int
    difference: Difference

    @property
    def verdicts(self) -> tuple[str, str]:
        """The verdict in A and in B; its role where it gets none."""
        return _verdict(self.a), _verdict(self.b)


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side, A first; ``only_a`` and ``only_b`` are candidates as (symbol, trial)."""

    a: RunFiles
    b: RunFiles
    parameters: tuple[Change, ...]
    data: tuple[Change, ...]
    environment: tuple[Change, ...]
    trials: tuple[SharedTrial, ...]
    only_a: tuple[tuple[str, str], ...]
    only_b: tuple[tuple[str, str], ...]

    def plain(self) -> Json:
        """The comparison as JSON-able values; unknown is None."""
        return {
            "a": _about(self.a),
            "b": _about(self.b),
            "parameters": [asdict(change) for change in self.parameters],
            "data": [asdict(change) for change in self.data],
            "environment": [asdict(change) for change in self.environment],
            "candidates": [
                {
                    "symbol": one.symbol,
                    "trial": one.trial,
                    "verdict": {"a": one.verdicts[0], "b": one.verdicts[1]},
                    "reasons": {"a": one.a.get("reasons", []), "b": one.b.get("reasons", [])},
                    "sessions": {"common": one.sessions, "a": one.sessions_a, "b": one.sessions_b},
                    "metrics": {
                        name: {"a": a, "b": b} for name, a, b in measures(one)
                    },
                    "difference": asdict(one.difference),
                }
                for one in self.trials
            ],
            "only_a": [list(pair) for pair in self.only_a],
            "only_b": [list(pair) for pair in self.only_b],
        }  # fmt: skip


def compare_runs(folder_a: Path, folder_b: Path) -> Comparison:
    """Compare two finished runs, candidate by candidate; series are joined by session, never by position.

    Raises
    ------
    BadInput
        A run did not finish, or the two have no candidate in common.
    """
    a, b = read_run(folder_a), read_run(folder_b)
    told_a, told_b = _candidates(a), _candidates(b)
    shared = [key for key in told_a if key in told_b]
    if not shared:
        raise BadInput(
            f"nothing to compare: {_run_id(a)} has the candidates {_named(told_a)}, {_run_id(b)} has {_named(told_b)}; "
            "runs are compared by symbol and trial, so give two that share at least one of both"
        )
    symbols = list(dict.fromkeys(symbol for symbol, _ in shared))
    series_a, series_b = _headlines(a, symbols), _headlines(b, symbols)
    periods = {study["symbol"]: study["sessions_per_year"] for study in a.studies}
    return Comparison(
        a=a,
        b=b,
        parameters=tuple(_changes(flat(a.experiment), flat(b.experiment))),
        data=tuple(_changes(a.manifest["data"], b.manifest["data"])),
        environment=tuple(_changes(_environment(a), _environment(b))),
        trials=tuple(
            _shared_trial(key, told_a[key], told_b[key], series_a[key], series_b[key], periods[key[0]])
            for key in shared
        ),
        only_a=tuple(key for key in told_a if key not in told_b),
        only_b=tuple(key for key in told_b if key not in told_a),
    )


def measures(one: SharedTrial) -> Iterator[tuple[str, float | None, float | None]]:
    """The measures of a candidate, each in A and in B."""
    for part, names in _MEASURES.items():
        for name in names:
            yield name, one.a.get(part, {}).get(name), one.b.get(part, {}).get(name)


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """A nested mapping as dotted keys; a list is one value, for its places are no names.

    >>> flat({"folds": {"kind": "cpcv", "groups": 6}, "seed": 7})
    {'folds.kind': 'cpcv', 'folds.groups': 6, 'seed': 7}
    """
    if not isinstance(value, dict) or not value:
        return {name: value}
    found: dict[str, Any] = {}
    for key, one in value.items():
        found |= flat(one, f"{name}.{key}" if name else str(key))
    return found


def written(value: Any) -> str:
    """A parameter as a person writes it in YAML.

    >>> written("1h"), written([1, "a"]), written(None)
    ('1h', '[1, "a"]', 'null')
    """
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


_MEASURES = {
    "evidence": ("sharpe", "sharpe_low", "sharpe_high", "required_sharpe", "deflated"),
    "metrics": ("net_return", "annual_return", "max_drawdown", "trades", "break_even_multiple"),
    "scores": ("auc", "log_loss"),
}


def _candidates(files: RunFiles) -> dict[tuple[str, str], Json]:
    return {(study["symbol"], one["trial"]): one for study in files.studies for one in study["candidates"]}


def _headlines(files: RunFiles, symbols: list[str]) -> dict[tuple[str, str], Series]:
    """Sessions (days since 1970, ascending) and net returns of the headline series, by symbol and trial."""
    rows = files.returns(symbols)
    order = [("symbol", "ascending"), ("trial", "ascending"), ("session", "ascending")]
    rows = rows.filter(pc.equal(rows["path"], -1)).sort_by(order)
    days = pc.cast(rows["session"], pa.int32()).to_numpy().astype(np.int64)
    net = rows["net"].to_numpy()
    keys = list(zip(rows["symbol"].to_pylist(), rows["trial"].to_pylist(), strict=True))
    starts = [at for at, key in enumerate(keys) if at == 0 or key != keys[at - 1]]
    return {
        keys[start]: (days[start:stop], net[start:stop])
        for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True)
    }


def _shared_trial(
    key: tuple[str, str], a: Json, b: Json, series_a: Series, series_b: Series, periods: float
) -> SharedTrial:
    days, at_a, at_b = np.intersect1d(series_a[0], series_b[0], assume_unique=True, return_indices=True)
    difference = paired_difference(series_a[1][at_a], series_b[1][at_b], periods)
    return SharedTrial(*key, a, b, len(days), len(series_a[0]), len(series_b[0]), difference)


def _environment(files: RunFiles) -> dict[str, Any]:
    manifest = files.manifest
    environment = {key: value for key, value in manifest["environment"].items() if key not in ("host", "cores")}
    return flat({"code": manifest["code"], **environment})


def _changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for what in dict.fromkeys((*a, *b)):
        before, after = a.get(what, NOT_SET), b.get(what, NOT_SET)
        if before != after:
            yield Change(what, before, after)


def _about(files: RunFiles) -> Json:
    manifest = files.manifest
    return {
        "run_id": manifest["run_id"],
        "name": manifest["name"],
        "started_at": manifest["started_at"],
        "verdict": files.summary["verdict"],
    }


def _run_id(files: RunFiles) -> str:
    return f"{files.manifest['name']}/{files.manifest['run_id']}"


def _named(told: Mapping[tuple[str, str], Json]) -> str:
    return listed([f"{trial} on {symbol}" for symbol, trial in told])


def _verdict(about: Json) -> str:
    return about.get("verdict") or about["role"]
