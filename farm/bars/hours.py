"""Whether a file's clock and its instrument's calendar can both be right."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.frame import Bars, Int
from farm.bars.instrument import Instrument
from farm.bars.rows import FileRows
from farm.bars.segment import Place
from farm.bars.sessions import OUTSIDE
from farm.bars.timeframe import DAY, HOUR, MINUTE
from farm.errors import BadInput

OutsideSession = Literal["drop", "stop", "drop_anyway"]

_FEW = 0.05  # holiday sessions, closing prints and the like: a few bars outside are the market's
_MOST = 0.5
_BETTER = 0.2  # another clock that leaves a fifth of the bars outside explains more than chance can
_ENOUGH_DAYS = 5  # bars of a few hours say nothing about a market's hours
_ENOUGH_SESSIONS = 10
_EVERY = 0.8
_SAMPLE = 20_000


def stop_outside(
    content: FileRows,
    time: Int,
    row: Int,
    inside: NDArray[np.bool_],
    instrument: Instrument,
    outside_session: OutsideSession,
    by_clock: bool,
) -> None:
    """Raise `BadInput` where bars outside the sessions are not to be dropped, or are too many to be the market's.

    ``time`` is each bar's open in ns UTC. With ``drop``, and bars of five days or more, more than 5% of them outside
    stop where the same bars on a clock some half hours earlier or later would lie inside (looked for where the bars
    are ``by_clock``), and more than half of them stop at once: then the zone, the stamp or the calendar is another
    one.
    """
    if inside.all() or outside_session == "drop_anyway":
        return
    first = int(np.flatnonzero(~inside)[0])
    n_outside = int((~inside).sum())
    at = np.datetime64(int(time[first]), "ns").astype("datetime64[s]")
    found = (
        f"{content.name(int(row[first]))}: {at} UTC is outside the sessions of {instrument.name}, as are {n_outside:,} "
        f"of {len(inside):,} rows"
    )
    if outside_session == "stop":
        raise BadInput(f"{found}; drop and count them by `outside_session: drop`, or see `stamp` and `zone`")
    share = n_outside / len(inside)
    if share <= _FEW or time[-1] - time[0] < _ENOUGH_DAYS * DAY:
        return
    accept = "or drop them all the same by `outside_session: drop_anyway`"
    shift, left = _better_clock(time, instrument) if by_clock else (0, 1.0)
    if left <= share * _BETTER:
        raise BadInput(
            f"{found}; on a clock {_hours(shift)} only {left:.1%} would be, so the declared `zone` or `stamp` is "
            f"probably not the file's: declare its own, {accept}"
        )
    if share > _MOST:
        raise BadInput(
            f"{found}; the calendar of {instrument.name} seems not to be this instrument's: name another by "
            f"`instruments`, {accept}"
        )


def stop_at_daily_holes(content: FileRows, bars: Bars, placed: Place, instrument: Instrument) -> None:
    """Raise `BadInput` where nearly every session has a hole at one time of day: hours the calendar does not know."""
    sessions = len(np.unique(bars.session))
    if sessions < _ENOUGH_SESSIONS or len(placed.hole_start) < _EVERY * sessions:
        return
    of_day = (placed.hole_start % DAY) // HOUR
    count = np.bincount(of_day, minlength=24)
    pairs = count + np.roll(count, -1)  # summer time moves the hour by one
    hour = int(pairs.argmax())
    if pairs[hour] < _EVERY * sessions:
        return
    usual = (of_day == hour) | (of_day == (hour + 1) % 24)
    rest = int(np.median(placed.hole_time[usual]))
    raise BadInput(
        f"{content.file}: has a hole of about {rest / HOUR:.3g} hours in {int(pairs[hour]):,} of {sessions:,} "
        f"sessions, from {_clock(placed.hole_start[usual])} UTC on. The calendar of {instrument.name} has the market "
        "open then, so it is probably not this instrument's: name another by `instruments`, or bridge the hole by "
        f"`max_gap: {-(-int(placed.hole_time[usual].max()) // HOUR)}h`"
    )


def _better_clock(time: Int, instrument: Instrument) -> tuple[int, float]:
    """The shift of the clock, in ns, that leaves the fewest bars outside, and the share that it leaves."""
    some = time[:: -(-len(time) // _SAMPLE)]
    shifts = [minutes * MINUTE for minutes in range(-14 * 60, 14 * 60 + 1, 30) if minutes]
    left = [float(np.mean(instrument.calendar.session_of(some + shift) == OUTSIDE)) for shift in shifts]
    # Of clocks that do as well the nearest one.
    best = min(range(len(shifts)), key=lambda at: (left[at], abs(shifts[at])))
    return shifts[best], left[best]


def _hours(shift: int) -> str:
    hours, minutes = divmod(abs(shift) // MINUTE, 60)
    return f"{hours}:{minutes:02d} hours {'later' if shift > 0 else 'earlier'}"


def _clock(times: Int) -> str:
    of_day = int(np.median(times % DAY)) // MINUTE
    return f"{of_day // 60:02d}:{of_day % 60:02d}"
