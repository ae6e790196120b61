"""A finished run built again from what it recorded, in a home of its own, and compared byte by byte."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.config import Experiment, load_experiment
from farm.errors import BadInput
from farm.ledger import copy_history
from farm.run.driver import run
from farm.run.environment import code_version, environment
from farm.run.folder import RunFolder
from farm.store import Store, files_of

RESULTS = ("oof.parquet", "returns.parquet", "trials.parquet", "summary.json")
_OF_MACHINE = ("python", "machine", "cpu")
_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was when the run was made: its name, what it was then, what it is now."""

    what: str
    then: object
    now: object

    def __str__(self) -> str:
        return f"{self.what}: {_told(self.then)} then, {_told(self.now)} now"


@dataclass(frozen=True)
class Comparison:
    """A result file of the run beside the one built again; ``differs`` says where, and is empty for equal bytes."""

    file: str
    differs: tuple[str, ...]


def changed_since(folder: RunFolder) -> list[Difference]:
    """How code, libraries and machine differ from those that a run recorded: what may make its numbers differ."""
    manifest = _finished(folder)
    found = [*_between("code", manifest["code"], code_version())]
    then, now = manifest["environment"], environment()
    found += _between("libraries", then["libraries"], now["libraries"])
    found += [Difference(part, then.get(part), now[part]) for part in _OF_MACHINE if then.get(part) != now[part]]
    return found


def data_changed_since(folder: RunFolder) -> list[Difference]:
    """Symbols whose bars, read now, are not those of the run: their fingerprints then and now."""
    manifest, experiment = _finished(folder), experiment_of(folder)
    return [
        Difference(f"data of {symbol}", manifest["data"].get(symbol), now)
        for symbol in manifest["data"]
        if manifest["data"].get(symbol) != (now := experiment.of(symbol).bars.read(symbol).report.fingerprint)
    ]


def reproduce(folder: RunFolder, home: str, to: str) -> list[Comparison]:
    """Build a run again and compare its result files with those of the run.

    The same earlier trials count: the ledger of ``home`` is copied up to the heads that the run recorded, with the
    returns of those trials, so that N and all that follows from it is what it was.

    Parameters
    ----------
    folder
        The run, finished.
    home
        The home it was made in.
    to
        An empty home to build it in.

    Raises
    ------
    BadInput
        The run is unfinished, ``to`` is not empty, or the ledger lost what the run counted.
    """
    manifest, experiment = _finished(folder), experiment_of(folder)
    known = files_of(to).folders("")
    if known:
        raise BadInput(f"home {to} is not empty (it has {', '.join(known)}); a run is built again from nothing")
    trials = copy_history(home, to, manifest["history"])
    source, target = Store(home), Store(to)
    for key in sorted({key for trial in trials for key in trial.returns}):
        if source.has("trial_returns", key):
            arrays = source.open_arrays("trial_returns", key)
            target.put_arrays("trial_returns", key, arrays, arrays.meta)
    here = experiment.execution.model_copy(update={"address": None})
    again = run(experiment.model_copy(update={"home": to, "execution": here, "track": None}))
    return [Comparison(file, _differs(folder.path / file, again.folder.path / file)) for file in RESULTS]


def experiment_of(folder: RunFolder) -> Experiment:
    """The experiment that a run resolved and recorded."""
    return load_experiment(folder.fetch() / "experiment.yaml")


def _finished(folder: RunFolder) -> dict[str, Any]:
    manifest = folder.manifest()
    if "history" not in manifest or manifest.get("status") not in ("done", "failed"):
        raise BadInput(
            f"{folder.place}: this run did not finish, or an older version made it, so it does not say which trials it "
            "counted; run its experiment again, and reproduce that run"
        )
    return manifest


def _between(name: str, then: Any, now: Any) -> Iterator[Difference]:
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for part in sorted({*then, *now}):
            yield from _between(f"{name}.{part}", then.get(part), now.get(part))
    elif then != now:
        yield Difference(name, then, now)


def _told(value: object) -> str:
    return "absent" if value is None else str(value)


def _differs(then: Path, now: Path) -> tuple[str, ...]:
    if then.read_bytes() == now.read_bytes():
        return ()
    if then.suffix == ".json":
        return _shown([str(one) for one in _leaves(json.loads(then.read_bytes()), json.loads(now.read_bytes()))])
    return _shown(_columns(then, now))


def _leaves(then: Any, now: Any, name: str = "") -> Iterator[Difference]:
    """Where two JSON values differ, by the path to each place."""
    pairs: list[tuple[str, Any, Any]] = []
    if isinstance(then, dict) and isinstance(now, dict):
        pairs = [(f"{name}.{key}" if name else key, then.get(key), now.get(key)) for key in sorted({*then, *now})]
    elif isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        pairs = [(f"{name}[{at}]", one, other) for at, (one, other) in enumerate(zip(then, now, strict=True))]
    elif then != now:
        yield Difference(name, then, now)
    for inner, one, other in pairs:
        yield from _leaves(one, other, inner)


def _columns(then: Path, now: Path) -> list[str]:
    import pyarrow.parquet as pq

    one, other = pq.read_table(then), pq.read_table(now)
    if one.schema != other.schema:
        return [f"columns: {one.schema.names} then, {other.schema.names} now"]
    if len(one) != len(other):
        return [f"rows: {len(one):,} then, {len(other):,} now"]
    unequal = [name for name in one.column_names if not one[name].to_pandas().equals(other[name].to_pandas())]
    return [f"column {name} has other values" for name in unequal] or ["the same rows, in other bytes"]


def _shown(differences: list[str]) -> tuple[str, ...]:
    more = [f"… and {len(differences) - _SHOWN} more"] if len(differences) > _SHOWN else []
    return (*differences[:_SHOWN], *more)
