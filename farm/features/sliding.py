"""Sliding windows at a cost that does not depend on their length.

Blocks of ``window`` rows (van Herk, Pattern Recognition Letters 13, 1992, for maxima): every window is the end of one
block and the beginning of the next, so any associative combination of rows costs two steps a row. Levels are heights
over the first row of the newer block, which lies in the window: the price level cancels before anything is summed, and
a window without movement gives exactly zero.
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float


@njit(cache=True, nogil=True)
def above_long_mean(x: Float, window: int) -> Float:
    """Each value minus the mean of the last ``window`` values, itself included; ``x`` has no missing values.

    >>> above_long_mean(np.array([20000.0, 20002.0, 20004.0]), 2)
    array([nan,  1.,  1.])
    """
    out = np.full(len(x), np.nan)
    ends = np.zeros(window + 1)  # ends[k]: sum of heights of the block before from its k-th row on
    for block in range(0, len(x), window):
        anchor = x[block]
        if block:
            for k in range(window - 1, -1, -1):
                ends[k] = ends[k + 1] + (x[block - window + k] - anchor)
        head = 0.0
        for i in range(block, min(block + window, len(x))):
            head += x[i] - anchor
            if i >= window - 1:
                out[i] = (x[i] - anchor) - (ends[i - block + 1] + head) / window
    return out


@njit(cache=True, nogil=True)
def above_adaptive_mean(x: Float, share: Float, window: int) -> Float:
    """Each value minus its mean that moves ``share[i]`` of the way to row i, begun ``window`` rows back at the value.

    >>> above_adaptive_mean(np.array([1.0, 1.0, 3.0]), np.array([0.5, 0.5, 0.5]), 2)
    array([nan, nan,  1.])
    """
    n = len(x)
    out = np.full(n, np.nan)
    first = 0
    while first < n and math.isnan(share[first]):
        first += 1
    first = max(first, 1)
    keep = np.ones(window + 1)  # the steps of the block before, from the k-th on, take y to keep[k] * y + gain[k]
    gain = np.zeros(window + 1)
    for block in range(first, n, window):
        anchor = x[block]
        if block > first:
            for k in range(window - 1, -1, -1):
                i = block - window + k
                gain[k] = keep[k + 1] * share[i] * (x[i] - anchor) + gain[k + 1]
                keep[k] = keep[k + 1] * (1.0 - share[i])
        head_keep, head_gain = 1.0, 0.0
        for i in range(block, min(block + window, n)):
            head_keep *= 1.0 - share[i]
            head_gain = (1.0 - share[i]) * head_gain + share[i] * (x[i] - anchor)
            if i - first >= window - 1:
                k = i - block + 1
                start = x[i - window] - anchor
                out[i] = (x[i] - anchor) - (head_keep * (keep[k] * start + gain[k]) + head_gain)
    return out


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
