"""The label section of an experiment: it labels bars."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.labels.barrier import CUT, RULES, TIME, Ambiguous, Entry, Watched, usable_rows, watch
from farm.labels.events import Events
from farm.labels.finer import resolve
from farm.labels.volatility import Atr, Volatility
from farm.section import Section

Int = NDArray[np.int64]
Float = NDArray[np.float64]


class TripleBarrier(Section):
    """Labels by the first of three barriers: up, down, time.

    ``up`` and ``down`` are distances in units of ``volatility`` at the decision; unequal ones tilt the classes even
    when nothing can be predicted, by what ``implied_null_share`` says. ``entry`` and ``ambiguous`` are those of
    ``triple_barrier``. ``timeout`` says what a model learns from an event that met neither price barrier: ``neutral``
    keeps label 0; ``sign`` labels it by the sign of its return (a return of exactly 0 has no sign: that event stays
    unlabelled); ``regression`` makes the target of every event its log return in units of volatility and leaves the
    classes as in ``neutral``.
    """

    kind: Literal["triple_barrier"] = "triple_barrier"
    up: float = Field(gt=0)
    down: float = Field(gt=0)
    max_bars: int = Field(ge=1)
    volatility: Volatility = Atr()
    entry: Entry = "next_open"
    ambiguous: Ambiguous = "stop_first"
    timeout: Literal["neutral", "sign", "regression"] = "neutral"

    def implied_null_share(self) -> float:
        """Share of up among the events that meet a price barrier, when price is driftless: down / (up + down).

        The probability that a martingale leaves an interval at its upper end; bars that leap beyond a barrier and
        rules for ambiguous bars move it slightly.

        >>> round(1 - TripleBarrier(up=3.0, down=2.1, max_bars=50).implied_null_share(), 3)
        0.588
        """
        return self.down / (self.up + self.down)

    def label(self, bars: Bars, rows: Int, finer: Bars | None = None) -> Events:
        """Events of the decisions at these bars, in order; shape (events,).

        Nothing crosses a segment: a bar that is its segment's last has no entry, so no event; nor has a bar whose
        volatility is not a positive number. An event cut off by the segment's end before a barrier stays, unlabelled.

        Parameters
        ----------
        bars
            The bars of the decisions.
        rows
            Positions of the deciding bars, strictly ascending.
        finer
            Finer bars of the same symbol. A bar that reached both barriers is followed through those between its open
            and its close; the rule then decides only where one finer bar reaches both, too.

        Raises
        ------
        ValueError
            ``rows`` do not ascend or lie outside the bars; ``finer`` is of another symbol.
        """
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        if len(rows) and (rows[0] < 0 or rows[-1] >= len(bars) or np.any(np.diff(rows) <= 0)):
            raise ValueError(f"label: rows must ascend strictly within 0 … {len(bars) - 1}; sort them and drop repeats")
        bounds = bars.segment_bounds()
        volatility = self.volatility.of(bars)
        rows = rows[np.isin(rows, usable_rows(volatility, bounds), assume_unique=True)]
        out = watch(
            bars.open, bars.high, bars.low, bars.close, rows, volatility, bounds,
            up=self.up, down=self.down, max_bars=self.max_bars, entry=self.entry, ambiguous=self.ambiguous,
        )  # fmt: skip
        volatility = volatility[rows]
        entry_price = bars.open[rows + 1] if self.entry == "next_open" else bars.close[rows]
        resolved = np.zeros(len(rows), dtype=np.bool_)
        if finer is not None:
            upper, lower = entry_price + self.up * volatility, entry_price - self.down * volatility
            resolved = resolve(out, bars, finer, entry_price, upper, lower, RULES.index(self.ambiguous))
        return self._events(bars, rows, volatility, entry_price, out, resolved)

    def _events(
        self, bars: Bars, rows: Int, volatility: Float, entry_price: Float, out: Watched, resolved: NDArray[np.bool_]
    ) -> Events:
        at_open = self.entry == "next_open"
        labelled = out.touch != CUT
        touch = np.where(labelled, out.touch, np.int8(TIME))
        label = touch.copy()
        if self.timeout == "sign":
            timed = out.touch == TIME
            label[timed] = np.sign(out.ret[timed]).astype(np.int8)
            labelled &= label != 0
        target = out.ret * entry_price / volatility if self.timeout == "regression" else label.astype(np.float64)
        return Events(
            row=rows,
            decided_at=bars.available_at[rows],
            entered_at=bars.open_time[rows + 1] if at_open else bars.available_at[rows],
            exited_at=bars.available_at[out.exit_row],
            entry_row=rows + 1 if at_open else rows,
            exit_row=out.exit_row,
            entry_price=entry_price,
            exit_price=out.exit_price,
            volatility=volatility,
            label=label,
            labelled=labelled,
            target=np.where(labelled, target, np.nan),
            ret=out.ret,
            touch=touch,
            ambiguous=out.ambiguous,
            resolved=resolved,
        )
