"""Bars by what was traded instead of by the clock: volume bars and dollar bars, made of finer bars."""

from typing import Literal

import numpy as np
from numba import njit
from pydantic import Field

from farm.bars.calendar import Calendar
from farm.bars.frame import Bars, Bool, Float, Int
from farm.bars.merge import merge
from farm.bars.resample import session_span
from farm.errors import BadInput
from farm.section import Section


class Activity(Section):
    """Bars that close when enough was traded: ``size`` contracts or shares, or money in the instrument's currency.

    ``volume`` counts the volume, ``dollar`` the volume times close times point value (López de Prado, Advances in
    Financial Machine Learning, 2.3.1). Whole finer bars are added up, so a bar holds at least ``size``, and the finer
    the bars the less it holds beyond that.
    """

    kind: Literal["volume", "dollar"]
    size: float = Field(gt=0)

    @property
    def says(self) -> str:
        """What the bars are, in a few words."""
        return f"{self.kind} bar of {self.size:g}"

    def make(self, base: Bars, calendar: Calendar, point_value: float = 1.0, *, known_until: int | None = None) -> Bars:
        """Bars of at least ``size`` each, counted anew from every session's open and from the end of every hole.

        The same bars come out whatever bar the base starts at: a session that the base enters after its open is left
        out up to the next fresh count. A bar closes (``available_at``) with the base bar that filled it. What is left
        when a session ends is a smaller bar that closes with the session, emitted if the data reach that far; what a
        hole cuts off never closed and is left out. The timeframe stays the base's: the clock of what it is made of.

        Parameters
        ----------
        base
            Bars of one symbol.
        calendar
            The one that placed the base bars in sessions.
        point_value
            Money that a contract gains when the price rises by one point.
        known_until
            Time in ns UTC up to which the data are known to be complete; by default the close of the last base bar.

        Raises
        ------
        BadInput
            A whole session of the base traded nothing at all: its volume is not known.

        Examples
        --------
        >>> from farm.bars import AlwaysOpen
        >>> minute = 60_000_000_000
        >>> at, zero = np.arange(7) * minute, np.zeros(7, dtype=np.int64)
        >>> price, volume = np.full(7, 10.0), np.array([2.0, 2, 2, 5, 1, 3, 1])
        >>> bars = Bars("SYN", "1min", at, at + minute, price, price, price, price, volume, zero, zero)
        >>> made = Activity(kind="volume", size=4).make(bars, AlwaysOpen())
        >>> made.volume, made.open_time // minute, made.available_at // minute
        (array([4., 7., 4.]), array([0, 2, 4]), array([2, 4, 6]))
        """
        if not len(base):
            return base
        traded = amounts(base, self.kind, point_value, calendar)
        count, reached = _count(traded, fresh_counts(base), self.size)
        return closed_by_count(base, calendar, count, reached, known_until)


def amounts(base: Bars, kind: Literal["volume", "dollar"], point_value: float, calendar: Calendar) -> Float:
    """What each bar traded, in contracts or in money; `BadInput` where a session traded nothing at all.

    A session that the data enter late or leave early may have traded before or after.
    """
    traded = base.volume if kind == "volume" else base.volume * base.close * point_value
    first = np.flatnonzero(_starts(base.session))
    session_open, session_close = session_span(base, calendar)
    cut = np.zeros(len(first), dtype=np.bool_)
    cut[0] = base.open_time[0] > session_open[0]
    cut[-1] |= base.available_at[-1] < session_close[-1]
    silent = np.flatnonzero((np.add.reduceat(traded, first) <= 0) & ~cut)
    if len(silent):
        day = np.datetime64(int(base.session[first[silent[0]]]), "D")
        raise BadInput(
            f"{base.symbol}: {kind} bars need volume, and {len(silent)} of {len(first)} sessions, the first "
            f"on {day}, have none at all; take bars by time, or leave those sessions out of the file"
        )
    return traded


def fresh_counts(base: Bars) -> Bool:
    """Marks the bars at which counting starts anew: the first of each session and of each segment."""
    return _starts(base.session) | _starts(base.segment)


def closed_by_count(base: Bars, calendar: Calendar, count: Int, reached: Bool, known_until: int | None) -> Bars:
    """The bars that runs of base bars make: ``count`` numbers the runs, ``reached`` marks where one has enough."""
    session_open, session_close = session_span(base, calendar)
    first = np.flatnonzero(_starts(count))
    last = np.append(first[1:], len(base)) - 1
    full = reached[last]
    # A remainder is a bar where its session ends after it, or where the data end and reach the session's close.
    ends = np.append(_starts(base.session)[1:], True)[last]
    available_at = np.where(full, base.available_at[last], session_close[last])
    until = int(base.available_at[-1]) if known_until is None else known_until
    emitted = (full | ends) & (available_at <= until)
    if base.open_time[0] != session_open[0]:
        emitted &= first >= np.append(np.flatnonzero(fresh_counts(base)), len(base))[1]
    return merge(base, first, base.open_time[first], available_at, emitted)


def _starts(numbers: Int) -> Bool:
    """Marks where a number differs from the one before; the first one always does."""
    return np.concatenate(([True], numbers[1:] != numbers[:-1]))


@njit(cache=True, nogil=True)
def _count(traded, fresh, size):  # type: ignore[no-untyped-def]  # numba infers them
    """Number of each base bar's group, and whether the group has the size with it; the next one then starts."""
    count = np.empty(len(traded), dtype=np.int64)
    reached = np.empty(len(traded), dtype=np.bool_)
    number, total = -1, 0.0
    for at in range(len(traded)):
        if fresh[at] or total >= size:
            number += 1
            total = 0.0
        total += traded[at]
        count[at] = number
        reached[at] = total >= size
    return count, reached
