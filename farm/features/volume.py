"""Volume against its own recent past. A stretch without volume gives the neutral value, never a missing row."""

from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float
from farm.features.candles import typical_price
from farm.features.feature import Feature
from farm.features.moments import above_mean
from farm.features.quotient import Quotient
from farm.features.returns import bar_return
from farm.features.shared import shared
from farm.features.volatility import ATR_BACK, average_true_range
from farm.features.windows import rolling_sum


@shared
def volume_sum(bars: Bars, *, window: int) -> Float:
    """Volume of the last ``window`` bars."""
    return rolling_sum(bars.volume, window)


def volume_ratio(bars: Bars, *, window: int) -> Quotient:
    """Volume in units of its mean over ``window`` bars; 1 when none of them has volume."""
    return Quotient(bars.volume, volume_sum(bars, window=window), otherwise=1.0, times=window)


def volume_score(bars: Bars, *, window: int) -> Quotient:
    """Volume less its mean over ``window`` bars, in standard deviations; 0 when volume does not vary."""
    above, deviation = above_mean(bars.volume, window)
    return Quotient(above, deviation, otherwise=0.0)


def volume_trend(bars: Bars, *, short: int, long: int) -> Quotient:
    """Mean volume over the short window in units of that over the long one; 1 without volume."""
    now, usual = volume_sum(bars, window=short), volume_sum(bars, window=long)
    return Quotient(now, usual, otherwise=1.0, times=long / short)


def volume_variation(bars: Bars, *, window: int) -> Quotient:
    """Standard deviation of volume over its mean; 0 without volume."""
    deviation = above_mean(bars.volume, window)[1]
    return Quotient(deviation, volume_sum(bars, window=window), otherwise=0.0, times=window)


def signed_volume(bars: Bars) -> Float:
    """Volume with the sign of the bar's change: the steps of on-balance volume."""
    return _signed(bars.close, bars.volume)


@njit(cache=True, nogil=True)
def _signed(close: Float, volume: Float) -> Float:
    out = np.empty(len(close))
    out[:1] = np.nan
    later, traded, made = close[1:], volume[1:], out[1:]
    for j in range(len(made)):
        step = later[j] - close[j]
        made[j] = traded[j] if step > 0.0 else (-traded[j] if step < 0.0 else 0.0)
    return out


def on_balance_share(bars: Bars, *, window: int) -> Quotient:
    """Change of on-balance volume over ``window`` bars per volume, -1 to 1; 0 without volume."""
    return Quotient(rolling_sum(signed_volume(bars), window), volume_sum(bars, window=window), otherwise=0.0)


def money_flow(bars: Bars, *, window: int) -> Quotient:
    """Chaikin's money flow: close location weighted by volume, -1 to 1; 0 without volume."""
    flow = rolling_sum(_located_volume(bars.high, bars.low, bars.close, bars.volume), window)
    return Quotient(flow, volume_sum(bars, window=window), otherwise=0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _located_volume(high: Float, low: Float, close: Float, volume: Float) -> Float:
    """Volume times the place of the close in the bar's range, -1 at the low, 1 at the high; 0 without a range."""
    out = np.empty(len(close))
    for i in range(len(out)):
        span = high[i] - low[i]
        out[i] = 0.0 if span == 0.0 else volume[i] * ((close[i] - low[i]) - (high[i] - close[i])) / span
    return out


def money_flow_index(bars: Bars, *, window: int) -> Quotient:
    """Share of typical price times volume that came on rising typical prices, 0 to 100; 50 without volume."""
    rising, either = _flows(typical_price(bars), bars.volume)
    return Quotient(rolling_sum(rising, window), rolling_sum(either, window), otherwise=50.0, times=100.0)


@njit(cache=True, nogil=True)
def _flows(price: Float, volume: Float) -> tuple[Float, Float]:
    """Price times volume of the bars that rose, and of those that rose or fell."""
    rising, either = np.empty(len(price)), np.empty(len(price))
    rising[:1] = either[:1] = np.nan
    now, traded, ups, moves = price[1:], volume[1:], rising[1:], either[1:]
    for i in range(len(ups)):  # one loop for each array: the compiler takes several bars at a time
        ups[i] = now[i] * traded[i] if now[i] > price[i] else 0.0
    for i in range(len(moves)):
        moves[i] = now[i] * traded[i] if now[i] != price[i] else 0.0
    return rising, either


def rolling_vwap_distance(bars: Bars, *, window: int) -> Quotient:
    """Close minus the volume-weighted close of the last ``window`` bars, in average true ranges; 0 without volume."""
    above = _above_weighted_mean(bars.close, bars.volume, window)
    return Quotient(above, average_true_range(bars), otherwise=0.0)


@njit(cache=True, nogil=True)
def _above_weighted_mean(x: Float, weight: Float, window: int) -> Float:
    out = np.full(len(x), np.nan)
    for i in range(window - 1, len(x)):
        total = heights = 0.0
        for j in range(i - window + 1, i + 1):
            total += weight[j]
            heights += weight[j] * (x[i] - x[j])
        out[i] = heights / total if total > 0 else 0.0
    return out


def return_volume_correlation(bars: Bars, *, window: int) -> Quotient:
    """Correlation of the size of returns with volume, both about zero, 0 to 1; 0 when nothing moved or traded."""
    size = np.abs(bar_return(bars))
    volume = np.where(np.isnan(size), np.nan, bars.volume)
    scale = np.sqrt(rolling_sum(size * size, window)) * np.sqrt(rolling_sum(volume * volume, window))
    return Quotient(rolling_sum(size * volume, window), scale, otherwise=0.0)


def notional_ratio(bars: Bars, *, window: int) -> Quotient:
    """Volume times close in units of its mean over ``window`` bars; 1 without volume."""
    notional = bars.volume * bars.close
    return Quotient(notional, rolling_sum(notional, window), otherwise=1.0, times=window)


_volume = partial(Feature, group="volume", inputs=("volume",))
FEATURES = (
    Feature(
        name="volume_ratio_20",
        group="volume",
        lookback=20,
        inputs=("volume",),
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 12",
        compute=partial(volume_ratio, window=20),
    ),
    Feature(
        name="volume_score_60",
        group="volume",
        lookback=60,
        inputs=("volume",),
        source="own",
        compute=partial(volume_score, window=60),
    ),
    _volume(
        name="volume_trend_5_20",
        lookback=20,
        source="Kaufman, Trading Systems and Methods, 5th ed., chapter 12",
        compute=partial(volume_trend, short=5, long=20),
    ),
    _volume(
        name="volume_variation_20",
        lookback=20,
        source="own",
        compute=partial(volume_variation, window=20),
    ),
    _volume(
        name="on_balance_20",
        lookback=21,
        inputs=("close", "volume"),
        source="Granville, New Key to Stock Market Profits (1963), chapter 2",
        compute=partial(on_balance_share, window=20),
    ),
    _volume(
        name="money_flow_20",
        lookback=20,
        inputs=("high", "low", "close", "volume"),
        source="Chaikin's money flow: Kaufman, Trading Systems and Methods, 5th ed., chapter 12",
        compute=partial(money_flow, window=20),
    ),
    _volume(
        name="money_flow_index_14",
        lookback=15,
        inputs=("high", "low", "close", "volume"),
        source="Quong, Soudack, Stocks & Commodities 7:3 (1989), Volume-weighted RSI: money flow",
        compute=partial(money_flow_index, window=14),
    ),
    _volume(
        name="vwap_distance_20",
        lookback=ATR_BACK,
        inputs=("high", "low", "close", "volume"),
        source="Berkowitz, Logue, Noser, Journal of Finance 43 (1988), 97-112",
        compute=partial(rolling_vwap_distance, window=20),
    ),
    _volume(
        name="return_volume_correlation_20",
        lookback=21,
        inputs=("close", "volume"),
        source="Karpoff, Journal of Financial and Quantitative Analysis 22 (1987), 109-126",
        compute=partial(return_volume_correlation, window=20),
    ),
    _volume(
        name="notional_ratio_20",
        lookback=20,
        inputs=("close", "volume"),
        source="own",
        compute=partial(notional_ratio, window=20),
    ),
)
