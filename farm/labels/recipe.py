"""The label section that most experiments write: three barriers."""

from typing import ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.bars.frame import Bars
from farm.labels.barrier import Ambiguous, Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import Timeout, barrier_events
from farm.labels.volatility import Atr, Volatility
from farm.section import Section

Int = NDArray[np.int64]


def _not_given(value: object) -> bool:
    return value is None


class TripleBarrier(Section):
    """Labels by the first of three barriers: up, down, time.

    ``up`` and ``down`` are distances in units of ``volatility`` at the decision; unequal ones tilt the classes even
    when nothing can be predicted, by what ``implied_null_share`` says. Either ``max_bars`` or ``horizon`` says how long
    an event is watched. ``entry`` and ``ambiguous`` are those of ``triple_barrier``. ``timeout`` says what a model
    learns from an event that met neither price barrier: ``neutral`` keeps label 0; ``sign`` labels it by the sign of
    its return (a return of exactly 0 has no sign: that event stays unlabelled); ``regression`` makes the target of
    every event its log return in units of volatility and leaves the classes as in ``neutral``.
    """

    touches: ClassVar[bool] = True

    kind: Literal["triple_barrier"] = "triple_barrier"
    up: float = Field(gt=0)
    down: float = Field(gt=0)
    # left out of the written form where not given, so that a recipe keeps its digest
    max_bars: int | None = Field(default=None, ge=1, exclude_if=_not_given)
    horizon: Horizon | None = Field(default=None, exclude_if=_not_given)
    volatility: Volatility = Atr()
    entry: Entry = "next_open"
    ambiguous: Ambiguous = "stop_first"
    timeout: Timeout = "neutral"

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.max_bars is None) == (self.horizon is None):
            found = "neither is given" if self.max_bars is None else "both are given"
            raise ValueError(f"max_bars or horizon must say how long an event is watched, and {found}; write one")
        return self

    @property
    def learns(self) -> Literal["class", "number"]:
        """What a model is to predict."""
        return "number" if self.timeout == "regression" else "class"

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision."""
        if self.max_bars is not None:
            return self.max_bars
        assert self.horizon is not None  # one of the two is given
        return bars_in(self.horizon, timeframe)

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
        volatility = self.volatility.of(bars)
        return barrier_events(
            bars, rows, finer,
            volatility=volatility, width=volatility, up=self.up, down=self.down,
            max_bars=self.bars_watched(bars.timeframe),
            entry=self.entry, ambiguous=self.ambiguous, timeout=self.timeout,
        )  # fmt: skip
