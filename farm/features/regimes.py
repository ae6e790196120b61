"""Which kind of market this is: calm or wild, trending or reverting, in a hidden state or out of it.

Hidden states are filtered, never smoothed: what a bar says is known at its close. Their parameters are fixed, on
returns in units of their own long volatility, which is the only thing estimated and needs a finite lookback.
"""

import math
from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.extremes import highest, lowest
from farm.features.feature import Feature
from farm.features.filters import share_below
from farm.features.logarithm import log_change
from farm.features.returns import bar_return
from farm.features.shared import shared
from farm.features.sliding import filtered_probability
from farm.features.trend import above_simple_mean
from farm.features.volatility import average_true_range, realized_volatility, true_range
from farm.features.windows import ratio, rolling_sum, steps_back

_LONG = 240  # bars of the volatility that returns are measured in
_FILTER = 100  # steps of a hidden chain; of what lies further back less than 1% is left


def volatility_rank(bars: Bars, *, short: int, window: int) -> Float:
    """Share of the last ``window`` realised volatilities below the current one, 0 to 1."""
    return share_below(realized_volatility(bars, window=short), window)


def volume_rank(bars: Bars, *, window: int) -> Float:
    """Share of the last ``window`` volumes below the current one, 0 to 1."""
    return share_below(bars.volume, window)


def trend_regime(bars: Bars) -> Float:
    """Whether close, mean of 50 and mean of 200 stand in order: 1 rising, -1 falling, each step at most half of it.

    A step counts in full when it is an average true range or more, and in proportion below that.
    """
    span = average_true_range(bars)
    close_over_50, close_over_200 = above_simple_mean(bars, window=50), above_simple_mean(bars, window=200)
    steps = (close_over_50, close_over_200 - close_over_50)
    near, far = (np.clip(ratio(step, span, otherwise=0.0), -1.0, 1.0) for step in steps)
    return (near + far) / 2


def hurst(bars: Bars, *, window: int, lags: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Float:
    """Hurst exponent: half the slope of the log mean squared change over ``lags`` on the log lag.

    A half for a random walk, more where moves go on, less where they turn back; a half where some lag did not move.
    """
    ago = np.log2(lags)
    centred = (ago - ago.mean()) / ((ago - ago.mean()) ** 2).sum()
    slope = np.zeros(len(bars))
    still = np.zeros(len(bars), dtype=bool)
    for lag, weight in zip(lags, centred, strict=True):
        change = log_change(bars.close, lag)
        square = rolling_sum(change * change, window)
        still |= square == 0
        slope += weight * np.log2(np.where(square == 0, 1.0, square))
    return np.where(still, 0.5, slope / 2)


def choppiness(bars: Bars, *, window: int) -> Float:
    """Log of the path of true ranges per range covered, over the log of ``window``, 0 to 1; 0 when nothing moved."""
    high = highest(np.maximum(bars.high, _before(bars)), window)
    low = lowest(np.minimum(bars.low, _before(bars)), window)
    return np.log(ratio(rolling_sum(true_range(bars), window), high - low, otherwise=1.0)) / math.log(window)


def _before(bars: Bars) -> Float:
    """Close of the bar before; of the first bar its own, whose row is never a value."""
    before = steps_back(bars.close, 1)
    before[:1] = bars.close[:1]
    return before


@shared
def standard_return(bars: Bars) -> Float:
    """Log return in units of its own root mean square over 240 bars; 0 when nothing moved."""
    return ratio(bar_return(bars), realized_volatility(bars, window=_LONG), otherwise=0.0)


def probability_of_turbulence(bars: Bars, *, calm: float = 0.6, wild: float = 1.6) -> Float:
    """Filtered probability that returns come from the wilder of two normal states.

    Their deviations are ``calm`` and ``wild`` times the long one; a calm bar is followed by another with probability
    0.98, a wild one with 0.95.
    """
    square = standard_return(bars) ** 2
    log_odds = math.log(calm / wild) + square * (1 / calm**2 - 1 / wild**2) / 2
    return filtered_probability(np.minimum(log_odds, 50.0), 0.98, 0.95, _FILTER)


def probability_of_rise(bars: Bars, *, drift: float = 0.15) -> Float:
    """Filtered probability that returns come from the rising of two states that drift up and down alike.

    The drift is a share of the long volatility a bar; a state is followed by itself with probability 0.97.
    """
    return filtered_probability(np.clip(2 * drift * standard_return(bars), -50.0, 50.0), 0.97, 0.97, _FILTER)


_HAMILTON = "Hamilton, Econometrica 57 (1989), 357-384, the filter; parameters own"
_regime = partial(Feature, group="regimes", inputs=("close",))
FEATURES = (
    _regime(
        name="volatility_rank_100",
        lookback=21 + 99,
        source="own",
        compute=partial(volatility_rank, short=20, window=100),
    ),
    _regime(
        name="volume_rank_100",
        lookback=100,
        inputs=("volume",),
        source="own",
        compute=partial(volume_rank, window=100),
    ),
    _regime(
        name="trend_regime",
        lookback=200,
        inputs=("high", "low", "close"),
        source="own",
        compute=trend_regime,
    ),
    _regime(
        name="choppiness_14",
        lookback=15,
        inputs=("high", "low", "close"),
        source="Dreiss's choppiness index: Kaufman, Trading Systems and Methods, 5th ed., chapter 17",
        compute=partial(choppiness, window=14),
    ),
    _regime(
        name="hurst_128",
        lookback=128 + 16,
        source="Mandelbrot, Van Ness, SIAM Review 10 (1968), 422-437, the scaling of squared changes",
        compute=partial(hurst, window=128),
    ),
    _regime(
        name="hmm_turbulent",
        lookback=_LONG + _FILTER,
        source=_HAMILTON,
        compute=probability_of_turbulence,
    ),
    _regime(
        name="hmm_rising",
        lookback=_LONG + _FILTER,
        source=_HAMILTON,
        compute=probability_of_rise,
    ),
)
