"""The store: results by kind and key, written once."""

import mmap
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from farm.errors import BadInput
from farm.store.arrays import Arrays, open_file, parts_of, problem_of
from farm.store.errors import Damaged
from farm.store.files import Files, full_home
from farm.store.forms import json_bytes, json_of, sealed, table_bytes, table_of, unsealed
from farm.store.home import files_of

if TYPE_CHECKING:
    import pyarrow as pa

_KIND = re.compile(r"[a-z][a-z0-9_]*")
_KEY = re.compile(r"[0-9a-f]{8,128}")
_FILE = re.compile(r"([0-9a-f]{8,128})\.(arrow|arrays|json|bin)")
_FORMS = ("arrow", "arrays", "json", "bin")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Stored:
    """One result as a file: its kind and key, its path in the home, its bytes."""

    kind: str
    key: str
    file: str
    size: int


@dataclass(frozen=True)
class Store:
    """Results under ``home``, each a file ``kind/ab/abcdef….form`` named by its key, a hex digest of what makes it.

    Laws: a key's result never changes (a second put of a key leaves the first); a file is there complete or not at
    all, whenever its writer died; "finished" means stored; every file carries a checksum of all its bytes. Nothing but
    names is held, so a store travels to workers.

    Parameters
    ----------
    home
        A path (made absolute) or the URI of an object store.
    cache
        The folder for this machine's copies of remote files; not given: one of this user's under the temporary folder.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = Store(folder.name).create()
    >>> store.put_json("fits", "00c0ffee", {"rows": 3})
    True
    >>> store.put_json("fits", "00c0ffee", {"rows": 3})
    False
    >>> store.have("fits", ["00c0ffee", "0badcafe"]), store.get_json("fits", "00c0ffee")
    ({'00c0ffee'}, {'rows': 3})
    >>> folder.cleanup()
    """

    home: str
    cache: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", full_home(self.home))

    def create(self) -> "Store":
        """This store, after its home was made and proved writable; BadInput where it is not."""
        probe = f".probe-{uuid.uuid4().hex}"
        try:
            self._files.create(probe, b"farm")
            self._files.remove(probe)
        except Exception as error:  # every remote library has its own errors, down to a missing driver or credentials
            raise BadInput(
                f"home {self.home} cannot be written ({type(error).__name__}: {error}); give one that can, with "
                "`home:` in the experiment or FARM_HOME: a folder on a filesystem with hard links, or an object store"
            ) from error
        return self

    def has(self, kind: str, key: str) -> bool:
        """Whether the key's result is stored."""
        return any(self._files.exists(_path(kind, key, form)) for form in _FORMS)

    def have(self, kind: str, keys: Collection[str]) -> set[str]:
        """Those of the keys whose results are stored: one listing for each folder they can be in."""
        wanted = set(keys)
        for key in wanted:
            _checked(kind, key)
        return wanted & self._stems(f"{kind}/{prefix}" for prefix in {key[:2] for key in wanted})

    def keys(self, kind: str) -> set[str]:
        """All keys of a kind."""
        return self._stems(self._folders(kind))

    def size(self, kind: str) -> int:
        """Bytes stored of a kind."""
        return sum(sum(self._files.sizes(folder).values()) for folder in self._folders(kind))

    def discard(self, kind: str, key: str) -> bool:
        """Whether there was a result of the key to remove: what a damaged file needs before it is made again."""
        return sum(self._files.remove(_path(kind, key, form)) for form in _FORMS) > 0

    def put_table(self, kind: str, key: str, table: "pa.Table") -> bool:
        """True when this call stored the table (as an Arrow file), False when the key was stored before."""
        return self._files.write(_path(kind, key, "arrow"), [table_bytes(table)])

    def get_table(self, kind: str, key: str) -> "pa.Table":
        """The stored table; KeyError where there is none, Damaged where it is not what was written."""
        return self._read(kind, key, "arrow", table_of)

    def put_bytes(self, kind: str, key: str, content: bytes) -> bool:
        """True when this call stored the bytes, False when the key was stored before."""
        return self._files.write(_path(kind, key, "bin"), [sealed(content)])

    def get_bytes(self, kind: str, key: str) -> bytes:
        """The stored bytes; KeyError where there are none, Damaged where they are not what was written."""
        return self._read(kind, key, "bin", unsealed)

    def put_json(self, kind: str, key: str, value: object) -> bool:
        """True when this call stored the value as JSON (NaN is a ValueError), False when the key was stored before."""
        return self._files.write(_path(kind, key, "json"), [json_bytes(value)])

    def get_json(self, kind: str, key: str) -> Any:
        """The stored value; KeyError where there is none, Damaged where it is not what was written."""
        return self._read(kind, key, "json", json_of)

    def put_arrays(
        self, kind: str, key: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any] | None = None
    ) -> bool:
        """True when this call stored the arrays and their JSON ``meta``, False when the key was stored before."""
        return self._files.write(_path(kind, key, "arrays"), parts_of(arrays, meta or {}))

    def open_arrays(self, kind: str, key: str) -> Arrays:
        """The stored arrays by name, read-only and mapped from this machine's disk, with their ``meta``.

        All workers of a machine that open a key share its memory. KeyError where there is none, Damaged where the file
        is cut short or its header is not what was written; the arrays themselves are proved by ``damage`` alone. This
        machine's copy of a remote file is proved whole, once a process, and fetched anew where it is damaged.
        """
        path = _path(kind, key, "arrays")
        try:
            file = self._files.fetch(path) if self._files.copies() is None else self._proved_copy(path)
            return open_file(file, self._files.place(path))
        except FileNotFoundError as error:
            raise self._absent(kind, key) from error

    def local_path(self, kind: str, key: str) -> Path:
        """Where the key's file lies on this machine, fetched once if the home is remote; KeyError where none is."""
        for form in _FORMS:
            if self._files.exists(path := _path(kind, key, form)):
                return self._files.fetch(path)
        raise self._absent(kind, key)

    def kinds(self) -> list[str]:
        """All kinds of which there may be results, by name."""
        return [name for name in self._files.folders("") if _KIND.fullmatch(name)]

    def stored(self, kind: str) -> Iterator[Stored]:
        """Every result of a kind, by key; files that are no results are passed over."""
        for folder in self._folders(kind):
            for name, size in self._files.sizes(folder).items():
                match = _FILE.fullmatch(name)
                if match is not None and folder == f"{kind}/{name[:2]}":
                    yield Stored(kind, match[1], f"{folder}/{name}", size)

    def copies(self) -> "Store | None":
        """This machine's copies of remote files as a store; None for a local home, which has none."""
        folder = self._files.copies()
        return None if folder is None else Store(folder)

    def drafts(self, kind: str) -> Iterator[Stored]:
        """What killed writers left beside the results of a kind, without keys; a writer at work has its draft there."""
        for folder in self._folders(kind):
            for name, size in self._files.drafts(folder).items():
                yield Stored(kind, "", f"{folder}/{name}", size)

    def remove(self, result: Stored) -> bool:
        """Whether there was this very file to remove."""
        return self._files.remove(result.file)

    def damage(self, result: Stored) -> str | None:
        """What is wrong with the file of a result, every byte proved; None where nothing is, or no file any more."""
        try:
            content = self._files.read(result.file)
        except FileNotFoundError:
            return None
        form = result.file.rpartition(".")[2]
        if form == "arrays":
            return problem_of(content)
        proof: Callable[[bytes], Any] = {"arrow": table_of, "json": json_of, "bin": unsealed}[form]
        try:
            proof(content)
        except ValueError as error:
            return str(error)
        return None

    def written_at(self, result: Stored) -> float:
        """When the file of a result was written, in seconds since 1970; FileNotFoundError where it is gone."""
        return self._files.modified(result.file)

    @property
    def _files(self) -> Files:
        return files_of(self.home, self.cache)

    def _folders(self, kind: str) -> list[str]:
        return [f"{kind}/{prefix}" for prefix in self._files.folders(kind)]

    def _stems(self, folders: Iterable[str]) -> set[str]:
        files = self._files
        with ThreadPoolExecutor(16) as pool:  # a remote listing is a wait, not work
            return {name.partition(".")[0] for names in pool.map(files.names, folders) for name in names}

    def _read(self, kind: str, key: str, form: str, value_of: Callable[[bytes], Value]) -> Value:
        path = _path(kind, key, form)
        try:
            return value_of(self._files.read(path))
        except FileNotFoundError as error:
            raise self._absent(kind, key) from error
        except ValueError as error:
            raise Damaged.file(self._files.place(path), str(error)) from error

    def _proved_copy(self, path: str) -> Path:
        copy = self._files.fetch(path)
        if _problem_of(copy, copy.stat().st_mtime_ns) is None:
            return copy
        self._files.pull(path)
        problem = _problem_of(copy, copy.stat().st_mtime_ns)
        if problem is not None:
            raise Damaged.file(self._files.place(path), problem)
        return copy

    def _absent(self, kind: str, key: str) -> KeyError:
        return KeyError(f"no {kind} with key {key} in {self.home}")


@lru_cache(maxsize=4096)
def _problem_of(copy: Path, changed: int) -> str | None:  # noqa: ARG001  # it tells one state of a file from the next
    """What is wrong with a copied array file, every byte of it proved; None where nothing is."""
    with copy.open("rb") as file:
        if copy.stat().st_size == 0:
            return "it is empty"
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return problem_of(content)


def _path(kind: str, key: str, form: str) -> str:
    _checked(kind, key)
    return f"{kind}/{key[:2]}/{key}.{form}"


def _checked(kind: str, key: str) -> None:
    if _KIND.fullmatch(kind) is None:
        raise ValueError(f"kind {kind!r} is not a folder's name; use lower-case letters, digits and _, a letter first")
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"key {key!r} is not a digest; use 8 to 128 lower-case hex digits")
