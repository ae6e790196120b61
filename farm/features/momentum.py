"""Oscillators: which side of its recent range the price is on, and how fast it got there."""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.extremes import highest, lowest
from farm.features.feature import Feature
from farm.features.returns import close_change, log_change
from farm.features.shared import shared
from farm.features.volatility import WILDER_14, true_range
from farm.features.windows import (
    above_exponential_mean,
    exponential_mean,
    height,
    mean_absolute_deviation,
    ratio,
    rolling_sum,
    steps_back,
)


@shared
def gains_and_losses(bars: Bars) -> tuple[Float, Float]:
    """Rise of the close over one bar and its fall, each 0 where it is the other, in price units."""
    change = close_change(bars)
    return np.maximum(change, 0.0), np.maximum(-change, 0.0)


def relative_strength(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder's RSI, 0 to 100: share of gains in the Wilder mean of all movement; 50 when nothing moved."""
    gains, losses = gains_and_losses(bars)
    gain, loss = exponential_mean(gains, 1 / period, window), exponential_mean(losses, 1 / period, window)
    return 100 * ratio(gain, gain + loss, otherwise=0.5)


def stochastic(bars: Bars, *, window: int) -> Float:
    """Place of the close in the range of the last ``window`` bars, 0 to 100; 50 when there is no range."""
    low = lowest(bars.low, window)
    return 100 * ratio(bars.close - low, highest(bars.high, window) - low, otherwise=0.5)


def rate_of_change(bars: Bars, *, over: int) -> Float:
    """Simple return of the close over ``over`` bars, in percent."""
    before = steps_back(bars.close, over)
    return 100 * (bars.close - before) / before


def commodity_channel(bars: Bars, *, window: int) -> Float:
    """Typical price less its mean, per 0.015 mean absolute deviations; 0 when nothing moved."""
    typical = bars.close + ((bars.high - bars.close) + (bars.low - bars.close)) / 3  # exact when all three are equal
    above = height(typical, window)
    return ratio(above, 0.015 * mean_absolute_deviation(typical, above, window), otherwise=0.0)


@shared
def slow_stochastic(bars: Bars, *, window: int, smooth: int) -> Float:
    """Mean of the last ``smooth`` places of the close in the range of ``window`` bars, 0 to 100."""
    return rolling_sum(stochastic(bars, window=window), smooth) / smooth


def stochastic_signal(bars: Bars, *, window: int, smooth: int) -> Float:
    """Mean of the last ``smooth`` slow stochastics, 0 to 100."""
    return rolling_sum(slow_stochastic(bars, window=window, smooth=smooth), smooth) / smooth


def chande(bars: Bars, *, window: int) -> Float:
    """Gains less losses per sum of both over the last ``window`` bars, -100 to 100; 0 when nothing moved."""
    net = bars.close - steps_back(bars.close, window)
    return 100 * ratio(net, rolling_sum(np.abs(close_change(bars)), window), otherwise=0.0)


def triple_mean(close: Float, *, period: int, window: int) -> Float:
    """Exponential mean of the exponential mean of the exponential mean, each over ``window`` rows, in price units."""
    for _ in range(3):
        close = close - above_exponential_mean(close, 2 / (period + 1), window)
    return close


def triple_mean_change(bars: Bars, *, period: int, window: int) -> Float:
    """TRIX: change over one bar of the thrice smoothed close, in percent."""
    mean = triple_mean(bars.close, period=period, window=window)
    before = steps_back(mean, 1)
    return 100 * (mean - before) / before


def ultimate(bars: Bars) -> Float:
    """Ultimate oscillator: buying pressure per true range over 7, 14 and 28 bars, 0 to 100; 50 when nothing moved."""
    pressure = bars.close - np.minimum(bars.low, steps_back(bars.close, 1))
    span = true_range(bars)
    shares = [ratio(up, whole, otherwise=0.5) for up, whole in zip(_weeks(pressure), _weeks(span), strict=True)]
    return 100 * (4 * shares[0] + 2 * shares[1] + shares[2]) / 7


def _weeks(x: Float) -> tuple[Float, Float, Float]:
    """Sums of the last 7, 14 and 28 values."""
    one = rolling_sum(x, 7)
    two = one + steps_back(one, 7)
    return one, two, two + steps_back(two, 14)


def acceleration(bars: Bars, *, over: int) -> Float:
    """Log return over the last ``over`` bars less that over the ``over`` bars before."""
    change = log_change(bars.close, over)
    return change - steps_back(change, over)


def since_extreme(bars: Bars, *, window: int) -> Float:
    """Place of the close between the lowest low and highest high of ``window`` bars, -1 to 1; 0 without a range."""
    return stochastic(bars, window=window) / 50 - 1


_momentum = partial(Feature, group="momentum", inputs=("high", "low", "close"))
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
    *(
        _momentum(
            name=f"rsi_{period}",
            lookback=5 * period + 1,
            inputs=("close",),
            source="Wilder, New Concepts in Technical Trading Systems (1978), VI",
            compute=partial(relative_strength, period=period, window=5 * period),
        )
        for period in (7, 21)
    ),
    _momentum(
        name="stochastic_slow_14",
        lookback=16,
        source="Lane, Stocks & Commodities 2:3 (1984), Lane's Stochastics",
        compute=partial(slow_stochastic, window=14, smooth=3),
    ),
    _momentum(
        name="stochastic_signal_14",
        lookback=18,
        source="Lane, Stocks & Commodities 2:3 (1984), Lane's Stochastics",
        compute=partial(stochastic_signal, window=14, smooth=3),
    ),
    _momentum(
        name="donchian_55",
        lookback=55,
        source="Donchian's channel: Kaufman, Trading Systems and Methods, 5th ed., chapter 5",
        compute=partial(since_extreme, window=55),
    ),
    _momentum(
        name="chande_14",
        lookback=15,
        inputs=("close",),
        source="Chande, Kroll, The New Technical Trader (1994), chapter 5",
        compute=partial(chande, window=14),
    ),
    _momentum(
        name="trix_15",
        lookback=3 * 60 - 1,
        inputs=("close",),
        source="Hutson, Stocks & Commodities 1:5 (1983), Good TRIX",
        compute=partial(triple_mean_change, period=15, window=60),
    ),
    _momentum(
        name="ultimate_oscillator",
        lookback=29,
        source="Williams, Stocks & Commodities 3:4 (1985), The ultimate oscillator",
        compute=ultimate,
    ),
    _momentum(
        name="acceleration_10",
        lookback=21,
        inputs=("close",),
        source="own",
        compute=partial(acceleration, over=10),
    ),
)
