"""Up, always."""

from typing import ClassVar, Self

import numpy as np

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import refuse_eval_set, training_rows


class BuyAndHold:
    """Every row is up (class 1), whatever the labels were.

    >>> model = BuyAndHold().fit(np.empty((2, 0)), np.array([-1, 0]))
    >>> model.classes_.tolist(), model.predict_proba(np.empty((1, 0))).tolist()
    ([-1, 0, 1], [[0.0, 0.0, 1.0]])
    """

    wants: ClassVar[Wants] = Wants(role="baseline", columns=(), missing=True)

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself; nothing is learned but which classes there are."""
        refuse_eval_set("buy_and_hold", eval_set)
        self.classes_: Labels = np.union1d(training_rows(X, y, sample_weight).classes, [1])
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        return np.tile((self.classes_ == 1).astype(np.float64), (len(X), 1))
