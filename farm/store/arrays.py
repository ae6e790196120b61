"""Named arrays as one file that every worker of a machine reads in place.

Layout: 8 bytes of magic, the header's length as 8 bytes little-endian, 16 bytes checksum of the header, the header as
JSON, then every array C-ordered and little-endian at a multiple of 64 bytes. The header names each array's type, shape
and offset, the bytes of all of them, their checksum and the caller's ``meta``. Names are sorted and gaps are zero, so
equal arrays make equal bytes. Opening proves the header; only ``problem_of`` reads the arrays to prove them too.
"""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.store.checksum import LENGTH, checksum, checksum_of
from farm.store.errors import Damaged
from farm.store.files import Part

_MAGIC = b"FARMARR2"
_ALIGN = 64
_START = 16 + LENGTH


class Arrays(dict[str, NDArray[Any]]):
    """Read-only arrays by name, and the ``meta`` they were stored with."""

    meta: dict[str, Any]

    def __init__(self, arrays: Mapping[str, NDArray[Any]], meta: dict[str, Any]) -> None:
        super().__init__(arrays)
        self.meta = meta


def parts_of(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> list[Part]:
    """The file's content, as parts to be written one after the other; arrays that need no change are not copied."""
    plain = {name: _plain(name, arrays[name]) for name in sorted(arrays)}
    entries = []
    offset = 0
    for name, array in plain.items():
        entries.append({"name": name, "dtype": array.dtype.str, "shape": list(array.shape), "offset": offset})
        offset += _aligned(array.nbytes)
    body: list[Part] = []
    for array in plain.values():
        body.append(array.reshape(-1).view(np.uint8).data)
        body.append(bytes(_aligned(array.nbytes) - array.nbytes))
    described = {"arrays": entries, "bytes": offset, "checksum": checksum_of(body).hex(), "meta": meta}
    header = json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    header += b" " * (_aligned(len(header) + _START) - len(header) - _START)
    return [_MAGIC + len(header).to_bytes(8, "little") + checksum(header) + header, *body]


def open_file(path: Path, place: str) -> Arrays:
    """The arrays of a file, mapped and not read; ``place`` names the file in messages."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            raise Damaged.file(place, "it is empty")
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        start, header = _header(content)
    except ValueError as error:
        raise Damaged.file(place, str(error)) from error
    arrays = {
        entry["name"]: np.ndarray(
            tuple(entry["shape"]), dtype=entry["dtype"], buffer=content, offset=start + entry["offset"]
        )
        for entry in header["arrays"]
    }
    return Arrays(arrays, header["meta"])


def problem_of(content: bytes | mmap.mmap) -> str | None:
    """What is wrong with the file of this content, every byte of it proved; None where nothing is."""
    try:
        start, header = _header(content)
    except ValueError as error:
        return str(error)
    with memoryview(content) as view, view[start:] as body:
        whole = checksum(body).hex() == header["checksum"]
    return None if whole else "the checksum of its arrays does not fit them"


def _header(content: bytes | mmap.mmap) -> tuple[int, dict[str, Any]]:
    """Where the arrays begin, and what the header says; ValueError where it is not what was written."""
    size = len(content)
    start = _START + int.from_bytes(content[8:16], "little")
    if content[:8] != _MAGIC or start > size:
        raise ValueError("its beginning is not that of an array file")
    header = content[_START:start]
    if checksum(header) != content[16:_START]:
        raise ValueError("the checksum of its header does not fit it")
    described: dict[str, Any] = json.loads(header)
    if size != start + described["bytes"]:
        raise ValueError(f"{size} bytes where {start + described['bytes']} were written")
    return start, described


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.hasobject or array.dtype.names is not None:
        raise ValueError(
            f"array {name!r} has type {array.dtype}; only numbers, booleans, times and fixed text are stored"
        )
    # ascontiguousarray would turn a 0-d array into a 1-d one.
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _aligned(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN
