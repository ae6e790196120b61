"""How far the price had moved by the end of a fixed horizon, as a number to predict."""

import math
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.labels.barrier import Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import held_events, with_labels
from farm.labels.volatility import Atr, Volatility
from farm.section import Section


class Regression(Section):
    """A target: the log return from the next open to the close at the horizon, in units of volatility at the decision.

    It is clipped at ± ``clip`` × √(bars in the horizon), a bound fixed beforehand: quantiles of the sample would let
    later bars decide what an earlier target is. The label is the sign of the return, for what counts classes.
    """

    touches: ClassVar[bool] = False
    learns: ClassVar[Literal["number"]] = "number"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["regression"] = "regression"
    horizon: Horizon
    clip: float = Field(default=5.0, gt=0)
    volatility: Volatility = Atr()

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        return bars_in(self.horizon, timeframe)

    def implied_null_share(self) -> float:
        """One half, of the events with a return."""
        return 0.5

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:  # noqa: ARG002  # no barrier
        """Events of the decisions at these bars, in order; finer bars change nothing.

        Raises
        ------
        ValueError
            ``rows`` do not ascend or lie outside the bars.
        """
        volatility, max_bars = self.volatility.of(bars), self.bars_watched(bars.timeframe)
        held = held_events(bars, rows, volatility=volatility, max_bars=max_bars)
        events = with_labels(held, np.sign(held.ret))
        bound = self.clip * math.sqrt(max_bars)
        target = np.clip(events.ret * events.entry_price / events.volatility, -bound, bound)
        return replace(events, target=np.where(events.labelled, target, np.nan))
