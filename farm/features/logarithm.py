"""Logarithms of ratios of prices that lie near each other: all of their digits, several rows at a time."""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float

_TOGETHER = 512  # rows looked at again while they are in the nearest cache
_NEAR = 0.05  # a price that moved by a tenth: up to it the series' next term is smaller than the last digit


@njit(cache=True, nogil=True)
def log_ratio(over: Float, under: Float) -> Float:
    """Log of each value over another.

    It is ``2 artanh((over - under) / (over + under))`` (Abramowitz, Stegun, Handbook of Mathematical Functions,
    4.1.27), which rounds the small difference of the two and not their ratio near one.

    >>> log_ratio(np.array([20000.0, 3.0]), np.array([20000.0, 1.0]))
    array([0.        , 1.09861229])
    """
    out = np.empty(len(over))
    _write_logs(over, under, out)
    return out


@njit(cache=True, nogil=True)
def log_change(x: Float, bars: int) -> Float:
    """Log of each value over the value ``bars`` rows before, NaN where there is none.

    >>> log_change(np.array([1.0, 1.0, 3.0]), 1)
    array([       nan, 0.        , 1.09861229])
    """
    out = np.empty(len(x))
    out[:bars] = np.nan
    _write_logs(x[bars:], x, out[bars:])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _write_logs(over: Float, under: Float, to: Float) -> None:
    for begin in range(0, len(to), _TOGETHER):
        above, below, made = over[begin:], under[begin:], to[begin : begin + _TOGETHER]
        far = 0
        for j in range(len(made)):
            made[j] = (above[j] - below[j]) / (above[j] + below[j])
        for j in range(len(made)):
            far += abs(made[j]) > _NEAR
        if far:
            for j in range(len(made)):
                made[j] = math.log(above[j] / below[j]) if abs(made[j]) > _NEAR else _twice_artanh(made[j])
        else:
            for j in range(len(made)):
                made[j] = _twice_artanh(made[j])


@njit(cache=True, nogil=True)
def _twice_artanh(x: float) -> float:
    z = x * x
    return 2.0 * (x + x * (z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * (1 / 11)))))))
