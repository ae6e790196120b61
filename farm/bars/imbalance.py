"""Imbalance bars: closed when buying and selling differ by more than was to be expected."""

from typing import Literal

import numpy as np
from numba import njit
from pydantic import Field, model_validator

from farm.bars.activity import amounts, closed_by_count, fresh_counts
from farm.bars.calendar import Calendar
from farm.bars.frame import Bars, Bool, Float
from farm.section import Section


class Imbalance(Section):
    """Bars that close when the signed volume, or money, since the last one is larger than expected.

    Each base bar's amount counts as bought where it closed above the one before, as sold where below; an unchanged
    close keeps the last sign (the tick rule, on bars). With T base bars a bar and b·v the signed amount of a base bar,
    a bar closes as soon as |Σ b·v| ≥ E[T] · |E[b·v]| (López de Prado, Advances in Financial Machine Learning,
    2.3.2.1). E[T] is an exponentially weighted mean over the last bars (``span_bars``) that starts at ``expected``,
    E[b·v] one over the last base bars (``span_base``).

    Left alone, these expectations feed on themselves: bars of one base bar for ever, or none ever again. So a bar
    holds ``expected / spread`` base bars at least and ``expected × spread`` at most, whatever the imbalance.
    """

    kind: Literal["volume_imbalance", "dollar_imbalance"]
    expected: int = Field(ge=2)
    span_bars: float = Field(default=20.0, ge=1)
    span_base: float = Field(default=500.0, ge=1)
    spread: float = Field(default=5.0, gt=1)

    @model_validator(mode="after")
    def _knows_enough(self) -> "Imbalance":
        if self.span_base < self.expected:
            raise ValueError(
                f"span_base {self.span_base:g} is shorter than one bar of {self.expected} base bars is expected to be; "
                "the expectation would be the bar itself"
            )
        return self

    @property
    def says(self) -> str:
        """What the bars are, in a few words."""
        return f"{self.kind} bar of about {self.expected} base bars"

    def make(self, base: Bars, calendar: Calendar, point_value: float = 1.0, *, known_until: int | None = None) -> Bars:
        """Imbalance bars of the base; each is decided by base bars up to its close and by nothing later.

        The imbalance is counted anew from every session's open; the expectations live on through the sessions of a
        segment and start anew after a hole. They remember, so bars depend on where the data start, less and less with
        every ``span_base`` base bars. Remainders, and what a hole cuts off, are as in `Activity.make`, whose parameters
        these are, as is the refusal of sessions without volume.

        >>> from farm.bars import AlwaysOpen
        >>> minute = 60_000_000_000
        >>> at, zero = np.arange(9) * minute, np.zeros(9, dtype=np.int64)
        >>> price = np.array([10.0, 11, 12, 13, 12, 13, 12, 11, 10])
        >>> bars = Bars("SYN", "1min", at, at + minute, price, price, price, price, np.ones(9), zero, zero)
        >>> made = Imbalance(kind="volume_imbalance", expected=3, span_base=3).make(bars, AlwaysOpen())
        >>> made.open_time // minute, made.available_at // minute
        (array([0, 4]), array([4, 8]))
        """
        if not len(base):
            return base
        traded = amounts(base, "volume" if self.kind == "volume_imbalance" else "dollar", point_value, calendar)
        fresh_segment = np.concatenate(([True], base.segment[1:] != base.segment[:-1]))
        count, reached = _count(
            signs(base, fresh_segment) * traded,
            fresh_counts(base),
            fresh_segment,
            float(self.expected),
            2.0 / (self.span_bars + 1.0),
            2.0 / (self.span_base + 1.0),
            self.spread,
        )
        return closed_by_count(base, calendar, count, reached, known_until)


def signs(base: Bars, fresh: Bool) -> Float:
    """The tick rule on bars: 1 where the close rose, -1 where it fell, and the last sign where it did not move.

    At the first bar of a segment (``fresh``) the bar's own open stands for the close before.
    """
    before = np.concatenate((base.open[:1], base.close[:-1]))
    moved = np.sign(base.close - np.where(fresh, base.open, before))
    known = (moved != 0) | fresh
    last = np.maximum.accumulate(np.where(known, np.arange(len(base)), 0))
    return moved[last]


@njit(cache=True, nogil=True)
def _count(signed, fresh, fresh_segment, expected, by_bar, by_base, spread):  # type: ignore[no-untyped-def]  # numba
    """Number of each base bar's group, and whether the imbalance with it is larger than was expected before it."""
    count = np.empty(len(signed), dtype=np.int64)
    reached = np.empty(len(signed), dtype=np.bool_)
    number, total, length = -1, 0.0, 0
    bars, mean, seen = expected, 0.0, 0
    for at in range(len(signed)):
        if fresh_segment[at]:
            bars, mean, seen = expected, 0.0, 0
        if fresh[at] or reached[at - 1]:
            number += 1
            total, length = 0.0, 0
        total += signed[at]
        length += 1
        count[at] = number
        known = seen >= expected
        enough = known and length * spread >= expected and abs(total) >= bars * abs(mean)
        reached[at] = enough or length >= expected * spread
        if reached[at]:
            bars += by_bar * (length - bars)
        seen += 1
        # The plain mean until there are as many as the weights reach back, so that the first one does not rule.
        mean += max(by_base, 1.0 / seen) * (signed[at] - mean)
    return count, reached
