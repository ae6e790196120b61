"""How far prices move: true range, realised and range-based volatility, per bar and not annualised."""

import math
from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.logarithm import log_ratio
from farm.features.moments import above_mean
from farm.features.quotient import Quotient
from farm.features.returns import bar_return, gap, mean_square, squared_return
from farm.features.shared import shared
from farm.features.windows import exponential_mean, ratio, rolling_mean, rolling_sum, steps_back

WILDER_14 = 70  # window of a Wilder mean of 14: what lies further back would weigh 0.6%
ATR_BACK = WILDER_14 + 1  # bars read by the average true range: each range needs the close before


@shared
def true_range(bars: Bars) -> Float:
    """Range of each bar widened to the close before, in price units; NaN at the first bar."""
    return _true_range(bars.high, bars.low, bars.close)


@njit(cache=True, nogil=True)
def _true_range(high: Float, low: Float, close: Float) -> Float:
    out = np.empty(len(close))
    out[:1] = np.nan
    tops, bottoms, spans = high[1:], low[1:], out[1:]
    for i in range(len(spans)):
        spans[i] = max(tops[i], close[i]) - min(bottoms[i], close[i])
    return out


@shared
def average_true_range(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Float:
    """Wilder mean of the true range over the last ``window`` bars, in price units."""
    return exponential_mean(true_range(bars), 1 / period, window)


def atr_share(bars: Bars, *, period: int = 14, window: int = WILDER_14) -> Quotient:
    """Average true range as a share of the close."""
    return Quotient(average_true_range(bars, period=period, window=window), bars.close, otherwise=math.nan)


@shared
def realized_volatility(bars: Bars, *, window: int) -> Float:
    """Root of the mean squared log return over ``window`` bars."""
    return np.sqrt(mean_square(bars, window=window))


def volatility_ratio(bars: Bars, *, short: int, long: int) -> Quotient:
    """Realised volatility over the short window in units of the long one's; 1 when nothing moved."""
    now, usual = realized_volatility(bars, window=short), realized_volatility(bars, window=long)
    return Quotient(now, usual, otherwise=1.0)


def parkinson(bars: Bars, *, window: int) -> Float:
    """Volatility per bar from highs and lows: root of the mean of log(high/low)² / (4 log 2)."""
    span = log_ratio(bars.high, bars.low)
    return np.sqrt(rolling_mean(span * span, window) / (4 * math.log(2)))


def garman_klass(bars: Bars, *, window: int) -> Float:
    """Volatility per bar: root of the mean of log(high/low)² / 2 - (2 log 2 - 1) log(close/open)²."""
    span = log_ratio(bars.high, bars.low)
    body = log_ratio(bars.close, bars.open)
    return np.sqrt(rolling_mean(span * span / 2 - (2 * math.log(2) - 1) * body * body, window))


@shared
def close_statistics(bars: Bars, *, window: int) -> tuple[Float, Float]:
    """Close minus its mean over ``window`` bars, and its (population) standard deviation, in price units."""
    return above_mean(bars.close, window)


def bollinger_position(bars: Bars, *, window: int) -> Quotient:
    """Where the close stands between the bands of two standard deviations: -1 lower, 1 upper; 0 when nothing moved."""
    above, deviation = close_statistics(bars, window=window)
    return Quotient(above, deviation, otherwise=0.0, times=0.5)


def rogers_satchell(bars: Bars, *, window: int) -> Float:
    """Volatility per bar, whatever the drift: root of the mean of log(h/c) log(h/o) + log(l/c) log(l/o)."""
    return np.sqrt(rolling_mean(_rogers_satchell_terms(bars), window))


def yang_zhang(bars: Bars, *, window: int) -> Float:
    """Volatility per bar with its opening gap: the weighted sum of gap, open-to-close and Rogers-Satchell variance."""
    weight = 0.34 / (1.34 + (window + 1) / (window - 1))
    overnight = above_mean(gap(bars), window)[1] ** 2
    inside = above_mean(log_ratio(bars.close, bars.open), window)[1] ** 2
    sample = window / (window - 1)
    free_of_drift = rolling_mean(_rogers_satchell_terms(bars), window)
    return np.sqrt(sample * (overnight + weight * inside) + (1 - weight) * free_of_drift)


def garman_klass_yang_zhang(bars: Bars, *, window: int) -> Float:
    """Volatility per bar: the Garman-Klass terms plus the squared gap before each bar."""
    span, body, jump = log_ratio(bars.high, bars.low), log_ratio(bars.close, bars.open), gap(bars)
    terms = jump * jump + (span * span / 2 - (2 * math.log(2) - 1) * body * body)
    return np.sqrt(rolling_mean(terms, window))


@shared
def _rogers_satchell_terms(bars: Bars) -> Float:
    up = log_ratio(bars.high, bars.close) * log_ratio(bars.high, bars.open)
    return up + log_ratio(bars.low, bars.close) * log_ratio(bars.low, bars.open)


def bollinger_width(bars: Bars, *, window: int) -> Quotient:
    """Distance of the bands of two standard deviations as a share of the close."""
    return Quotient(close_statistics(bars, window=window)[1], bars.close, otherwise=math.nan, times=4.0)


def downside_share(bars: Bars, *, window: int) -> Quotient:
    """Share of the falling bars in the sum of squared returns, 0 to 1; a half when nothing moved."""
    falling = np.minimum(bar_return(bars), 0.0)
    squares = rolling_sum(squared_return(bars), window)
    return Quotient(rolling_sum(falling * falling, window), squares, otherwise=0.5)


def jump_share(bars: Bars, *, window: int) -> Float:
    """Share of the squared returns that neighbouring returns do not confirm, 0 to 1; 0 when nothing moved."""
    change = np.abs(bar_return(bars))
    neighbours = change * steps_back(change, 1) * (math.pi / 2 * window / (window - 1))
    confirmed = ratio(rolling_sum(neighbours, window - 1), rolling_sum(change * change, window), otherwise=1.0)
    return np.maximum(1 - confirmed, 0.0)


def volatility_of_volatility(bars: Bars, *, window: int) -> Quotient:
    """Standard deviation of the last ``window`` bars' ranges over their mean; 0 when nothing moved."""
    span = true_range(bars)
    return Quotient(above_mean(span, window)[1], rolling_sum(span, window), otherwise=0.0, times=window)


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
    _realized(20),
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
    *(
        Feature(
            name=f"atr_share_{period}",
            group="volatility",
            lookback=5 * period + 1,
            inputs=("high", "low", "close"),
            source="Wilder, New Concepts in Technical Trading Systems (1978), III",
            compute=partial(atr_share, period=period, window=5 * period),
        )
        for period in (7, 21)
    ),
    Feature(
        name="rogers_satchell_20",
        group="volatility",
        lookback=20,
        inputs=("open", "high", "low", "close"),
        source="Rogers, Satchell, Annals of Applied Probability 1 (1991), 504-512",
        compute=partial(rogers_satchell, window=20),
    ),
    Feature(
        name="yang_zhang_20",
        group="volatility",
        lookback=21,
        inputs=("open", "high", "low", "close"),
        source="Yang, Zhang, Journal of Business 73 (2000), 477-491",
        compute=partial(yang_zhang, window=20),
    ),
    Feature(
        name="garman_klass_yang_zhang_20",
        group="volatility",
        lookback=21,
        inputs=("open", "high", "low", "close"),
        source="Yang, Zhang, Journal of Business 73 (2000), 477-491, on Garman and Klass with opening jumps",
        compute=partial(garman_klass_yang_zhang, window=20),
    ),
    Feature(
        name="bollinger_width_20",
        group="volatility",
        lookback=20,
        inputs=("close",),
        source="Bollinger, Bollinger on Bollinger Bands (2001), chapter 8",
        compute=partial(bollinger_width, window=20),
    ),
    Feature(
        name="volatility_ratio_5_20",
        group="volatility",
        lookback=21,
        inputs=("close",),
        source="own",
        compute=partial(volatility_ratio, short=5, long=20),
    ),
    Feature(
        name="downside_share_20",
        group="volatility",
        lookback=21,
        inputs=("close",),
        source="Barndorff-Nielsen, Kinnebrock, Shephard, Measuring downside risk: realised semivariance (2010)",
        compute=partial(downside_share, window=20),
    ),
    Feature(
        name="jump_share_20",
        group="volatility",
        lookback=21,
        inputs=("close",),
        source="Barndorff-Nielsen, Shephard, Journal of Financial Econometrics 2 (2004), 1-37",
        compute=partial(jump_share, window=20),
    ),
    Feature(
        name="volatility_of_volatility_20",
        group="volatility",
        lookback=21,
        inputs=("high", "low", "close"),
        source="own",
        compute=partial(volatility_of_volatility, window=20),
    ),
)
