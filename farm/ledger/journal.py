"""Where segments are kept: a journal has two verbs, read from a number and append at a number."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, unquote

from typing_extensions import override

from farm.store import files_of

_ROOT = "ledger"
_NAME = re.compile(r"([0-9]{8})\.jsonl")


class Journal(Protocol):
    """One study's segments. What they mean is no business of a journal's."""

    def read(self, first: int) -> Sequence[tuple[int, bytes]]:
        """Numbers and bytes of all whole segments numbered ``first`` or higher, in order."""

    def append(self, number: int, content: bytes) -> None:
        """Keep a segment for good, whole or not at all; FileExistsError where the number is taken."""


@dataclass(frozen=True)
class FileJournal(Journal):
    """Segments as files ``ledger/<study>/00000001.jsonl`` of a home, a path or an fsspec URI."""

    home: str
    study: str

    @override
    def read(self, first: int) -> list[tuple[int, bytes]]:
        files = files_of(self.home)
        matches = (_NAME.fullmatch(name) for name in files.names(self._folder))
        numbers = [int(match[1]) for match in matches if match is not None and int(match[1]) >= first]
        if len(numbers) < 2:
            return [(number, files.read(self._path(number))) for number in numbers]
        with ThreadPoolExecutor(16) as pool:
            return list(zip(numbers, pool.map(files.read, map(self._path, numbers)), strict=True))

    @override
    def append(self, number: int, content: bytes) -> None:
        files_of(self.home).create(self._path(number), content)

    @property
    def _folder(self) -> str:
        return f"{_ROOT}/{_folder_name(self.study)}"

    def _path(self, number: int) -> str:
        return f"{self._folder}/{number:08d}.jsonl"


@dataclass
class MemoryJournal(Journal):
    """Segments in memory, for tests and notebooks."""

    segments: dict[int, bytes] = field(default_factory=dict)

    @override
    def read(self, first: int) -> list[tuple[int, bytes]]:
        return sorted((number, content) for number, content in self.segments.items() if number >= first)

    @override
    def append(self, number: int, content: bytes) -> None:
        mine = bytes(bytearray(content))  # an object of its own: which one was first is told by identity, in one step
        if self.segments.setdefault(number, mine) is not mine:
            raise FileExistsError(f"segment {number}")


def studies(home: str) -> list[str]:
    """Sorted names of the studies that a home's ledger knows."""
    return sorted(unquote(name) for name in files_of(home).folders(_ROOT))


def _folder_name(study: str) -> str:
    """The study's folder: one name, whatever the study is called, and none that looks like a temporary."""
    name = quote(study, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name
