"""Where bars lie in time: their session, their close, and the segments between data holes."""

from dataclasses import dataclass

import numpy as np

from farm.bars.calendar import Calendar
from farm.bars.frame import Int


@dataclass(frozen=True, eq=False)
class Place:
    """Session, close and segment of each bar; start, end and trading time of each hole that breaks a segment.

    ``closures`` counts the gaps that the calendar explains whole, ``short_gaps`` those in which open market is missing,
    but not enough to break a segment.
    """

    session: Int
    available_at: Int
    segment: Int
    hole_start: Int
    hole_end: Int
    hole_time: Int
    missing_time: int
    closures: int
    short_gaps: int


def place(open_time: Int, close: int | Int, calendar: Calendar, max_gap: int, began: Int | None = None) -> Place:
    """Sessions, closes and segments of bars in time order that lie in sessions.

    ``close`` is the bars' length in ns, a bar then closing with its session at the latest, or their closes. ``began``
    is since when a bar's trades are counted, where that is before its open because its session is. Between two bars,
    the open market that no bar covers is missing; where more than ``max_gap`` ns of it are missing, a new segment
    starts: nights, weekends and holidays of the calendar never count, a session without bars does. ``missing_time``
    sums all gaps, short ones included.

    >>> from farm.bars import AlwaysOpen
    >>> minute = 60_000_000_000
    >>> place(np.array([0, 1, 2, 90]) * minute, minute, AlwaysOpen(), 60 * minute).segment
    array([0, 0, 0, 1])
    """
    if not len(open_time):
        empty = np.zeros(0, dtype=np.int64)
        return Place(empty, empty, empty, empty, empty, empty, 0, 0, 0)
    sessions = calendar.sessions(int(open_time[0]), int(open_time[-1]))
    at = sessions.begun(open_time)
    available_at = np.minimum(open_time + close, sessions.close[at]) if isinstance(close, int) else close
    since = open_time if began is None else began
    missing = sessions.elapsed(since[1:]) - sessions.elapsed(available_at[:-1])
    broken = missing > max_gap
    segment = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(broken, dtype=np.int64)))
    return Place(
        session=sessions.date[at],
        available_at=available_at,
        segment=segment,
        hole_start=available_at[:-1][broken],
        hole_end=open_time[1:][broken],
        hole_time=missing[broken],
        missing_time=int(missing.sum()),
        closures=int(((missing == 0) & (open_time[1:] > available_at[:-1])).sum()),
        short_gaps=int(((missing > 0) & ~broken).sum()),
    )
