"""The direction of the last twenty bars, again."""

from typing import ClassVar, Self

import numpy as np

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import refuse_eval_set, training_rows


class MomentumSign:
    """Up (class 1) after a rise over twenty bars, down (class -1) after a fall; no change or no value is a draw.

    >>> model = MomentumSign().fit(np.zeros((2, 1)), np.array([-1, 1]))
    >>> model.predict_proba(np.array([[0.02], [-0.01], [0.0]])).tolist()
    [[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]]
    """

    wants: ClassVar[Wants] = Wants(role="baseline", columns=("log_return_20",), missing=True)

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself; nothing is learned but which classes there are."""
        refuse_eval_set("momentum_sign", eval_set)
        self.classes_: Labels = np.union1d(training_rows(X, y, sample_weight).classes, [-1, 1])
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        (momentum,) = X.T
        up = np.where(momentum > 0, 1.0, np.where(momentum < 0, 0.0, 0.5))
        proba = np.zeros((len(X), len(self.classes_)))
        proba[:, self.classes_ == 1] = up[:, None]
        proba[:, self.classes_ == -1] = 1.0 - up[:, None]
        return proba
