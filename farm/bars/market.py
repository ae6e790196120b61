"""An artificial market whose truth is known: volatility clusters, regimes, and an edge or none."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Float = NDArray[np.float64]

TREND_BARS = 20
FAST_BARS = 10
SLOW_BARS = 60
_DAILY_SWING = 0.4
_PERSISTENCE = 0.995
_LOG_VOLATILITY_SPREAD = 0.35
_REGIME_SPREAD = 0.3
_REGIME_SWITCH = 1 / 2000
_LEAK_BARS = 6
_TICK = 0.01


@dataclass(frozen=True, eq=False)
class Market:
    """One artificial price history; every array has one value a bar.

    ``signal`` is the number in [-1, 1] that moves the next bar, known at this bar's close; the next log return has mean
    ``edge * volatility * signal``.
    """

    open: Float
    high: Float
    low: Float
    close: Float
    volume: Float
    volatility: Float
    signal: Float


def simulate_market(
    n_bars: int,
    bars_per_day: int,
    rng: np.random.Generator,
    *,
    edge: float,
    drift: float,
    leak: float,
    base: float = 0.001,
) -> Market:
    """A price history of ``n_bars`` bars.

    The mean of the next return is ``edge`` times its volatility times a signal in [-1, 1] that needs three things at
    once: the normalised 20-bar return, the ratio of 10-bar to 60-bar volatility (which turns trend into reversal), and
    the time of day. ``drift`` in [0, 1) skews the innovations by a slowly changing amount: the rates at which barriers
    are touched drift although the expected return stays zero. ``leak`` writes the direction of the next six bars into
    the volume, a planted defect.

    Examples
    --------
    >>> market = simulate_market(2000, 288, np.random.default_rng(0), edge=0.5, drift=0, leak=0)
    >>> ahead = np.diff(np.log(market.close)) / market.volatility[1:]
    >>> bool(np.corrcoef(ahead, market.signal[:-1])[0, 1] > 0.1)
    True
    """
    shocks = rng.standard_normal(n_bars)
    if drift:
        period = 45 * bars_per_day
        phase = rng.uniform(0, 2 * np.pi)
        skew = drift * np.sin(2 * np.pi * np.arange(n_bars) / period + phase)
        shocks = skew * (rng.standard_exponential(n_bars) - 1) + np.sqrt(1 - skew**2) * shocks
    volatility = base * _volatility_path(
        rng.standard_normal(n_bars),
        rng.random(n_bars) < _REGIME_SWITCH,
        np.arange(n_bars) % bars_per_day / bars_per_day,
    )
    returns, signal = _returns_with_edge(shocks, volatility, bars_per_day, edge)
    after = np.log(100.0) + np.cumsum(returns)
    before = after - returns
    # The extremes of a Brownian bridge between both ends of a bar, drawn one at a time (inverse of its distribution).
    above, below = -2 * np.log(rng.random(n_bars)), -2 * np.log(rng.random(n_bars))
    upper = before + (returns + np.sqrt(returns**2 + volatility**2 * above)) / 2
    lower = before + (returns - np.sqrt(returns**2 + volatility**2 * below)) / 2
    opened, closed = _to_tick(before), _to_tick(after)
    volume = 1000 * volatility / base * np.exp(0.3 * rng.standard_normal(n_bars))
    if leak:
        ahead = np.append(after[_LEAK_BARS:], np.full(_LEAK_BARS, after[-1])) - after
        volume *= np.exp(leak * np.sign(ahead))
    return Market(
        open=opened,
        high=np.maximum(_to_tick(upper), np.maximum(opened, closed)),
        low=np.minimum(_to_tick(lower), np.minimum(opened, closed)),
        close=closed,
        volume=np.round(volume, 3),
        volatility=volatility,
        signal=signal,
    )


def _to_tick(log_price: Float) -> Float:
    return np.round(np.maximum(np.round(np.exp(log_price) / _TICK), 1) * _TICK, 10)


@njit(cache=True)
def _volatility_path(noise: Float, switch: NDArray[np.bool_], time_of_day: Float) -> Float:
    path = np.empty(len(noise))
    level = noise[0] * _LOG_VOLATILITY_SPREAD
    regime = 1.0
    innovation = _LOG_VOLATILITY_SPREAD * np.sqrt(1 - _PERSISTENCE**2)
    for i in range(len(noise)):
        level = _PERSISTENCE * level + innovation * noise[i]
        if switch[i]:
            regime = -regime
        swing = 1 + _DAILY_SWING * np.sin(2 * np.pi * time_of_day[i])
        path[i] = np.exp(level + regime * _REGIME_SPREAD) * swing
    return path


@njit(cache=True)
def _returns_with_edge(shocks: Float, volatility: Float, bars_per_day: int, edge: float) -> tuple[Float, Float]:
    returns = np.empty(len(shocks))
    signal = np.zeros(len(shocks))
    now = 0.0
    for i in range(len(shocks)):
        returns[i] = volatility[i] * (shocks[i] + edge * now)
        if i + 1 >= SLOW_BARS:
            trend = 0.0
            fast = 0.0
            slow = 0.0
            for j in range(SLOW_BARS):
                back = returns[i - j]
                slow += back * back
                if j < TREND_BARS:
                    trend += back
                if j < FAST_BARS:
                    fast += back * back
            slow = np.sqrt(slow / SLOW_BARS)
            ratio = np.sqrt(fast / FAST_BARS) / slow
            hour = (i + 1) % bars_per_day / bars_per_day
            awake = 1.0 if 0.25 <= hour < 0.75 else 0.3
            follow = np.tanh(4 * (1.05 - ratio))
            now = np.tanh(trend / (slow * np.sqrt(TREND_BARS))) * follow * awake
        signal[i] = now
    return returns, signal
