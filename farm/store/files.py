"""The few things that store, ledger and runs ask of a filesystem: whole files, published once, listed by folder.

Paths are relative to the home, with ``/`` between names. A file appears under its name complete or not at all: locally
it is written under a temporary name beside it, synced and hard-linked; an object store publishes an object when its
upload is complete. Names that start with a dot are temporaries and no reader sees them. What the filesystem refuses is
a `HomeFailed`, whatever its library calls it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from farm.errors import BadInput

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

    def replace(self, path: str, content: bytes) -> None:
        """Make the file or put this content in its place, in one step: a reader sees the old or the new one."""

    def names(self, folder: str) -> list[str]:
        """Sorted names of the files in a folder; none where there is no folder."""

    def folders(self, folder: str) -> list[str]:
        """Sorted names of the folders in a folder."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Name and bytes of the files directly in a folder, by name."""

    def drafts(self, folder: str) -> dict[str, int]:
        """Name and bytes of what killed writers left in a folder; a writer at work has its draft there, too."""

    def modified(self, path: str) -> float:
        """When the file was written, in seconds since 1970; FileNotFoundError where there is none."""

    def remove(self, path: str) -> bool:
        """Whether there was such a file to remove."""

    def fetch(self, path: str) -> Path:
        """Where the file lies on this machine, copied here first if there is no copy yet."""

    def here(self, path: str) -> Path:
        """Where the file or its copy lies on this machine, or would lie; nothing is copied."""

    def pull(self, path: str) -> None:
        """Copy the file here anew, where it does not lie here anyway; FileNotFoundError where there is none."""

    def push(self, path: str) -> None:
        """Make this machine's copy the file, where it is not the file anyway."""

    def copies(self) -> str | None:
        """The folder of this machine's copies, laid out as the home; None where the files themselves lie here."""

    def place(self, path: str) -> str:
        """The file's full name, for messages."""


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
