"""The contract that every bar must meet. Nothing is repaired: a bad row stops the run, or is dropped and listed."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.dirt import disorder
from farm.bars.frame import Int
from farm.bars.rows import BadRow, FileRows, Rows
from farm.errors import BadInput

OnBadRows = Literal["stop", "quarantine"]

_ENOUGH_STEPS = 10


def sound_rows(content: FileRows, on_bad_rows: OnBadRows) -> tuple[Rows, tuple[BadRow, ...]]:
    """The rows that meet the contract by themselves and stand in time order, and the bad ones.

    The rules, in this order: the time is one, and so are the numbers; prices are finite and above 0; the high is at
    least, the low at most, the open and the close; the volume is finite and not negative; a row is not an exact copy of
    the one before. With ``stop`` the first bad row is a `BadInput`. Times that go back, and two different rows of one
    time, stop in either mode: nobody can tell from the file which row is right.
    """
    rows = content.rows
    first_broken = np.full(len(rows), -1)
    for number, (holds, _) in enumerate(_RULES):
        first_broken[~holds(rows) & (first_broken < 0)] = number
    bad = [BadRow(int(rows.row[at]), _RULES[first_broken[at]][1](rows, at)) for at in np.flatnonzero(first_broken >= 0)]
    rows = rows.where(first_broken < 0)
    _stop_at_disorder(content, rows)
    copies = np.concatenate((np.zeros(min(len(rows), 1), dtype=bool), rows.time[1:] == rows.time[:-1]))
    bad += [BadRow(int(row), "is an exact copy of the row before") for row in rows.row[copies]]
    everything = tuple(sorted((*content.unreadable, *bad), key=lambda each: each.row))
    if on_bad_rows == "stop":
        _stop(content, everything)
    return rows.where(~copies), everything


def on_grid(
    content: FileRows, rows: Rows, offset: Int, step: int, timeframe: str, on_bad_rows: OnBadRows
) -> tuple[NDArray[np.bool_], tuple[BadRow, ...]]:
    """Marks the bars that open on the timeframe's grid, and gives the others as bad rows.

    ``offset`` is each bar's open in ns after its session's. A file whose most common step is not the timeframe was
    declared wrongly and stops in either mode.
    """
    steps = np.diff(rows.time)
    if len(steps) >= _ENOUGH_STEPS:
        lengths, counts = np.unique(steps, return_counts=True)
        common = int(lengths[counts.argmax()])
        if common != step:
            raise BadInput(
                f"{content.file}: its most common step is {common / 1e9:g} s, but `timeframe: {timeframe}` was "
                "declared; declare the file's own, and let Farm make the longer ones"
            )
    fits = offset % step == 0
    bad = tuple(
        BadRow(int(rows.row[at]), f"time {_text(rows.time[at])} is not on the {timeframe} grid from its session's open")
        for at in np.flatnonzero(~fits)
    )
    if on_bad_rows == "stop":
        _stop(content, bad)
    return fits, bad


def stop_at_two_of_a_span(content: FileRows, rows: Rows, open_time: Int) -> None:
    """Raise `BadInput` where two rows are bars of one and the same span, such as two of a month."""
    again = np.flatnonzero(open_time[1:] <= open_time[:-1])
    if len(again):
        at = again[0] + 1
        raise BadInput(
            f"{content.name(int(rows.row[at]))}: {_text(rows.time[at])} is a second bar of the span that "
            f"{_text(rows.time[at - 1])} stands for, which opens at {_text(open_time[at])}; keep one"
        )


def _stop_at_disorder(content: FileRows, rows: Rows) -> None:
    back = np.flatnonzero(rows.time[1:] < rows.time[:-1])
    if len(back):
        at = back[0] + 1
        raise BadInput(
            f"{content.name(int(rows.row[at]))}: time {_text(rows.time[at])} comes after {_text(rows.time[at - 1])}; "
            f"times must increase, and {len(back)} go back. {disorder(content, rows)}"
        )
    values = (rows.open, rows.high, rows.low, rows.close, rows.volume)
    differ = np.any([each[1:] != each[:-1] for each in values], axis=0)
    clash = np.flatnonzero((rows.time[1:] == rows.time[:-1]) & differ)
    if len(clash):
        raise BadInput(
            f"{content.name(int(rows.row[clash[0] + 1]))}: a second, different bar of {_text(rows.time[clash[0]])}; "
            f"{len(clash)} times come twice with other values, and the file does not say which is right; keep one"
        )


def _stop(content: FileRows, bad: Sequence[BadRow]) -> None:
    if bad:
        causes: dict[str, BadRow] = {}
        for each in bad:
            causes.setdefault(each.looks, each)
        first, *others = causes.values()
        also = "".join(f"; {content.name(each.row)}: {_told(each)}" for each in others if each.looks)
        raise BadInput(
            f"{content.name(first.row)}: {_told(first)}{also}. {len(bad)} of {content.n_rows} rows break the contract; "
            "correct the file, or have them dropped and listed by `on_bad_rows: quarantine`"
        )


def _told(bad: BadRow) -> str:
    return f"{bad.rule} ({bad.looks})" if bad.looks else bad.rule


def _finite(rows: Rows) -> NDArray[np.bool_]:
    return np.isfinite(rows.open) & np.isfinite(rows.high) & np.isfinite(rows.low) & np.isfinite(rows.close)


def _prices(rows: Rows, at: int) -> str:
    return f"open {rows.open[at]:g}, high {rows.high[at]:g}, low {rows.low[at]:g}, close {rows.close[at]:g}"


def _without_trades(rows: Rows, at: int) -> str:
    return ", a day without trades" if rows.open[at] == rows.close[at] == rows.volume[at] == 0 else ""


# Each rule: where it holds, and what to say where it does not. Comparisons with NaN are false, so `finite` comes first.
_RULES = (
    (_finite, lambda rows, at: f"{_prices(rows, at)}: a price is missing or not finite"),
    (
        lambda rows: np.minimum(np.minimum(rows.open, rows.high), np.minimum(rows.low, rows.close)) > 0,
        lambda rows, at: f"{_prices(rows, at)}{_without_trades(rows, at)}: prices must be above 0",
    ),
    (lambda rows: rows.high >= rows.low, lambda rows, at: f"high {rows.high[at]:g} is below low {rows.low[at]:g}"),
    (
        lambda rows: rows.high >= np.maximum(rows.open, rows.close),
        lambda rows, at: f"{_prices(rows, at)}: the high must be at least the open and the close",
    ),
    (
        lambda rows: rows.low <= np.minimum(rows.open, rows.close),
        lambda rows, at: f"{_prices(rows, at)}: the low must be at most the open and the close",
    ),
    (
        lambda rows: np.isfinite(rows.volume) & (rows.volume >= 0),
        lambda rows, at: f"volume {rows.volume[at]:g} must be a number of at least 0",
    ),
)


def _text(time: np.int64) -> str:
    return f"{np.datetime64(int(time), 'ns').astype('datetime64[s]')} UTC"
