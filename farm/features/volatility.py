"""How far prices move: true range, realised and range-based volatility, per bar and not annualised."""

import math
from functools import partial

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.returns import log_change
from farm.features.windows import above_mean, exponential_mean, ratio, rolling_sum, steps_back

WILDER_14 = 70  # window of a Wilder mean of 14: what lies further back would weigh 0.6%
ATR_BACK = WILDER_14 + 1  # bars read by the average true range: each range needs the close before


def true_range(bars: Bars) -> Float:
    """Range of each bar widened to the close before, in price units; NaN at the first bar."""
    before = steps_back(bars.close, 1)
    return np.maximum(bars.high, before) - np.minimum(bars.low, before)


def average_true_range(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder mean of the true range over the last ``window`` bars, in price units."""
    return exponential_mean(true_range(bars), 1 / period, window)


def atr_share(bars: Bars) -> Float:
    """Average true range as a share of the close."""
    return average_true_range(bars) / bars.close


def realized_volatility(bars: Bars, *, window: int) -> Float:
    """Root of the mean squared log return over ``window`` bars."""
    change = log_change(bars.close, 1)
    return np.sqrt(rolling_sum(change * change, window) / window)


def volatility_ratio(bars: Bars, *, short: int, long: int) -> Float:
    """Realised volatility over the short window in units of the long one's; 1 when nothing moved."""
    return ratio(realized_volatility(bars, window=short), realized_volatility(bars, window=long), otherwise=1.0)


def parkinson(bars: Bars, *, window: int) -> Float:
    """Volatility per bar from highs and lows: root of the mean of log(high/low)² / (4 log 2)."""
    span = np.log(bars.high / bars.low)
    return np.sqrt(rolling_sum(span * span, window) / (4 * math.log(2) * window))


def garman_klass(bars: Bars, *, window: int) -> Float:
    """Volatility per bar: root of the mean of log(high/low)² / 2 - (2 log 2 - 1) log(close/open)²."""
    span = np.log(bars.high / bars.low)
    body = np.log(bars.close / bars.open)
    return np.sqrt(rolling_sum(span * span / 2 - (2 * math.log(2) - 1) * body * body, window) / window)


def bollinger_position(bars: Bars, *, window: int) -> Float:
    """Where the close stands between the bands of two standard deviations: -1 lower, 1 upper; 0 when nothing moved."""
    above, deviation = above_mean(bars.close, window)
    return ratio(above, 2 * deviation, otherwise=0.0)


def _realized(window: int) -> Feature:
    return Feature(
        name=f"realized_volatility_{window}",
        group="volatility",
        lookback=window + 1,
        inputs=("close",),
        source="Andersen, Bollerslev, International Economic Review 39 (1998), 885-905",
        compute=partial(realized_volatility, window=window),
    )


FEATURES = (
    Feature(
        name="atr_share_14",
        group="volatility",
        lookback=ATR_BACK,
        inputs=("high", "low", "close"),
        source="Wilder, New Concepts in Technical Trading Systems (1978), III",
        compute=atr_share,
    ),
    _realized(10),
    _realized(60),
    Feature(
        name="volatility_ratio_10_60",
        group="volatility",
        lookback=61,
        inputs=("close",),
        source="own",
        compute=partial(volatility_ratio, short=10, long=60),
    ),
    Feature(
        name="parkinson_20",
        group="volatility",
        lookback=20,
        inputs=("high", "low"),
        source="Parkinson, Journal of Business 53 (1980), 61-65",
        compute=partial(parkinson, window=20),
    ),
    Feature(
        name="garman_klass_20",
        group="volatility",
        lookback=20,
        inputs=("open", "high", "low", "close"),
        source="Garman, Klass, Journal of Business 53 (1980), 67-78, the practical estimator",
        compute=partial(garman_klass, window=20),
    ),
    Feature(
        name="bollinger_20",
        group="volatility",
        lookback=20,
        inputs=("close",),
        source="Bollinger, Bollinger on Bollinger Bands (2001), chapter 8",
        compute=partial(bollinger_position, window=20),
    ),
)
