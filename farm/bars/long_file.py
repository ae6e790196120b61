"""Long files: the bars of many symbols in one file, with a column that says whose bar a row is."""

import numpy as np
from numpy.typing import NDArray

from farm.bars.rows import FileRows
from farm.errors import BadInput
from farm.section import nearest

Column = NDArray[np.object_]
"""A column of text, one a row of the file; None where nothing is written."""


def symbols_of(column: Column) -> tuple[str, ...]:
    """The symbols that a column holds, in their order."""
    return tuple(sorted({str(name) for name in column if name is not None}))


def rows_of(content: FileRows, column: Column, symbol: str, name: str) -> FileRows:
    """The rows of one symbol of a long file; they keep their numbers in the file.

    Raises `BadInput` where a row has no symbol, and where none is the symbol's.
    """
    row = content.rows.row
    nobody = row[np.array([name is None for name in column[row - 1]], dtype=bool)]
    if len(nobody):
        raise BadInput(
            f"{content.name(int(nobody[0]))}: no {name}, so nobody knows whose bar it is; {len(nobody)} rows have none"
        )
    mine = column == symbol
    if not mine.any():
        raise BadInput(f"{content.file}: no row whose {name} is {symbol}; {nearest(symbol, symbols_of(column))}")
    others = tuple(each for each in content.extra_columns if each != name)
    return FileRows(content.file, content.n_rows, content.rows, content.unreadable, others, content.header_lines).of(
        mine
    )
