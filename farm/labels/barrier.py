"""Which of three barriers a price meets first: up, down or time."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from farm.errors import BadInput

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]

Entry = Literal["next_open", "close"]
Ambiguous = Literal["stop_first", "gap_then_stop", "nearest"]
Answer = TypeVar("Answer")

RULES: tuple[str, ...] = get_args(Ambiguous)  # the kernel knows a rule by its position here
UP, DOWN, TIME, CUT = 1, -1, 0, 2  # what ended the watch; CUT: too few bars were left

_TOUCH = pd.CategoricalDtype(["up", "time", "down"])  # by 1 - touch


@dataclass(frozen=True, eq=False)
class Watched:
    """What became of each watched row: arrays of one value a row. ``touch`` is UP, DOWN, TIME or CUT."""

    exit_row: Int
    exit_price: Float
    ret: Float
    touch: Int8
    ambiguous: Bool


@njit(cache=True, nogil=True)
def up_wins(open_: float, upper: float, lower: float, rule: int) -> bool:
    """Whether a bar that reached both barriers counts as up; a tie of ``nearest`` counts as down."""
    if rule == 0 or open_ <= lower:
        return False
    if open_ >= upper:
        return True
    return rule == 2 and upper - open_ < open_ - lower


@njit(cache=True, nogil=True)
def block_extremes(high: Float, low: Float, size: int) -> tuple[Float, Float]:
    """Highest high and lowest low of each aligned block of ``size`` bars."""
    blocks = (len(high) + size - 1) // size
    highest, lowest = np.empty(blocks), np.empty(blocks)
    for b in range(blocks):
        top, bottom = high[size * b], low[size * b]
        for j in range(size * b + 1, min(size * b + size, len(high))):
            top = max(top, high[j])
            bottom = min(bottom, low[j])
        highest[b], lowest[b] = top, bottom
    return highest, lowest


@njit(cache=True, nogil=True)
def _watch(
    open_: Float,
    high: Float,
    low: Float,
    close: Float,
    high8: Float,
    low8: Float,
    high64: Float,
    low64: Float,
    rows: Int,
    volatility: Float,
    bounds: Int,
    up: float,
    down: float,
    max_bars: int,
    next_open: bool,
    rule: int,
    exit_row: Int,
    exit_price: Float,
    ret: Float,
    touch: Int8,
    ambiguous: Bool,
) -> None:
    if len(rows) == 0:
        return
    segment = np.searchsorted(bounds, rows[0], side="right") - 1
    for k in range(len(rows)):
        i = rows[k]
        while bounds[segment + 1] <= i:
            segment += 1
        full = i + 1 + max_bars
        stop = min(full, bounds[segment + 1])
        entry = open_[i + 1] if next_open else close[i]
        upper = entry + up * volatility[i]
        lower = entry - down * volatility[i]
        j = i + 1
        while j < stop and high[j] < upper and low[j] > lower:
            j += 1
            if j & 7 == 0:  # blocks of 8, then of 64 bars, that reach neither barrier are passed over
                while j < stop and high8[j >> 3] < upper and low8[j >> 3] > lower:
                    j += 8
                    if j & 63 == 0:
                        while j < stop and high64[j >> 6] < upper and low64[j >> 6] > lower:
                            j += 64
        both = False
        if j < stop:
            rises = high[j] >= upper
            if rises and low[j] <= lower:
                both = True
                rises = up_wins(open_[j], upper, lower, rule)
            price = max(upper, open_[j]) if rises else min(lower, open_[j])
            touch[k] = UP if rises else DOWN
        else:
            j = stop - 1
            price = close[j]
            touch[k] = TIME if stop == full else CUT
        exit_row[k] = j
        exit_price[k] = price
        ret[k] = math.log(price / entry)
        ambiguous[k] = both


def watch(
    open_: Float,
    high: Float,
    low: Float,
    close: Float,
    rows: Int,
    volatility: Float,
    bounds: Int,
    *,
    up: float,
    down: float,
    max_bars: int,
    entry: Entry,
    ambiguous: Ambiguous,
    threads: int = 1,
) -> Watched:
    """What became of each row. ``rows`` ascend, each with a next bar in its segment and a positive volatility."""
    n = len(rows)
    out = Watched(
        exit_row=np.empty(n, dtype=np.int64),
        exit_price=np.empty(n),
        ret=np.empty(n),
        touch=np.empty(n, dtype=np.int8),
        ambiguous=np.empty(n, dtype=np.bool_),
    )
    pairs = _in_parts(lambda first, last: block_extremes(high[8 * first : 8 * last], low[8 * first : 8 * last], 8),
                      -(-len(high) // 8), threads)  # fmt: skip
    high8, low8 = (np.concatenate(part) for part in zip(*pairs, strict=True))
    high64, low64 = block_extremes(high8, low8, 8)

    def part(first: int, last: int) -> None:
        cut = slice(first, last)
        _watch(
            open_, high, low, close, high8, low8, high64, low64, rows[cut], volatility, bounds,
            up, down, max_bars, entry == "next_open", RULES.index(ambiguous),
            out.exit_row[cut], out.exit_price[cut], out.ret[cut], out.touch[cut], out.ambiguous[cut],
        )  # fmt: skip

    _in_parts(part, n, threads)
    return out


def _in_parts(work: Callable[[int, int], Answer], n: int, threads: int) -> list[Answer]:
    """Answers of ``work(first, last)`` over equal parts of 0 … n, one a thread."""
    if threads == 1:
        return [work(0, n)]
    edges = np.linspace(0, n, threads + 1).astype(np.int64)
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, edges[:-1], edges[1:]))


@njit(cache=True, nogil=True)
def _first_bad_row(open_: Float, high: Float, low: Float, close: Float) -> int:
    n, step = len(open_), 1024
    for first in range(0, n, step):
        bad = False  # no branch inside a block, so that it is compared several bars at a time
        for i in range(first, min(first + step, n)):
            bad |= not _sound(open_[i], high[i], low[i], close[i])
        if bad:
            for i in range(first, min(first + step, n)):
                if not _sound(open_[i], high[i], low[i], close[i]):
                    return i
    return -1


@njit(cache=True, nogil=True, inline="always")
def _sound(open_: float, high: float, low: float, close: float) -> bool:
    positive = (open_ > 0.0) & (low > 0.0) & (close > 0.0)
    return positive & (high >= low) & (open_ < np.inf) & (high < np.inf) & (close < np.inf)


def _prices(bars: pd.DataFrame, threads: int) -> tuple[Float, Float, Float, Float]:
    """The four price columns as contiguous arrays, checked."""
    names = ("open", "high", "low", "close")
    missing = [name for name in names if name not in bars.columns]
    if missing:
        raise ValueError(f"triple_barrier: bars have no column {', '.join(missing)}; they need {', '.join(names)}")
    open_, high, low, close = (np.ascontiguousarray(bars[name].to_numpy(dtype=np.float64)) for name in names)

    def first_bad(first: int, last: int) -> int:
        found = _first_bad_row(open_[first:last], high[first:last], low[first:last], close[first:last])
        return found + int(first) if found >= 0 else -1

    bad = next((row for row in _in_parts(first_bad, len(close), threads) if row >= 0), -1)
    if bad >= 0:
        found = f"open {open_[bad]}, high {high[bad]}, low {low[bad]}, close {close[bad]}"
        raise BadInput(
            f"triple_barrier: row {bad} of bars has {found}; prices must be finite, above 0 and high not below low: "
            "drop or correct the row"
        )
    return open_, high, low, close


def triple_barrier(
    bars: pd.DataFrame,
    *,
    up: float,
    down: float,
    max_bars: int,
    volatility: NDArray[np.float64] | pd.Series,
    entry: Entry = "next_open",
    ambiguous: Ambiguous = "stop_first",
    threads: int = 1,
) -> pd.DataFrame:
    """One row per labelled bar, indexed by its position: which barrier its price met first, when, and the return.

    The decision falls at the close of bar i. It enters at the open of bar i+1 (``entry="next_open"``) or at the close
    of bar i (``"close"``); barriers stand at entry + ``up`` × volatility[i] and entry - ``down`` × volatility[i], and
    bars i+1 … i+``max_bars`` are watched, touches inclusive. The exit is at the barrier, or at the open of a bar that
    opened beyond it; without a touch at the close of bar i+``max_bars``, label 0. A bar has no row when its volatility
    is not a positive number, when it is the last, or when no barrier was met and fewer than ``max_bars`` bars followed.

    Parameters
    ----------
    bars
        Columns open, high, low, close: positive prices in time order, one row a bar, no hole in time.
    up, down
        Barrier distances in units of volatility, above 0.
    max_bars
        Bars watched, at least 1.
    volatility
        One value a bar, in price units, known at that bar's close.
    ambiguous
        Who wins a bar that reaches both barriers. ``stop_first``: down. ``gap_then_stop``: the barrier beyond which it
        opened, else down. ``nearest``: the barrier beyond which it opened, else the one nearer to the open, else down.
    threads
        Threads to label with; the answer does not depend on it.

    Returns
    -------
    DataFrame
        end (position of the exit bar), label {-1, 0, 1}, ret (log return entry to exit), touch {"up", "down", "time"},
        ambiguous (whether the exit bar reached both barriers).

    Raises
    ------
    ValueError
        An argument or a price is out of its range; the message names it.

    Notes
    -----
    AFML (Lopez de Prado, 2018) section 3.4, with two stances. Its snippet 3.6 replaces the lower multiple by the upper
    one when no side is given; here ``down`` is what it says. mlfinlab labels a touch again by another measure than the
    one that found it, so that some true touches get label 0; here the touch is the label.

    >>> bars = pd.DataFrame({"open": [10, 10, 11], "high": [10, 10, 12], "low": [10, 9.5, 11], "close": [10, 10, 12]})
    >>> triple_barrier(bars, up=1, down=1, max_bars=2, volatility=np.ones(3))
       end  label       ret touch  ambiguous
    0    2      1  0.095310    up      False
    1    2      1  0.087011    up      False
    """
    for name, value in (("up", up), ("down", down)):
        if not 0 < value < math.inf:
            raise ValueError(f"triple_barrier: {name} is {value}; a barrier's distance must be a finite number above 0")
    for name, count in (("max_bars", max_bars), ("threads", threads)):
        if count != int(count) or count < 1:
            raise ValueError(f"triple_barrier: {name} is {count}; it must be a whole number of at least 1")
    if entry not in get_args(Entry):
        raise ValueError(f"triple_barrier: entry is {entry!r}; choose one of {', '.join(get_args(Entry))}")
    if ambiguous not in RULES:
        raise ValueError(f"triple_barrier: ambiguous is {ambiguous!r}; choose one of {', '.join(RULES)}")
    open_, high, low, close = _prices(bars, int(threads))
    width = np.ascontiguousarray(volatility, dtype=np.float64)
    if width.shape != (len(bars),):
        raise ValueError(
            f"triple_barrier: volatility has shape {width.shape}, there are {len(bars)} bars; give one a bar"
        )
    rows = usable_rows(width, np.array([0, len(bars)]))
    out = watch(
        open_, high, low, close, rows, width, np.array([0, len(bars)]),
        up=float(up), down=float(down), max_bars=int(max_bars), entry=entry, ambiguous=ambiguous, threads=int(threads),
    )  # fmt: skip
    # only the last bars can have been cut off: what precedes them is not copied
    sure = int(np.searchsorted(rows, len(bars) - int(max_bars)))
    labelled = np.flatnonzero(out.touch[sure:] != CUT) + sure

    def kept(values: NDArray[Any]) -> NDArray[Any]:
        values[sure : sure + len(labelled)] = values[labelled]
        return values[: sure + len(labelled)]

    touch = kept(out.touch)
    columns = {
        "end": kept(out.exit_row),
        "label": touch,
        "ret": kept(out.ret),
        "touch": pd.Categorical.from_codes(1 - touch, dtype=_TOUCH),
        "ambiguous": kept(out.ambiguous),
    }
    return pd.DataFrame(columns, index=pd.Index(kept(rows)), copy=False)


@njit(cache=True, nogil=True)
def usable_rows(volatility: Float, bounds: Int) -> Int:
    """Positions with a positive finite volatility and a next bar in their segment, ascending."""
    rows = np.empty(len(volatility), dtype=np.int64)
    n = 0
    for s in range(len(bounds) - 1):
        for i in range(bounds[s], bounds[s + 1] - 1):
            rows[n] = i
            n += 0.0 < volatility[i] < np.inf
    return rows[:n]
