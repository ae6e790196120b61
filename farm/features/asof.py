"""Rows of a higher timeframe as of their availability."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float, Int
from farm.bars.timeframe import nanoseconds


@dataclass(frozen=True, eq=False)
class Runs:
    """Which higher bar each decision bar reads, run by run: bars from one stop to the next read the same one.

    ``rows`` has the higher bar's position, -1 where there is none; ``stops`` where each run ends, the last being the
    number of decision bars. Both are int64, shape (runs,).
    """

    rows: Int
    stops: Int

    def of_each_bar(self) -> Int:
        """The row of every decision bar, shape (decision bars,).

        >>> Runs(np.array([-1, 0]), np.array([1, 4])).of_each_bar()
        array([-1,  0,  0,  0])
        """
        return np.repeat(self.rows, np.diff(self.stops, prepend=0))


@njit(cache=True, nogil=True)
def _first_at(known_at: Int, moment: int, start: int, usual: int) -> int:
    """First row from ``start`` on that is known at the moment or later; most runs are as long as the one before."""
    guess = start + usual - 1
    if guess < len(known_at) and known_at[guess - 1] < moment <= known_at[guess]:
        return guess
    row = start
    while row < len(known_at) and known_at[row] < moment:
        row += 1
    return row


@njit(cache=True, nogil=True)
def _runs(known_at: Int, segment: Int, higher_known_at: Int, higher_segment: Int) -> tuple[Int, Int]:
    n, last, found, begin, usual = len(known_at), -1, 0, 0, 1
    segments = segment[-1] - segment[0] if n else 0
    most = min(n, len(higher_known_at) + segments + 1)  # a run ends where a higher bar or a segment does
    rows, stops = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    while begin < n:
        while last + 1 < len(higher_known_at) and higher_known_at[last + 1] <= known_at[begin]:
            last += 1
        stop = n
        if last + 1 < len(higher_known_at):
            stop = _first_at(known_at, higher_known_at[last + 1], begin + 1, usual)
            usual = stop - begin
        while begin < stop:  # segments never decrease: where both ends are of one, so is what lies between
            end = stop
            if segment[end - 1] != segment[begin]:
                end = begin + 1
                while segment[end] == segment[begin]:
                    end += 1
            rows[found] = last if last >= 0 and higher_segment[last] == segment[begin] else -1
            stops[found] = end
            found += 1
            begin = end
    return rows[:found].copy(), stops[:found].copy()


def asof_runs(decision: Bars, higher: Bars) -> Runs:
    """The last higher bar available at each decision bar's close and of its segment, in one pass over both.

    Both must number their segments alike, as bars resampled from one base do.
    """
    return Runs(*_runs(decision.available_at, decision.segment, higher.available_at, higher.segment))


def asof_rows(decision: Bars, higher: Bars) -> Int:
    """Row of the last higher bar available at each decision bar's close and of its segment, -1 where there is none.

    Returns
    -------
    int64 array, shape (decision bars,)
    """
    return asof_runs(decision, higher).of_each_bar()


@njit(cache=True, nogil=True)
def spread(values: Float, rows: Int, stops: Int, out: Float) -> None:
    """Write to each run of ``out`` the value of its row, NaN where it has none."""
    begin = 0
    for k in range(len(rows)):
        value = values[rows[k]] if rows[k] >= 0 else np.nan
        out[begin : stops[k]] = value
        begin = stops[k]


def staleness(decision: Bars, higher: Bars, rows: Int) -> Float:
    """Time since the joined higher bar became available, in lengths of that bar; NaN where there is none.

    A night or a weekend counts in full: the column says how old the higher bar is, whatever the reason.
    """
    age = (decision.available_at - higher.available_at[np.maximum(rows, 0)]) / nanoseconds(higher.timeframe)
    return np.where(rows < 0, np.nan, age)
