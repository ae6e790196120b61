"""Sessions as values: when each trading day opens, halts and closes."""

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from farm.bars.frame import Int
from farm.section import Section

OUTSIDE = -1
"""The session of a time at which the market is closed."""


def _none() -> Int:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Sessions:
    """Sessions in time order: ``date`` in days since 1970-01-01, ``open`` and ``close`` in ns UTC (close excluded).

    ``halt_start`` and ``halt_end`` are the stops inside sessions, lunch breaks and daily halts, in time order: closed
    market that ends no session.
    """

    date: Int
    open: Int
    close: Int
    halt_start: Int = field(default_factory=_none)
    halt_end: Int = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.date)

    def begun(self, time: Int) -> Int:
        """Position of the last session that has opened by each time; the first one before any has."""
        return np.maximum(np.searchsorted(self.open, time, side="right") - 1, 0)

    def of(self, time: Int) -> Int:
        """The session's date for each time, or -1 where the market is closed; any order of times will do."""
        if not len(self):
            return np.full(len(time), OUTSIDE, dtype=np.int64)
        at = self.begun(time)
        inside = (self.open[at] <= time) & (time < self.close[at])
        if len(self.halt_start):
            halt = np.maximum(np.searchsorted(self.halt_start, time, side="right") - 1, 0)
            inside &= (time < self.halt_start[halt]) | (time >= self.halt_end[halt])
        return np.where(inside, self.date[at], OUTSIDE)

    def reopening(self, time: Int) -> Int:
        """The first moment of open market at or after each time; the time itself after the last session's close."""
        if not len(self):
            return time
        if len(self.halt_start):
            halt = np.maximum(np.searchsorted(self.halt_start, time, side="right") - 1, 0)
            halted = (self.halt_start[halt] <= time) & (time < self.halt_end[halt])
            time = np.where(halted, self.halt_end[halt], time)
        at = np.minimum(np.searchsorted(self.close, time, side="right"), len(self) - 1)
        return np.maximum(time, self.open[at])

    def elapsed(self, time: Int) -> Int:
        """Trading time in ns from the first session's open to each time."""
        if not len(self):
            return np.zeros(len(time), dtype=np.int64)
        return _covered(self.open, self.close, time) - _covered(self.halt_start, self.halt_end, time)

    def overlapping(self, start: int, end: int) -> "Sessions":
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC."""
        low = int(np.searchsorted(self.close, start, side="right"))
        high = int(np.searchsorted(self.open, end, side="right"))
        if low >= high:
            return Sessions(_none(), _none(), _none())
        first, last = np.searchsorted(self.halt_start, [self.open[low], self.close[high - 1]])
        return Sessions(
            self.date[low:high],
            self.open[low:high],
            self.close[low:high],
            self.halt_start[first:last],
            self.halt_end[first:last],
        )


def _covered(start: Int, end: Int, time: Int) -> Int:
    """What of the disjoint spans lies before each time, in ns."""
    if not len(start):
        return np.zeros(len(time), dtype=np.int64)
    length = end - start
    before = np.cumsum(length) - length
    at = np.maximum(np.searchsorted(start, time, side="right") - 1, 0)
    return before[at] + np.clip(time - start[at], 0, length[at])


class SessionCalendar(Section):
    """What every calendar derives from its sessions."""

    @abstractmethod
    def sessions(self, start: int, end: int) -> Sessions:
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC."""

    def session_of(self, open_time: Int) -> Int:
        """The session (days since 1970-01-01) each time belongs to, or -1 where the market is closed."""
        if not len(open_time):
            return np.zeros(0, dtype=np.int64)
        return self.sessions(int(open_time.min()), int(open_time.max())).of(open_time)

    def trading_time(self, start: Int, end: Int) -> Int:
        """Nanoseconds of open market between each ``start`` and ``end``: what is missing there is a hole."""
        if not len(start):
            return np.zeros(0, dtype=np.int64)
        sessions = self.sessions(int(start.min()), int(end.max()))
        return sessions.elapsed(end) - sessions.elapsed(start)
