"""The close against its moving averages, and these against one another, in units of its true range."""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.filters import weighted_heights
from farm.features.shared import shared
from farm.features.sliding import above_adaptive_mean
from farm.features.trend import efficiency_ratio, ema_distance
from farm.features.volatility import ATR_BACK, average_true_range
from farm.features.windows import height, ratio


@shared
def above_simple_mean(bars: Bars, *, window: int) -> Float:
    """Close minus its simple mean, in price units."""
    return height(bars.close, window)


def mean_distance(bars: Bars, *, window: int) -> Float:
    """Close minus its simple mean, in average true ranges; 0 when nothing moved."""
    return ratio(above_simple_mean(bars, window=window), average_true_range(bars), otherwise=0.0)


def mean_spread(bars: Bars, *, short: int, long: int) -> Float:
    """Short simple mean of the close minus the long one, in average true ranges; 0 when nothing moved."""
    spread = above_simple_mean(bars, window=long) - above_simple_mean(bars, window=short)
    return ratio(spread, average_true_range(bars), otherwise=0.0)


def weighted_mean_distance(bars: Bars, *, window: int) -> Float:
    """Close minus its mean with weights falling by equal steps to zero, in average true ranges."""
    weights = np.arange(window, 0, -1.0)
    return ratio(-weighted_heights(bars.close, weights / weights.sum()), average_true_range(bars), otherwise=0.0)


def above_kaufman_mean(bars: Bars, *, period: int, window: int) -> Float:
    """Close minus Kaufman's adaptive mean, begun ``window`` bars back, in price units."""
    fast, slow = 2 / 3, 2 / 31
    share = (efficiency_ratio(bars, window=period) * (fast - slow) + slow) ** 2
    return above_adaptive_mean(bars.close, share, window)


def kaufman_distance(bars: Bars, *, period: int, window: int) -> Float:
    """Close minus Kaufman's adaptive mean, in average true ranges; 0 when nothing moved."""
    return ratio(above_kaufman_mean(bars, period=period, window=window), average_true_range(bars), otherwise=0.0)


_average = partial(Feature, group="averages", inputs=("high", "low", "close"))
_KAUFMAN = "Kaufman, Trading Systems and Methods, 5th ed., chapter"
FEATURES = (
    *(
        _average(
            name=f"sma_distance_{window}",
            lookback=max(ATR_BACK, window),
            source=f"{_KAUFMAN} 7",
            compute=partial(mean_distance, window=window),
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
