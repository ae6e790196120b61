"""The panel: one symbol's decisions × features and their events, the matrix every fit reads in place."""

from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars import Bars, Calendar, Timeframe, resample
from farm.bars.timeframe import nanoseconds
from farm.errors import BadInput
from farm.features import FeatureRecipe, FeatureTable
from farm.features.asof import asof_rows
from farm.folds import lockbox_start
from farm.labels import Events, Every, Labels, Sampling, threshold_for
from farm.section import Section, digest

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Decisions(Section):
    """When the models decide: at the close of which bars, thinned by which events, at most how many."""

    timeframe: Timeframe
    events: Sampling = Field(default_factory=Every)
    limit: int = Field(default=50_000, ge=1)


@dataclass(frozen=True, eq=False)
class Panel:
    """One symbol's development span as one base sees it, ready to fit.

    ``values`` has shape (events, features), float64, in time order; row i belongs to event i. ``bars`` are the study's
    decision bars of the same span: events name positions in them, whatever bars the features are of.

    Where windows are read, ``history`` has the features of every bar of the base's own timeframe, shape (its bars,
    features), and ``history_row`` the position in it of each event's last bar: the window of length L of event i is
    ``history[history_row[i] - L + 1 : history_row[i] + 1]``, complete and inside one segment.
    """

    symbol: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    events: Events
    bars: Bars
    dropped: dict[str, int] = field(default_factory=dict)
    history: NDArray[np.float64] | None = None
    history_row: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def nbytes(self) -> int:
        """Bytes of what models read."""
        return self.values.nbytes + (0 if self.history is None else self.history.nbytes)

    def sessions(self) -> Int:
        """The session of each decision, in days since 1970-01-01."""
        return self.bars.session[self.events.row]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything numeric, by name, for storage."""
        parts: dict[str, NDArray[Any]] = {"values": self.values}
        parts |= {f"events.{f.name}": getattr(self.events, f.name) for f in fields(self.events)}
        parts |= {f"bars.{f.name}": getattr(self.bars, f.name) for f in fields(Bars) if f.name not in _TEXT}
        if self.history is not None and self.history_row is not None:
            parts |= {"history": self.history, "history_row": self.history_row}
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
        past = (arrays.get("history"), arrays.get("history_row"))
        return cls(text["symbol"], tuple(text["names"]), arrays["values"], events, bars, text["dropped"], *past)


_TEXT = ("symbol", "timeframe")


@dataclass(frozen=True)
class PanelRecipe:
    """How bars become a panel: everything about it that a person chose.

    ``decisions`` is the study's clock: labels are made on its bars, whoever learns them. A base with a ``timeframe`` of
    its own reads features of those bars. Where it is longer, the base decides at their closes, thinned by its own
    ``events``; where it is shorter, it decides when the clock does, on its last bar that was available then. With a
    ``window`` the panel also has the features of the bars before each decision. ``learns`` are labels of its own, made
    of the same decisions, where it does not learn those of the study.
    """

    decisions: Decisions
    features: FeatureRecipe
    labels: Labels
    lockbox: float
    timeframe: str | None = None
    events: Sampling | None = None
    window: int | None = None
    learns: Labels | None = None

    @property
    def own_timeframe(self) -> str:
        """The bars that features are of."""
        return self.timeframe or self.decisions.timeframe

    def build(self, base: Bars, calendar: Calendar, *, threads: int = 1) -> Panel:
        """The panel of one symbol's base bars; the lockbox is cut off before anything is computed.

        Features are computed on as many ``threads``; no value depends on it.

        Raises
        ------
        BadInput
            More decisions than the limit, told before any feature is computed; or what the parts refuse.
        """
        return self._made(base.between(0, lockbox_start(base.session, self.lockbox)), calendar, threads, serving=False)

    def serve(self, base: Bars, calendar: Calendar, *, threads: int = 1) -> Panel:
        """The panel up to the newest closed bar, no lockbox: what a fitted model decides on.

        Where a decision falls on the newest bar it is the last event: without a label, and entered and ended at that
        bar's close for want of a next one.
        """
        return self._made(base, calendar, threads, serving=True)

    def _made(self, base: Bars, calendar: Calendar, threads: int, *, serving: bool) -> Panel:
        bars = resample(base, self.decisions.timeframe, calendar)
        own = bars if self.own_timeframe == bars.timeframe else resample(base, self.own_timeframe, calendar)
        higher = {timeframe: resample(base, timeframe, calendar) for timeframe in self.features.timeframes}
        volatility = self.labels.volatility.of(bars)
        sampled, rows, own_rows = self._decided(bars, own, volatility)
        table = self.features.table(own, higher, threads=threads)
        complete = table.valid[own_rows]
        whole = complete & self._whole_windows(table, own)[own_rows]
        finer = base if base.timeframe != bars.timeframe else None
        events = self._labelled(bars, rows[whole], finer)
        newest = len(bars) - 1
        if serving and newest in rows[whole] and bars.available_at[newest] <= base.available_at[-1]:
            events = _with_newest(events, bars, volatility)
        own_rows = own_rows[np.searchsorted(rows, events.row)]
        dropped = {"sampled": sampled}
        if len(rows) < sampled:
            dropped["no bar of the clock or of its own"] = sampled - len(rows)
        dropped["incomplete features"] = len(rows) - int(complete.sum())
        if self.window is not None:
            dropped["incomplete window"] = int(complete.sum() - whole.sum())
        return Panel(
            symbol=base.symbol,
            names=table.names,
            values=table.rows(own_rows),
            events=events,
            bars=bars,
            dropped=dropped | {"no next bar": int(whole.sum()) - len(events.row)},
            history=None if self.window is None else np.ascontiguousarray(table.values),
            history_row=None if self.window is None else own_rows,
        )

    def _decided(self, bars: Bars, own: Bars, volatility: Float) -> tuple[int, Int, Int]:
        """How many decisions were sampled, and the rows, among the clock's bars and among its own, of those that stand.

        Nobody decides on a bar in which nobody traded, nor where the clock's bars give no label: without a volatility,
        or at a moment at which none of them closes.
        """
        if nanoseconds(own.timeframe) <= nanoseconds(bars.timeframe):
            rows = (self.events or self.decisions.events).sample(bars, volatility)
            rows = rows[~bars.filled[rows]]
            self._refuse_too_many(bars, volatility, len(rows))
            own_rows = rows if own is bars else asof_rows(bars, own)[rows]
            return len(rows), rows[own_rows >= 0], own_rows[own_rows >= 0]
        own_volatility = self.labels.volatility.of(own)
        own_rows = (self.events or Every()).sample(own, own_volatility)
        own_rows = own_rows[~own.filled[own_rows]]
        self._refuse_too_many(own, own_volatility, len(own_rows))
        rows = np.minimum(np.searchsorted(bars.available_at, own.available_at[own_rows]), len(bars) - 1)
        stands = (bars.available_at[rows] == own.available_at[own_rows]) & (bars.segment[rows] == own.segment[own_rows])
        stands &= ~bars.filled[rows] & (volatility[rows] > 0) & np.isfinite(volatility[rows])
        return len(own_rows), rows[stands], own_rows[stands]

    def _whole_windows(self, table: FeatureTable, own: Bars) -> NDArray[np.bool_]:
        """Whether the window that ends at each bar is complete and inside the bar's segment."""
        if self.window is None:
            return np.ones(len(own), dtype=np.bool_)
        bounds = own.segment_bounds()
        start = np.repeat(bounds[:-1], np.diff(bounds))
        row = np.arange(len(own))
        last_gap = np.maximum.accumulate(np.where(table.valid, -1, row))
        return row - self.window >= np.maximum(start - 1, last_gap)

    def _labelled(self, bars: Bars, rows: Int, finer: Bars | None) -> Events:
        """Events of decisions at these rows, entered where an order would fill: at the next bar that is not filled."""
        labels = self.learns or self.labels
        real = np.append(np.flatnonzero(~bars.filled), len(bars))
        waits = real[np.searchsorted(real, rows + 1)] - 1
        if np.array_equal(waits, rows):
            return labels.label(bars, rows, finer=finer)
        events = labels.label(bars, waits, finer=finer)
        decided = rows[np.searchsorted(waits, events.row)]
        return replace(
            events,
            row=decided,
            decided_at=bars.available_at[decided],
            volatility=np.where(decided == events.row, events.volatility, labels.volatility.of(bars)[decided]),
        )

    def digest_parts(self) -> dict[str, Any]:
        """What of this recipe can change a panel."""
        parts = {
            "decisions": self.decisions.digest(),
            "features": self.features.digest(),
            "labels": self.labels.digest(),
            "lockbox": self.lockbox,
        }
        if self.timeframe is not None:
            parts["timeframe"] = self.timeframe
        if self.events is not None:
            parts["events"] = self.events.digest()
        if self.window is not None:
            parts["window"] = self.window
        if self.learns is not None:
            parts["learns"] = self.learns.digest()
        return parts

    def digest(self) -> str:
        """Digest of ``digest_parts``; equal recipes share one stored panel."""
        return _digest_of(self)

    def _refuse_too_many(self, bars: Bars, volatility: Float, n_decisions: int) -> None:
        limit = self.decisions.limit
        if n_decisions <= limit:
            return
        fits = threshold_for(bars, volatility, limit)
        clocks = self.events is None and bars.timeframe == self.decisions.timeframe
        whose = "decisions." if clocks else "its model with "
        raise BadInput(
            f"{bars.symbol}: {n_decisions} decisions are more than decisions.limit = {limit}; "
            f"{whose}events: {{kind: cusum, threshold: {fits:g}}} leaves at most that many, or raise the limit"
        )


def _with_newest(events: Events, bars: Bars, volatility: Float) -> Events:
    """The events and one at the close of the last bar, of which nothing is known yet."""
    if not volatility[-1] > 0 or not np.isfinite(volatility[-1]):
        return events
    row, close, moment = len(bars) - 1, bars.close[-1], bars.available_at[-1]
    found: dict[str, Any] = {
        "row": row, "decided_at": moment, "entered_at": moment, "exited_at": moment, "entry_row": row, "exit_row": row,
        "entry_price": close, "exit_price": close, "volatility": volatility[-1], "label": 0, "labelled": False,
        "target": np.nan, "ret": 0.0, "touch": 0, "ambiguous": False, "resolved": False,
    }  # fmt: skip
    every = {name: getattr(events, name) for name in found}
    return Events(**{name: np.append(every[name], np.array([found[name]], every[name].dtype)) for name in found})


@cache
def _digest_of(recipe: PanelRecipe) -> str:
    """Kept, since every model of every study asks for it and it reads the source of all features."""
    return digest(recipe.digest_parts())
