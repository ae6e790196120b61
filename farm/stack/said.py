"""What a pipeline says of rows, from the bases' own predictions to a proposed bet, one fitted step after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.inputs import Market, Outcomes, Probabilities, only
from farm.stack.meta_label import MetaLabel, MetaLabelled
from farm.stack.proposal import Proposal, concatenated
from farm.stack.steps import FittedMap, MapStep

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Said:
    """What is said of rows so far.

    ``first`` holds the predictions as they came in, ``now`` as they are, and ``bases`` as they were before they became
    ``one``; ``proposal`` is what a meta-label made of them.
    """

    first: Probabilities
    bases: Probabilities
    now: Probabilities
    market: Market
    one: bool = False
    proposal: Proposal | None = None

    @classmethod
    def at_first(cls, inputs: Probabilities, market: Market) -> "Said":
        """Before any step."""
        return cls(inputs, inputs, inputs, market)

    def take(self, rows: Int) -> "Said":
        """These rows alone."""
        taken = {id(p): p[rows] for held in (self.first, self.bases, self.now) for p in held.values()}
        first, bases, now = (
            {name: taken[id(p)] for name, p in held.items()} for held in (self.first, self.bases, self.now)
        )
        proposal = None if self.proposal is None else self.proposal.take(rows)
        return Said(first, bases, now, self.market.take(rows), self.one, proposal)

    @classmethod
    def joined(cls, parts: Sequence["Said"]) -> "Said":
        """What is said of several blocks of rows, one after another; all went through the same steps."""

        def of(held: str) -> dict[str, Float]:
            names = getattr(parts[0], held)
            return {name: np.concatenate([getattr(part, held)[name] for part in parts]) for name in names}

        proposals = [part.proposal for part in parts if part.proposal is not None]
        proposal = concatenated(proposals) if proposals else None
        market = Market.joined([part.market for part in parts])
        return cls(of("first"), of("bases"), of("now"), market, parts[0].one, proposal)

    def read_by(self, step: MapStep) -> Probabilities:
        """The predictions that a map reads: those of now, and a choice the bases' beside them."""
        return {**self.now, **self.bases} if isinstance(step, Choose) else self.now

    def primary(self, step: MetaLabel) -> Float:
        """The prediction whose side a meta-label judges."""
        if step.primary is None:
            return only(self.now)
        if step.primary not in self.first:
            raise ValueError(f"meta_label: primary {step.primary} is none of the bases {', '.join(self.first)}")
        return self.first[step.primary]

    def prediction(self) -> Float:
        """The one prediction."""
        return only(self.now)

    def bet(self) -> Proposal:
        """What may be bet on."""
        return Proposal.of(self.prediction()) if self.proposal is None else self.proposal


class Learned(Protocol):
    """A step that has learned, as a part of a pipeline."""

    def then(self, said: Said) -> Said:
        """What is said after this step."""


@dataclass(frozen=True, eq=False)
class _Mapped:
    step: MapStep
    fitted: FittedMap

    def then(self, said: Said) -> Said:
        now = self.fitted.apply(said.read_by(self.step))
        one = said.one or isinstance(self.step, Combine | Choose)
        return replace(said, now=now, bases=said.bases if one else now, one=one)


@dataclass(frozen=True, eq=False)
class _Judged:
    step: MetaLabel
    fitted: MetaLabelled

    def then(self, said: Said) -> Said:
        primary = said.primary(self.step)
        now = said.now if len(said.now) == 1 else {"primary": primary}
        return replace(said, now=now, proposal=self.fitted.apply(primary, said.bases, said.market))


def learn(step: MapStep | MetaLabel, said: Said, outcomes: Outcomes) -> Learned:
    """The step, fitted on what is said of these rows."""
    if isinstance(step, MetaLabel):
        return _Judged(step, step.fit(said.primary(step), said.bases, outcomes))
    return _Mapped(step, step.fit(said.read_by(step), outcomes))
