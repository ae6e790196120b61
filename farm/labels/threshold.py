"""Whether the price had moved far enough by the end of a fixed horizon."""

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


class Threshold(Section):
    """Labels by the move from the next open to the close at the horizon, in units of volatility at the decision.

    Up when it is at least ``threshold``, down when at most minus that, else neutral; what the price did in between does
    not matter. One threshold serves both sides: what share of up two unequal ones would give by chance depends on
    the distribution of returns, so it could not be stated.
    """

    touches: ClassVar[bool] = False
    learns: ClassVar[Literal["class"]] = "class"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["threshold"] = "threshold"
    horizon: Horizon
    threshold: float = Field(gt=0)
    volatility: Volatility = Atr()

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        return bars_in(self.horizon, timeframe)

    def implied_null_share(self) -> float:
        """One half, of the events that are not neutral."""
        return 0.5

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:  # noqa: ARG002  # no barrier
        """Events of the decisions at these bars, in order; finer bars change nothing.

        Raises
        ------
        ValueError
            ``rows`` do not ascend or lie outside the bars.
        """
        volatility, max_bars = self.volatility.of(bars), self.bars_watched(bars.timeframe)
        events = held_events(bars, rows, volatility=volatility, max_bars=max_bars)
        move = (events.exit_price - events.entry_price) / events.volatility
        return with_labels(events, np.where(np.abs(move) >= self.threshold, np.sign(move), 0.0))
