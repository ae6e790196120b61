"""Barriers that follow from the horizon alone: the preset for those who do not want to choose widths."""

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.labels.barrier import Ambiguous, Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import barrier_events
from farm.labels.volatility import Atr, Volatility
from farm.section import Section


class HorizonBarrier(Section):
    """Labels by the first of three barriers, both price barriers at ``reach`` × volatility × √(bars in the horizon).

    Price spreads with the square root of time, so one ``reach`` leaves about the same share of timeouts at every
    horizon and on every timeframe; a fixed multiple of the bars' volatility does not. With the average true range the
    default aims at a quarter neutral: 17 to 38% on years of NIFTY50 and FILUSDT minutes, horizons from 1 to 60 bars.
    ``timeout`` is that of ``TripleBarrier``.
    """

    touches: ClassVar[bool] = True
    learns: ClassVar[Literal["class"]] = "class"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["horizon_barrier"] = "horizon_barrier"
    horizon: Horizon
    reach: float = Field(default=0.55, gt=0)
    volatility: Volatility = Atr()
    ambiguous: Ambiguous = "stop_first"
    timeout: Literal["neutral", "sign"] = "neutral"

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        return bars_in(self.horizon, timeframe)

    def implied_null_share(self) -> float:
        """One half: the barriers are equally far."""
        return 0.5

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:
        """Events of the decisions at these bars, in order; arguments and errors as in ``TripleBarrier.label``."""
        volatility = self.volatility.of(bars)
        max_bars = self.bars_watched(bars.timeframe)
        distance = self.reach * math.sqrt(max_bars)
        return barrier_events(
            bars, rows, finer,
            volatility=volatility, width=volatility, up=distance, down=distance, max_bars=max_bars,
            entry=self.entry, ambiguous=self.ambiguous, timeout=self.timeout,
        )  # fmt: skip
