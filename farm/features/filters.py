"""Weighted sums over the last rows, ranks among them, and the recursions that restart in every window."""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK

_BLOCK = 512  # rows handled together, so that the inner loops run over neighbouring rows and fit the nearest cache


@njit(cache=True, nogil=True)
def weighted_heights(x: Float, weights: Float) -> Float:
    """Sum of ``weights[k]`` times the height of the value k rows ago over the row's own value.

    >>> weighted_heights(np.array([1.0, 2.0, 4.0]), np.array([0.0, 1.0, 1.0]))
    array([nan, nan, -5.])
    """
    n, taps = len(x), len(weights) - 1
    later = np.empty(taps)  # the height of the value k rows ago is what the k steps since took, with its sign turned
    total = 0.0
    for k in range(taps, 0, -1):
        total += weights[k]
        later[k - 1] = total
    out = np.empty(n)
    steps, sums = np.empty(BLOCK + taps), np.empty(BLOCK)
    out[: min(taps, n)] = np.nan
    for begin in range(taps, n, BLOCK):
        known = min(BLOCK, n - begin)
        now, before = x[begin - taps + 1 : begin + known], x[begin - taps : begin + known - 1]
        for j in range(len(now)):
            steps[j] = now[j] - before[j]
        sums[:known] = 0.0
        back = 0
        while back + 3 < taps:
            _add_four(steps[taps - 4 - back : taps - 1 - back + known], later[back : back + 4], sums[:known])
            back += 4
        while back < taps:
            older, weight = steps[taps - 1 - back :], later[back]
            for j in range(known):
                sums[j] += weight * older[j]
            back += 1
        made = out[begin:]
        for j in range(known):
            made[j] = -sums[j]
    return out


@njit(cache=True, nogil=True)
def _add_four(rows: Float, weights: Float, sums: Float) -> None:
    """Add four neighbouring rows, the newest weighted first, at once: each pass over ``sums`` costs its own time."""
    n = len(sums)
    a, b, c, d = rows[:n], rows[1 : n + 1], rows[2 : n + 2], rows[3 : n + 3]
    p, q, r, s = weights[3], weights[2], weights[1], weights[0]
    for j in range(n):
        sums[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])


@njit(cache=True, nogil=True)
def share_below(x: Float, window: int) -> Float:
    """Share of the ``window - 1`` values before each that are below it, equal ones counting half.

    Values within 1e-9 of each other are equal: computed values that ought to be the same differ by their rounding.

    >>> share_below(np.array([1.0, 2.0, 1.0]), 3)
    array([ nan,  nan, 0.25])
    """
    n = len(x)
    out = np.full(n, np.nan)
    start = 0
    while start < n and math.isnan(x[start]):
        start += 1
    for block in range(start + window - 1, n, _BLOCK):
        rows = min(_BLOCK, n - block)
        halves = np.zeros(rows, dtype=np.int32)
        now = x[block : block + rows]
        near = 1e-9 * np.abs(now)
        least, most = now - near, now + near
        for back in range(1, window):
            before = x[block - back : block - back + rows]
            for j in range(rows):
                halves[j] += before[j] < least[j]
                halves[j] += before[j] <= most[j]
        out[block : block + rows] = halves / (2.0 * (window - 1))
    return out


@njit(cache=True, nogil=True)
def parabolic_stop(high: Float, low: Float, window: int) -> Float:
    """Wilder's parabolic stop-and-reverse begun ``window`` bars back, in price units.

    It begins long unless the second bar fell further than it rose; acceleration 0.02 a new extreme, at most 0.2.
    """
    out = np.full(len(high), np.nan)
    for i in range(window - 1, len(high)):
        begin = i - window + 1
        up = high[begin + 1] - high[begin]
        down = low[begin] - low[begin + 1]
        long = not (down > 0 and down > up)
        stop = low[begin] if long else high[begin]
        extreme = high[begin + 1] if long else low[begin + 1]
        speed = 0.02
        shown = stop
        for j in range(begin + 1, i + 1):
            top, bottom = max(high[j - 1], high[j]), min(low[j - 1], low[j])
            if j == begin + 1:
                top, bottom = high[j], low[j]
            if (long and low[j] <= stop) or (not long and high[j] >= stop):
                long = not long
                shown = max(extreme, top) if not long else min(extreme, bottom)
                extreme = low[j] if not long else high[j]
                speed = 0.02
            else:
                shown = stop
                if long and high[j] > extreme:
                    extreme = high[j]
                    speed = min(speed + 0.02, 0.2)
                elif not long and low[j] < extreme:
                    extreme = low[j]
                    speed = min(speed + 0.02, 0.2)
            stop = shown + speed * (extreme - shown)
            stop = min(stop, bottom) if long else max(stop, top)
        out[i] = shown
    return out
