"""The close against its moving averages, and these against one another, in units of its true range."""

from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.filters import weighted_heights
from farm.features.quotient import Quotient
from farm.features.sliding import above_adaptive_mean
from farm.features.trend import above_simple_mean, ema_distance, path_walked, sma_distance
from farm.features.volatility import ATR_BACK, average_true_range


def mean_spread(bars: Bars, *, short: int, long: int) -> Quotient:
    """Short simple mean of the close minus the long one, in average true ranges; 0 when nothing moved."""
    spread = above_simple_mean(bars, window=long) - above_simple_mean(bars, window=short)
    return Quotient(spread, average_true_range(bars), otherwise=0.0)


def weighted_mean_distance(bars: Bars, *, window: int) -> Quotient:
    """Close minus its mean with weights falling by equal steps to zero, in average true ranges."""
    weights = np.arange(window, 0, -1.0)
    below = weighted_heights(bars.close, weights / weights.sum())
    return Quotient(below, average_true_range(bars), otherwise=0.0, times=-1.0)


def above_kaufman_mean(bars: Bars, *, period: int, window: int) -> Float:
    """Close minus Kaufman's adaptive mean, begun ``window`` bars back, in price units."""
    share = _adaptive_share(bars.close, path_walked(bars, window=period), period)
    return above_adaptive_mean(bars.close, share, window)


@njit(cache=True, nogil=True, error_model="numpy")
def _adaptive_share(close: Float, path: Float, period: int) -> Float:
    """Square of the weight between those of 31 and of 3 bars that the efficiency ratio over ``period`` points at."""
    fast, slow = 2 / 3, 2 / 31
    out = np.empty(len(close))
    out[:period] = np.nan
    before, walked, made = close[: len(close) - period], path[period:], out[period:]
    for j in range(len(made)):
        efficiency = abs(close[j + period] - before[j]) / walked[j] if walked[j] > 0.0 else 0.0
        weight = efficiency * (fast - slow) + slow
        made[j] = weight * weight
    return out


def kaufman_distance(bars: Bars, *, period: int, window: int) -> Quotient:
    """Close minus Kaufman's adaptive mean, in average true ranges; 0 when nothing moved."""
    return Quotient(above_kaufman_mean(bars, period=period, window=window), average_true_range(bars), otherwise=0.0)


_average = partial(Feature, group="averages", inputs=("high", "low", "close"))
_KAUFMAN = "Kaufman, Trading Systems and Methods, 5th ed., chapter"
FEATURES = (
    *(
        _average(
            name=f"sma_distance_{window}",
            lookback=max(ATR_BACK, window),
            source=f"{_KAUFMAN} 7",
            compute=partial(sma_distance, window=window),
        )
        for window in (10, 20, 100, 200)
    ),
    *(
        _average(
            name=f"ema_distance_{period}",
            lookback=max(ATR_BACK, 3 * period),
            source=f"{_KAUFMAN} 7",
            compute=partial(ema_distance, period=period, window=3 * period),
        )
        for period in (9, 12, 26, 100)
    ),
    *(
        _average(
            name=f"sma_spread_{short}_{long}",
            lookback=max(ATR_BACK, long),
            source=f"{_KAUFMAN} 8",
            compute=partial(mean_spread, short=short, long=long),
        )
        for short, long in ((5, 20), (10, 50), (50, 200))
    ),
    _average(
        name="wma_distance_20",
        lookback=ATR_BACK,
        source=f"{_KAUFMAN} 7",
        compute=partial(weighted_mean_distance, window=20),
    ),
    _average(
        name="kama_distance_30",
        lookback=30 + 150,
        source=f"{_KAUFMAN} 17",
        compute=partial(kaufman_distance, period=30, window=150),
    ),
)
