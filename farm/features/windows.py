"""Sums over the last bars: the numerics every feature is built on.

Three rules hold for each kernel. It reads no later row. What it returns for a row is a function of the last
``window`` rows alone, to rounding, however long the array before them. And it works on differences or on sums of one
sign, never on the difference of two large sums, so a price of 20000 costs no digits and a window without movement gives
exactly zero.
Rows before the first full window are NaN; NaN at the start of the input count as missing rows.

A window is put together from windows of 1, 2, 4, ... rows, each made of two of half its length (the doubling of Hillis
and Steele, Communications of the ACM 29:12, 1986): as many passes as the window's length has binary digits, and in each
the rows do not wait for one another, so that the processor takes several at a time. (A loop writes to
one array only: of more the compiler does not prove that they are apart.)
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float

BLOCK = 1024  # rows handled together, so that the passes over them stay in the nearest cache


@njit(cache=True, nogil=True)
def first_known(x: Float) -> int:
    """Row of the first value that is no NaN; the length where there is none."""
    start = 0
    while start < len(x) and math.isnan(x[start]):
        start += 1
    return start


@njit(cache=True, nogil=True)
def copy(values: Float, to: Float) -> None:
    """Write one row of values over another of its length: an assignment of slices takes four times as long."""
    for j in range(len(values)):
        to[j] = values[j]


@njit(cache=True, nogil=True)
def _join_windows(rows: Float, made: Float, reach: int, factor: float) -> None:
    older, newer, to = rows[: len(rows) - reach], rows[reach:], made[reach:]
    for j in range(len(to)):
        to[j] = newer[j] + factor * older[j]


@njit(cache=True, nogil=True)
def _add_older(sums: Float, rows: Float, taken: int, factor: float) -> None:
    older, newer = rows[: len(rows) - taken], sums[taken:]
    for j in range(len(newer)):
        newer[j] += factor * older[j]


@njit(cache=True, nogil=True)
def geometric_sums(rows: Float, spare: Float, sums: Float, keep: float, window: int) -> None:
    """Fill ``sums[window - 1:]`` with the sum of ``keep**k`` times the row k back; the others are used up."""
    taken, reach = 0, 1  # sums hold the newest ``taken`` rows; rows hold windows of ``reach``
    behind, across = 1.0, keep  # keep to the power of ``taken``, and of ``reach``
    while True:
        if window & reach:
            if taken == 0:
                copy(rows, sums)
            else:
                _add_older(sums, rows, taken, behind)
            taken += reach
            behind *= across
        if taken == window:
            return
        _join_windows(rows, spare, reach, across)
        rows, spare = spare, rows
        reach *= 2
        across *= across


@njit(cache=True, nogil=True)
def scaled(values: Float, scale: float, to: Float) -> None:
    """Write a multiple of each value over another array of its length."""
    for j in range(len(values)):
        to[j] = values[j] * scale


@njit(cache=True, nogil=True)
def _geometric_mean(x: Float, keep: float, window: int, scale: float) -> Float:
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    rows, spare, sums = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        length = min(most, n - begin)
        copy(x[begin : begin + length], rows)
        geometric_sums(rows[:length], spare[:length], sums[:length], keep, window)
        scaled(sums[window - 1 : length], scale, out[begin + window - 1 : begin + length])
    return out


@njit(cache=True, nogil=True)
def rolling_sum(x: Float, window: int) -> Float:
    """Sum of the last ``window`` values.

    >>> rolling_sum(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([nan,  3.,  5.,  7.])
    """
    return _geometric_mean(x, 1.0, window, 1.0)


@njit(cache=True, nogil=True)
def exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Exponentially weighted mean of the last ``window`` values, the weights scaled to sum to one.

    For values around zero or of one sign (differences, true ranges, gains); prices go through
    :func:`above_exponential_mean`.

    >>> exponential_mean(np.array([0.0, 3.0, 3.0]), 0.5, 2)
    array([nan,  2.,  3.])
    """
    keep = 1.0 - alpha
    return _geometric_mean(x, keep, window, alpha / (1.0 - keep**window))


@njit(cache=True, nogil=True)
def above_exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Each value minus the exponentially weighted mean of the last ``window`` values, itself included.

    Summed from the steps between rows, so that the level of ``x`` cancels before anything is rounded.

    >>> above_exponential_mean(np.array([5.0, 8.0, 8.0]), 0.5, 2)
    array([nan,  1.,  0.])
    """
    keep = 1.0 - alpha
    leaving, back, n = keep**window, window - 1, len(x)
    scale = 1.0 / (1.0 - leaving)
    out = np.empty(n)
    out[:back] = np.nan
    if back == 0:
        out[:] = x - x
        return out
    most = BLOCK + back - 1
    rows, spare, sums = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(1, n - back + 1, BLOCK):
        length = min(most, n - begin)
        now, before = x[begin : begin + length], x[begin - 1 : begin - 1 + length]
        for j in range(len(now)):
            rows[j] = now[j] - before[j]
        geometric_sums(rows[:length], spare[:length], sums[:length], keep, back)
        found, newest, oldest = sums[back - 1 : length], now[back - 1 :], before[: length - back + 1]
        made = out[begin + back - 1 : begin + length]
        for j in range(len(made)):
            made[j] = (keep * found[j] - leaving * (newest[j] - oldest[j])) * scale
    return out


@njit(cache=True, nogil=True, error_model="numpy")
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
    out = np.empty(len(x))
    out[:bars] = np.nan
    out[bars:] = x[: max(len(x) - bars, 0)]
    return out
