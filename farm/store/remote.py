"""Files of an object store, and this machine's copies of them."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from farm.section import digest
from farm.store.errors import HomeFailed
from farm.store.files import Files, Part
from farm.store.local import LocalFiles


@dataclass(frozen=True)
class RemoteFiles(Files):
    """Files under an object store's URI; ``cache`` is the folder that keeps this machine's copies."""

    root: str
    cache: str | None = None

    @override
    def exists(self, path: str) -> bool:
        with self._asked(path) as (files, place):
            return bool(files.exists(place))

    @override
    def read(self, path: str) -> bytes:
        with self._asked(path) as (files, place):
            return bytes(files.cat_file(place))

    @override
    def write(self, path: str, parts: Iterable[Part]) -> bool:
        # Results of one key are equal, so two writers that pass this check together do no harm.
        if self.exists(path):
            return False
        self.replace(path, b"".join(parts))
        return True

    @override
    def create(self, path: str, content: bytes) -> None:
        try:
            with self._asked(path) as (files, place):
                files.pipe_file(place, content, mode="create")
        except HomeFailed as error:  # a taken name has another error in each library (gcsfs: an HttpError)
            if self.exists(path):
                raise FileExistsError(self.place(path)) from error
            raise

    @override
    def replace(self, path: str, content: bytes) -> None:
        # One call: a file handle closed by an error would publish what was written so far.
        with self._asked(path) as (files, place):
            files.pipe_file(place, content)

    @override
    def names(self, folder: str) -> list[str]:
        return [name for name, entry in self._entries(folder) if entry["type"] == "file"]

    @override
    def folders(self, folder: str) -> list[str]:
        return [name for name, entry in self._entries(folder) if entry["type"] == "directory"]

    @override
    def sizes(self, folder: str) -> dict[str, int]:
        return {name: int(entry["size"]) for name, entry in self._entries(folder) if entry["type"] == "file"}

    @override
    def drafts(self, folder: str) -> dict[str, int]:
        return {}  # an upload that was cut short is no object; buckets have a rule of their own that clears them

    @override
    def modified(self, path: str) -> float:
        with self._asked(path) as (files, place):
            return float(files.modified(place).timestamp())

    @override
    def remove(self, path: str) -> bool:
        self._copies().remove(path)
        try:
            with self._asked(path) as (files, place):
                files.rm_file(place)
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
    def here(self, path: str) -> Path:
        return self._copies().here(path)

    @override
    def pull(self, path: str) -> None:
        self._copies().replace(path, self.read(path))

    @override
    def push(self, path: str) -> None:
        with self._asked(path) as (files, place):
            files.put_file(str(self.here(path)), place)

    @override
    def copies(self) -> str:
        return self._copies().root

    @override
    def place(self, path: str) -> str:
        return f"{self.root}/{path}"

    @contextmanager
    def _asked(self, path: str) -> Iterator[tuple[Any, str]]:
        try:
            yield self._fs(), self.place(path)
        except (FileNotFoundError, FileExistsError, ImportError):
            raise
        except Exception as error:  # every library has its own errors, most of them no OSError
            raise HomeFailed.at(self.place(path), error) from error

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
            with self._asked(folder) as (files, place):
                found = files.ls(place, detail=True)
        except FileNotFoundError:
            return []
        named = ((entry["name"].rstrip("/").rpartition("/")[2], entry) for entry in found)
        return sorted(((name, entry) for name, entry in named if not name.startswith(".")), key=lambda pair: pair[0])
