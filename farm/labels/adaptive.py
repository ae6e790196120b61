"""Barriers that widen or tighten with the volatility regime known at the decision."""

from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.labels.barrier import Ambiguous, Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import barrier_events
from farm.labels.volatility import Atr, Volatility
from farm.section import Section

Float = NDArray[np.float64]


class AdaptiveBarrier(Section):
    """Labels by the first of three barriers whose distances depend on the regime at the decision.

    A bar is wild when its volatility lies above the median of the last ``window`` bars, itself included, else calm. The
    barriers stand at ``up`` and ``down`` × volatility, times ``wild`` or ``calm``; the horizon stays. Volatility is
    slow to follow a burst and slow to forget one: that is what the factors correct. ``timeout`` is that of
    ``TripleBarrier``.
    """

    touches: ClassVar[bool] = True
    learns: ClassVar[Literal["class"]] = "class"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["adaptive_barrier"] = "adaptive_barrier"
    up: float = Field(gt=0)
    down: float = Field(gt=0)
    horizon: Horizon
    calm: float = Field(default=0.9, gt=0)
    wild: float = Field(default=1.2, gt=0)
    window: int = Field(default=100, ge=2)
    volatility: Volatility = Atr()
    ambiguous: Ambiguous = "stop_first"
    timeout: Literal["neutral", "sign"] = "neutral"

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        return bars_in(self.horizon, timeframe)

    def implied_null_share(self) -> float:
        """Share of up among the events that meet a price barrier, when price is driftless: down / (up + down)."""
        return self.down / (self.up + self.down)

    def factor(self, bars: Bars, volatility: Float) -> Float:
        """What the regime at each bar's close multiplies the barriers by, shape (n,); NaN before ``window`` values."""
        median = pd.Series(volatility).rolling(self.window).median().to_numpy()
        bounds = bars.segment_bounds()
        in_segment = np.arange(len(bars)) - np.repeat(bounds[:-1], np.diff(bounds))
        known = (in_segment >= self.window - 1) & ~np.isnan(median)
        return np.where(known, np.where(volatility > median, self.wild, self.calm), np.nan)

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:
        """Events of the decisions at these bars, in order; arguments and errors as in ``TripleBarrier.label``.

        A bar whose regime is not known yet has no event.
        """
        volatility = self.volatility.of(bars)
        return barrier_events(
            bars, rows, finer,
            volatility=volatility, width=volatility * self.factor(bars, volatility), up=self.up, down=self.down,
            max_bars=self.bars_watched(bars.timeframe),
            entry=self.entry, ambiguous=self.ambiguous, timeout=self.timeout,
        )  # fmt: skip
