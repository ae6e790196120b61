"""A die with the class shares of the train rows."""

from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import class_shares, refuse_eval_set, training_rows


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class Random:
    """One class for certain, drawn for each row with the weighted class shares of the train rows.

    The draw is a hash of the seed and the row's own value, not the next number of a stream: a row gets the same draw
    alone, in another order and in another split, and equal rows get equal draws.
    """

    wants: ClassVar[Wants] = Wants(role="baseline", columns=("log_return_20",), missing=True, seed="seed")

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        refuse_eval_set("random", eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.upper_: Float = np.cumsum(class_shares(rows))
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        (value,) = X.T
        drawn = np.searchsorted(self.upper_[:-1], _uniform(value, self.seed), side="right")
        proba = np.zeros((len(X), len(self.classes_)))
        proba[np.arange(len(X)), drawn] = 1.0
        return proba


def _uniform(value: Float, seed: int) -> Float:
    """A number in [0, 1) for each value, by the finaliser of SplitMix64 (Steele, Lea and Flood 2014, section 4)."""
    state = np.ascontiguousarray(value + 0.0).view(np.uint64) ^ _mixed(np.full(len(value), seed + 1, dtype=np.uint64))
    return (_mixed(state) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
