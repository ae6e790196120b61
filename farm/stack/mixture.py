"""A mean of predictions, with equal weights (a soft vote) or learned ones (a blend)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.stack.inputs import SMALLEST, Outcomes, Probabilities, filled

Float = NDArray[np.float64]

_ROUNDS = 500
_STILL = 1e-9


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted weights of the bases, which add up to 1, and the class shares that stand in for a missing base."""

    weights: Mapping[str, float]
    shares: Float

    def apply(self, inputs: Probabilities) -> dict[str, Float]:
        """The weighted mean, as the one prediction ``combined``."""
        there = filled({name: inputs[name] for name in self.weights}, self.shares)
        # Added up base by base, so that a row is rounded as it would be alone.
        total = np.zeros_like(next(iter(there.values())))
        for name, weight in self.weights.items():
            total += weight * there[name]
        return {"combined": total}


def fit_blend(inputs: Probabilities, outcomes: Outcomes, penalty: float) -> Mixture:
    """The weights under which the mixture of the bases makes the labels most likely, held towards equal ones.

    A Dirichlet prior of ``penalty`` times the rows' weight pulls every base's weight towards an equal share; the
    maximum is found by expectation maximisation (Dempster, Laird and Rubin 1977), which only ever climbs.
    """
    shares, row, truth = outcomes.shares(), np.arange(len(outcomes.label)), outcomes.classes()
    there = filled(inputs, shares)
    said = np.maximum(np.stack([p[row, truth] for p in there.values()]), SMALLEST)
    prior = penalty * float(outcomes.weight.sum()) / len(said)
    weights = np.full(len(said), 1 / len(said))
    for _ in range(_ROUNDS):
        joint = weights[:, None] * said
        claimed = (joint / joint.sum(axis=0)) @ outcomes.weight + prior
        before, weights = weights, claimed / claimed.sum()
        if np.abs(weights - before).max() < _STILL:
            break
    return Mixture({name: float(weight) for name, weight in zip(there, weights, strict=True)}, shares)
