"""What a file that is not in order probably suffers from, in words: copies, files in the wrong order, foreign lines."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from farm.bars.frame import Float
from farm.bars.rows import FileRows, Role, Rows

_LONG = ("symbol", "ticker", "instrument", "contract", "expiry", "expiration")


def disorder(content: FileRows, rows: Rows) -> str:
    """What times that go back look like: a long file, a file loaded twice, files out of order, or a wrong clock."""
    named = [name for name in content.extra_columns if name.strip().lower() in _LONG]
    if named:
        return (
            f"With its {' and '.join(named)} this looks like a long file of many series; name the column that tells "
            "them apart by `symbol_column`, or join the contracts of a future by `source: contracts`"
        )
    every = np.column_stack(
        [rows.time, *(_bits(each) for each in (rows.open, rows.high, rows.low, rows.close, rows.volume))]
    )
    copies = len(every) - len(np.unique(every, axis=0))
    if copies:
        return f"{copies} rows are exact copies of earlier ones, as where a file was loaded twice; take them out"
    starts = np.flatnonzero(np.concatenate(([True], rows.time[1:] < rows.time[:-1])))
    ends = np.append(starts[1:], len(rows)) - 1
    order = np.argsort(rows.time[starts])
    if (rows.time[starts[order][1:]] > rows.time[ends[order][:-1]]).all():
        return (
            f"It holds {len(starts)} stretches that do not overlap, as where files were appended out of order; Farm "
            "does not sort, so put the file in order"
        )
    return "Glued files and wrong clocks look like this, so Farm does not sort; put the file in order"


def foreign_rows(
    text: pd.DataFrame, found: Mapping[Role, str], no_time: np.ndarray, values: Mapping[str, Float]
) -> list[str]:
    """What each of the marked rows of a CSV file looks like, the time of which is none; empty where nobody can say."""
    names = list(text.columns)
    beside = names.index(found["time"]) + 1
    blank = np.all([np.isnan(values[role][no_time]) for role in values], axis=0)
    shifted = np.zeros(len(no_time), dtype=bool)
    if beside < len(names):
        shifted = np.asarray(
            pd.to_datetime(text[names[beside]].iloc[no_time], format="ISO8601", errors="coerce").notna()
        )
    return [
        f"column {names[beside]} holds its time: the fields look shifted by one"
        if moved
        else "none of its fields is a price: it looks like a line of another file"
        if nothing
        else ""
        for moved, nothing in zip(shifted, blank, strict=True)
    ]


def _bits(values: Float) -> np.ndarray:
    return values.view(np.int64)
