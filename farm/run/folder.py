"""A run's folder, ``HOME/runs/<name>/<run_id>/``: made, found again after a kill, and closed."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import farm
from farm.config import Experiment
from farm.errors import BadInput
from farm.section import nearest

_LIBRARIES = ("numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "numba", "TA-Lib", "lightgbm", "ray", "mlflow")


@dataclass(frozen=True)
class RunFolder:
    """One run's folder on disk."""

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id, the folder's name."""
        return self.path.name

    def manifest(self) -> dict[str, Any]:
        """What the manifest says now; empty where there is none yet."""
        return read_manifest(self.path) or {}

    def write(self, name: str, text: str) -> None:
        """Write a text file whole: a temporary name first, then the real one."""
        temporary = self.path / f".{name}.writing"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.path / name)

    def write_json(self, name: str, value: object) -> None:
        """Write a value as JSON that people can read."""
        self.write(name, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")

    def update_manifest(self, **changes: Any) -> None:
        """Add to the manifest, or replace parts of it."""
        self.write_json("manifest.json", {**self.manifest(), **changes})


def open_run(experiment: Experiment) -> RunFolder:
    """The folder to run in: an unfinished run's of the same experiment, else a new one; ``latest`` points to it."""
    if "://" in experiment.where:
        raise BadInput(
            f"home: {experiment.where} is a URI, and a run's folder needs a path; give one, or mount the URI"
        )
    runs = Path(experiment.where) / "runs" / experiment.name
    runs.mkdir(parents=True, exist_ok=True)
    folder = _unfinished(runs, experiment.results_digest())
    now = datetime.now(UTC)
    if folder is None:
        folder = RunFolder(_new_folder(runs, f"{now:%Y%m%dT%H%M%S}-{experiment.results_digest()[:6]}"))
    before = folder.manifest()
    folder.write_json(
        "manifest.json",
        {
            "run_id": folder.run_id,
            "name": experiment.name,
            "status": "running",
            "process": os.getpid(),
            "experiment_digest": experiment.results_digest(),
            "code": code_version(),
            "environment": environment(),
            "started_at": before.get("started_at", now.isoformat()),
            "starts": before.get("starts", 0) + 1,
        },
    )
    _point_latest(runs, folder.path)
    return folder


def find_run(home: str, name: str) -> Path:
    """The folder of a run by id, by experiment name (its latest), or by path."""
    if (Path(name) / "manifest.json").is_file():
        return Path(name)
    runs = Path(home) / "runs"
    matches = [folder for folder in all_runs(home) if folder.name == name]
    if matches:
        return matches[0]
    latest = runs / name / "latest"
    if latest.is_dir():
        return latest.resolve()
    known = sorted(path.name for path in runs.iterdir()) if runs.is_dir() else []
    if not known:
        raise BadInput(f"no run {name!r}: {home} has no runs; run an experiment, or name another home by --home")
    raise BadInput(
        f"no run {name!r} in {home}; give a run id, a folder, or the name of an experiment: {nearest(name, known)}"
    )


def all_runs(home: str) -> Iterator[Path]:
    """The folders of all runs of a home, oldest first within each experiment."""
    for manifest in sorted(Path(home).glob("runs/*/*/manifest.json")):
        if not manifest.parent.is_symlink():
            yield manifest.parent


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """A run's manifest, or None where there is none."""
    path = folder / "manifest.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def status_of(manifest: Mapping[str, Any]) -> str:
    """``done``, ``failed``, ``running``, or ``stopped`` where the process of this host that ran it is gone."""
    here = manifest["environment"]["host"] == platform.node()
    gone = manifest["status"] == "running" and here and not _exists(manifest["process"])
    return "stopped" if gone else str(manifest["status"])


def code_version() -> dict[str, Any]:
    """Farm's version, and the commit of the checkout it runs from, if it does."""
    root = Path(farm.__file__).resolve().parents[1]
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    dirty = bool(_git(root, "status", "--porcelain")) if commit else None
    return {"version": farm.__version__, "commit": commit, "dirty": dirty}


def environment() -> dict[str, Any]:
    """Python, machine and the versions of the libraries that make the numbers."""
    versions: dict[str, str | None] = {}
    for library in _LIBRARIES:
        try:
            versions[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            versions[library] = None
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "libraries": versions,
    }


def _unfinished(runs: Path, experiment_digest: str) -> RunFolder | None:
    for folder in sorted(runs.iterdir(), reverse=True):
        if folder.is_symlink() or not folder.is_dir():
            continue
        manifest = read_manifest(folder)
        if manifest is None or manifest["experiment_digest"] != experiment_digest:
            continue
        here = manifest["environment"]["host"] == platform.node()
        if manifest["status"] == "running" and here and not _alive(manifest["process"]):
            return RunFolder(folder)
        return None
    return None


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


def _new_folder(runs: Path, run_id: str) -> Path:
    for suffix in ("", *(f"-{count}" for count in range(2, 1000))):
        folder = runs / f"{run_id}{suffix}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise BadInput(f"{runs}: a thousand runs began in one second under {run_id}; wait a second")


def _point_latest(runs: Path, folder: Path) -> None:
    temporary = runs / f".latest-{os.getpid()}"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name, target_is_directory=True)
    temporary.replace(runs / "latest")


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
