"""Where the price stands against its own past, in units of its true range."""

import math
from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.extremes import bars_since_highest
from farm.features.feature import Feature
from farm.features.filters import parabolic_stop, weighted_heights
from farm.features.logarithm import log_change
from farm.features.moments import height, height_of_halves
from farm.features.quotient import Quotient
from farm.features.returns import bar_return, change_size
from farm.features.shared import shared
from farm.features.volatility import ATR_BACK, WILDER_14, average_true_range, close_statistics, true_range
from farm.features.windows import above_exponential_mean, change_over, exponential_mean, rolling_sum, steps_back

EMA_12, EMA_26, EMA_9 = 40, 80, 30  # windows of the MACD's means: what lies further back would weigh about 0.2%


def ema_distance(bars: Bars, *, period: int, window: int) -> Quotient:
    """Close minus its exponential mean, in average true ranges; 0 when nothing moved."""
    above = above_exponential_mean(bars.close, 2 / (period + 1), window)
    return Quotient(above, average_true_range(bars), otherwise=0.0)


@shared
def above_simple_mean(bars: Bars, *, window: int) -> Float:
    """Close minus its simple mean, in price units; of two halves where it has them, which other windows may share."""
    if window % 2:
        return height(bars.close, window)
    return height_of_halves(bars.close, above_simple_mean(bars, window=window // 2), window // 2)


def sma_distance(bars: Bars, *, window: int) -> Quotient:
    """Close minus its simple mean, in average true ranges; 0 when nothing moved."""
    return Quotient(above_simple_mean(bars, window=window), average_true_range(bars), otherwise=0.0)


def macd_line(close: Float, *, fast: int = EMA_12, slow: int = EMA_26) -> Float:
    """Exponential mean of 12 less that of 26, in price units, each over the window given."""
    return above_exponential_mean(close, 2 / 27, slow) - above_exponential_mean(close, 2 / 13, fast)


def macd_histogram(close: Float, *, fast: int = EMA_12, slow: int = EMA_26, signal: int = EMA_9) -> Float:
    """Mean of 12 less mean of 26, less its own mean of 9, in price units, each over the window given."""
    return above_exponential_mean(macd_line(close, fast=fast, slow=slow), 2 / 10, signal)


@shared
def _macd(bars: Bars) -> tuple[Float, Float]:
    line = macd_line(bars.close)
    return line, above_exponential_mean(line, 2 / 10, EMA_9)


def macd_in_ranges(bars: Bars) -> Quotient:
    """MACD histogram in average true ranges; 0 when nothing moved."""
    return Quotient(_macd(bars)[1], average_true_range(bars), otherwise=0.0)


def macd_line_in_ranges(bars: Bars) -> Quotient:
    """MACD line in average true ranges; 0 when nothing moved."""
    return Quotient(_macd(bars)[0], average_true_range(bars), otherwise=0.0)


def macd_signal_in_ranges(bars: Bars) -> Quotient:
    """MACD signal, the line's mean of 9, in average true ranges; 0 when nothing moved."""
    line, histogram = _macd(bars)
    return Quotient(line - histogram, average_true_range(bars), otherwise=0.0)


@njit(cache=True, nogil=True)
def _extensions(high: Float, low: Float) -> tuple[Float, Float]:
    rising, falling = np.empty(len(high)), np.empty(len(high))
    rising[:1] = falling[:1] = np.nan
    tops, bottoms, ups, downs = high[1:], low[1:], rising[1:], falling[1:]
    for i in range(len(ups)):  # one loop for each array: the compiler takes several bars at a time
        up, down = tops[i] - high[i], low[i] - bottoms[i]
        ups[i] = up if up > max(down, 0.0) else 0.0
    for i in range(len(downs)):
        up, down = tops[i] - high[i], low[i] - bottoms[i]
        downs[i] = down if down > max(up, 0.0) else 0.0
    return rising, falling


@shared
def directional_movement(bars: Bars, *, period: int, window: int) -> tuple[Float, Float]:
    """Wilder means of the bars' extensions up and down over the last ``window`` bars, in price units."""
    rising, falling = _extensions(bars.high, bars.low)
    return exponential_mean(rising, 1 / period, window), exponential_mean(falling, 1 / period, window)


def plus_direction(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Quotient:
    """Wilder's +DI, 0 to 100: extensions up per true range; 0 when nothing moved."""
    rising, _ = directional_movement(bars, period=period, window=window)
    return Quotient(rising, average_true_range(bars, period=period, window=window), otherwise=0.0, times=100.0)


def minus_direction(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Quotient:
    """Wilder's -DI, 0 to 100: extensions down per true range; 0 when nothing moved."""
    _, falling = directional_movement(bars, period=period, window=window)
    return Quotient(falling, average_true_range(bars, period=period, window=window), otherwise=0.0, times=100.0)


def directional_index(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder's ADX, 0 to 100: how one-sided the bars' extensions were; 0 when nothing moved."""
    rising, falling = directional_movement(bars, period=period, window=window)
    return exponential_mean(_one_sidedness(rising, falling), 1 / period, window)


@njit(cache=True, nogil=True, error_model="numpy")
def _one_sidedness(rising: Float, falling: Float) -> Float:
    """Wilder's DX: the true range, by which both are divided, cancels."""
    out = np.empty(len(rising))
    for i in range(len(out)):
        both = rising[i] + falling[i]
        out[i] = 0.0 if both == 0.0 else 100.0 * abs(rising[i] - falling[i]) / both
    return out


@shared
def path_walked(bars: Bars, *, window: int) -> Float:
    """Sum of the sizes of the last ``window`` changes, in price units."""
    return rolling_sum(change_size(bars), window)


def efficiency_ratio(bars: Bars, *, window: int) -> Quotient:
    """Net change over ``window`` bars per unit of path walked, 0 to 1; 0 when nothing moved."""
    net = np.abs(change_over(bars.close, window))
    return Quotient(net, path_walked(bars, window=window), otherwise=0.0)


def variance_ratio(bars: Bars, *, over: int, window: int) -> Quotient:
    """Mean squared return over ``over`` bars per that many mean squared returns over one; 1 when nothing moved."""
    long, short = log_change(bars.close, over), bar_return(bars)
    short = np.where(np.isnan(long), np.nan, short)
    one = rolling_sum(short * short, window)
    return Quotient(rolling_sum(long * long, window), one, otherwise=1.0, times=1 / over)


@shared
def aroon(bars: Bars, *, window: int) -> tuple[Float, Float]:
    """Aroon down and up, 0 to 100: how lately the last ``window + 1`` bars had their low and their high."""
    ages = bars_since_highest(-bars.low, window + 1), bars_since_highest(bars.high, window + 1)
    for age in ages:
        age *= -100 / window
        age += 100
    return ages


def aroon_up(bars: Bars, *, window: int) -> Float:
    """Aroon up, 0 to 100: 100 at a new high."""
    return aroon(bars, window=window)[1]


def aroon_down(bars: Bars, *, window: int) -> Float:
    """Aroon down, 0 to 100: 100 at a new low."""
    return aroon(bars, window=window)[0]


def regression_slope(close: Float, *, window: int) -> Float:
    """Slope of the least-squares line through the last ``window`` closes, in price units a bar."""
    ago = np.arange(window)
    centred = (window - 1) / 2 - ago
    return weighted_heights(close, centred / (centred @ centred))


def slope_in_ranges(bars: Bars, *, window: int) -> Quotient:
    """Least-squares slope a bar of the close, in average true ranges; 0 when nothing moved."""
    return Quotient(regression_slope(bars.close, window=window), average_true_range(bars), otherwise=0.0)


def trend_fit(bars: Bars, *, window: int) -> Quotient:
    """Correlation of the last ``window`` closes with time, -1 to 1; 0 when nothing moved."""
    slope, deviation = regression_slope(bars.close, window=window), close_statistics(bars, window=window)[1]
    return Quotient(slope, deviation, otherwise=0.0, times=math.sqrt((window**2 - 1) / 12))


def stop_distance(bars: Bars, *, window: int) -> Quotient:
    """Close minus Wilder's parabolic stop begun ``window`` bars back, in average true ranges; 0 when nothing moved."""
    return Quotient(bars.close - parabolic_stop(bars.high, bars.low, window), average_true_range(bars), otherwise=0.0)


def vortex(bars: Bars, *, window: int) -> Quotient:
    """Vortex up less vortex down: reach of highs over the lows before, less the reverse, per true range."""
    up = np.abs(bars.high - steps_back(bars.low, 1))
    down = np.abs(bars.low - steps_back(bars.high, 1))
    net = rolling_sum(up, window) - rolling_sum(down, window)
    return Quotient(net, rolling_sum(true_range(bars), window), otherwise=0.0)


_HLC = ("high", "low", "close")
_trend = partial(Feature, group="trend", inputs=_HLC)
FEATURES = (
    Feature(
        name="ema_distance_20",
        group="trend",
        lookback=ATR_BACK,
        inputs=_HLC,
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 7",
        compute=partial(ema_distance, period=20, window=60),
    ),
    Feature(
        name="ema_distance_50",
        group="trend",
        lookback=150,
        inputs=_HLC,
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 7",
        compute=partial(ema_distance, period=50, window=150),
    ),
    Feature(
        name="sma_distance_50",
        group="trend",
        lookback=ATR_BACK,
        inputs=_HLC,
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 7",
        compute=partial(sma_distance, window=50),
    ),
    Feature(
        name="macd_histogram",
        group="trend",
        lookback=EMA_26 + EMA_9 - 1,
        inputs=_HLC,
        source="Appel, Technical Analysis: Power Tools for Active Investors (2005), chapter 8",
        compute=macd_in_ranges,
    ),
    Feature(
        name="adx_14",
        group="trend",
        lookback=2 * WILDER_14,
        inputs=_HLC,
        source="Wilder, New Concepts in Technical Trading Systems (1978), IV",
        compute=directional_index,
    ),
    Feature(
        name="efficiency_ratio_20",
        group="trend",
        lookback=21,
        inputs=("close",),
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 17",
        compute=partial(efficiency_ratio, window=20),
    ),
    *(
        _trend(
            name=f"efficiency_ratio_{window}",
            lookback=window + 1,
            inputs=("close",),
            source="Kaufman, Trading Systems and Methods, 5th ed., chapter 17",
            compute=partial(efficiency_ratio, window=window),
        )
        for window in (10, 60)
    ),
    *(
        _trend(
            name=name,
            lookback=back,
            source="Appel, Technical Analysis: Power Tools for Active Investors (2005), chapter 8",
            compute=compute,
        )
        for name, back, compute in (
            ("macd_line", EMA_26, macd_line_in_ranges),
            ("macd_signal", EMA_26 + EMA_9 - 1, macd_signal_in_ranges),
        )
    ),
    *(
        _trend(
            name=f"{name}_14",
            lookback=ATR_BACK,
            source="Wilder, New Concepts in Technical Trading Systems (1978), IV",
            compute=compute,
        )
        for name, compute in (("plus_di", plus_direction), ("minus_di", minus_direction))
    ),
    *(
        _trend(
            name=f"{compute.__name__}_25",
            lookback=26,
            inputs=("high", "low"),
            source="Chande, Stocks & Commodities 13:9 (1995), A time price oscillator",
            compute=partial(compute, window=25),
        )
        for compute in (aroon_up, aroon_down)
    ),
    *(
        _trend(
            name=f"slope_{window}",
            lookback=ATR_BACK,
            source="Kaufman, Trading Systems and Methods, 5th ed., chapter 6",
            compute=partial(slope_in_ranges, window=window),
        )
        for window in (14, 60)
    ),
    _trend(
        name="trend_fit_20",
        lookback=20,
        inputs=("close",),
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 6",
        compute=partial(trend_fit, window=20),
    ),
    _trend(
        name="parabolic_distance",
        lookback=ATR_BACK,
        source="Wilder, New Concepts in Technical Trading Systems (1978), II",
        compute=partial(stop_distance, window=50),
    ),
    _trend(
        name="vortex_14",
        lookback=15,
        source="Botes, Siepman, Stocks & Commodities 28:1 (2010), The vortex indicator",
        compute=partial(vortex, window=14),
    ),
    _trend(
        name="variance_ratio_5_60",
        lookback=65,
        inputs=("close",),
        source="Lo, MacKinlay, Review of Financial Studies 1 (1988), 41-66",
        compute=partial(variance_ratio, over=5, window=60),
    ),
)
