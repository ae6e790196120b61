"""Which regime a session is in, known before it opens: its volatility and its trend."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from farm.bars.frame import Bars, Bool, Float, Int

Names = NDArray[np.str_]

VOLATILITIES = ("low", "high", "unknown")
TRENDS = ("up", "down", "sideways", "unknown")

_RECENT, _MEMORY, _LEAST = 5, 60, 20
_FAST, _SLOW = 20, 60


@dataclass(frozen=True, eq=False)
class Regimes:
    """The regime of every session of some bars, one value a session in time order.

    ``starts`` are the positions of the sessions' first bars. ``volatility`` is one of `VOLATILITIES`, ``trend`` one of
    `TRENDS`.
    """

    starts: Int
    volatility: Names
    trend: Names

    def volatile(self, row: Int) -> Bool:
        """Whether volatility counts as high in the session of each bar: also where it is unknown, to be careful."""
        return np.asarray(self.volatility[self.session_at(row)] != "low")

    def session_at(self, row: Int) -> Int:
        """The position of the session that each bar lies in."""
        return np.searchsorted(self.starts, row, side="right") - 1


def session_regimes(bars: Bars) -> Regimes:
    """The regime of every session of the bars, told by the sessions before it and by nothing of its own.

    Volatility is ``high`` where the realised variance of the 5 sessions before is above the median that this figure had
    in the 60 sessions up to now (at least 20), else ``low``. The trend is ``up`` where the last close is above the mean
    of the last 20 closes, and that above the mean of the last 60, ``down`` where both are the other way round, else
    ``sideways``. Before there are that many sessions, either is ``unknown``. Sessions are counted through data holes;
    the moves over them are not.

    Examples
    --------
    >>> day = 86_400 * 10**9
    >>> close = np.exp(np.cumsum(np.repeat([0.02, 0.01, 0.03], [40, 30, 20])))
    >>> times, number = np.arange(90) * day, np.arange(90)
    >>> bars = Bars("X", "1d", times, times + day, close, close, close, close, close, number, number * 0)
    >>> found = session_regimes(bars)
    >>> found.volatility[[23, 60, 70, 73]].tolist(), found.trend[[59, 60]].tolist()
    (['unknown', 'low', 'low', 'high'], ['unknown', 'up'])
    """
    starts = session_starts(bars)
    stops = np.append(starts[1:], len(bars))
    variance = np.add.reduceat(squared_moves(bars), starts) if len(bars) else np.zeros(0)
    return Regimes(starts, _volatility(variance), _trend(bars.close[stops - 1] if len(bars) else np.zeros(0)))


def session_starts(bars: Bars) -> Int:
    """Positions of the first bar of every session."""
    return (
        np.concatenate(([0], np.flatnonzero(np.diff(bars.session)) + 1)) if len(bars) else np.zeros(0, dtype=np.int64)
    )


def squared_moves(bars: Bars) -> Float:
    """Squared log return of every bar: from the last close, or from its own open after a data hole or a roll."""
    before = np.empty(len(bars))
    before[1:] = bars.close[:-1]
    fresh = np.append(True, np.diff(bars.segment) != 0)[: len(bars)] | bars.rolled
    move = np.log(bars.close / np.where(fresh, bars.open, before))
    return np.asarray(move * move)


def _volatility(variance: Float) -> Names:
    recent = _trailing_mean(variance, _RECENT)
    usual = pd.Series(recent).rolling(_MEMORY, min_periods=_LEAST).median().to_numpy()
    return np.select([np.isnan(usual), recent > usual], ["unknown", "high"], "low")


def _trend(close: Float) -> Names:
    last, fast, slow = (_trailing_mean(close, sessions) for sessions in (1, _FAST, _SLOW))
    up, down = (last > fast) & (fast > slow), (last < fast) & (fast < slow)
    return np.select([np.isnan(slow), up, down], ["unknown", "up", "down"], "sideways")


def _trailing_mean(values: Float, sessions: int) -> Float:
    """Mean over the sessions before each one, its own left out; NaN before there are enough."""
    found = np.full(len(values), np.nan)
    if len(values) > sessions:
        found[sessions:] = sliding_window_view(values[:-1], sessions).mean(axis=1)
    return found
