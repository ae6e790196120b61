"""How a table, a value and bytes lie in a file, each with a checksum that covers every byte of it.

A table is an Arrow file: the checksum stands in the footer's metadata, where other readers of Arrow pass it over, and
is taken with a mark in its place. A value is JSON on one line, and its checksum on the next. Bytes have it after them.
``arrays`` has the fourth form.
"""

import io
import json
from typing import TYPE_CHECKING, Any

from farm.store.checksum import LENGTH, checksum

if TYPE_CHECKING:
    import pyarrow as pa

_NAME = b"farm.checksum"
_MARK = b"the checksum stands in this place"[: 2 * LENGTH]


def table_bytes(table: "pa.Table") -> bytes:
    """The table's file; equal tables make equal bytes, however they were put together."""
    import pyarrow as pa

    whole = table.combine_chunks()
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, whole.schema, metadata={_NAME: _MARK}) as writer:
        writer.write_table(whole)
    content = sink.getvalue()
    return _in_place(content, _MARK, checksum(content).hex().encode())


def table_of(content: bytes) -> "pa.Table":
    """The table of its file; ValueError where the file is not what was written."""
    import pyarrow as pa

    try:
        with pa.ipc.open_file(pa.BufferReader(content)) as reader:
            said = (reader.metadata or {}).get(_NAME, b"")
            if len(said) != len(_MARK) or checksum(_in_place(content, said, _MARK)).hex().encode() != said:
                raise ValueError("its checksum does not fit its content")
            return reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"not a complete Arrow file ({error})") from error


def json_bytes(value: object) -> bytes:
    """The value's file; ValueError for NaN, TypeError for what JSON has not."""
    line = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"
    return line + _json_seal(line)


def json_of(content: bytes) -> Any:
    """The value of its file; ValueError where the file is not what was written."""
    end = content.find(b"\n") + 1
    if content[end:] != _json_seal(content[:end]):
        raise ValueError("its checksum does not fit its content")
    return json.loads(content[:end])


def sealed(content: bytes) -> bytes:
    """The file of plain bytes."""
    return content + checksum(content)


def unsealed(stored: bytes) -> bytes:
    """The bytes of their file; ValueError where the file is not what was written."""
    content = stored[:-LENGTH]
    if checksum(content) != stored[-LENGTH:]:
        raise ValueError("its checksum does not fit its content")
    return content


def _in_place(content: bytes, old: bytes, new: bytes) -> bytes:
    """The content with the last occurrence of ``old``, which the footer holds, exchanged."""
    before, _, after = content.rpartition(old)
    return before + new + after


def _json_seal(line: bytes) -> bytes:
    return b'{"checksum":"' + checksum(line).hex().encode() + b'"}\n'
