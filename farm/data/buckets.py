"""Bars in equal stretches of time, for drawing: a stretch without bars stays empty."""

from dataclasses import dataclass

import numpy as np

from farm.bars import Bars
from farm.bars.frame import Float, Int


@dataclass(frozen=True, eq=False)
class Buckets:
    """Stretches of equal length: start in ns UTC, extremes, last close and summed volume, NaN without bars."""

    start: Int
    high: Float
    low: Float
    close: Float
    volume: Float


def buckets(bars: Bars, n: int) -> Buckets:
    """At most ``n`` stretches of bars in time order, over their whole span.

    >>> from farm.bars import AlwaysOpen
    >>> at, price, zero = np.array([0, 1, 9]), np.array([5.0, 6.0, 7.0]), np.zeros(3, dtype=np.int64)
    >>> ten = buckets(Bars("SYN", "1s", at, at + 1, price, price, price, price, price, zero, zero), 5)
    >>> ten.close
    array([ 6., nan, nan, nan,  7.])
    """
    first, last = int(bars.open_time[0]), int(bars.available_at[-1])
    length = -(-(last - first) // n)
    place = (bars.open_time - first) // length
    begins = np.flatnonzero(np.append(True, place[1:] != place[:-1]))
    ends = np.append(begins[1:], len(bars)) - 1
    filled = place[begins]
    start = first + np.arange(int(place[-1]) + 1, dtype=np.int64) * length

    def spread(values: Float) -> Float:
        over = np.full(len(start), np.nan)
        over[filled] = values
        return over

    return Buckets(
        start=start,
        high=spread(np.maximum.reduceat(bars.high, begins)),
        low=spread(np.minimum.reduceat(bars.low, begins)),
        close=spread(bars.close[ends]),
        volume=spread(np.add.reduceat(bars.volume, begins)),
    )
