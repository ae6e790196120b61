"""At which bars to decide: every one, or when price has moved enough."""

import math
from typing import Annotated, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.section import Section

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _cusum(log_price: Float, threshold: Float, bounds: Int, scale: float) -> Int:
    events = np.empty(len(log_price), dtype=np.int64)
    n = 0
    for s in range(len(bounds) - 1):
        rise = fall = 0.0
        for i in range(bounds[s] + 1, bounds[s + 1]):
            limit = scale * threshold[i]
            if not 0.0 < limit < np.inf:  # nothing to measure against yet: start afresh
                rise = fall = 0.0
                continue
            change = log_price[i] - log_price[i - 1]
            rise = max(0.0, rise + change)
            fall = min(0.0, fall + change)
            if fall < -limit:
                fall = 0.0
                events[n] = i
                n += 1
            elif rise > limit:
                rise = 0.0
                events[n] = i
                n += 1
    return events[:n].copy()


def cusum_events(close: ArrayLike, threshold: ArrayLike) -> Int:
    """Positions where the price has run by more than the threshold since the last such position on that side.

    The symmetric CUSUM filter of AFML section 2.5.2.1 on log returns: two sums, one of rises that never falls below 0,
    one of falls that never rises above 0. A sum strictly beyond the threshold makes an event and that sum starts again
    at 0; the fall is looked at first. The sums start again, without an event, where the threshold is not positive.

    Parameters
    ----------
    close
        Prices, shape (n,), above 0.
    threshold
        In log return: one number, or one a bar.

    >>> cusum_events([100, 101, 102, 103, 101, 99.0], 0.015)
    array([2, 4, 5])
    """
    prices = np.ascontiguousarray(close, dtype=np.float64)
    if prices.ndim != 1 or not np.all((prices > 0) & (prices < math.inf)):
        raise ValueError("cusum_events: close must be one dimension of finite prices above 0")
    limits = np.asarray(threshold, dtype=np.float64)
    if limits.ndim == 0 and not limits > 0:
        raise ValueError(f"cusum_events: threshold is {limits}; it must be above 0")
    if limits.ndim and limits.shape != prices.shape:
        raise ValueError(
            f"cusum_events: threshold has shape {limits.shape}, close {prices.shape}; give one or one a bar"
        )
    limits = np.ascontiguousarray(np.broadcast_to(limits, prices.shape))
    return _cusum(np.log(prices), limits, np.array([0, len(prices)]), 1.0)


class Every(Section):
    """A decision at every bar."""

    kind: Literal["every"] = "every"

    def sample(self, bars: Bars, volatility: Float) -> Int:
        """Positions of the bars with a positive volatility, ascending."""
        _same_length(bars, volatility)
        return np.flatnonzero((volatility > 0) & (volatility < math.inf))


class Cusum(Section):
    """A decision when the close has run by more than ``threshold`` times the volatility: the symmetric CUSUM filter."""

    kind: Literal["cusum"] = "cusum"
    threshold: float = Field(gt=0)

    def sample(self, bars: Bars, volatility: Float) -> Int:
        """Positions of the events, ascending; the filter starts again in every segment.

        ``volatility`` has one value a bar in price units, known at its close; over the close it is a log return.
        """
        return _cusum(np.log(bars.close), _relative(bars, volatility), bars.segment_bounds(), self.threshold)


Sampling = Annotated[Every | Cusum, Field(discriminator="kind")]


def threshold_for(bars: Bars, volatility: Float, limit: int) -> float:
    """A CUSUM threshold, of three digits, that gives at most ``limit`` events, and hardly fewer.

    Raises
    ------
    ValueError
        ``limit`` is below 1.
    """
    if limit < 1:
        raise ValueError(f"threshold_for: limit is {limit}; at least one event must be allowed")
    log_price, relative, bounds = np.log(bars.close), _relative(bars, volatility), bars.segment_bounds()

    def fits(threshold: float) -> bool:
        return len(_cusum(log_price, relative, bounds, threshold)) <= limit

    high = 1.0
    while not fits(high):
        high *= 2.0
    low = high / 2.0
    while low > 1e-3 and fits(low):
        high, low = low, low / 2.0
    while high - low > high / 2000:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    # events do not fall strictly with the threshold: round up, then go on by the last digit until it fits again
    step = 10.0 ** (math.floor(math.log10(high)) - 2)
    count = math.ceil(high / step)
    while not fits(float(f"{count * step:.3g}")):
        count += 1
    return float(f"{count * step:.3g}")


def _same_length(bars: Bars, volatility: Float) -> None:
    if volatility.shape != (len(bars),):
        raise ValueError(f"sample: volatility has shape {volatility.shape}, there are {len(bars)} bars; give one a bar")


def _relative(bars: Bars, volatility: Float) -> Float:
    _same_length(bars, volatility)
    return volatility / bars.close
