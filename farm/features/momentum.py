"""Oscillators: which side of its recent range the price is on, and how fast it got there."""

import math
from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.candles import typical_price
from farm.features.extremes import highest, lowest
from farm.features.feature import Feature
from farm.features.logarithm import log_change
from farm.features.moments import height, mean_absolute_deviation
from farm.features.quotient import Quotient
from farm.features.returns import change_size, close_change
from farm.features.shared import shared
from farm.features.trend import path_walked
from farm.features.volatility import WILDER_14, true_range
from farm.features.windows import (
    above_exponential_mean,
    change_over,
    exponential_mean,
    rolling_mean,
    rolling_sum,
    steps_back,
)


@shared
def gains(bars: Bars) -> Float:
    """Rise of the close over one bar, 0 where it fell, in price units."""
    return np.maximum(close_change(bars), 0.0)


def relative_strength(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Quotient:
    """Wilder's RSI, 0 to 100: share of gains in the Wilder mean of all movement; 50 when nothing moved."""
    gain = exponential_mean(gains(bars), 1 / period, window)
    moved = exponential_mean(change_size(bars), 1 / period, window)
    return Quotient(gain, moved, otherwise=50.0, times=100.0)


@shared
def stochastic(bars: Bars, *, window: int) -> Float:
    """Place of the close in the range of the last ``window`` bars, 0 to 100; 50 when there is no range."""
    return _place_between(lowest(bars.low, window), highest(bars.high, window), bars.close, 0.0, 100.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _place_between(low: Float, high: Float, close: Float, least: float, most: float) -> Float:
    out = np.empty(len(close))
    for i in range(len(out)):
        share = 0.5 if high[i] == low[i] else (close[i] - low[i]) / (high[i] - low[i])
        out[i] = least + (most - least) * share
    return out


def rate_of_change(bars: Bars, *, over: int) -> Quotient:
    """Simple return of the close over ``over`` bars, in percent."""
    change, before = change_over(bars.close, over), steps_back(bars.close, over)
    return Quotient(change, before, otherwise=math.nan, times=100.0)


def commodity_channel(bars: Bars, *, window: int) -> Quotient:
    """Typical price less its mean, per 0.015 mean absolute deviations; 0 when nothing moved."""
    typical = typical_price(bars)
    above = height(typical, window)
    return Quotient(above, mean_absolute_deviation(typical, above, window), otherwise=0.0, times=1 / 0.015)


@shared
def slow_stochastic(bars: Bars, *, window: int, smooth: int) -> Float:
    """Mean of the last ``smooth`` places of the close in the range of ``window`` bars, 0 to 100."""
    return rolling_mean(stochastic(bars, window=window), smooth)


def stochastic_signal(bars: Bars, *, window: int, smooth: int) -> Float:
    """Mean of the last ``smooth`` slow stochastics, 0 to 100."""
    return rolling_mean(slow_stochastic(bars, window=window, smooth=smooth), smooth)


def chande(bars: Bars, *, window: int) -> Quotient:
    """Gains less losses per sum of both over the last ``window`` bars, -100 to 100; 0 when nothing moved."""
    net = change_over(bars.close, window)
    return Quotient(net, path_walked(bars, window=window), otherwise=0.0, times=100.0)


def triple_mean(close: Float, *, period: int, window: int) -> Float:
    """Exponential mean of the exponential mean of the exponential mean, each over ``window`` rows, in price units."""
    for _ in range(3):
        above = above_exponential_mean(close, 2 / (period + 1), window)
        close = np.subtract(close, above, out=above)
    return close


def triple_mean_change(bars: Bars, *, period: int, window: int) -> Quotient:
    """TRIX: change over one bar of the thrice smoothed close, in percent."""
    mean = triple_mean(bars.close, period=period, window=window)
    return Quotient(change_over(mean, 1), steps_back(mean, 1), otherwise=math.nan, times=100.0)


def ultimate(bars: Bars) -> Float:
    """Ultimate oscillator: buying pressure per true range over 7, 14 and 28 bars, 0 to 100; 50 when nothing moved."""
    pressure = _buying_pressure(bars.low, bars.close)
    return _three_shares(rolling_sum(pressure, 7), rolling_sum(true_range(bars), 7))


@njit(cache=True, nogil=True)
def _buying_pressure(low: Float, close: Float) -> Float:
    """Rise from the low, or from the close before where that is lower."""
    out = np.empty(len(close))
    out[:1] = np.nan
    bottoms, closes, made = low[1:], close[1:], out[1:]
    for j in range(len(made)):
        made[j] = closes[j] - min(bottoms[j], close[j])
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _three_shares(pressure: Float, span: Float) -> Float:
    """The weighted shares of the last 7, 14 and 28 bars from sums over 7."""
    n = len(span)
    out = np.empty(n)
    out[:21] = np.nan
    ups, spans, made = pressure[21:], span[21:], out[21:]
    for j in range(len(made)):
        up_14, span_14 = ups[j] + pressure[j + 14], spans[j] + span[j + 14]
        up_28, span_28 = up_14 + (pressure[j + 7] + pressure[j]), span_14 + (span[j + 7] + span[j])
        share_7 = 0.5 if spans[j] == 0.0 else ups[j] / spans[j]
        share_14 = 0.5 if span_14 == 0.0 else up_14 / span_14
        share_28 = 0.5 if span_28 == 0.0 else up_28 / span_28
        made[j] = (100.0 / 7.0) * (4.0 * share_7 + 2.0 * share_14 + share_28)
    return out


def acceleration(bars: Bars, *, over: int) -> Float:
    """Log return over the last ``over`` bars less that over the ``over`` bars before."""
    change = log_change(bars.close, over)
    return change - steps_back(change, over)


def since_extreme(bars: Bars, *, window: int) -> Float:
    """Place of the close between the lowest low and highest high of ``window`` bars, -1 to 1; 0 without a range."""
    return _place_between(lowest(bars.low, window), highest(bars.high, window), bars.close, -1.0, 1.0)


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
