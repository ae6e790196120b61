"""Rows of a higher timeframe as of their availability."""

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float, Int
from farm.bars.timeframe import nanoseconds


@njit(cache=True, nogil=True)
def _last_known(known_at: Int, segment: Int, higher_known_at: Int, higher_segment: Int) -> Int:
    rows = np.empty(len(known_at), dtype=np.int64)
    last = -1
    for i in range(len(known_at)):
        while last + 1 < len(higher_known_at) and higher_known_at[last + 1] <= known_at[i]:
            last += 1
        rows[i] = last if last >= 0 and higher_segment[last] == segment[i] else -1
    return rows


def asof_rows(decision: Bars, higher: Bars) -> Int:
    """Row of the last higher bar available at each decision bar's close and of its segment, -1 where there is none.

    Both must number their segments alike, as bars resampled from one base do.

    Returns
    -------
    int64 array, shape (decision bars,)
    """
    return _last_known(decision.available_at, decision.segment, higher.available_at, higher.segment)


def staleness(decision: Bars, higher: Bars, rows: Int) -> Float:
    """Time since the joined higher bar became available, in lengths of that bar; NaN where there is none.

    A night or a weekend counts in full: the column says how old the higher bar is, whatever the reason.
    """
    age = (decision.available_at - higher.available_at[np.maximum(rows, 0)]) / nanoseconds(higher.timeframe)
    return np.where(rows < 0, np.nan, age)
