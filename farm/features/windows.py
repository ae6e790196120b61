"""Sums over the last bars: the numerics every feature is built on.

Three rules hold for each kernel. It reads no later row. What it returns for a row is a function of the last
``window`` rows alone, to rounding, however long the array before them. And it works on differences or on sums of one
sign, never on the difference of two large sums, so a price of 20000 costs no digits and a window without movement gives
exactly zero.
Rows before the first full window are NaN; NaN at the start of the input count as missing rows.

A window is put together from two of half its length and, where that is odd, the oldest row (as a power from the square
of its half): as many passes as its length has binary digits, and in each the rows do not wait for one another, so that
the processor takes several at a time, as in the doubling of Hillis and Steele (Communications of the ACM 29:12, 1986).
(A loop writes to one array only: of more the compiler does not prove that they are apart.)
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
def scaled(values: Float, scale: float, to: Float) -> None:
    """Write a multiple of each value over another array of its length."""
    for j in range(len(values)):
        to[j] = values[j] * scale


@njit(cache=True, nogil=True)
def digits_below_first(window: int) -> int:
    """Binary digits of a window's length but the first: how often it is doubled from a window of one row."""
    digits = 0
    while window >> (digits + 1):
        digits += 1
    return digits


@njit(cache=True, nogil=True)
def _join_two(newer: Float, older: Float, p: float, q: float, to: Float) -> None:
    for j in range(len(to)):
        to[j] = p * newer[j] + q * older[j]


@njit(cache=True, nogil=True)
def _join_three(newer: Float, older: Float, oldest: Float, p: float, q: float, r: float, to: Float) -> None:
    for j in range(len(to)):
        to[j] = p * newer[j] + q * older[j] + r * oldest[j]


@njit(cache=True, nogil=True)
def geometric_sums(x: Float, keep: float, window: int, scale: float, made: Float, spare: Float, to: Float) -> None:
    """Write ``scale`` times the sum of ``keep**k`` times the row k back to ``to``, for each full window of ``x``.

    ``made`` and ``spare`` are as long as ``x`` and used up.
    """
    n, rows, reach, across = len(x), x, 1, keep  # windows of ``reach``, one from each row on; across is keep**reach
    for digit in range(digits_below_first(window) - 1, -1, -1):
        odd = (window >> digit) & 1
        joined = 2 * reach + odd
        newer, older = rows[reach + odd :], rows[odd:]
        target, factor = (to, scale) if digit == 0 else (made[: n - joined + 1], 1.0)
        if odd:
            _join_three(newer, older, x, factor, factor * across, factor * across * across, target)
            across *= across * keep
        else:
            _join_two(newer, older, factor, factor * across, target)
            across *= across
        rows, made, spare, reach = target, spare, made, joined
    if window == 1:
        scaled(x, scale, to)


@njit(cache=True, nogil=True)
def _geometric_mean(x: Float, keep: float, window: int, scale: float) -> Float:
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    made, spare = np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        rows = x[begin : begin + most]
        geometric_sums(rows, keep, window, scale, made, spare, out[begin + window - 1 : begin + len(rows)])
    return out


@njit(cache=True, nogil=True)
def rolling_sum(x: Float, window: int) -> Float:
    """Sum of the last ``window`` values.

    >>> rolling_sum(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([nan,  3.,  5.,  7.])
    """
    return _geometric_mean(x, 1.0, window, 1.0)


@njit(cache=True, nogil=True)
def rolling_mean(x: Float, window: int) -> Float:
    """Mean of the last ``window`` values, under the rules of sums: for values around zero or of one sign.

    >>> rolling_mean(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([nan, 1.5, 2.5, 3.5])
    """
    return _geometric_mean(x, 1.0, window, 1.0 / window)


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
    weight = leaving * scale
    out = np.empty(n)
    out[:back] = np.nan
    if back == 0:
        out[:] = x - x
        return out
    most = BLOCK + back - 1
    steps, made, spare = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(1, n - back + 1, BLOCK):
        length = min(most, n - begin)
        now, before, found = x[begin : begin + length], x[begin - 1 :], out[begin + back - 1 : begin + length]
        for j in range(len(now)):
            steps[j] = now[j] - before[j]
        geometric_sums(steps[:length], keep, back, keep * scale, made, spare, found)
        newest = now[back - 1 :]
        for j in range(len(found)):
            found[j] -= weight * (newest[j] - before[j])
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


@njit(cache=True, nogil=True)
def change_over(x: Float, bars: int) -> Float:
    """Each value minus the value ``bars`` rows before, NaN where there is none.

    >>> change_over(np.array([1.0, 2.0, 4.0]), 1)
    array([nan,  1.,  2.])
    """
    out = np.empty(len(x))
    out[:bars] = np.nan
    now, made = x[bars:], out[bars:]
    for j in range(len(made)):
        made[j] = now[j] - x[j]
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
