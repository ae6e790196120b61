"""Named arrays as one file that every worker of a machine reads in place.

Layout: 8 bytes of magic, the header's length as 8 bytes little-endian, the header as JSON, then every array C-ordered
and little-endian at a multiple of 64 bytes. The header names each array's type, shape and offset, the bytes of all of
them and the caller's ``meta``. Names are sorted and gaps are zero, so equal arrays make equal bytes.
"""

import json
import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.store.errors import Damaged
from farm.store.files import Part

_MAGIC = b"FARMARR1"
_ALIGN = 64


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
    header = json.dumps(
        {"arrays": entries, "bytes": offset, "meta": meta}, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()
    header += b" " * (_aligned(len(header) + 16) - len(header) - 16)
    parts: list[Part] = [_MAGIC + len(header).to_bytes(8, "little") + header]
    for array in plain.values():
        parts.append(array.reshape(-1).view(np.uint8).data)
        parts.append(bytes(_aligned(array.nbytes) - array.nbytes))
    return parts


def open_file(path: Path, place: str) -> Arrays:
    """The arrays of a file, mapped and not read; ``place`` names the file in messages."""
    with path.open("rb") as file:
        size = path.stat().st_size
        if size < 16:
            raise Damaged.file(place, f"{size} bytes, too few for arrays")
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    start = 16 + int.from_bytes(content[8:16], "little")
    if content[:8] != _MAGIC or start > size:
        raise Damaged.file(place, "its beginning is not that of an array file")
    try:
        header = json.loads(content[16:start])
    except ValueError as error:
        raise Damaged.file(place, f"its header is unreadable ({error})") from error
    if size != start + header["bytes"]:
        raise Damaged.file(place, f"{size} bytes where {start + header['bytes']} were written")
    arrays = {
        entry["name"]: np.ndarray(
            tuple(entry["shape"]), dtype=entry["dtype"], buffer=content, offset=start + entry["offset"]
        )
        for entry in header["arrays"]
    }
    return Arrays(arrays, header["meta"])


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.hasobject or array.dtype.names is not None:
        raise ValueError(
            f"array {name!r} has type {array.dtype}; only numbers, booleans, times and fixed text are stored"
        )
    # ascontiguousarray would turn a 0-d array into a 1-d one.
    return np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")


def _aligned(length: int) -> int:
    return -(-length // _ALIGN) * _ALIGN
