"""Oscillators: which side of its recent range the price is on, and how fast it got there."""

from functools import partial

import numpy as np
import talib

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.volatility import WILDER_14
from farm.features.windows import above_mean, exponential_mean, mean_absolute_deviation, ratio, steps_back


def relative_strength(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder's RSI, 0 to 100: share of gains in the Wilder mean of all movement; 50 when nothing moved."""
    change = bars.close - steps_back(bars.close, 1)
    gain = exponential_mean(np.maximum(change, 0.0), 1 / period, window)
    loss = exponential_mean(np.maximum(-change, 0.0), 1 / period, window)
    return 100 * ratio(gain, gain + loss, otherwise=0.5)


def stochastic(bars: Bars, *, window: int) -> Float:
    """Place of the close in the range of the last ``window`` bars, 0 to 100; 50 when there is no range."""
    low = talib.MIN(bars.low, window)
    return 100 * ratio(bars.close - low, talib.MAX(bars.high, window) - low, otherwise=0.5)


def rate_of_change(bars: Bars, *, over: int) -> Float:
    """Simple return of the close over ``over`` bars, in percent."""
    before = steps_back(bars.close, over)
    return 100 * (bars.close - before) / before


def commodity_channel(bars: Bars, *, window: int) -> Float:
    """Typical price less its mean, per 0.015 mean absolute deviations; 0 when nothing moved."""
    typical = bars.close + ((bars.high - bars.close) + (bars.low - bars.close)) / 3  # exact when all three are equal
    above = above_mean(typical, window)[0]
    return ratio(above, 0.015 * mean_absolute_deviation(typical, above, window), otherwise=0.0)


FEATURES = (
    Feature(
        name="rsi_14",
        group="momentum",
        lookback=WILDER_14 + 1,
        inputs=("close",),
        source="Wilder, New Concepts in Technical Trading Systems (1978), VI",
        compute=relative_strength,
    ),
    Feature(
        name="stochastic_14",
        group="momentum",
        lookback=14,
        inputs=("high", "low", "close"),
        source="Lane, Stocks & Commodities 2:3 (1984), Lane's Stochastics",
        compute=partial(stochastic, window=14),
    ),
    Feature(
        name="roc_10",
        group="momentum",
        lookback=11,
        inputs=("close",),
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 9",
        compute=partial(rate_of_change, over=10),
    ),
    Feature(
        name="cci_20",
        group="momentum",
        lookback=20,
        inputs=("high", "low", "close"),
        source="Lambert, Commodities, October 1980, Commodity Channel Index",
        compute=partial(commodity_channel, window=20),
    ),
)
