"""The width of a barrier: volatility in price units, known when its bar closes."""

import math
from typing import Annotated, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.section import Section

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _average_true_range(high: Float, low: Float, close: Float, bounds: Int, window: int) -> Float:
    result = np.full(len(close), np.nan)
    for s in range(len(bounds) - 1):
        average = 0.0
        for i in range(bounds[s] + 1, bounds[s + 1]):
            true_range = max(high[i] - low[i], abs(close[i - 1] - high[i]), abs(close[i - 1] - low[i]))
            seen = i - bounds[s]
            if seen < window:
                average += true_range
            elif seen == window:
                average = (average + true_range) / window
                result[i] = average
            else:
                average = (average * (window - 1) + true_range) / window
                result[i] = average
    return result


@njit(cache=True, nogil=True)
def _exponential_deviation(values: Float, bounds: Int, span: float, warmup: int) -> Float:
    decay = 1.0 - 2.0 / (span + 1.0)
    result = np.full(len(values), np.nan)
    for s in range(len(bounds) - 1):
        mean = variance = 0.0
        total = squares = 0.0  # sums of the weights and of their squares, the newest value weighing 1
        seen = 0
        for i in range(bounds[s], bounds[s + 1]):
            value = values[i]
            if math.isnan(value):
                continue
            total *= decay
            squares *= decay * decay
            old = mean
            mean = (total * old + value) / (total + 1.0)
            variance = (total * (variance + (old - mean) ** 2) + (value - mean) ** 2) / (total + 1.0)
            total += 1.0
            squares += 1.0
            seen += 1
            # the unbiased weighted variance: the correction is total² / (total² - sum of squared weights)
            free = total * total - squares
            if seen >= max(warmup, 2) and free > 0.0:
                result[i] = math.sqrt(total * total / free * variance)
    return result


def exponential_deviation(values: Float, span: float, *, warmup: int = 2) -> Float:
    """Exponentially weighted standard deviation at every position, shape (n,), NaN before ``warmup`` values.

    The weights fall by the factor ``1 - 2 / (span + 1)`` a value, count from the first value on (nothing is assumed
    before it) and the variance is unbiased for them: what AFML snippet 3.1 calls daily volatility when the values are
    returns over a day. A NaN value is passed over and leaves NaN in its place.

    >>> exponential_deviation(np.array([0.0, 1.0, 0.0]), span=3.0).round(4)
    array([   nan, 0.7071, 0.5976])
    """
    if not span >= 1:
        raise ValueError(f"exponential_deviation: span is {span}; it must be at least 1")
    values = np.ascontiguousarray(values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"exponential_deviation: values have shape {values.shape}; give one dimension")
    return _exponential_deviation(values, np.array([0, len(values)]), float(span), warmup)


class Atr(Section):
    """Wilder's average true range: the mean of the first ``window`` true ranges, then smoothed by 1 / ``window``.

    Source: J. W. Wilder, New Concepts in Technical Trading Systems (1978).
    """

    kind: Literal["atr"] = "atr"
    window: int = Field(default=14, ge=1)

    def of(self, bars: Bars) -> Float:
        """Average true range at each bar's close, shape (n,), in price units; NaN in a segment's first ``window`` bars.

        The first bar of a segment has no true range, since its previous close lies beyond the hole. Inside a segment
        the values are TA-Lib's.
        """
        return _average_true_range(bars.high, bars.low, bars.close, bars.segment_bounds(), self.window)


class Ewma(Section):
    """Exponentially weighted deviation of the bars' log returns, times the close."""

    kind: Literal["ewma"] = "ewma"
    span: int = Field(default=100, ge=2)

    def of(self, bars: Bars) -> Float:
        """Deviation at each bar's close, shape (n,), in price units; NaN in the first ``span`` bars of a segment."""
        bounds = bars.segment_bounds()
        returns = np.diff(np.log(bars.close), prepend=np.nan)
        returns[bounds[:-1][bounds[:-1] < len(bars)]] = np.nan
        return _exponential_deviation(returns, bounds, float(self.span), self.span) * bars.close


Volatility = Annotated[Atr | Ewma, Field(discriminator="kind")]
