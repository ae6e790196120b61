"""The class shares of the train rows, whatever the row."""

from typing import ClassVar, Self

import numpy as np

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import class_shares, refuse_eval_set, training_rows


class Majority:
    """Every row gets the weighted class shares of the train rows; the most likely class is the majority's.

    >>> model = Majority().fit(np.empty((4, 0)), np.array([-1, 1, 1, 1]))
    >>> model.predict_proba(np.empty((1, 0))).tolist()
    [[0.25, 0.75]]
    """

    wants: ClassVar[Wants] = Wants(role="baseline", columns=(), missing=True)

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        refuse_eval_set("majority", eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.shares_: Float = class_shares(rows)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        return np.tile(self.shares_, (len(X), 1))
