"""One searched value: the range or the choices it comes from, and the way from a share of it to the value."""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, JsonValue, model_validator

from farm.section import Section

_DIGITS = 6  # of a searched number: what stands in a report can be typed in again, and CPUs differ only far below


class FloatRange(Section):
    """A real number from ``low`` to ``high``, both included; ``log`` spreads it evenly over its magnitudes.

    >>> FloatRange(low=0.01, high=1.0, log=True).at(0.5)
    0.1
    """

    kind: Literal["float"] = "float"
    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _an_interval(self) -> "FloatRange":
        _require_interval(self.low, self.high, log=self.log, least=0.0)
        return self

    def at(self, share: float) -> float:
        """The value at a share of the range, 0 its low end and 1 its high one."""
        if self.log:
            return self.rounded(math.exp(math.log(self.low) + share * (math.log(self.high) - math.log(self.low))))
        return self.rounded(self.low + share * (self.high - self.low))

    def rounded(self, value: float) -> float:
        """The value with six significant digits, within the range."""
        return min(max(float(f"{value:.{_DIGITS}g}"), self.low), self.high)

    def levels(self, count: int) -> list[JsonValue]:
        """So many values over the range, both ends among them."""
        return list(dict.fromkeys(self.at(float(share)) for share in _shares(count)))


class IntRange(Section):
    """A whole number from ``low`` to ``high``, both included; ``log`` spreads it evenly over its magnitudes.

    >>> rounds = IntRange(low=1, high=100, log=True)
    >>> [rounds.at(share) for share in (0.0, 0.5, 0.999)], IntRange(low=1, high=3).levels(9)
    ([1, 10, 100], [1, 2, 3])
    """

    kind: Literal["int"] = "int"
    low: int
    high: int
    log: bool = False

    @model_validator(mode="after")
    def _an_interval(self) -> "IntRange":
        _require_interval(self.low, self.high, log=self.log, least=1)
        return self

    def at(self, share: float) -> int:
        """The whole number at a share of the range, each equally likely at a random share (by magnitude with log)."""
        if self.log:
            found = math.exp(math.log(self.low) + share * (math.log(self.high + 1) - math.log(self.low)))
        else:
            found = self.low + share * (self.high + 1 - self.low)
        return min(max(math.floor(found), self.low), self.high)

    def levels(self, count: int) -> list[JsonValue]:
        """So many values over the range, both ends among them; fewer where there are not so many."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        between = [low + float(share) * (high - low) for share in _shares(count)]
        return list(dict.fromkeys(round(math.exp(one) if self.log else one) for one in between))


class Choice(Section):
    """One of some values.

    >>> Choice(of=("gini", "entropy")).at(0.7)
    'entropy'
    """

    kind: Literal["choice"] = "choice"
    of: tuple[JsonValue, ...] = Field(min_length=1)

    def at(self, share: float) -> JsonValue:
        """The value at a share of the list."""
        return self.of[min(int(share * len(self.of)), len(self.of) - 1)]

    def levels(self, count: int) -> list[JsonValue]:  # noqa: ARG002  # choices are never thinned
        """All of them, however many are asked for."""
        return list(self.of)


Dimension = Annotated[FloatRange | IntRange | Choice, Field(discriminator="kind")]


def _shares(count: int) -> list[float]:
    return [0.5] if count == 1 else [float(share) for share in np.linspace(0.0, 1.0, count)]


def _require_interval(low: float, high: float, *, log: bool, least: float) -> None:
    if not low < high:
        raise ValueError(f"low is {low:g} and high {high:g}; give a low that is below high")
    if log and (low < least or low <= 0):
        raise ValueError(f"low is {low:g}, and a range with log begins above 0; raise low or leave log out")
