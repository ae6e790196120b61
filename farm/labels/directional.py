"""Which way the price went by the end of a fixed horizon."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.frame import Bars
from farm.labels.barrier import Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import held_events, with_labels
from farm.labels.volatility import Atr, Volatility
from farm.section import Section


class Directional(Section):
    """Labels by the sign of the return from the next open to the close at the horizon; there is no neutral class.

    ``volatility`` decides nothing here: it is what sampling and bet sizing measure moves by.
    """

    touches: ClassVar[bool] = False
    learns: ClassVar[Literal["class"]] = "class"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["directional"] = "directional"
    horizon: Horizon
    volatility: Volatility = Atr()

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        return bars_in(self.horizon, timeframe)

    def implied_null_share(self) -> float:
        """One half."""
        return 0.5

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:  # noqa: ARG002  # no barrier
        """Events of the decisions at these bars, in order; a return of exactly 0 has no sign and stays unlabelled.

        Finer bars change nothing: no price between entry and horizon matters.

        Raises
        ------
        ValueError
            ``rows`` do not ascend or lie outside the bars.
        """
        volatility, max_bars = self.volatility.of(bars), self.bars_watched(bars.timeframe)
        events = held_events(bars, rows, volatility=volatility, max_bars=max_bars)
        return with_labels(events, np.sign(events.ret), known=events.ret != 0)
