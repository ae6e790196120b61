"""What became of decisions, as events: watched between barriers, or held for a fixed number of bars."""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.frame import Bars
from farm.labels.barrier import CUT, RULES, TIME, Ambiguous, Entry, usable_rows, watch
from farm.labels.events import Events
from farm.labels.finer import resolve

Int = NDArray[np.int64]
Float = NDArray[np.float64]

Timeout = Literal["neutral", "sign", "regression"]


def decidable(bars: Bars, rows: Int, volatility: Float) -> Int:
    """Those of ``rows`` with a positive finite volatility and a next bar in their segment, ascending.

    Raises
    ------
    ValueError
        ``rows`` do not ascend or lie outside the bars.
    """
    rows = np.ascontiguousarray(rows, dtype=np.int64)
    if len(rows) and (rows[0] < 0 or rows[-1] >= len(bars) or np.any(np.diff(rows) <= 0)):
        raise ValueError(f"label: rows must ascend strictly within 0 … {len(bars) - 1}; sort them and drop repeats")
    return rows[np.isin(rows, usable_rows(volatility, bars.segment_bounds()), assume_unique=True)]


def barrier_events(
    bars: Bars,
    rows: Int,
    finer: Bars | None,
    *,
    volatility: Float,
    width: Float,
    up: float,
    down: float,
    max_bars: int,
    entry: Entry,
    ambiguous: Ambiguous,
    timeout: Timeout,
) -> Events:
    """Events watched between barriers at entry + ``up`` × ``width`` and entry - ``down`` × ``width``.

    ``volatility`` and ``width`` have one value a bar, in price units, known at its close; the other arguments are those
    of ``TripleBarrier``. An event cut off by its segment's end stays, unlabelled.

    Raises
    ------
    ValueError
        ``rows`` do not ascend or lie outside the bars; ``finer`` is of another symbol.
    """
    at_open = entry == "next_open"
    rows = decidable(bars, rows, width)
    out = watch(
        bars.open, bars.high, bars.low, bars.close, rows, width, bars.segment_bounds(),
        up=up, down=down, max_bars=max_bars, entry=entry, ambiguous=ambiguous,
    )  # fmt: skip
    volatility, width = volatility[rows], width[rows]
    entry_price = bars.open[rows + 1] if at_open else bars.close[rows]
    resolved = np.zeros(len(rows), dtype=np.bool_)
    if finer is not None:
        upper, lower = entry_price + up * width, entry_price - down * width
        resolved = resolve(out, bars, finer, entry_price, upper, lower, RULES.index(ambiguous))
    labelled = out.touch != CUT
    touch = np.where(labelled, out.touch, np.int8(TIME))
    label = touch.copy()
    if timeout == "sign":
        timed = out.touch == TIME
        label[timed] = np.sign(out.ret[timed]).astype(np.int8)
        labelled &= label != 0
    target = out.ret * entry_price / volatility if timeout == "regression" else label.astype(np.float64)
    return Events(
        row=rows,
        decided_at=bars.available_at[rows],
        entered_at=bars.open_time[rows + 1] if at_open else bars.available_at[rows],
        exited_at=bars.available_at[out.exit_row],
        entry_row=rows + 1 if at_open else rows,
        exit_row=out.exit_row,
        entry_price=entry_price,
        exit_price=out.exit_price,
        volatility=volatility,
        label=label,
        labelled=labelled,
        target=np.where(labelled, target, np.nan),
        ret=out.ret,
        touch=touch,
        ambiguous=out.ambiguous,
        resolved=resolved,
    )


def held_events(bars: Bars, rows: Int, *, volatility: Float, max_bars: int) -> Events:
    """Events entered at the next open and left at the close of the ``max_bars``-th bar after the decision.

    They carry no label yet: ``with_labels`` gives it. ``labelled`` is true where all the bars were there; the others
    leave at the close of their segment's last bar.

    Raises
    ------
    ValueError
        ``rows`` do not ascend or lie outside the bars.
    """
    rows = decidable(bars, rows, volatility)
    bounds = bars.segment_bounds()
    stop = bounds[np.searchsorted(bounds, rows, side="right")]
    exit_row = np.minimum(rows + max_bars, stop - 1)
    entry_price, exit_price = bars.open[rows + 1], bars.close[exit_row]
    nothing = np.zeros(len(rows), dtype=np.bool_)
    return Events(
        row=rows,
        decided_at=bars.available_at[rows],
        entered_at=bars.open_time[rows + 1],
        exited_at=bars.available_at[exit_row],
        entry_row=rows + 1,
        exit_row=exit_row,
        entry_price=entry_price,
        exit_price=exit_price,
        volatility=volatility[rows],
        label=np.zeros(len(rows), dtype=np.int8),
        labelled=rows + max_bars < stop,
        target=np.full(len(rows), np.nan),
        ret=np.log(exit_price / entry_price),
        touch=np.full(len(rows), TIME, dtype=np.int8),
        ambiguous=nothing,
        resolved=nothing.copy(),
    )


def with_labels(events: Events, label: Float, *, known: bool | NDArray[np.bool_] = True) -> Events:
    """The events with these signs as labels and targets; one that is cut off or not ``known`` stays unlabelled, at 0.

    >>> import numpy as np
    >>> from farm.bars.frame import Bars
    >>> price, times, zeros = np.array([1.0, 2.0, 3.0]), np.arange(3), np.zeros(3, dtype=np.int64)
    >>> bars = Bars("X", "1min", times, times + 1, *[price] * 5, zeros, zeros)
    >>> held = held_events(bars, np.array([0, 1]), volatility=np.ones(3), max_bars=2)
    >>> with_labels(held, np.array([1.0, 1.0])).target
    array([ 1., nan])
    """
    labelled = events.labelled & known
    signs = np.where(labelled, label, 0.0)
    return replace(events, label=signs.astype(np.int8), labelled=labelled, target=np.where(labelled, signs, np.nan))
