"""Files of this machine or of a shared mount."""

import os
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from farm.store.errors import HomeFailed
from farm.store.files import Files, Part

_DRAFT = re.compile(r"\.[0-9a-f]{32}")


@dataclass(frozen=True)
class LocalFiles(Files):
    """Files under a folder of this machine or of a shared mount."""

    root: str

    @override
    def exists(self, path: str) -> bool:
        with _asked(file := self.here(path)):
            return file.exists()

    @override
    def read(self, path: str) -> bytes:
        with _asked(file := self.here(path)):
            return file.read_bytes()

    @override
    def write(self, path: str, parts: Iterable[Part]) -> bool:
        final = self.here(path)
        if self.exists(path):
            return False
        with self._draft(final, parts) as draft:
            return _publish(draft, final)

    @override
    def create(self, path: str, content: bytes) -> None:
        if not self.write(path, [content]):
            raise FileExistsError(self.place(path))
        # A result whose name is lost in a power cut is computed again; a ledger's segment must not be lost.
        _sync_folder(self.fetch(path).parent)

    @override
    def replace(self, path: str, content: bytes) -> None:
        final = self.fetch(path)
        with self._draft(final, [content]) as draft:
            draft.replace(final)

    @override
    def names(self, folder: str) -> list[str]:
        return [name for name, is_folder in self._entries(folder).items() if not is_folder]

    @override
    def folders(self, folder: str) -> list[str]:
        return [name for name, is_folder in self._entries(folder).items() if is_folder]

    @override
    def sizes(self, folder: str) -> dict[str, int]:
        return _sizes(self.here(folder), self.names(folder))

    @override
    def drafts(self, folder: str) -> dict[str, int]:
        return _sizes(self.here(folder), (name for name in _listed(self.here(folder)) if _DRAFT.fullmatch(name)))

    @override
    def modified(self, path: str) -> float:
        with _asked(file := self.here(path)):
            return file.stat().st_mtime

    @override
    def remove(self, path: str) -> bool:
        try:
            with _asked(file := self.here(path)):
                file.unlink()
        except FileNotFoundError:
            return False
        return True

    @override
    def fetch(self, path: str) -> Path:
        return Path(self.root, path)

    @override
    def here(self, path: str) -> Path:
        return Path(self.root, path)

    @override
    def pull(self, path: str) -> None:
        if not self.exists(path):
            raise FileNotFoundError(self.place(path))

    @override
    def push(self, path: str) -> None:
        """The file is here already."""

    @override
    def copies(self) -> None:
        """The files themselves are here."""

    @override
    def place(self, path: str) -> str:
        return str(self.fetch(path))

    @contextmanager
    def _draft(self, final: Path, parts: Iterable[Part]) -> Iterator[Path]:
        """The complete content under a temporary name beside its place, gone when the block ends."""
        draft = _draft_beside(final)
        try:
            try:
                _write_synced(draft, parts)
            except FileNotFoundError:
                final.parent.mkdir(parents=True, exist_ok=True)
                _write_synced(draft, parts)
            yield draft
        except OSError as error:
            raise HomeFailed.at(str(final), error) from error
        finally:
            draft.unlink(missing_ok=True)

    def _entries(self, folder: str) -> dict[str, bool]:
        """Names that readers see, sorted, and whether each is a folder."""
        return {name: is_folder for name, is_folder in _listed(self.here(folder)).items() if not name.startswith(".")}


def _listed(folder: Path) -> dict[str, bool]:
    """Names in a folder, sorted, and whether each is a folder; none where there is no folder."""
    try:
        with _asked(folder), os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir() for entry in entries if entry.is_dir() or entry.is_file()}
    except FileNotFoundError:
        return {}
    return dict(sorted(found.items()))


@contextmanager
def _asked(place: Path) -> Iterator[None]:
    """What the disk refuses is the home's failure; that something is not there is an answer."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise HomeFailed.at(str(place), error) from error


@contextmanager
def whole_file(final: Path) -> Iterator[Path]:
    """A temporary name beside a file of this machine: what the block writes there takes the file's place at its end.

    A block that fails leaves the file as it was and nothing beside it.
    """
    draft = _draft_beside(final)
    try:
        yield draft
        draft.replace(final)
    except OSError as error:
        raise HomeFailed.at(str(final), error) from error
    finally:
        draft.unlink(missing_ok=True)


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Name and bytes of files, without those that somebody removes meanwhile."""
    sizes = {}
    for name in sorted(names):
        with suppress(FileNotFoundError), _asked(folder / name):
            sizes[name] = (folder / name).stat().st_size
    return sizes


def _draft_beside(final: Path) -> Path:
    return final.with_name(f".{uuid.uuid4().hex}")


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
