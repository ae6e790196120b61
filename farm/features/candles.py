"""The shape of one bar. A bar without range gives zero."""

from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.quotient import Quotient
from farm.features.shared import shared
from farm.features.volatility import ATR_BACK, average_true_range
from farm.features.windows import rolling_mean, steps_back

_SOURCE = "Nison, Japanese Candlestick Charting Techniques (1991), chapter 3"


@shared
def typical_price(bars: Bars) -> Float:
    """Mean of high, low and close; exactly the close when all three are equal."""
    return _typical(bars.high, bars.low, bars.close)


@njit(cache=True, nogil=True)
def _typical(high: Float, low: Float, close: Float) -> Float:
    out = np.empty(len(close))
    for i in range(len(out)):
        out[i] = close[i] + ((high[i] - close[i]) + (low[i] - close[i])) * (1 / 3)
    return out


@shared
def span(bars: Bars) -> Float:
    """Range of the bar, in price units."""
    return bars.high - bars.low


def close_location(bars: Bars) -> Quotient:
    """Place of the close in the bar's range: -1 at the low, 1 at the high."""
    return Quotient((bars.close - bars.low) - (bars.high - bars.close), span(bars), otherwise=0.0)


def body(bars: Bars) -> Quotient:
    """Close minus open per unit of range, -1 to 1."""
    return Quotient(bars.close - bars.open, span(bars), otherwise=0.0)


def upper_shadow(bars: Bars) -> Quotient:
    """Share of the range above open and close, 0 to 1."""
    return Quotient(bars.high - np.maximum(bars.open, bars.close), span(bars), otherwise=0.0)


def lower_shadow(bars: Bars) -> Quotient:
    """Share of the range below open and close, 0 to 1."""
    return Quotient(np.minimum(bars.open, bars.close) - bars.low, span(bars), otherwise=0.0)


def range_in_ranges(bars: Bars) -> Quotient:
    """Range of the bar in average true ranges; 1 when nothing moved."""
    return Quotient(span(bars), average_true_range(bars), otherwise=1.0)


def body_mean(bars: Bars, *, window: int) -> Float:
    """Mean body of the last ``window`` bars, -1 to 1."""
    return rolling_mean(np.asarray(body(bars)), window)


def shadow_balance(bars: Bars, *, window: int) -> Float:
    """Mean of lower less upper shadow of the last ``window`` bars, -1 to 1."""
    balance = np.asarray(lower_shadow(bars)) - np.asarray(upper_shadow(bars))
    return rolling_mean(balance, window)


def gap_in_ranges(bars: Bars) -> Quotient:
    """Open minus the close before, in average true ranges; 0 when nothing moved."""
    return Quotient(bars.open - steps_back(bars.close, 1), average_true_range(bars), otherwise=0.0)


def overlap(bars: Bars) -> Quotient:
    """Share of the two last bars' joint range that both cover, 0 to 1; negative is the gap between them."""
    high, low = steps_back(bars.high, 1), steps_back(bars.low, 1)
    common = np.minimum(bars.high, high) - np.maximum(bars.low, low)
    return Quotient(common, np.maximum(bars.high, high) - np.minimum(bars.low, low), otherwise=1.0)


@njit(cache=True, nogil=True)
def _run(close: Float, most: int) -> Float:
    out = np.full(len(close), np.nan)
    length = 0
    for i in range(1, len(close)):
        if close[i] > close[i - 1]:
            length = min(max(length, 0) + 1, most)
        elif close[i] < close[i - 1]:
            length = max(min(length, 0) - 1, -most)
        else:
            length = 0
        out[i] = length
    return out


def run(bars: Bars, *, most: int) -> Float:
    """Rising bars in a row, falling ones negative, counted up to ``most``; an unchanged close ends the run."""
    return _run(bars.close, most)


_OHLC = ("open", "high", "low", "close")
FEATURES = (
    Feature(
        name="close_location",
        group="candles",
        lookback=1,
        inputs=("high", "low", "close"),
        source="Chaikin's close location value: Kaufman, Trading Systems and Methods, 5th ed., chapter 12",
        compute=close_location,
    ),
    Feature(name="body", group="candles", lookback=1, inputs=_OHLC, source=_SOURCE, compute=body),
    Feature(name="upper_shadow", group="candles", lookback=1, inputs=_OHLC, source=_SOURCE, compute=upper_shadow),
    Feature(name="lower_shadow", group="candles", lookback=1, inputs=_OHLC, source=_SOURCE, compute=lower_shadow),
    Feature(
        name="range_14",
        group="candles",
        lookback=ATR_BACK,
        inputs=("high", "low", "close"),
        source="own",
        compute=range_in_ranges,
    ),
    Feature(
        name="body_mean_10",
        group="candles",
        lookback=10,
        inputs=_OHLC,
        source=_SOURCE,
        compute=partial(body_mean, window=10),
    ),
    Feature(
        name="shadow_balance_10",
        group="candles",
        lookback=10,
        inputs=_OHLC,
        source=_SOURCE,
        compute=partial(shadow_balance, window=10),
    ),
    Feature(name="gap_14", group="candles", lookback=ATR_BACK, inputs=_OHLC, source="own", compute=gap_in_ranges),
    Feature(name="overlap", group="candles", lookback=2, inputs=("high", "low"), source="own", compute=overlap),
    Feature(
        name="run_10", group="candles", lookback=11, inputs=("close",), source="own", compute=partial(run, most=10)
    ),
)
