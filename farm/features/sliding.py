"""Recursions over a sliding window, at a cost that does not depend on its length, or on the logarithm of it.

Each row is a map of the state, and maps are associative: a window's rows are joined in pairs, as sums are in
:mod:`farm.features.windows`, or as the end of one block of ``window`` rows and the beginning of the next (van Herk,
Pattern Recognition Letters 13, 1992, for maxima).
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK, copy


@njit(cache=True, nogil=True)
def above_adaptive_mean(x: Float, share: Float, window: int) -> Float:
    """Each value minus its mean that moves ``share[i]`` of the way to row i, begun ``window`` rows back at the value.

    A row takes the height h over the mean to ``(1 - share) * (h + step)``. Steps are taken from row to row, so the
    price level cancels before anything is summed.

    >>> above_adaptive_mean(np.array([1.0, 1.0, 3.0]), np.array([0.5, 0.5, 0.5]), 2)
    array([nan, nan,  1.])
    """
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: min(window, n)] = np.nan
    keep, gain, to_keep, to_gain = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    kept, height = np.empty(most), np.empty(most)
    for begin in range(1, n - window + 1, BLOCK):
        length = min(most, n - begin)
        rows, before = x[begin : begin + length], x[begin - 1 : begin - 1 + length]
        shares = share[begin : begin + length]
        for j in range(len(rows)):
            keep[j] = 1.0 - shares[j]
            gain[j] = (1.0 - shares[j]) * (rows[j] - before[j])
        now, spare = (keep[:length], gain[:length]), (to_keep[:length], to_gain[:length])
        taken, reach = 0, 1
        while True:
            if window & reach:
                if taken == 0:
                    copy(now[0], kept)
                    copy(now[1], height)
                else:
                    _begin_earlier(now[0], now[1], kept[taken:length], height[taken:length])
                taken += reach
            if taken == window:
                break
            _follow(now[0], now[1], now[0][reach:], now[1][reach:], spare[0][reach:], spare[1][reach:])
            now, spare = spare, now
            reach *= 2
        copy(height[window - 1 : length], out[begin + window - 1 :])
    return out


@njit(cache=True, nogil=True)
def _follow(older_keep: Float, older_gain: Float, keep: Float, gain: Float, to_keep: Float, to_gain: Float) -> None:
    """Write the steps of newer windows after those of older ones, ``h -> keep * h + gain`` each, as one such step."""
    for j in range(len(keep)):
        to_gain[j] = gain[j] + keep[j] * older_gain[j]
    for j in range(len(keep)):
        to_keep[j] = keep[j] * older_keep[j]


@njit(cache=True, nogil=True)
def _begin_earlier(older_keep: Float, older_gain: Float, keep: Float, gain: Float) -> None:
    """The same, written over the newer windows."""
    for j in range(len(keep)):
        gain[j] += keep[j] * older_gain[j]
    for j in range(len(keep)):
        keep[j] *= older_keep[j]


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
