"""From a predicted number to the chances of the classes: how a regressor becomes a base like any other."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from farm.models.classical.logistic import Logistic
from farm.models.contract import Float, Labels

TAIL = 0.15
"""Part of the train rows that the map is fitted on, the last one, where no early stopping says another."""


@dataclass(frozen=True, eq=False)
class FromMoves:
    """A fitted model of moves, answering in classes.

    The model learned the return of each event in units of its volatility. Its number is mapped to the chances of
    down, flat and up by a multinomial logistic regression of that one number, fitted on rows the model did not learn
    from: the purged last part of the train rows. On rows it did learn from its numbers are too good to be true.
    """

    regressor: Any
    centre: float
    spread: float
    chances: Logistic

    @classmethod
    def of(cls, regressor: Any, X: Float, labels: Labels, sample_weight: Float | None, threads: int) -> "FromMoves":
        """The map fitted on rows that the fitted ``regressor`` has not seen, and their labels.

        Raises
        ------
        ValueError
            The regressor predicts something else than one finite number a row.

        Examples
        --------
        >>> class Same:
        ...     def predict(self, X):
        ...         return X[:, 0]
        >>> X = np.linspace(-1.0, 1.0, 9)[:, None]
        >>> fitted = FromMoves.of(Same(), X, np.sign(X[:, 0]).astype(int), None, threads=1)
        >>> fitted.classes_.tolist(), fitted.predict_proba(X)[[0, 8]].argmax(axis=1).tolist()
        ([-1, 0, 1], [0, 2])
        """
        number = _numbers(regressor, X)
        centre, spread = float(number.mean()), float(number.std()) if np.ptp(number) > 0 else 1.0
        scaled = (number - centre)[:, None] / spread
        chances = Logistic(C=1.0, balanced=False, max_iter=500, threads=threads).fit(scaled, labels, sample_weight)
        return cls(regressor, centre, spread, chances)

    @property
    def classes_(self) -> Labels:
        """The sorted classes among the rows that the map was fitted on."""
        return self.chances.classes_

    @property
    def remark_(self) -> str:
        """What the model says of its fit."""
        return str(getattr(self.regressor, "remark_", ""))

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if len(X) == 0:
            return np.ones((0, len(self.classes_)))
        return self.chances.predict_proba((_numbers(self.regressor, X) - self.centre)[:, None] / self.spread)


def _numbers(regressor: Any, X: Float) -> Float:
    number = np.asarray(regressor.predict(X), dtype=np.float64)
    if number.shape != (len(X),) or not np.isfinite(number).all():
        raise ValueError(
            f"{type(regressor).__name__}.predict gives shape {number.shape} for {len(X)} rows, "
            f"{int((~np.isfinite(number)).sum())} values not finite; a regressor gives one finite number a row"
        )
    return number
