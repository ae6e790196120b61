"""The columns that a learner above the bases reads, made of the bases' own predictions alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.stack.inputs import SMALLEST, Outcomes, Probabilities, filled, lean, log_odds, present

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Design:
    """Which columns: two log odds a base, whether a base of ``marked`` is missing, and what they say together.

    ``shares`` stand in for a base that has no prediction.
    """

    bases: tuple[str, ...]
    shares: Float
    marked: tuple[str, ...]
    derived: bool

    @classmethod
    def of(cls, inputs: Probabilities, outcomes: Outcomes, *, derived: bool) -> "Design":
        """The columns for these bases; a base that is missing somewhere, and not everywhere, is marked."""
        there = {name: present(p) for name, p in inputs.items()}
        marked = tuple(name for name, rows in there.items() if rows.any() and not rows.all())
        return cls(tuple(inputs), outcomes.shares(), marked, derived)

    def __call__(self, inputs: Probabilities) -> Float:
        """The columns of these rows, shape (rows, columns)."""
        there = filled({name: inputs[name] for name in self.bases}, self.shares)
        columns = [log_odds(there)]
        columns += [(~present(inputs[name])).astype(float)[:, None] for name in self.marked]
        return np.hstack([*columns, derived_inputs(there)] if self.derived else columns)


def derived_inputs(inputs: Probabilities) -> Float:
    """What bases say together, shape (rows, 4): agreement, entropy, confidence, spread.

    Agreement is how far the bases' sides outweigh each other, 0 to 1; entropy that of their mean prediction, in nats;
    confidence the highest probability that any base gives any class; spread the standard deviation of their leans.

    >>> up, down = np.array([[0.1, 0.2, 0.7]]), np.array([[0.7, 0.2, 0.1]])
    >>> derived_inputs({"a": up, "b": up}).round(2).tolist()
    [[1.0, 0.8, 0.7, 0.0]]
    >>> derived_inputs({"a": up, "b": down}).round(2).tolist()
    [[0.0, 1.05, 0.7, 0.6]]
    """
    said = np.stack(list(inputs.values()))
    leans = np.stack([lean(p) for p in said])
    mean = said.mean(axis=0)
    entropy = -sum(mean[:, k] * np.log(np.maximum(mean[:, k], SMALLEST)) for k in range(mean.shape[1]))
    return np.column_stack((np.abs(np.sign(leans).mean(axis=0)), entropy, said.max(axis=(0, 2)), leans.std(axis=0)))
