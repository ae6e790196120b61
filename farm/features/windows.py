"""Sums over the last bars: the numerics every feature is built on.

Three rules hold for each kernel. It reads no later row. What it returns for a row is a function of the last
``window`` rows alone, to rounding, however long the array before them. And it works on differences or on sums of one
sign, never on the difference of two large sums, so a price of 20000 costs no digits and a window without movement gives
exactly zero.
Rows before the first full window are NaN; NaN at the start of the input count as missing rows.
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float

_BLOCK = 512  # rows handled together, so that the inner loops run over neighbouring rows and fit the nearest cache


@njit(cache=True, nogil=True)
def _first(x: Float) -> int:
    start = 0
    while start < len(x) and math.isnan(x[start]):
        start += 1
    return start


@njit(cache=True, nogil=True)
def rolling_sum(x: Float, window: int) -> Float:
    """Sum of the last ``window`` values.

    Blocks of ``window`` rows: the end of the block before plus the beginning of this one. Nothing is ever subtracted,
    so no rounding is carried from one window to another (van Herk, Pattern Recognition Letters 13, 1992, for maxima).

    >>> rolling_sum(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([nan,  3.,  5.,  7.])
    """
    out = np.full(len(x), np.nan)
    start = _first(x)
    ends = np.zeros(window + 1)  # ends[k]: sum of the block before from its k-th row on
    for block in range(start, len(x), window):
        rows, sums = x[block : block + window], out[block : block + window]
        head = 0.0
        for k in range(len(rows)):
            head += rows[k]
            if block > start or k == window - 1:
                sums[k] = ends[k + 1] + head
        if len(rows) == window:
            for k in range(window - 1, -1, -1):
                ends[k] = ends[k + 1] + rows[k]
    return out


@njit(cache=True, nogil=True)
def _geometric_sum(x: Float, keep: float, window: int) -> Float:
    """Sum of ``keep**k`` times the value k rows ago, over the last ``window`` values."""
    out = np.full(len(x), np.nan)
    start = _first(x)
    full = start + window
    if len(x) < full:
        return out
    total = 0.0
    zeros = 0  # rows since the last value other than zero
    for i in range(start, full):
        total = total * keep + x[i]
        zeros = zeros + 1 if x[i] == 0.0 else 0
    out[full - 1] = total
    leaving = keep**window
    coming, going, sums = x[full:], x[start:], out[full:]
    for i in range(len(coming)):
        total = total * keep + coming[i] - leaving * going[i]
        zeros = zeros + 1 if coming[i] == 0.0 else 0
        if zeros >= window:
            total = 0.0  # what is left is rounding
        sums[i] = total
    return out


@njit(cache=True, nogil=True)
def exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Exponentially weighted mean of the last ``window`` values, the weights scaled to sum to one.

    For values around zero or of one sign (differences, true ranges, gains); prices go through
    :func:`above_exponential_mean`.

    >>> exponential_mean(np.array([0.0, 3.0, 3.0]), 0.5, 2)
    array([nan,  2.,  3.])
    """
    keep = 1.0 - alpha
    return _geometric_sum(x, keep, window) * (alpha / (1.0 - keep**window))


@njit(cache=True, nogil=True)
def above_exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Each value minus the exponentially weighted mean of the last ``window`` values, itself included.

    Summed from the steps between rows, so that the level of ``x`` cancels before anything is rounded.

    >>> above_exponential_mean(np.array([5.0, 8.0, 8.0]), 0.5, 2)
    array([nan,  1.,  0.])
    """
    keep = 1.0 - alpha
    leaving = keep**window
    steps = np.full(len(x), np.nan)
    steps[1:] = x[1:] - x[:-1]
    out = _geometric_sum(steps, keep, window - 1)
    for i in range(window - 1, len(x)):
        out[i] = (keep * out[i] - leaving * (x[i] - x[i - window + 1])) / (1.0 - leaving)
    return out


@njit(cache=True, nogil=True)
def above_mean(x: Float, window: int) -> tuple[Float, Float]:
    """Each value minus the mean of the last ``window`` values, and their (population) standard deviation.

    Distances are taken from the row's own value, which lies in its window: the variance keeps all but about
    log10(window) of its digits whatever the level.

    >>> above_mean(np.array([20000.0, 20002.0]), 2)
    (array([nan,  1.]), array([nan,  1.]))
    """
    n = len(x)
    above = np.full(n, np.nan)
    deviation = np.full(n, np.nan)
    for block in range(_first(x) + window - 1, n, _BLOCK):
        rows = min(_BLOCK, n - block)
        total = np.zeros(rows)
        squares = np.zeros(rows)
        now = x[block : block + rows]
        for back in range(1, window):
            before = x[block - back : block - back + rows]  # a view: its rows are read without a check for each
            for j in range(rows):
                step = now[j] - before[j]
                total[j] += step
                squares[j] += step * step
        for j in range(rows):
            mean = total[j] / window
            above[block + j] = mean
            deviation[block + j] = math.sqrt(max(squares[j] / window - mean * mean, 0.0))
    return above, deviation


@njit(cache=True, nogil=True)
def mean_absolute_deviation(x: Float, above: Float, window: int) -> Float:
    """Mean distance of the last ``window`` values from their mean, given each value's height ``above`` that mean.

    >>> x = np.array([1.0, 3.0, 5.0])
    >>> mean_absolute_deviation(x, above_mean(x, 3)[0], 3)
    array([       nan,        nan, 1.33333333])
    """
    n = len(x)
    out = np.full(n, np.nan)
    for block in range(_first(x) + window - 1, n, _BLOCK):
        rows = min(_BLOCK, n - block)
        total = np.zeros(rows)
        now, height = x[block : block + rows], above[block : block + rows]
        for back in range(window):
            before = x[block - back : block - back + rows]
            for j in range(rows):
                total[j] += abs(height[j] - (now[j] - before[j]))
        for j in range(rows):
            out[block + j] = total[j] / window
    return out


@njit(cache=True, nogil=True)
def ratio(numerator: Float, denominator: Float, otherwise: float) -> Float:
    """``numerator / denominator``, and ``otherwise`` where the denominator is zero (nothing moved, nothing traded).

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]), otherwise=0.0)
    array([0.5, 0. ])
    """
    out = np.empty(len(numerator))
    for i in range(len(numerator)):
        out[i] = otherwise if denominator[i] == 0.0 else numerator[i] / denominator[i]
    return out


def steps_back(x: Float, bars: int) -> Float:
    """The value ``bars`` rows before each row, NaN where there is none.

    >>> steps_back(np.array([1.0, 2.0, 3.0]), 1)
    array([nan,  1.,  2.])
    """
    out = np.full(len(x), np.nan)
    out[bars:] = x[: max(len(x) - bars, 0)]
    return out
