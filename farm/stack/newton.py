"""The coefficients of a multinomial logistic regression, by Newton's method."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_STEPS, _HALVINGS = 100, 40
_LAST = 1e-8
_SMALLEST = 1e-9


def most_likely(inputs: Float, classes: Int, weight: Float, penalty: float) -> Float:
    """Coefficients and intercept of every class, shape (classes, columns + 1); over all classes they add up to 0.

    They make smallest the weighted sum of log-losses plus half the ``penalty`` times the squared coefficients;
    intercepts are free. Newton's method with the exact second derivatives, halving a step that does not descend (Boyd
    and Vandenberghe 2004, section 9.5), from the class shares. Near the end a step squares what is left: the last is
    the one that gains less than a 1e-8th of the weight.

    Parameters
    ----------
    inputs
        Shape (rows, columns), of like scale.
    classes
        0, 1, ... for each row; at least two, and every one is there.

    Examples
    --------
    >>> three_of_four = most_likely(np.zeros((4, 1)), np.array([0, 1, 1, 1]), np.ones(4), 1.0)
    >>> three_of_four.round(3).tolist(), round(float(np.log(3)) / 2, 3)
    ([[0.0, -0.549], [0.0, 0.549]], 0.549)
    """
    problem = _Problem.of(inputs, classes, weight, penalty)
    found = problem.shares_alone()
    loss, probability = problem.loss(found)
    for _ in range(_STEPS):
        slope, curvature = problem.derivatives(found, probability)
        step = np.linalg.solve(curvature, slope.ravel()).reshape(found.shape)
        gain = float(np.sum(slope * step))
        if gain <= _LAST * problem.total:
            return np.asarray(problem.contrasts.T @ (found - step))
        for _ in range(_HALVINGS):
            tried, said = problem.loss(found - step)
            if tried <= loss - gain / 4:
                break
            step, gain = step / 2, gain / 2
        found, loss, probability = found - step, tried, said
    return np.asarray(problem.contrasts.T @ found)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What is to be made small, as a function of ``found``, shape (contrasts, columns + 1).

    ``contrasts`` are orthonormal directions across the classes, shape (classes - 1, classes): scores that add up to 0
    consist of them, and what the scores of all classes have in common changes no probability, so that it is no unknown.
    Arrays run along the rows, which is how they are added up: ``columns`` has shape (columns + 1, rows).
    """

    columns: Float
    classes: Int
    truth: Float
    weight: Float
    total: float
    penalties: Float
    contrasts: Float

    @classmethod
    def of(cls, inputs: Float, classes: Int, weight: Float, penalty: float) -> "_Problem":
        contrasts = _contrasts(int(classes.max()) + 1)
        return cls(
            columns=np.vstack((inputs.T, np.ones(len(inputs)))),
            classes=classes,
            truth=np.take(contrasts, classes, axis=1),
            weight=weight,
            total=float(weight.sum()),
            penalties=np.append(np.full(inputs.shape[1], penalty), 0.0),
            contrasts=contrasts,
        )

    def shares_alone(self) -> Float:
        """The best intercepts where nothing else is known: without them a rare class is steps away."""
        shares = np.bincount(self.classes, self.weight, len(self.contrasts) + 1) / self.total
        found = np.zeros((len(self.contrasts), len(self.columns)))
        found[:, -1] = self.contrasts @ np.log(np.maximum(shares, _SMALLEST))
        return found

    def loss(self, found: Float) -> tuple[float, Float]:
        """The penalised loss, and the probabilities of the classes, shape (classes, rows)."""
        leaning = found @ self.columns
        scores = self.contrasts.T @ leaning
        highest = scores.max(axis=0)
        odds = np.exp(scores - highest)
        total = odds.sum(axis=0)
        lost = np.log(total) + highest - (self.truth * leaning).sum(axis=0)
        return float(self.weight @ lost + np.sum(self.penalties * found**2) / 2), odds / total

    def derivatives(self, found: Float, probability: Float) -> tuple[Float, Float]:
        """The first derivatives in the shape of ``found``, and the second, a row and a column for each of them."""
        leaning = self.contrasts @ probability
        slope = ((leaning - self.truth) * self.weight) @ self.columns.T + self.penalties * found
        n, width = found.shape
        curvature = np.empty((n, width, n, width))
        for one in range(n):
            for other in range(one + 1):
                spread = (self.contrasts[one] * self.contrasts[other]) @ probability - leaning[one] * leaning[other]
                block = (self.columns * (self.weight * spread)) @ self.columns.T
                curvature[one, :, other] = curvature[other, :, one] = block
            curvature[one, :, one] += np.diag(self.penalties)
        return slope, curvature.reshape(n * width, n * width)


@lru_cache(maxsize=len(CLASSES))
def _contrasts(n_classes: int) -> Float:
    from scipy.linalg import helmert

    return np.asarray(helmert(n_classes))
