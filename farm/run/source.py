"""Digests of Farm's own source: what lets a changed line of code be seen in a key."""

from functools import cache
from pathlib import Path

from farm.section import digest

_ROOT = Path(__file__).resolve().parents[1]


@cache
def source_digest(*names: str) -> str:
    """Digest of modules and rooms by name (``fit`` is ``farm/fit.py``, ``labels`` the folder ``farm/labels``)."""
    sources: dict[str, str] = {}
    for name in names:
        path = _ROOT / name
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        sources |= {file.relative_to(_ROOT).as_posix(): file.read_text(encoding="utf-8") for file in files}
    return digest(sources)
