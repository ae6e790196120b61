"""Random breakages of text, tables and bytes, each made by a generator of a given seed."""

import warnings
from collections.abc import Callable
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_VALUES = (
    "0", "-1", "1e99", ".nan", ".inf", "null", "true", "[]", "{}", "''", "text", "2020-01-01", "[1, [2, {a: b}]]",
    "{kind: cusum}", "&anchor x", "*anchor", "!!python/object:os.system x", "1_000", "0x1F", "é☃", "'", '"', "- a",
    "5min", "1h", "0.5", "99999999999999999999", "1 session", "~", "? x", "\t", "${HOME}", "${NOT_SET}",
)  # fmt: skip
_CELLS = (
    "",
    "nan",
    "-1",
    "0",
    "inf",
    "abc",
    "1e400",
    "2021-13-45T00:00:00Z",
    "2021-03-01T00:00:00",
    "1,2",
    '"',
    " ",
    "☃",
)


def broken_text(text: str, random: Random) -> bytes:
    """The text with one to three things done to it that hands, editors and merges do."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        if len(text.splitlines()) > 2:
            text = random.choice(_OF_TEXT)(text, random)
    content = text.encode()
    if random.random() < 0.05:
        at = random.randrange(len(content) + 1)
        return content[:at] + bytes(random.randrange(256) for _ in range(3)) + content[at:]
    return content


def broken_csv(content: bytes, random: Random) -> bytes:
    """The file with a cell, a row, a column or some bytes wrong."""
    lines = content.decode().splitlines()
    at = random.randrange(1, len(lines))
    cells = lines[at].split(",")
    column = random.randrange(len(cells))
    match random.randrange(12):
        case 0:
            cells[column] = random.choice(_CELLS)
            lines[at] = ",".join(cells)
        case 1:
            del lines[at]
        case 2:
            lines.insert(at, lines[random.randrange(1, len(lines))])
        case 3:
            lines[at] = ",".join(cells[:column])
        case 4:
            lines[at : at + 3] = reversed(lines[at : at + 3])
        case 5:
            lines[0] = lines[0].replace(random.choice(lines[0].split(",")), random.choice(_CELLS))
        case 6:
            lines = [",".join(line.split(",")[:column] + line.split(",")[column + 1 :]) for line in lines]
        case 7:
            lines = lines[:at] + lines[1:at] + lines[at:]
        case 8:
            cells[column] = cells[column - 1]
            lines[at] = ",".join(cells)
        case 9:
            lines = [line.replace(",", random.choice((";", "\t", ",,"))) for line in lines]
        case 10:
            text = "\n".join(lines).encode()
            return text[: random.randrange(len(text))]
        case _:
            spot = random.randrange(len(content))
            return content[:spot] + bytes([random.randrange(256)]) + content[spot + 1 :]
    return ("\n".join(lines) + "\n").encode()


def broken_parquet(content: bytes, random: Random) -> bytes:
    """The file with a value, a row, a column, a type or some bytes wrong."""
    if random.random() < 0.3:
        at = random.randrange(len(content))
        return random.choice((content[:at], content[:at] + bytes([random.randrange(256)]) * 4 + content[at + 4 :]))
    frame = pq.read_table(pa.BufferReader(content)).to_pandas()
    row, column = random.randrange(len(frame)), random.choice(list(frame.columns))
    changed = _OF_TABLES[random.randrange(len(_OF_TABLES))](frame, row, column)
    sink = pa.BufferOutputStream()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyarrow's own use of what pandas will change
        pq.write_table(pa.Table.from_pandas(changed, preserve_index=False), sink)
    return bytes(sink.getvalue().to_pybytes())


def _another_value(text: str, random: Random) -> str:
    spots = [at for at, letter in enumerate(text) if letter == ":" and text[at + 1 : at + 2] == " "]
    at = random.choice(spots or [0]) + 2
    end = min(
        (spot for spot in (text.find(mark, at) for mark in (",", "\n", "}", "]")) if spot >= 0), default=len(text)
    )
    return text[:at] + random.choice(_VALUES) + text[end:]


def _a_letter(text: str, random: Random) -> str:
    at = random.randrange(len(text))
    return text[:at] + random.choice("abz09:{}[],-#&*!|>'\"%@` \n\t") + text[at + random.randrange(2) :]


def _a_line_gone(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    del lines[random.randrange(len(lines))]
    return "".join(lines)


def _a_line_twice(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    at = random.randrange(len(lines))
    return "".join([*lines[: at + 1], *lines[at:]])


def _a_line_moved_in(text: str, random: Random) -> str:
    lines = text.splitlines(keepends=True)
    at = random.randrange(len(lines))
    lines[at] = " " * random.randrange(1, 5) + lines[at]
    return "".join(lines)


def _a_key_misspelt(text: str, random: Random) -> str:
    at = random.choice([at for at, letter in enumerate(text) if letter == ":"] or [1])
    return text[: at - 1] + random.choice("xs_1 ") + text[at:]


def _cut_short(text: str, random: Random) -> str:
    return text[: random.randrange(len(text))]


_OF_TEXT: tuple[Callable[[str, Random], str], ...] = (
    _another_value, _another_value, _another_value, _a_letter, _a_line_gone, _a_line_twice, _a_line_moved_in,
    _a_key_misspelt, _cut_short,
)  # fmt: skip


def _with(value: object) -> Callable[[pd.DataFrame, int, str], pd.DataFrame]:
    def change(frame: pd.DataFrame, row: int, column: str) -> pd.DataFrame:
        if column == "time":
            return frame.assign(time=[*frame.time[:row], pd.NaT, *frame.time[row + 1 :]])
        values = frame[column].to_numpy(copy=True)
        values[row] = value
        return frame.assign(**{column: values})

    return change


_OF_TABLES: tuple[Callable[[pd.DataFrame, int, str], pd.DataFrame], ...] = (
    _with(np.nan),
    _with(-1.0),
    _with(0.0),
    _with(np.inf),
    _with(1e12),
    lambda frame, row, _: frame.drop(index=row),
    lambda frame, row, _: pd.concat([frame, frame.iloc[[row]]]),
    lambda frame, row, _: pd.concat([frame.iloc[row:], frame.iloc[:row]]),
    lambda frame, _, column: frame.drop(columns=column),
    lambda frame, _, column: frame.astype({column: str}),
    lambda frame, _, column: frame.rename(columns={column: "other"}),
    lambda frame, _, column: frame.assign(**{column: None}),
    lambda frame, row, _: frame.iloc[: row % 5],
    lambda frame, _, column: frame.assign(**{column: [[1, 2]] * len(frame)}),
    lambda frame, row, _: frame.assign(time=frame.time + pd.to_timedelta((frame.index > row).astype(int), unit="min")),
    lambda frame, _, column: frame.assign(time=frame.time.dt.tz_localize(None)),
)
