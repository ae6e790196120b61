"""Highest and lowest of the last bars, and how long ago they were."""

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK, copy


@njit(cache=True, nogil=True)
def highest(x: Float, window: int) -> Float:
    """Largest of the last ``window`` values.

    >>> highest(np.array([1.0, 3.0, 2.0, 1.0]), 2)
    array([nan,  3.,  3.,  2.])
    """
    return _extreme(x, window, False)


@njit(cache=True, nogil=True)
def lowest(x: Float, window: int) -> Float:
    """Smallest of the last ``window`` values.

    >>> lowest(np.array([1.0, 3.0, 2.0, 1.0]), 2)
    array([nan,  1.,  2.,  1.])
    """
    return _extreme(x, window, True)


@njit(cache=True, nogil=True)
def _extreme(x: Float, window: int, smallest: bool) -> Float:
    """Four windows of one length are joined, as in :mod:`farm.features.windows`; they may overlap."""
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    made, spare = np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        rows, reach = x[begin : begin + most], 1
        length = len(rows)
        while reach < window:
            joined = min(4 * reach, window)
            to = out[begin + window - 1 : begin + length] if joined == window else made[: length - joined + 1]
            later = joined - reach  # rows from the beginning of the oldest window to that of the newest
            a, b, c, d = rows[later:], rows[2 * later // 3 :], rows[later // 3 :], rows
            if smallest:
                _smallest(a, b, c, d, to)
            else:
                _largest(a, b, c, d, to)
            rows, made, spare, reach = to, spare, made, joined
        if window == 1:
            copy(rows, out[begin : begin + length])
    return out


@njit(cache=True, nogil=True)
def _largest(a: Float, b: Float, c: Float, d: Float, to: Float) -> None:
    for j in range(len(to)):
        newer, older = a[j] if a[j] > b[j] else b[j], c[j] if c[j] > d[j] else d[j]
        to[j] = newer if newer > older else older


@njit(cache=True, nogil=True)
def _smallest(a: Float, b: Float, c: Float, d: Float, to: Float) -> None:
    for j in range(len(to)):
        newer, older = a[j] if a[j] < b[j] else b[j], c[j] if c[j] < d[j] else d[j]
        to[j] = newer if newer < older else older


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
