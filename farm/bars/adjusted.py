"""Which prices a file means that has two closes: the quoted one, and one adjusted for dividends and splits."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np

from farm.bars.rows import FileRows
from farm.errors import BadInput

Prices = Literal["quoted", "adjusted"]

_NAMES = ("adjclose", "adjustedclose", "closeadj", "closeadjusted")


def adjusted_close(columns: tuple[str, ...]) -> str | None:
    """The column that by its name is an adjusted close, such as Yahoo's ``Adj Close``.

    >>> adjusted_close(("trades", "Adj Close"))
    'Adj Close'
    """
    plain = {"".join(each for each in name.lower() if each.isalpha()): name for name in columns}
    return next((plain[name] for name in _NAMES if name in plain), None)


def in_prices(content: FileRows, prices: Prices | None, read_close: Callable[[str], FileRows]) -> FileRows:
    """The rows in the prices that were asked for.

    ``adjusted`` multiplies open, high, low and close by the adjusted close over the close, so that dividends and splits
    make no return; the level then knows of dividends paid later, its moves do not. Volumes stay. ``read_close`` reads
    the file with another column as its close.

    Raises `BadInput` where a file has both closes and nothing was asked for, where there is no adjusted one, and where
    a row has none above 0.
    """
    name = adjusted_close(content.extra_columns)
    if prices is None and name is not None:
        raise BadInput(
            f"{content.file}: has a close and an adjusted close ({name}); say which prices are meant by `prices: "
            "quoted` (open, high, low and close as they stand) or `prices: adjusted` (all four times the adjusted "
            "close over the close, so that dividends make no return)"
        )
    if prices != "adjusted":
        return content
    if name is None:
        raise BadInput(
            f"{content.file}: `prices: adjusted` was declared, but no column is an adjusted close (such as adj_close); "
            f"beside the bars the file has {', '.join(content.extra_columns) or 'nothing'}"
        )
    rows, adjusted = content.rows, read_close(name).rows
    at = np.minimum(np.searchsorted(adjusted.row, rows.row), max(len(adjusted) - 1, 0))
    found = adjusted.close[at] if len(adjusted) else np.full(len(rows), np.nan)
    wrong = np.flatnonzero(~((found > 0) & np.isfinite(found)) | (adjusted.row[at] != rows.row))
    if len(wrong):
        raise BadInput(
            f"{content.name(int(rows.row[wrong[0]]))}: {name} {found[wrong[0]]:g} must be a number above 0; "
            f"{len(wrong)} rows have none. Correct the file, or take `prices: quoted`"
        )
    with np.errstate(divide="ignore", invalid="ignore"):  # a close of 0 is told by the check of the rows
        factor = found / rows.close
    scaled = replace(
        rows, open=rows.open * factor, high=rows.high * factor, low=rows.low * factor, close=rows.close * factor
    )
    return replace(content, rows=scaled)
