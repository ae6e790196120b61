"""Combine: one prediction out of many."""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.section import Section
from farm.stack.design import Design
from farm.stack.inputs import Outcomes, Probabilities
from farm.stack.learners import Fit, Learner, fit_boosted, fit_logistic, fit_mlp, fit_ridge
from farm.stack.mixture import Mixture, fit_blend

Float = NDArray[np.float64]

COMBINED = "combined"
_PENALTY = {"blend": 0.02, "ridge": 0.1, "logistic": 0.02, "mlp": 0.05, "boosted": 0.05}
_LEARNERS: dict[str, Fit] = {"ridge": fit_ridge, "logistic": fit_logistic, "boosted": fit_boosted}


class Combine(Section):
    """One prediction out of many, ``combined``; strongly regularised, so that bases of noise are given next to nothing.

    ``vote`` is the mean of the bases' probabilities, ``blend`` a mean with weights that are learned. The others learn a
    map of the log odds of all bases (stacking, Wolpert 1992): ``ridge`` a linear one of class indicators, ``logistic``
    a multinomial one, ``mlp`` a net with one hidden layer of 8, ``boosted`` 30 trees of 4 leaves a class.

    ``penalty`` is a row's share of the penalty: L2 on standardised inputs, on the leaves of ``boosted``, and towards
    equal weights for ``blend``. ``derived`` adds what the bases say together: how far they agree, the entropy of their
    mean, the highest confidence among them and the spread of their leans. ``seed`` is that of the net, which alone
    draws; an experiment fills in its own, and 0 stands for none.

    Where a base has no prediction its place is taken by the class shares of the rows learned from, and all but ``vote``
    and ``blend`` read one more input that says so.

    Examples
    --------
    >>> up = np.array([0.2, 0.4, 0.6, 0.8])
    >>> bases = {"a": np.column_stack((1 - up, 0 * up, up)), "b": np.full((4, 3), [0.5, 0.0, 0.5])}
    >>> label, row = np.array([-1, -1, 1, 1], np.int8), np.arange(4)
    >>> outcomes = Outcomes(label, label.astype(float), np.ones(4), 4.0, row, row)
    >>> Combine(uses="vote").fit(bases, outcomes).apply(bases)["combined"][:, 2].round(2).tolist()
    [0.35, 0.45, 0.55, 0.65]
    >>> Combine(uses="blend").fit(bases, outcomes).weights["a"] > 0.8
    True
    """

    kind: Literal["combine"] = "combine"
    uses: Literal["vote", "blend", "ridge", "logistic", "mlp", "boosted"] = "logistic"
    penalty: float | None = Field(default=None, gt=0)
    derived: bool = False
    seed: int | None = Field(default=None, ge=0, lt=2**31)

    @model_validator(mode="before")
    @classmethod
    def _with_its_penalty(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("penalty") is None:
            return {**data, "penalty": _PENALTY.get(data.get("uses", "logistic"))}
        return data

    @model_validator(mode="after")
    def _says_only_what_it_reads(self) -> Self:
        if self.uses == "vote" and self.penalty is not None:
            raise ValueError("penalty has nothing to hold back: uses vote learns no weights; leave it out")
        if self.uses in ("vote", "blend") and self.derived:
            raise ValueError(f"derived adds inputs, and uses {self.uses} has none but the bases; use logistic or mlp")
        if self.seed is not None and self.uses != "mlp":
            raise ValueError(f"seed is for what draws, and uses {self.uses} draws nothing; leave it out")
        return self

    def fit(self, inputs: Probabilities, outcomes: Outcomes) -> "Mixture | Stacked":
        """A map of all bases to the one prediction ``combined``."""
        if COMBINED in inputs:
            raise ValueError(f"combine: a base is called {COMBINED}, as the combination is; give it another name")
        if self.uses == "vote":
            return Mixture({name: 1 / len(inputs) for name in inputs}, outcomes.shares())
        penalty = self.penalty or _PENALTY[self.uses]
        if self.uses == "blend":
            return fit_blend(inputs, outcomes, penalty)
        design = Design.of(inputs, outcomes, derived=self.derived)
        columns, classes, weight = design(inputs), outcomes.classes(), outcomes.weight
        if self.uses == "mlp":
            return Stacked(design, fit_mlp(columns, classes, weight, penalty, self.seed or 0))
        return Stacked(design, _LEARNERS[self.uses](columns, classes, weight, penalty))


@dataclass(frozen=True, eq=False)
class Stacked:
    """A fitted map of all bases' columns."""

    design: Design
    learner: Learner

    def apply(self, inputs: Probabilities) -> dict[str, Float]:
        """The one prediction, ``combined``."""
        return {COMBINED: self.learner(self.design(inputs))}
