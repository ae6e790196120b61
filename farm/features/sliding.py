"""Recursions over a sliding window, at a cost that does not depend on its length.

Each row is a map of the state, and maps are associative: a window is the end of one block of ``window`` rows and the
beginning of the next (van Herk, Pattern Recognition Letters 13, 1992, for maxima).
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float


@njit(cache=True, nogil=True)
def above_adaptive_mean(x: Float, share: Float, window: int) -> Float:
    """Each value minus its mean that moves ``share[i]`` of the way to row i, begun ``window`` rows back at the value.

    A row takes the height h over the mean to ``(1 - share) * (h + step)``. Steps are taken from row to row, so the
    price level cancels before anything is summed.

    >>> above_adaptive_mean(np.array([1.0, 1.0, 3.0]), np.array([0.5, 0.5, 0.5]), 2)
    array([nan, nan,  1.])
    """
    n = len(x)
    out = np.empty(n)
    out[: min(window, n)] = np.nan
    kept, gained = np.empty(window), np.empty(window)  # what the rows from the block's beginning on make of a height
    earlier = np.empty(window + 1)  # the height that the block before leaves behind, from its j-th row on
    for begin in range(1, n, window):
        rows = min(window, n - begin)
        now, before, shares = x[begin : begin + rows], x[begin - 1 :], share[begin : begin + rows]
        keep, gain = 1.0, 0.0
        for j in range(rows):
            stay = 1.0 - shares[j]
            gain = stay * (gain + (now[j] - before[j]))
            keep *= stay
            gained[j], kept[j] = gain, keep
        if begin == 1:
            out[window : begin + rows] = gain  # the one row, where there is one, whose window is this block
        else:
            made, left = out[begin : begin + rows], earlier[1:]
            for j in range(rows):
                made[j] = gained[j] + kept[j] * left[j]
        if rows == window:
            _heights_left(now, before, shares, earlier)
    return out


@njit(cache=True, nogil=True)
def _heights_left(now: Float, before: Float, shares: Float, to: Float) -> None:
    """Write the height at the last row of what begins at each, and zero for what begins after."""
    keep, height = 1.0, 0.0
    to[len(now)] = 0.0
    for j in range(len(now) - 1, -1, -1):
        keep *= 1.0 - shares[j]
        height += keep * (now[j] - before[j])
        to[j] = height


@njit(cache=True, nogil=True)
def filtered_probability(log_odds: Float, stay_out: float, stay_in: float, window: int) -> Float:
    """Probability of being in a hidden state after the last ``window`` observations, begun at its long-run share.

    ``log_odds`` are log likelihood ratios of each observation, in the state over out of it. Rows are steps of a
    two-state chain, that is products of 2 by 2 matrices, rescaled so that none overflows.

    >>> filtered_probability(np.array([0.0, 0.0, np.log(3.0)]), 0.9, 0.9, 2).round(3)
    array([ nan, 0.5 , 0.75])
    """
    n = len(log_odds)
    out = np.full(n, np.nan)
    first = 0
    while first < n and math.isnan(log_odds[first]):
        first += 1
    share = (1.0 - stay_out) / (2.0 - stay_out - stay_in)
    outside = np.full(window + 1, 1.0 - share)  # weights of the two states after the block before, from its k-th row on
    inside = np.full(window + 1, share)
    for block in range(first, n, window):
        if block > first:
            a, b, c, d = 1.0, 0.0, 0.0, 1.0
            for k in range(window - 1, -1, -1):
                odds = math.exp(log_odds[block - window + k])
                w, x, y, z = stay_out, 1.0 - stay_in, odds * (1.0 - stay_out), odds * stay_in
                a, b, c, d = a * w + b * y, a * x + b * z, c * w + d * y, c * x + d * z
                scale = 1.0 / (a + b + c + d)
                a, b, c, d = a * scale, b * scale, c * scale, d * scale
                outside[k] = a * (1.0 - share) + b * share
                inside[k] = c * (1.0 - share) + d * share
        a, b, c, d = 1.0, 0.0, 0.0, 1.0
        for i in range(block, min(block + window, n)):
            odds = math.exp(log_odds[i])
            w, x, y, z = stay_out, 1.0 - stay_in, odds * (1.0 - stay_out), odds * stay_in
            a, b, c, d = w * a + x * c, w * b + x * d, y * a + z * c, y * b + z * d
            scale = 1.0 / (a + b + c + d)
            a, b, c, d = a * scale, b * scale, c * scale, d * scale
            if i - first >= window - 1:
                k = i - block + 1
                not_there, there = a * outside[k] + b * inside[k], c * outside[k] + d * inside[k]
                out[i] = there / (not_there + there)
    return out
