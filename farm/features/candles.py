"""The shape of one bar. A bar without range gives zero."""

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.volatility import ATR_BACK, average_true_range
from farm.features.windows import ratio

_SOURCE = "Nison, Japanese Candlestick Charting Techniques (1991), chapter 3"


def close_location(bars: Bars) -> Float:
    """Place of the close in the bar's range: -1 at the low, 1 at the high."""
    return ratio((bars.close - bars.low) - (bars.high - bars.close), bars.high - bars.low, otherwise=0.0)


def body(bars: Bars) -> Float:
    """Close minus open per unit of range, -1 to 1."""
    return ratio(bars.close - bars.open, bars.high - bars.low, otherwise=0.0)


def upper_shadow(bars: Bars) -> Float:
    """Share of the range above open and close, 0 to 1."""
    return ratio(bars.high - np.maximum(bars.open, bars.close), bars.high - bars.low, otherwise=0.0)


def lower_shadow(bars: Bars) -> Float:
    """Share of the range below open and close, 0 to 1."""
    return ratio(np.minimum(bars.open, bars.close) - bars.low, bars.high - bars.low, otherwise=0.0)


def range_in_ranges(bars: Bars) -> Float:
    """Range of the bar in average true ranges; 1 when nothing moved."""
    return ratio(bars.high - bars.low, average_true_range(bars), otherwise=1.0)


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
)
