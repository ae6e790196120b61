"""Choose: between the stack and its bases, or among the bases."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.section import Section
from farm.stack.inputs import Outcomes, Probabilities, filled, log_loss
from farm.stack.size import Size

Float = NDArray[np.float64]

CHOSEN = "chosen"


class Choose(Section):
    """Keep the prediction that was best on rows which nothing below it was fitted on.

    After ``combine`` it is the combined one or a base, without it one of the bases.
    ``by`` is the weighted log-loss, or the net return of the bets that ``size`` would place with it by its default
    rule. A tie goes to the first, and the combined one comes first.

    Examples
    --------
    >>> label, row = np.array([-1, -1, 1, 1], np.int8), np.arange(4)
    >>> outcomes = Outcomes(label, label.astype(float), np.ones(4), 4.0, row, row)
    >>> knows = np.array([[0.8, 0, 0.2], [0.7, 0, 0.3], [0.3, 0, 0.7], [0.2, 0, 0.8]])
    >>> Choose().fit({"combined": np.full((4, 3), [0.5, 0, 0.5]), "boosted": knows}, outcomes).name
    'boosted'
    """

    kind: Literal["choose"] = "choose"
    by: Literal["log_loss", "net_return"] = "log_loss"

    def fit(self, inputs: Probabilities, outcomes: Outcomes) -> "Chosen":
        """The best of these predictions on these rows."""
        shares = outcomes.shares()
        worse = {name: self._badness(p, outcomes) for name, p in filled(inputs, shares).items()}
        return Chosen(min(worse, key=worse.__getitem__), shares)

    def _badness(self, probability: Float, outcomes: Outcomes) -> float:
        if self.by == "log_loss":
            return log_loss(probability, outcomes)
        size = Size().fit(probability, outcomes).apply(probability, outcomes.known())
        return -float(np.average(outcomes.net_return(size), weights=outcomes.weight))


@dataclass(frozen=True, eq=False)
class Chosen:
    """The name of what was kept; class shares stand in where it has no prediction."""

    name: str
    shares: Float

    def apply(self, inputs: Probabilities) -> dict[str, Float]:
        """The one prediction, ``chosen``."""
        return {CHOSEN: filled({CHOSEN: inputs[self.name]}, self.shares)[CHOSEN]}
