"""Where the price stands against its own past, in units of its true range."""

from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.volatility import ATR_BACK, WILDER_14, average_true_range, true_range
from farm.features.windows import above_exponential_mean, above_mean, exponential_mean, ratio, rolling_sum, steps_back

EMA_12, EMA_26, EMA_9 = 40, 80, 30  # windows of the MACD's means: what lies further back would weigh about 0.2%


def ema_distance(bars: Bars, *, period: int, window: int) -> Float:
    """Close minus its exponential mean, in average true ranges; 0 when nothing moved."""
    above = above_exponential_mean(bars.close, 2 / (period + 1), window)
    return ratio(above, average_true_range(bars), otherwise=0.0)


def sma_distance(bars: Bars, *, window: int) -> Float:
    """Close minus its simple mean, in average true ranges; 0 when nothing moved."""
    return ratio(above_mean(bars.close, window)[0], average_true_range(bars), otherwise=0.0)


def macd_histogram(close: Float, *, fast: int = EMA_12, slow: int = EMA_26, signal: int = EMA_9) -> Float:
    """Mean of 12 less mean of 26, less its own mean of 9, in price units, each over the window given."""
    macd = above_exponential_mean(close, 2 / 27, slow) - above_exponential_mean(close, 2 / 13, fast)
    out = np.full(len(close), np.nan)
    out[slow - 1 :] = above_exponential_mean(macd[slow - 1 :], 2 / 10, signal)
    return out


def macd_in_ranges(bars: Bars) -> Float:
    """MACD histogram in average true ranges; 0 when nothing moved."""
    return ratio(macd_histogram(bars.close), average_true_range(bars), otherwise=0.0)


def directional_index(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder's ADX, 0 to 100: how one-sided the bars' extensions were; 0 when nothing moved."""
    up = bars.high - steps_back(bars.high, 1)
    down = steps_back(bars.low, 1) - bars.low
    missing = np.isnan(up)
    rising = np.where(missing, np.nan, np.where((up > down) & (up > 0), up, 0.0))
    falling = np.where(missing, np.nan, np.where((down > up) & (down > 0), down, 0.0))
    span = exponential_mean(true_range(bars), 1 / period, window)
    plus = ratio(exponential_mean(rising, 1 / period, window), span, otherwise=0.0)
    minus = ratio(exponential_mean(falling, 1 / period, window), span, otherwise=0.0)
    return exponential_mean(100 * ratio(np.abs(plus - minus), plus + minus, otherwise=0.0), 1 / period, window)


def efficiency_ratio(bars: Bars, *, window: int) -> Float:
    """Net change over ``window`` bars per unit of path walked, 0 to 1; 0 when nothing moved."""
    path = rolling_sum(np.abs(bars.close - steps_back(bars.close, 1)), window)
    return ratio(np.abs(bars.close - steps_back(bars.close, window)), path, otherwise=0.0)


_HLC = ("high", "low", "close")
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
)
