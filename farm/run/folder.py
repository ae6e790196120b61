"""A run's folder, ``HOME/runs/<name>/<run_id>/``, of a path or a URI: made, found again after a kill, and closed.

A folder on an object store has a copy on this machine, where the run writes and its report is made; each file goes to
the store whole, when it is complete. ``latest`` is a link, and where there are no links a small file with the run's id.
"""

import json
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farm.config import Experiment
from farm.errors import BadInput
from farm.run.environment import code_version, environment
from farm.section import nearest
from farm.store import Files, LocalFiles, files_of

MANIFEST = "manifest.json"
_RUNS = "runs"
_LATEST = "latest"


@dataclass(frozen=True)
class RunFolder:
    """One run's folder: its files under ``name`` among the files of a home."""

    files: Files
    name: str

    @property
    def run_id(self) -> str:
        """The run's id, the folder's name."""
        return self.name.rpartition("/")[2]

    @property
    def path(self) -> Path:
        """Where its files lie on this machine: the folder itself, or the copy of one on an object store."""
        return self.files.here(self.name)

    @property
    def place(self) -> str:
        """The folder's full name, a path or a URI."""
        return self.files.place(self.name)

    def manifest(self) -> dict[str, Any]:
        """What the manifest says now; empty where there is none yet."""
        return self.read_json(MANIFEST) or {}

    def read_json(self, file: str) -> dict[str, Any] | None:
        """What a JSON file of the folder says now, or None where there is none."""
        try:
            return dict(json.loads(self.files.read(f"{self.name}/{file}")))
        except FileNotFoundError:
            return None

    def write(self, file: str, text: str) -> None:
        """Write a text file: a reader finds the old one or the whole new one."""
        LocalFiles(str(self.path)).replace(file, text.encode())
        self.keep(file)

    def write_json(self, file: str, value: object) -> None:
        """Write a value as JSON that people can read."""
        self.write(file, _json(value))

    def update_manifest(self, **changes: Any) -> None:
        """Add to the manifest, or replace parts of it."""
        self.write_json(MANIFEST, {**self.manifest(), **changes})

    def keep(self, *files: str) -> None:
        """Send what there is of these in ``path`` to where the folder is, if that is elsewhere."""
        for file in files:
            if (self.path / file).is_file():
                self.files.push(f"{self.name}/{file}")

    def fetch(self) -> Path:
        """``path`` with all its files as they are now."""
        for file in self.files.names(self.name):
            self.files.pull(f"{self.name}/{file}")
        return self.path


def open_run(experiment: Experiment) -> RunFolder:
    """The folder to run in: an unfinished run's of the same experiment, else a new one; ``latest`` points to it."""
    files, runs = files_of(experiment.where), f"{_RUNS}/{experiment.name}"
    digest = experiment.results_digest()
    manifest = {
        "name": experiment.name,
        "status": "running",
        "process": os.getpid(),
        "experiment_digest": digest,
        "code": code_version(),
        "environment": environment(),
    }
    folder = _unfinished(files, runs, digest)
    if folder is None:
        now = datetime.now(UTC)
        folder = _new_folder(
            files, runs, f"{now:%Y%m%dT%H%M%S}-{digest[:6]}", {**manifest, "started_at": now.isoformat(), "starts": 1}
        )
    else:
        before = folder.manifest()
        started = {key: before[key] for key in ("run_id", "started_at")}
        folder.write_json(MANIFEST, {**manifest, **started, "starts": before["starts"] + 1})
    _point_latest(files, runs, folder.run_id)
    folder.fetch()
    return folder


def find_run(home: str, name: str) -> Path:
    """Where the files of a run lie on this machine, copied here if need be; ``run_at`` says what ``name`` may be."""
    return run_at(home, name).fetch()


def run_at(home: str, name: str) -> RunFolder:
    """The folder of a run by id, by experiment name (its latest), or by path."""
    if (Path(name) / MANIFEST).is_file():
        place = Path(name).resolve()
        return RunFolder(LocalFiles(str(place.parent)), place.name)
    files = files_of(home)
    experiments = files.folders(_RUNS)
    if name in experiments:
        run_id = _latest(files, f"{_RUNS}/{name}")
        if run_id is not None:
            return RunFolder(files, f"{_RUNS}/{name}/{run_id}")
    for experiment in experiments:
        if files.exists(f"{_RUNS}/{experiment}/{name}/{MANIFEST}"):
            return RunFolder(files, f"{_RUNS}/{experiment}/{name}")
    if not experiments:
        raise BadInput(f"no run {name!r}: {home} has no runs; run an experiment, or name another home by --home")
    raise BadInput(
        f"no run {name!r} in {home}; give a run id, a folder, or an experiment's name: {nearest(name, experiments)}"
    )


def all_runs(home: str) -> Iterator[RunFolder]:
    """The folders of all runs of a home, oldest first within each experiment."""
    files = files_of(home)
    for experiment in files.folders(_RUNS):
        for run_id in _run_ids(files, f"{_RUNS}/{experiment}"):
            folder = RunFolder(files, f"{_RUNS}/{experiment}/{run_id}")
            if files.exists(f"{folder.name}/{MANIFEST}"):
                yield folder


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest in a folder of this machine, or None where there is none."""
    return RunFolder(LocalFiles(str(folder.parent)), folder.name).read_json(MANIFEST)


def status_of(manifest: Mapping[str, Any]) -> str:
    """``done``, ``failed``, ``running``, or ``stopped`` where the process of this host that ran it is gone."""
    here = manifest["environment"]["host"] == platform.node()
    gone = manifest["status"] == "running" and here and not _exists(manifest["process"])
    return "stopped" if gone else str(manifest["status"])


def _unfinished(files: Files, runs: str, experiment_digest: str) -> RunFolder | None:
    for run_id in reversed(_run_ids(files, runs)):
        folder = RunFolder(files, f"{runs}/{run_id}")
        manifest = folder.manifest()
        if manifest.get("experiment_digest") != experiment_digest:
            continue
        here = manifest["environment"]["host"] == platform.node()
        if manifest["status"] == "running" and here and not _alive(manifest["process"]):
            return folder
        return None
    return None


def _run_ids(files: Files, runs: str) -> list[str]:
    return [name for name in files.folders(runs) if name != _LATEST]


def _alive(process: int) -> bool:
    # In a container every driver may have the same number: a run by "this" process is one that an earlier start left.
    return process != os.getpid() and _exists(process)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _new_folder(files: Files, runs: str, first: str, manifest: Mapping[str, Any]) -> RunFolder:
    """A folder that nobody else has: of two runs that begin in one second, one makes its manifest first."""
    for suffix in ("", *(f"-{count}" for count in range(2, 1000))):
        folder = RunFolder(files, f"{runs}/{first}{suffix}")
        try:
            files.create(f"{folder.name}/{MANIFEST}", _json({**manifest, "run_id": folder.run_id}).encode())
        except FileExistsError:
            continue
        return folder
    raise BadInput(f"{files.place(runs)}: a thousand runs began in one second under {first}; wait a second")


def _point_latest(files: Files, runs: str, run_id: str) -> None:
    if not isinstance(files, LocalFiles):
        files.replace(f"{runs}/{_LATEST}", run_id.encode())
        return
    link = files.here(f"{runs}/.latest-{os.getpid()}")
    link.unlink(missing_ok=True)
    link.symlink_to(run_id, target_is_directory=True)
    link.replace(files.here(f"{runs}/{_LATEST}"))


def _latest(files: Files, runs: str) -> str | None:
    if not isinstance(files, LocalFiles):
        try:
            return files.read(f"{runs}/{_LATEST}").decode()
        except FileNotFoundError:
            return None
    link = files.here(f"{runs}/{_LATEST}")
    return link.resolve().name if link.is_dir() else None


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"
