"""Highest and lowest of the last bars, and how long ago they were."""

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK, copy


@njit(cache=True, nogil=True)
def highest(x: Float, window: int) -> Float:
    """Largest of the last ``window`` values.

    The windows of half the length are joined, as in :mod:`farm.features.windows`; the last two may overlap.

    >>> highest(np.array([1.0, 3.0, 2.0, 1.0]), 2)
    array([nan,  3.,  3.,  2.])
    """
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    rows, spare = np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        length = min(most, n - begin)
        copy(x[begin : begin + length], rows)
        reach = 1
        while 2 * reach <= window:
            _larger(rows[: length - reach], rows[reach:length], spare[reach:])
            rows, spare = spare, rows
            reach *= 2
        _larger(rows[reach - 1 : length - window + reach], rows[window - 1 : length], out[begin + window - 1 :])
    return out


@njit(cache=True, nogil=True)
def _larger(older: Float, newer: Float, to: Float) -> None:
    for j in range(len(newer)):
        to[j] = older[j] if older[j] > newer[j] else newer[j]


@njit(cache=True, nogil=True)
def lowest(x: Float, window: int) -> Float:
    """Smallest of the last ``window`` values.

    >>> lowest(np.array([1.0, 3.0, 2.0, 1.0]), 2)
    array([nan,  1.,  2.,  1.])
    """
    below = highest(-x, window)
    for i in range(len(below)):
        below[i] = -below[i]
    return below


@njit(cache=True, nogil=True)
def bars_since_highest(x: Float, window: int) -> Float:
    """Rows since the largest of the last ``window`` values, the latest of equal ones.

    >>> bars_since_highest(np.array([1.0, 3.0, 2.0, 1.0]), 3)
    array([nan, nan,  1.,  2.])
    """
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    rows, ages, spare, spare_ages = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        length = min(most, n - begin)
        copy(x[begin : begin + length], rows)
        ages[:length] = 0.0
        reach = 1
        while reach < window:
            apart = min(reach, window - reach)
            _later(rows[:length], ages[:length], spare, spare_ages, apart)
            rows, spare, ages, spare_ages = spare, rows, spare_ages, ages
            reach += apart
        copy(ages[window - 1 : length], out[begin + window - 1 :])
    return out


@njit(cache=True, nogil=True)
def _later(rows: Float, ages: Float, to: Float, to_ages: Float, apart: int) -> None:
    """The larger, and of equal ones the newer, of each row and that ``apart`` rows before, with its age."""
    n = len(rows) - apart
    older, newer, older_ages, newer_ages = rows[:n], rows[apart:], ages[:n], ages[apart:]
    made, made_ages = to[apart:], to_ages[apart:]
    for j in range(n):
        made_ages[j] = newer_ages[j] if newer[j] >= older[j] else older_ages[j] + apart
    for j in range(n):
        made[j] = newer[j] if newer[j] >= older[j] else older[j]
