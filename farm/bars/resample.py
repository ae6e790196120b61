"""Longer bars from the canonical base bars, anchored to the session."""

from dataclasses import replace

import numpy as np

from farm.bars.calendar import Calendar
from farm.bars.frame import Bars, Int
from farm.bars.merge import merge
from farm.bars.timeframe import DAY, has_length, nanoseconds
from farm.errors import BadInput


def resample(base: Bars, timeframe: str, calendar: Calendar, *, known_until: int | None = None) -> Bars:
    """Bars of a longer timeframe, whose bins start at each session's open; ``1d`` is the whole session.

    The same bars come out whatever bar the base starts at: a bin is counted from its session's open, and a bin that a
    segment enters half-way is not emitted, nor is one with bars of two segments. A bar closes (``available_at``) with
    its bin or its session, whichever is first, and is emitted only if the data reach that far; a bin cut off by a hole
    that starts in it is emitted, for at its close nobody could know. Segments keep the base's numbers.

    Bars that stand in for gaps (``filled``) make no price: a longer bar opens with its first real part and spans the
    real ones, as if the gap had been left; one without any real part is itself ``filled``, flat at the last close.

    Parameters
    ----------
    base
        Bars of one symbol.
    timeframe
        A multiple of the base's timeframe below a day, or ``1d``.
    calendar
        The one that placed the base bars in sessions.
    known_until
        Time in ns UTC up to which the data are known to be complete; by default the close of the last base bar. A
        live system gives its clock, so that a bin whose last minutes had no trade is closed in time.

    Raises
    ------
    BadInput
        The timeframe is finer than the base's, not a multiple of it, or longer than a session; or the bars are not of
        the clock (volume or dollar bars), so that one lies in two bins.

    Examples
    --------
    >>> from farm.bars import AlwaysOpen
    >>> minute = 60_000_000_000
    >>> opens = np.arange(12) * minute
    >>> price = np.arange(1.0, 13.0)
    >>> zero = np.zeros(12, dtype=np.int64)
    >>> bars = Bars("SYN", "1min", opens, opens + minute, price, price + 1, price - 1, price, price, zero, zero)
    >>> resample(bars, "5min", AlwaysOpen()).frame()[["open", "high", "low", "close", "volume"]]
       open  high  low  close  volume
    0   1.0   6.0  0.0    5.0    15.0
    1   6.0  11.0  5.0   10.0    40.0
    """
    if timeframe == base.timeframe:
        return base
    step = _step(base, timeframe)
    if not len(base):
        return replace(base, timeframe=timeframe)
    session_open, session_close = session_span(base, calendar)
    if timeframe == "1d":
        bin_open, bin_close = session_open, session_close
    else:
        bin_open = base.open_time - (base.open_time - session_open) % step
        bin_close = np.minimum(bin_open + step, session_close)
    first = np.flatnonzero(np.concatenate(([True], bin_open[1:] != bin_open[:-1])))
    last = np.append(first[1:], len(base)) - 1
    if (base.available_at[last] > bin_close[first]).any():
        raise BadInput(
            f"{base.symbol}: its bars do not end with bins of {timeframe}, as bars by volume or money do not; decide "
            f"on the bars themselves ({base.timeframe}) and on no higher timeframe"
        )
    whole = _entered_at_the_start(base, first, last, bin_open[first])
    whole &= bin_close[first] <= (int(base.available_at[-1]) if known_until is None else known_until)
    longer = merge(base, first, bin_open[first], bin_close[first], whole)
    return replace(longer, timeframe=timeframe)


def _step(base: Bars, timeframe: str) -> int:
    if not has_length(base.timeframe):
        raise BadInput(
            f"{base.symbol}: bars of {base.timeframe} have no common length, so that they make no bars of {timeframe}; "
            "decisions need bars by time"
        )
    step, finest = nanoseconds(timeframe), nanoseconds(base.timeframe)
    if step < finest:
        raise BadInput(
            f"timeframe {timeframe} is finer than the bars ({base.timeframe}); choose {base.timeframe} or longer"
        )
    if step >= DAY and timeframe != "1d":
        raise BadInput(f"timeframe {timeframe} is longer than a session; the longest is 1d, the session itself")
    if timeframe != "1d" and step % finest:
        raise BadInput(f"timeframe {timeframe} is not a multiple of the bars' {base.timeframe}")
    return step


def session_span(base: Bars, calendar: Calendar) -> tuple[Int, Int]:
    """Open and close of each bar's session; `ValueError` where the calendar is not the one that placed the bars."""
    sessions = calendar.sessions(int(base.open_time[0]), int(base.open_time[-1]))
    first = np.flatnonzero(np.concatenate(([True], base.session[1:] != base.session[:-1])))
    last = np.append(first[1:], len(base)) - 1
    date = base.session[first]
    # Bars are in time order: where a session's first and last bar lie in it, all do.
    if not all(np.array_equal(sessions.of(base.open_time[edge]), date) for edge in (first, last)):
        raise ValueError(f"bars of {base.symbol} lie in other sessions than those of {calendar!r} that was given")
    at = sessions.begun(base.open_time[first])
    return np.repeat(sessions.open[at], last - first + 1), np.repeat(sessions.close[at], last - first + 1)


def _entered_at_the_start(base: Bars, first: Int, last: Int, bin_open: Int) -> np.ndarray:
    """Bins that hold bars of one segment, and not from half-way on where that segment starts in them."""
    one_segment = base.segment[first] == base.segment[last]
    starts_here = np.concatenate(([True], base.segment[first[1:]] != base.segment[first[1:] - 1]))
    return one_segment & (~starts_here | (base.open_time[first] == bin_open))
