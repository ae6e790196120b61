"""Support vectors with an RBF kernel, on no more rows than they can take."""

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.classical.logistic import Logistic
from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import Rows, balanced, refuse_eval_set, thinned, training_rows
from farm.models.threads import pinned

_BLOCKS = 3
_CACHE_MEGABYTES = 200


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class Svm:
    """A support vector machine (Cortes and Vapnik 1995) whose margins are mapped to probabilities.

    Training takes time that grows with the square of the rows, so of more than ``max_rows`` rows that many are drawn:
    by the seed, each class in proportion, evenly over the train span; ``remark_`` says so. Margins are mapped by a
    logistic regression (Platt 1999) on what machines fitted on the other blocks say of each of three contiguous blocks
    of rows: margins of rows that a machine was fitted on are too sure of themselves. Blocks touch one another, so
    labels that overlap their edges make the map a little surer than it should be; calibrate above the base where that
    matters. ``balanced`` moves the margins; the map follows the classes' shares.
    """

    wants: ClassVar[Wants] = Wants(scale="standard", seed="seed", threads="threads")

    C: Annotated[float, Field(gt=0)]
    gamma: Literal["scale", "auto"] | Annotated[float, Field(gt=0)]
    balanced: bool
    max_rows: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Annotated[int, Field(ge=1)] = 1

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        refuse_eval_set("svm", eval_set)
        every = training_rows(X, y, sample_weight)
        rows = thinned(every, self.max_rows, self.seed)
        self.classes_: Labels = rows.classes
        self.remark_ = ""
        if len(rows.code) < len(every.code):
            self.remark_ = f"learned from {len(rows.code)} of {len(every.code)} rows (max_rows)"
        self.machine_: Any = None
        if len(rows.classes) == 1:
            return self
        with pinned(self.threads):
            held_out = self._held_out(rows)
            self.machine_ = self._machine(rows, np.arange(len(rows.code)))
        if held_out is None:
            held_out = _margins(self.machine_, rows.X)
        self.spread_ = np.where(np.ptp(held_out, axis=0) > 0, held_out.std(axis=0), 1.0)
        self.chances_ = Logistic(C=1.0, balanced=False, max_iter=500, threads=self.threads).fit(
            held_out / self.spread_, rows.code, rows.weight
        )
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.machine_ is None or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        with pinned(self.threads):
            margins = _margins(self.machine_, X)
        return self.chances_.predict_proba(margins / self.spread_)

    def _held_out(self, rows: Rows) -> Float | None:
        """Margins of every row by a machine of the other blocks; None where a class has fewer rows than blocks."""
        if np.bincount(rows.code).min() < _BLOCKS:
            return None
        block = np.empty(len(rows.code), dtype=np.int64)
        for code in range(len(rows.classes)):  # by class, so that no block holds all rows of one
            own = np.flatnonzero(rows.code == code)
            block[own] = np.arange(len(own)) * _BLOCKS // len(own)
        found: Float | None = None
        for number in range(_BLOCKS):
            inside = np.flatnonzero(block == number)
            margins = _margins(self._machine(rows, np.flatnonzero(block != number)), rows.X[inside])
            if found is None:
                found = np.empty((len(rows.code), margins.shape[1]))
            found[inside] = margins
        return found

    def _machine(self, rows: Rows, chosen: NDArray[np.int64]) -> Any:
        from sklearn.svm import SVC

        weight = None if rows.weight is None else rows.weight[chosen]
        part = Rows(rows.X[chosen], rows.code[chosen], weight, rows.classes)
        # Margins of pairs: of those a class the library makes votes, whose steps a linear map cannot follow.
        machine = SVC(C=self.C, gamma=self.gamma, cache_size=_CACHE_MEGABYTES, decision_function_shape="ovo")
        return machine.fit(part.X, part.code, sample_weight=balanced(part) if self.balanced else part.weight)


def _margins(machine: Any, X: Float) -> Float:
    """One column a pair of classes."""
    margins = np.asarray(machine.decision_function(X), dtype=np.float64)
    return margins[:, None] if margins.ndim == 1 else margins
