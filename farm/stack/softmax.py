"""A multinomial logistic regression on standardised inputs: what calibrating, combining and meta-labelling share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES
from farm.stack.newton import most_likely

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Softmax:
    """Fitted regression: standardise, score every class that was met, and make probabilities of ``CLASSES``."""

    centre: Float
    spread: Float
    coefficients: Float
    intercepts: Float
    columns: tuple[int, ...]

    def __call__(self, inputs: Float) -> Float:
        """Probabilities of shape (rows, classes); 0 for classes that were never met."""
        return in_columns(
            scored((inputs - self.centre) / self.spread, self.coefficients, self.intercepts), self.columns
        )


def scored(inputs: Float, coefficients: Float, intercepts: Float) -> Float:
    """``inputs @ coefficients.T + intercepts``, rounded for every row as it would be alone."""
    scores = np.repeat(intercepts[:, None], len(inputs), axis=1)  # a row a class, along which all that follows is fast
    # Added up column by column: a matrix product would round a row differently in other company.
    for column, coefficient in zip(inputs.T, coefficients.T, strict=True):
        scores += coefficient[:, None] * column
    return scores.T


def in_columns(scores: Float, columns: tuple[int, ...]) -> Float:
    """The softmax of scores in these columns of a table of ``CLASSES``, 0 elsewhere."""
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    probability = np.zeros((len(scores), len(CLASSES)))
    probability[:, columns] = odds / odds.sum(axis=1, keepdims=True)
    return probability


def standardised(inputs: Float) -> tuple[Float, Float, Float]:
    """The inputs less their mean over their standard deviation (1 where they do not vary), and both of these."""
    centre, spread = inputs.mean(axis=0), inputs.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    return (inputs - centre) / spread, centre, spread


def fit_softmax(inputs: Float, classes: NDArray[np.int64], weight: Float, penalty: float) -> Softmax:
    """The regression with an L2 penalty a unit of weight; ``classes`` are positions in ``CLASSES``.

    The coefficients of all classes are penalised where there are three, their difference where there are two; the
    intercepts are free.

    >>> inputs = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    >>> fitted = fit_softmax(inputs, np.array([0, 2, 0, 2]), np.ones(4), penalty=0.1)
    >>> fitted(inputs)[:2].round(2).tolist()
    [[0.84, 0.0, 0.16], [0.16, 0.0, 0.84]]
    """
    standard, centre, spread = standardised(inputs)
    met = np.flatnonzero(np.bincount(classes, minlength=len(CLASSES)))
    columns = tuple(int(one) for one in met)
    if len(met) == 1:
        return Softmax(centre, spread, np.zeros((1, inputs.shape[1])), np.zeros(1), columns)
    strength = penalty * float(weight.sum()) * (2 if len(met) == 2 else 1)
    scores = most_likely(standard, np.searchsorted(met, classes), weight, strength)
    return Softmax(centre, spread, scores[:, :-1], scores[:, -1], columns)
