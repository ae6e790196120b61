"""The rows of a Parquet file, read in batches."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from farm.bars.clock import NO_TIME, nanoseconds_utc
from farm.bars.rows import ROLES, BadRow, FileRows, Role, Rows, find_columns
from farm.errors import BadInput

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_BATCH = 1 << 17


def read_parquet(file: str, columns: Mapping[Role, str], time_format: str, zone: str | None) -> FileRows:
    """The rows of a Parquet file; beside the arrays that come out, memory holds one batch at a time."""
    import fsspec
    from pyarrow.parquet import ParquetFile

    try:
        with fsspec.open(file, "rb") as stream, ParquetFile(stream) as parquet:
            return _read(file, parquet, columns, time_format, zone)
    except FileNotFoundError as error:
        raise BadInput(f"{file}: no such file; see `path` and `symbols`") from error
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file}: not a whole Parquet file ({error}); get it again") from error


def text_of_parquet(file: str, column: str) -> NDArray[np.object_]:
    """A column of a Parquet file as text, one a row; None where nothing is written."""
    import fsspec
    from pyarrow.parquet import ParquetFile

    try:
        with fsspec.open(file, "rb") as stream, ParquetFile(stream) as parquet:
            if column not in parquet.schema_arrow.names:
                raise BadInput(f"{file}: no column {column}; the file has {', '.join(parquet.schema_arrow.names)}")
            text = parquet.read(columns=[column])[column].cast(pa.string()).to_pylist()
    except FileNotFoundError as error:
        raise BadInput(f"{file}: no such file; see `path` and `symbols`") from error
    except (pa.ArrowException, OSError) as error:
        raise BadInput(f"{file}: not a whole Parquet file ({error}); get it again") from error
    return np.asarray(text, dtype=object)


def _read(
    file: str, parquet: "ParquetFile", columns: Mapping[Role, str], time_format: str, zone: str | None
) -> FileRows:
    schema = parquet.schema_arrow
    found = find_columns(file, schema.names, columns)
    for role in ROLES[1:]:
        kind = schema.field(found[role]).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
            raise BadInput(f"{file}: column {found[role]} ({role}) is of type {kind}; it must be numbers")
    n_rows = parquet.metadata.num_rows
    time = np.empty(n_rows, dtype=np.int64)
    values = {role: np.empty(n_rows) for role in ROLES[1:]}
    unreadable: list[BadRow] = []
    at = 0
    for batch in parquet.iter_batches(batch_size=_BATCH, columns=list(found.values())):
        stop = at + batch.num_rows
        time[at:stop], problems = nanoseconds_utc(batch.column(found["time"]), time_format, zone, file)
        unreadable += [BadRow(at + position + 1, f"{found['time']} {rule}") for position, rule in problems]
        for role, into in values.items():
            into[at:stop] = batch.column(found[role]).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        at = stop
    extra = tuple(name for name in schema.names if name not in found.values())
    rows = Rows(np.arange(1, n_rows + 1, dtype=np.int64), time, **values)
    return FileRows(file, n_rows, rows.where(time != NO_TIME), tuple(unreadable), extra, header_lines=None)
