"""The texts in the files that a vendor gives: a file itself, or the members of its zip."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import IO, Any, TextIO, cast

import pyarrow as pa

from farm.errors import BadInput

_TEXTS = (".csv", ".txt")
_PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_MARKS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
_BLOCK = 1 << 20
_MOST_BLANK = 1000


@dataclass(frozen=True)
class Part:
    """One text: the file that was given, and the member where that is a zip. Times may need the date in a name."""

    file: Path
    member: str | None

    @property
    def label(self) -> str:
        """How messages name it."""
        return str(self.file) if self.member is None else f"{self.file}:{self.member}"

    @property
    def name(self) -> str:
        """Its name without folders, as the card has it."""
        return self.file.name if self.member is None else f"{self.file.name}:{self.member}"

    @contextmanager
    def open(self) -> Iterator[TextIO]:
        """The text, for a block of work; what is broken in it is a `BadInput`."""
        try:
            with self._bytes() as stream, io.TextIOWrapper(stream, encoding=self._encoding(), newline="") as text:
                yield text
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, UnicodeError) as error:
            raise BadInput(f"{self.label}: cannot be read to its end ({error}); get the file again") from error

    def first_lines(self, n: int) -> list[tuple[int, str]]:
        """The first lines that are not empty, with their numbers from 1."""
        with self.open() as text:
            filled = ((number, line.rstrip("\r\n")) for number, line in enumerate(islice(text, _MOST_BLANK), start=1))
            return list(islice(((number, line) for number, line in filled if line.strip()), n))

    def _encoding(self) -> str:
        with self._bytes() as stream:
            start = stream.read(3)
        return next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")

    @contextmanager
    def _bytes(self) -> Iterator[IO[bytes]]:
        if self.member is not None:
            with zipfile.ZipFile(self.file) as archive, archive.open(self.member) as stream:
                yield stream
        elif packed := _PACKED.get(self.file.suffix.lower()):
            with pa.input_stream(str(self.file), compression=packed) as unpacked:
                yield cast("IO[bytes]", unpacked)  # pyarrow's streams have what a TextIOWrapper asks of one
        else:
            with self.file.open("rb") as plain:
                yield plain


@dataclass(frozen=True)
class Source:
    """A given file as the card records it: name, digest, size in bytes."""

    file: Path
    sha256: str
    size: int


def source_of(file: Path) -> Source:
    """A file's digest and size; `BadInput` where there is none, or nothing in it."""
    if not file.exists():
        raise BadInput(f"{file}: no such file")
    if not file.is_file():
        raise BadInput(f"{file}: is a folder; give its files")
    digest, size = sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    if not size:
        raise BadInput(f"{file}: the file is empty")
    return Source(file, digest.hexdigest(), size)


def parts_of(file: Path) -> list[Part]:
    """The texts in a file: itself, or of a zip the members that are CSV, else those that are text, by name.

    HistData puts a report of gaps as text beside its CSV; that is no bars.
    """
    if file.suffix.lower() != ".zip":
        return [Part(file, None)]
    try:
        with zipfile.ZipFile(file) as archive:
            members = sorted(info.filename for info in archive.infolist() if not info.is_dir())
    except (zipfile.BadZipFile, OSError) as error:
        raise BadInput(f"{file}: not a whole zip file ({error}); get it again") from error
    for ending in _TEXTS:
        texts = [Part(file, member) for member in members if member.lower().endswith(ending)]
        if texts:
            return texts
    held: Any = ", ".join(members[:5]) or "nothing"
    raise BadInput(f"{file}: no CSV or text in the zip; it holds {held}")
