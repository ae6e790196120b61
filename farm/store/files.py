"""The few things that store and ledger ask of a filesystem: whole files, published once, listed by folder.

Paths are relative to the home, with ``/`` between names. A file appears under its name complete or not at all: locally
it is written under a temporary name beside it, synced and hard-linked; an object store publishes an object when its
upload is complete. Names that start with a dot are temporaries and no reader sees them.
"""

import os
import tempfile
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from typing_extensions import override

from farm.errors import BadInput
from farm.section import digest

Part = bytes | memoryview

# Stores that publish an object whole and can refuse to overwrite one. Others (sftp, hdfs, smb) can be mounted.
_OBJECT_STORES = ("abfs", "abfss", "az", "gcs", "gs", "memory", "s3", "s3a")


class Files(Protocol):
    """A home's files. Values of this kind hold no handles, so they travel to workers."""

    def exists(self, path: str) -> bool:
        """Whether the file is there."""

    def read(self, path: str) -> bytes:
        """The content of a file; FileNotFoundError where there is none."""

    def write(self, path: str, parts: Iterable[Part]) -> bool:
        """True when this call made the file, False when it was there before (it is left as it is)."""

    def create(self, path: str, content: bytes) -> None:
        """Make the file and have it safely on disk; FileExistsError when anybody made it before."""

    def names(self, folder: str) -> list[str]:
        """Sorted names of the files in a folder; none where there is no folder."""

    def folders(self, folder: str) -> list[str]:
        """Sorted names of the folders in a folder."""

    def size(self, folder: str) -> int:
        """Bytes of the files directly in a folder."""

    def remove(self, path: str) -> bool:
        """Whether there was such a file to remove."""

    def fetch(self, path: str) -> Path:
        """Where the file lies on this machine, copied here first if it must be."""

    def place(self, path: str) -> str:
        """The file's full name, for messages."""


@dataclass(frozen=True)
class LocalFiles(Files):
    """Files under a folder of this machine or of a shared mount."""

    root: str

    @override
    def exists(self, path: str) -> bool:
        return self.fetch(path).exists()

    @override
    def read(self, path: str) -> bytes:
        return self.fetch(path).read_bytes()

    @override
    def write(self, path: str, parts: Iterable[Part]) -> bool:
        final = self.fetch(path)
        if final.exists():
            return False
        draft = final.with_name(f".{uuid.uuid4().hex}")
        try:
            try:
                _write_synced(draft, parts)
            except FileNotFoundError:
                final.parent.mkdir(parents=True, exist_ok=True)
                _write_synced(draft, parts)
            return _publish(draft, final)
        finally:
            draft.unlink(missing_ok=True)

    @override
    def create(self, path: str, content: bytes) -> None:
        if not self.write(path, [content]):
            raise FileExistsError(self.place(path))
        # A result whose name is lost in a power cut is computed again; a ledger's segment must not be lost.
        _sync_folder(self.fetch(path).parent)

    @override
    def names(self, folder: str) -> list[str]:
        return sorted(entry.name for entry in self._entries(folder) if entry.is_file())

    @override
    def folders(self, folder: str) -> list[str]:
        return sorted(entry.name for entry in self._entries(folder) if entry.is_dir())

    @override
    def size(self, folder: str) -> int:
        return sum(entry.stat().st_size for entry in self._entries(folder) if entry.is_file())

    @override
    def remove(self, path: str) -> bool:
        try:
            self.fetch(path).unlink()
        except FileNotFoundError:
            return False
        return True

    @override
    def fetch(self, path: str) -> Path:
        return Path(self.root, path)

    @override
    def place(self, path: str) -> str:
        return str(self.fetch(path))

    def _entries(self, folder: str) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(self.fetch(folder)) as entries:
                return [entry for entry in entries if not entry.name.startswith(".")]
        except FileNotFoundError:
            return []


@dataclass(frozen=True)
class RemoteFiles(Files):
    """Files under an object store's URI; ``cache`` is the folder that keeps this machine's copies."""

    root: str
    cache: str | None = None

    @override
    def exists(self, path: str) -> bool:
        return bool(self._fs().exists(self.place(path)))

    @override
    def read(self, path: str) -> bytes:
        return bytes(self._fs().cat_file(self.place(path)))

    @override
    def write(self, path: str, parts: Iterable[Part]) -> bool:
        # Results of one key are equal, so two writers that pass this check together do no harm. The object is put in
        # one call: a file handle closed by an error would publish what was written so far.
        if self.exists(path):
            return False
        self._fs().pipe_file(self.place(path), b"".join(parts))
        return True

    @override
    def create(self, path: str, content: bytes) -> None:
        try:
            self._fs().pipe_file(self.place(path), content, mode="create")
        except Exception as error:  # a taken name has another error in each library (gcsfs: an HttpError)
            if self.exists(path):
                raise FileExistsError(self.place(path)) from error
            raise

    @override
    def names(self, folder: str) -> list[str]:
        return [name for name, entry in self._entries(folder) if entry["type"] == "file"]

    @override
    def folders(self, folder: str) -> list[str]:
        return [name for name, entry in self._entries(folder) if entry["type"] == "directory"]

    @override
    def size(self, folder: str) -> int:
        return sum(int(entry["size"]) for _, entry in self._entries(folder) if entry["type"] == "file")

    @override
    def remove(self, path: str) -> bool:
        self._copies().remove(path)
        try:
            self._fs().rm_file(self.place(path))
        except FileNotFoundError:
            return False
        return True

    @override
    def fetch(self, path: str) -> Path:
        copies = self._copies()
        if not copies.exists(path):
            copies.write(path, [self.read(path)])
        return copies.fetch(path)

    @override
    def place(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _fs(self) -> Any:
        from fsspec.core import url_to_fs

        # Other machines write here as well: a remembered listing would lie.
        return url_to_fs(self.root, use_listings_cache=False)[0]

    def _copies(self) -> LocalFiles:
        # The folder is found where it is used: this value was perhaps made on another machine.
        folder = self.cache or Path(tempfile.gettempdir(), f"farm-cache-{os.getuid()}")
        return LocalFiles(str(Path(folder, digest(self.root))))

    def _entries(self, folder: str) -> list[tuple[str, dict[str, Any]]]:
        try:
            found = self._fs().ls(self.place(folder), detail=True)
        except FileNotFoundError:
            return []
        named = ((entry["name"].rstrip("/").rpartition("/")[2], entry) for entry in found)
        return sorted(((name, entry) for name, entry in named if not name.startswith(".")), key=lambda pair: pair[0])


def full_home(home: str) -> str:
    """A home as workers with another working folder read it: an absolute path, or a URI without a trailing slash.

    >>> full_home("s3://bucket/farm/"), full_home("file:///data/farm")
    ('s3://bucket/farm', '/data/farm')
    """
    scheme, sign, path = home.partition("://")
    if sign and scheme not in ("file", "local"):
        if scheme not in _OBJECT_STORES:
            raise BadInput(
                f"home {home!r}: {scheme!r} is not a store Farm can publish whole files on "
                f"({', '.join(_OBJECT_STORES)}); mount it and give the mount's path, or name one of these"
            )
        return home.rstrip("/")
    if not (path if sign else home):
        raise BadInput(f"home {home!r} is empty; give a path such as ./.farm or a URI such as s3://bucket/farm")
    return str(Path(path if sign else home).expanduser().absolute())


def files_of(home: str, cache: str | None = None) -> Files:
    """The files of a home, a local path or an fsspec URI."""
    root = full_home(home)
    return RemoteFiles(root, cache) if "://" in root else LocalFiles(root)


def _write_synced(draft: Path, parts: Iterable[Part]) -> None:
    with draft.open("xb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def _publish(draft: Path, final: Path) -> bool:
    """Whether the complete file got its name, which may be taken: a link decides that in one step, a rename cannot."""
    try:
        os.link(draft, final)
    except FileExistsError:
        # A network filesystem may repeat a link that succeeded and report the repetition.
        return draft.stat().st_nlink == 2
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
