"""What a run was made with: code, libraries, machine. It stands in the manifest and in no result."""

import os
import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import farm
from farm.models.entry import DISTRIBUTION
from farm.run.source import source_digest

_ROOT = Path(farm.__file__).resolve().parent
_NOT_FOR_NUMBERS = ("dev", "oracles")


def code_version() -> dict[str, Any]:
    """Farm's version, the commit of the checkout it runs from, if it does, and a digest of each room's source."""
    root = _ROOT.parent
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    dirty = bool(_git(root, "status", "--porcelain")) if commit else None
    return {"version": farm.__version__, "commit": commit, "dirty": dirty, "source": room_digests()}


def room_digests() -> dict[str, str]:
    """A digest of the source of every room, by its path in the project."""
    rooms = sorted(path for path in _ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file())
    return {f"farm/{path.name}": source_digest(path.stem) for path in rooms}


def environment() -> dict[str, Any]:
    """Python, the machine, and the versions of the libraries that Farm and its models ask for."""
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": cpu_type(),
        "host": platform.node(),
        "cores": os.cpu_count(),
        "libraries": {name: _version(name) for name in _libraries()},
    }


def cpu_type() -> str:
    """The processor's name, as the system tells it; equal numbers are promised on one type only."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", listing.read_text(encoding="utf-8"), re.MULTILINE)
        if found is not None:
            return found[1]
    return platform.processor() or platform.machine()


def _libraries() -> list[str]:
    names = set()
    for requirement in metadata.requires(DISTRIBUTION) or ():
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        if extra is None or extra[1] not in _NOT_FOR_NUMBERS:
            names.add(re.split(r"[\s<>=!~;\[(]", requirement, maxsplit=1)[0])
    return sorted(names, key=str.casefold)


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
