"""The nested choice: on the rows that a pipeline may learn from, one configuration of every searched model."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.search.objective import Objective, Outcomes, Rows, loss
from farm.section import Section

Float = NDArray[np.float64]


class Pick(Section):
    """Of each searched model's configurations, the one with the least loss on D_g; the first one where some are equal.

    It stands first in F_g, so the choice sees what F_g may see (DESIGN section 5) and costs no fit: every
    configuration's predictions are in the pair lattice already. ``searched`` lists the configurations of each model in
    trial order, ``among`` those that may be chosen where not all may. One without a prediction for any of the rows is
    no candidate.

    Examples
    --------
    >>> good, bad = np.array([[0.9, 0.0, 0.1]] * 3), np.array([[0.2, 0.0, 0.8]] * 3)
    >>> rows = Rows(np.array([-1, -1, -1], np.int8), -np.ones(3), np.ones(3), np.full(3, 0.01), np.zeros(3))
    >>> pick = Pick(objective="log_loss", searched={"boosted": ("boosted.1", "boosted.2")})
    >>> picked = pick.fit({"boosted.1": bad, "boosted.2": good, "linear": bad}, rows)
    >>> picked.chosen, list(picked.apply({"boosted.1": bad, "boosted.2": good, "linear": bad}))
    ({'boosted': 'boosted.2'}, ['linear', 'boosted'])
    """

    kind: Literal["pick"] = "pick"
    objective: Objective
    searched: dict[str, tuple[str, ...]] = Field(min_length=1)
    among: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def reads(self) -> tuple[str, ...]:
        """It needs no column of the market beside volatility and cost."""
        return ()

    def fit(self, inputs: Mapping[str, Float], outcomes: Outcomes) -> "Picked":
        """The choice on these rows."""
        rows = Rows.of(outcomes)
        chosen = {
            model: self._best(self.among.get(model, names), inputs, rows) for model, names in self.searched.items()
        }
        return Picked(chosen, self.searched)

    def losses(self, inputs: Mapping[str, Float], outcomes: Outcomes) -> dict[str, float]:
        """Configuration -> its loss on these rows, infinite where it predicts none of them."""
        rows = Rows.of(outcomes)
        return {name: self._loss(inputs[name], rows) for names in self.searched.values() for name in names}

    def _best(self, names: tuple[str, ...], inputs: Mapping[str, Float], rows: Rows) -> str:
        losses = [self._loss(inputs[name], rows) if name in inputs else float("inf") for name in names]
        return names[int(np.argmin(losses))]  # the first of equal ones

    def _loss(self, probability: Float, rows: Rows) -> float:
        there = np.flatnonzero(np.isfinite(probability).all(axis=1))
        return loss(self.objective, probability[there], rows.take(there))


@dataclass(frozen=True)
class Picked:
    """The choice that was made: searched model -> name of its configuration, one of ``searched``."""

    chosen: Mapping[str, str]
    searched: Mapping[str, tuple[str, ...]]

    def apply(self, inputs: Mapping[str, Float]) -> dict[str, Float]:
        """The inputs with each searched model's chosen configuration, under the model's name, in place of them all."""
        configurations = {name for names in self.searched.values() for name in names}
        others = {name: probability for name, probability in inputs.items() if name not in configurations}
        return others | {model: inputs[name] for model, name in self.chosen.items()}


class Choices(Section):
    """The choices of a study: what is searched, and which of it a group may choose from.

    ``forced`` names, for a model, the one configuration of each group, where every group had a search of its own
    (``nested: strict``): the choice was made by that search, on the same rows.
    """

    objective: Objective = "log_loss"
    searched: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    forced: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def pick(self, models: Sequence[str], group: int) -> Pick:
        """The choice that F_g of a group begins with, for some of the searched models."""
        return Pick(
            objective=self.objective,
            searched={model: self.searched[model] for model in models},
            among={model: (self.forced[model][group],) for model in models if model in self.forced},
        )

    def left(self, there: Container[str]) -> "Choices":
        """The choices among the configurations that are there; a model that lost all, or one of a group's, is out."""
        searched = {model: tuple(name for name in names if name in there) for model, names in self.searched.items()}
        whole = {
            model: names
            for model, names in searched.items()
            if names and all(name in there for name in self.forced.get(model, ()))
        }
        forced = {model: names for model, names in self.forced.items() if model in whole}
        return Choices(objective=self.objective, searched=whole, forced=forced)
