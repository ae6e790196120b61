"""The clock and the session so far. All of it restarts with the session, by the one definition that the bars carry."""

import math
from functools import partial

import numpy as np
from numba import njit

from farm.bars.frame import Bars, Float, Int
from farm.bars.timeframe import DAY
from farm.features.feature import SESSION, Feature
from farm.features.logarithm import log_ratio
from farm.features.quotient import Quotient
from farm.features.shared import shared
from farm.features.volatility import ATR_BACK, average_true_range


@shared
def session_rows(bars: Bars) -> Int:
    """Row of the first bar of each bar's session, among the bars given."""
    first = np.zeros(len(bars), dtype=np.int64)
    first[1:] = np.where(np.diff(bars.session) != 0, np.arange(1, len(bars)), 0)
    return np.maximum.accumulate(first)


def time_in_session(bars: Bars, *, wave: np.ufunc) -> Float:
    """Sine or cosine of the time from the session's first bar to this bar's close, a day being the full circle."""
    elapsed = bars.available_at - bars.open_time[session_rows(bars)]
    return wave(2 * math.pi * (elapsed / DAY))


def day_of_week(bars: Bars, *, wave: np.ufunc) -> Float:
    """Sine or cosine of the session's weekday, Monday at 0 and a week being the full circle."""
    return wave(2 * math.pi / 7 * ((bars.session + 3) % 7))  # day 0, 1970-01-01, was a Thursday


def session_return(bars: Bars) -> Float:
    """Log return from the open of the session's first bar to the close."""
    return log_ratio(bars.close, bars.open[session_rows(bars)])


@njit(cache=True, nogil=True)
def _above_vwap(bars_in: Int, open_: Float, high: Float, low: Float, close: Float, volume: Float) -> Float:
    out = np.empty(len(close))
    traded = weighted = plain = anchor = 0.0
    for i in range(len(close)):
        if bars_in[i] == i:
            traded = weighted = plain = 0.0
            anchor = open_[i]
        # heights over the session's open: the price level cancels before anything is summed
        height = ((high[i] - anchor) + (low[i] - anchor) + (close[i] - anchor)) / 3
        traded += volume[i]
        weighted += volume[i] * height
        plain += height
        mean = weighted / traded if traded > 0 else plain / (i - bars_in[i] + 1)
        out[i] = (close[i] - anchor) - mean
    return out


def vwap_distance(bars: Bars) -> Quotient:
    """Close minus the session's volume-weighted typical price, in average true ranges.

    Until the session has traded any volume its typical prices weigh equally; 0 when nothing moved.
    """
    above = _above_vwap(session_rows(bars), bars.open, bars.high, bars.low, bars.close, bars.volume)
    return Quotient(above, average_true_range(bars), otherwise=0.0)


@njit(cache=True, nogil=True)
def _extremes_so_far(first: Int, high: Float, low: Float) -> tuple[Float, Float]:
    highest, lowest = high.copy(), low.copy()
    for i in range(1, len(high)):
        if first[i] != i:
            highest[i] = max(highest[i - 1], high[i])
            lowest[i] = min(lowest[i - 1], low[i])
    return highest, lowest


@shared
def session_extremes(bars: Bars) -> tuple[Float, Float]:
    """Highest high and lowest low of the session so far."""
    return _extremes_so_far(session_rows(bars), bars.high, bars.low)


def session_place(bars: Bars) -> Quotient:
    """Place of the close in the session's range so far, -1 at the low, 1 at the high; 0 without a range."""
    high, low = session_extremes(bars)
    return Quotient((bars.close - low) - (high - bars.close), high - low, otherwise=0.0)


def session_high_distance(bars: Bars) -> Quotient:
    """Close minus the session's high so far, in average true ranges."""
    return Quotient(bars.close - session_extremes(bars)[0], average_true_range(bars), otherwise=0.0)


def session_low_distance(bars: Bars) -> Quotient:
    """Close minus the session's low so far, in average true ranges."""
    return Quotient(bars.close - session_extremes(bars)[1], average_true_range(bars), otherwise=0.0)


def _last_row_before(bars: Bars) -> Int:
    """Row of the last bar of the session before each bar's; the bar itself where the bars begin with its session."""
    before = session_rows(bars) - 1
    return np.where(before < 0, np.arange(len(bars)), before)


def previous_close_distance(bars: Bars) -> Float:
    """Log return from the last close of the session before to the close."""
    return log_ratio(bars.close, bars.close[_last_row_before(bars)])


def session_gap(bars: Bars) -> Float:
    """Log return from the last close of the session before to this session's first open."""
    return log_ratio(bars.open[session_rows(bars)], bars.close[_last_row_before(bars)])


def previous_range_place(bars: Bars) -> Quotient:
    """Place of the close in the range of the session before: -1 its low, 1 its high; 0 when it had no range."""
    (high, low), before = session_extremes(bars), _last_row_before(bars)
    high, low = high[before], low[before]
    return Quotient((bars.close - low) - (high - bars.close), high - low, otherwise=0.0)


def previous_session_return(bars: Bars) -> Float:
    """Log return of the session before, from its first open to its last close."""
    before = _last_row_before(bars)
    return log_ratio(bars.close[before], bars.open[session_rows(bars)[before]])


FEATURES = (
    *(
        Feature(
            name=f"session_{wave.__name__}",
            group=SESSION,
            lookback=1,
            inputs=("open_time", "available_at", "session"),
            source="own",
            compute=partial(time_in_session, wave=wave),
            sessions=1,
        )
        for wave in (np.sin, np.cos)
    ),
    *(
        Feature(
            name=f"weekday_{wave.__name__}",
            group=SESSION,
            lookback=1,
            inputs=("session",),
            source="own",
            compute=partial(day_of_week, wave=wave),
        )
        for wave in (np.sin, np.cos)
    ),
    Feature(
        name="session_return",
        group=SESSION,
        lookback=1,
        inputs=("open", "close", "session"),
        source="own",
        compute=session_return,
        sessions=1,
    ),
    Feature(
        name="vwap_distance",
        group=SESSION,
        lookback=ATR_BACK,
        inputs=("open", "high", "low", "close", "volume", "session"),
        source="Berkowitz, Logue, Noser, Journal of Finance 43 (1988), 97-112",
        compute=vwap_distance,
        sessions=1,
    ),
    *(
        Feature(
            name=compute.__name__,
            group=SESSION,
            lookback=back,
            inputs=inputs,
            source="own",
            compute=compute,
            sessions=sessions,
        )
        for compute, back, inputs, sessions in (
            (session_place, 1, ("high", "low", "close", "session"), 1),
            (session_high_distance, ATR_BACK, ("high", "low", "close", "session"), 1),
            (session_low_distance, ATR_BACK, ("high", "low", "close", "session"), 1),
            (previous_close_distance, 1, ("close", "session"), 2),
            (session_gap, 1, ("open", "close", "session"), 2),
            (previous_range_place, 1, ("high", "low", "close", "session"), 2),
            (previous_session_return, 1, ("open", "close", "session"), 2),
        )
    ),
)
