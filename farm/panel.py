"""The panel: one symbol's decisions × features and their events, the matrix every fit reads in place."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars import Bars, Calendar, Timeframe, resample
from farm.errors import BadInput
from farm.features import FeatureRecipe
from farm.folds import lockbox_start
from farm.labels import Events, Every, Labels, Sampling, threshold_for
from farm.section import Section

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Decisions(Section):
    """When the models decide: at the close of which bars, thinned by which events, at most how many."""

    timeframe: Timeframe
    events: Sampling = Field(default_factory=Every)
    limit: int = Field(default=50_000, ge=1)


@dataclass(frozen=True, eq=False)
class Panel:
    """One symbol's development span, ready to fit.

    ``values`` has shape (events, features), float64, in time order; row i belongs to event i. ``bars`` are the decision
    bars of the same span: events name positions in them.
    """

    symbol: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    events: Events
    bars: Bars
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything numeric, by name, for storage."""
        parts = {"values": self.values}
        parts |= {f"events.{f.name}": getattr(self.events, f.name) for f in fields(self.events)}
        parts |= {f"bars.{f.name}": getattr(self.bars, f.name) for f in fields(Bars) if f.name not in _TEXT}
        return parts

    def text(self) -> dict[str, Any]:
        """Everything else, for storage beside the arrays."""
        return {
            "symbol": self.symbol,
            "timeframe": self.bars.timeframe,
            "names": list(self.names),
            "dropped": self.dropped,
        }

    @classmethod
    def of(cls, arrays: dict[str, NDArray[Any]], text: dict[str, Any]) -> "Panel":
        """The panel that was stored as ``arrays()`` and ``text()``; arrays are used in place."""
        events = Events(**{f.name: arrays[f"events.{f.name}"] for f in fields(Events)})
        columns = {f.name: arrays[f"bars.{f.name}"] for f in fields(Bars) if f.name not in _TEXT}
        bars = Bars(symbol=text["symbol"], timeframe=text["timeframe"], **columns)
        return cls(text["symbol"], tuple(text["names"]), arrays["values"], events, bars, text["dropped"])


_TEXT = ("symbol", "timeframe")


@dataclass(frozen=True)
class PanelRecipe:
    """How bars become a panel: everything about it that a person chose."""

    decisions: Decisions
    features: FeatureRecipe
    labels: Labels
    lockbox: float

    def build(self, base: Bars, calendar: Calendar, *, threads: int = 1) -> Panel:
        """The panel of one symbol's base bars; the lockbox is cut off before anything is computed.

        Features are computed on as many ``threads``; no value depends on it.

        Raises
        ------
        BadInput
            More decisions than the limit, told before any feature is computed; or what the parts refuse.
        """
        base = base.between(0, lockbox_start(base.session, self.lockbox))
        bars = resample(base, self.decisions.timeframe, calendar)
        higher = {timeframe: resample(base, timeframe, calendar) for timeframe in self.features.timeframes}
        volatility = self.labels.volatility.of(bars)
        sampled = self.decisions.events.sample(bars, volatility)
        sampled = sampled[~bars.filled[sampled]]  # nobody decides on a bar in which nobody traded
        self._refuse_too_many(bars, volatility, len(sampled))
        table = self.features.table(bars, higher, threads=threads)
        complete = sampled[table.valid[sampled]]
        finer = base if base.timeframe != bars.timeframe else None
        events = self._labelled(bars, complete, volatility, finer)
        return Panel(
            symbol=base.symbol,
            names=table.names,
            values=table.rows(events.row),
            events=events,
            bars=bars,
            dropped={
                "sampled": len(sampled),
                "incomplete features": len(sampled) - len(complete),
                "no next bar": len(complete) - len(events.row),
            },
        )

    def _labelled(self, bars: Bars, rows: Int, volatility: Float, finer: Bars | None) -> Events:
        """Events of decisions at these rows, entered where an order would fill: at the next bar that is not filled."""
        real = np.append(np.flatnonzero(~bars.filled), len(bars))
        waits = real[np.searchsorted(real, rows + 1)] - 1
        if np.array_equal(waits, rows):
            return self.labels.label(bars, rows, finer=finer)
        events = self.labels.label(bars, waits, finer=finer)
        decided = rows[np.searchsorted(waits, events.row)]
        return replace(
            events,
            row=decided,
            decided_at=bars.available_at[decided],
            volatility=np.where(decided == events.row, events.volatility, volatility[decided]),
        )

    def digest_parts(self) -> dict[str, Any]:
        """What of this recipe can change a panel."""
        return {
            "decisions": self.decisions.digest(),
            "features": self.features.digest(),
            "labels": self.labels.digest(),
            "lockbox": self.lockbox,
        }

    def _refuse_too_many(self, bars: Bars, volatility: Float, n_decisions: int) -> None:
        limit = self.decisions.limit
        if n_decisions <= limit:
            return
        fits = threshold_for(bars, volatility, limit)
        raise BadInput(
            f"{bars.symbol}: {n_decisions} decisions are more than decisions.limit = {limit}; "
            f"decisions.events: {{kind: cusum, threshold: {fits:g}}} leaves at most that many, or raise the limit"
        )
