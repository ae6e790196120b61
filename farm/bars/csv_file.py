"""The rows of a CSV file, read in chunks."""

import zlib
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from farm.bars.clock import NO_TIME, nanoseconds_utc
from farm.bars.dirt import foreign_rows
from farm.bars.frame import Float
from farm.bars.rows import ROLES, BadRow, FileRows, Role, Rows, find_columns
from farm.errors import BadInput

_CHUNK = 1 << 17


def read_csv(
    file: str, columns: Mapping[Role, str], time_format: str, zone: str | None, delimiter: str = ","
) -> FileRows:
    """The rows of a CSV file with a header line; beside the arrays that come out, memory holds one chunk at a time.

    Empty lines are passed over, but counted in the numbers of rows, so that row n stands on line n + 1. A row with too
    few fields lacks values; one with too many stops the reading, as does whatever is not text.
    """
    try:
        with pd.read_csv(
            file,
            sep=delimiter,
            dtype=str,
            chunksize=_CHUNK,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
        ) as chunks:
            return _read(file, chunks, columns, time_format, zone)
    except FileNotFoundError as error:
        raise BadInput(f"{file}: no such file; see `path` and `symbols`") from error
    except pd.errors.EmptyDataError as error:
        raise BadInput(f"{file}: the file is empty; a header line and rows are needed") from error
    except (pd.errors.ParserError, UnicodeError, EOFError, OSError, zlib.error) as error:
        raise BadInput(f"{file}: not a whole CSV file in UTF-8 ({str(error).strip()}); correct it") from error


def text_of_csv(file: str, column: str, delimiter: str) -> NDArray[np.object_]:
    """A column of a CSV file as text, one a line after the header; None where nothing is written."""
    try:
        text = pd.read_csv(
            file,
            sep=delimiter,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            skip_blank_lines=False,
            usecols=[column],
        )[column]
    except FileNotFoundError as error:
        raise BadInput(f"{file}: no such file; see `path` and `symbols`") from error
    except ValueError as error:  # of what is wrong with the file, reading its rows tells first
        raise BadInput(f"{file}: no column {column} ({error})") from error
    return np.array([name if isinstance(name, str) else None for name in text], dtype=object)


def _read(
    file: str, chunks: "pd.io.parsers.TextFileReader", columns: Mapping[Role, str], time_format: str, zone: str | None
) -> FileRows:
    found: dict[Role, str] = {}
    extra: tuple[str, ...] = ()
    parts: list[Rows] = []
    unreadable: list[BadRow] = []
    n_rows = 0
    for chunk in chunks:
        names = [str(name) for name in chunk.columns]
        if not isinstance(chunk.index, pd.RangeIndex):  # what pandas makes of more fields than the header has
            raise BadInput(f"{file}: its rows have more fields than its header line has names ({len(names)})")
        if not found:
            found = find_columns(file, names, columns)
            extra = tuple(name for name in names if name not in found.values())
        row = np.asarray(chunk.index, dtype=np.int64) + 1
        written = ~np.asarray(chunk.isna().all(axis=1))
        rows, bad = _parse(file, chunk[written], row[written], found, time_format, zone)
        parts.append(rows)
        unreadable += bad
        n_rows += int(written.sum())
    joined = {each: np.concatenate([getattr(part, each) for part in parts]) for each in ("row", *ROLES)}
    return FileRows(file, n_rows, Rows(**joined), tuple(unreadable), extra, header_lines=1)


def _parse(
    file: str, text: pd.DataFrame, row: np.ndarray, found: Mapping[Role, str], time_format: str, zone: str | None
) -> tuple[Rows, list[BadRow]]:
    stamps = pa.array(text[found["time"]].str.strip(), type=pa.string(), from_pandas=True)
    time, problems = nanoseconds_utc(stamps, time_format, zone, file)
    wrong = {at: f"{found['time']} {stamps[at].as_py()!r} {rule}" for at, rule in problems}
    values: dict[str, Float] = {}
    for role in ROLES[1:]:
        written = text[found[role]]
        values[role] = _numbers(written)
        for at in np.flatnonzero(np.isnan(values[role]) & np.asarray(written.notna())):
            wrong.setdefault(int(at), f"{found[role]} {written.iloc[at]!r} is not a number")
    readable = np.ones(len(row), dtype=bool)
    readable[list(wrong)] = False
    no_time = np.array(sorted(at for at, _ in problems), dtype=np.int64)
    looks = dict(zip(no_time.tolist(), foreign_rows(text, found, no_time, values), strict=True)) if problems else {}
    bad = [BadRow(int(row[at]), rule, looks.get(at, "")) for at, rule in sorted(wrong.items())]
    return Rows(row, time, **values).where(readable & (time != NO_TIME)), bad


def _numbers(text: pd.Series) -> Float:
    """The numbers of a column, NaN where nothing or something else is written."""
    column = compute.utf8_trim_whitespace(pa.array(text, type=pa.string(), from_pandas=True))
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:  # something else is written: the slower way says where
        return np.asarray(pd.to_numeric(column.to_pandas(), errors="coerce"), dtype=np.float64)
