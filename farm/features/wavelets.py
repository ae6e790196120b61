"""Returns split by scale with Daubechies' four-tap wavelet, undecimated: every tap reads the present or the past.

The pyramid is the maximal overlap transform (Percival, Walden, Wavelet Methods for Time Series Analysis, 2000, 5.5)
without its shift to the middle of the filter, so it needs no later bar. It splits returns, not prices: a still market
gives exact zeros and no price level is carried along.
"""

import math
from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.returns import bar_return
from farm.features.shared import shared
from farm.features.windows import ratio, rolling_sum

LEVELS = 4
ENERGY = 64  # bars over which the energy of a scale is summed
_ROOT = math.sqrt(3)
DAUBECHIES = ((1 + _ROOT) / 8, (3 + _ROOT) / 8, (3 - _ROOT) / 8, (1 - _ROOT) / 8)  # the smoothing filter, summing to 1


def reach(level: int) -> int:
    """Values that a coefficient of a level reads: 3 (2^level - 1) + 1."""
    return 3 * (2**level - 1) + 1


@njit(cache=True, nogil=True)
def multiresolution(x: Float, smooth: tuple[float, float, float, float], levels: int) -> Float:
    """Details of each level, finest first, and the smooth that is left: shape (levels + 1, rows).

    Row t reads no later row. Rows whose filter is not complete are NaN, as are those that read a NaN.

    >>> parts = multiresolution(np.ones(50), DAUBECHIES, 3)
    >>> bool(np.allclose(parts[:3, 22:], 0)), bool(np.allclose(parts[3, 22:], 1))
    (True, True)
    """
    n = len(x)
    a, b, c, d = smooth
    out = np.empty((levels + 1, n))
    below = x
    for level in range(levels):
        step = 2**level
        detail, above = out[level], np.empty(n) if level < levels - 1 else out[levels]
        start = min(3 * step, n)
        detail[:start] = np.nan
        above[:start] = np.nan
        for t in range(start, n):
            p, q, r, s = below[t], below[t - step], below[t - 2 * step], below[t - 3 * step]
            detail[t] = d * p - c * q + b * r - a * s
            above[t] = a * p + b * q + c * r + d * s
        below = above
    return out


@shared
def return_scales(bars: Bars) -> Float:
    """The returns' details of four scales and their smooth, shape (5, bars)."""
    return multiresolution(bar_return(bars), DAUBECHIES, LEVELS)


@shared
def scale_energies(bars: Bars) -> tuple[Float, ...]:
    """Sum of squares of each scale over the last 64 bars, then of all of them together."""
    energies = [rolling_sum(scale * scale, ENERGY) for scale in return_scales(bars)]
    together = energies[0] + energies[1]
    for energy in energies[2:]:
        together = together + energy
    return (*energies, together)


def scale_share(bars: Bars, *, level: int) -> Float:
    """Share of the returns' energy on one scale, 0 to 1; an equal share when nothing moved."""
    energies = scale_energies(bars)
    return ratio(energies[level - 1], energies[-1], otherwise=1 / (LEVELS + 1))


def scale_value(bars: Bars, *, level: int) -> Float:
    """The detail of one scale, the smooth being the last, in root mean squares of the returns of 64 bars."""
    change = bar_return(bars)
    typical = np.sqrt(rolling_sum(change * change, ENERGY) / ENERGY)
    return ratio(return_scales(bars)[level - 1], typical, otherwise=0.0)


_SOURCE = "Percival, Walden, Wavelet Methods for Time Series Analysis (2000), 5.5"
_wavelet = partial(Feature, group="wavelets", inputs=("close",), source=_SOURCE)
FEATURES = (
    *(
        _wavelet(
            name=f"wavelet_share_{level}",
            lookback=1 + reach(LEVELS) + ENERGY - 1,
            compute=partial(scale_share, level=level),
        )
        for level in range(1, LEVELS + 1)
    ),
    *(
        _wavelet(
            name=f"wavelet_detail_{level}",
            lookback=1 + max(reach(level), ENERGY),
            compute=partial(scale_value, level=level),
        )
        for level in range(2, LEVELS + 1)
    ),
    _wavelet(
        name=f"wavelet_smooth_{LEVELS}",
        lookback=1 + max(reach(LEVELS), ENERGY),
        compute=partial(scale_value, level=LEVELS + 1),
    ),
)
