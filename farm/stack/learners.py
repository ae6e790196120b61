"""Learners of class probabilities from a few columns: ridge, logistic, a small net, small boosted trees.

Each takes the columns, positions in ``CLASSES``, weights and a penalty a unit of weight. What comes back maps columns
to probabilities, 0 for a class that was never met, and maps a row to the same bits alone and in company.
"""

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES
from farm.stack.inputs import SMALLEST
from farm.stack.softmax import Softmax, fit_softmax, in_columns, scored, standardised

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_HIDDEN = 8
_ITERATIONS = 200
_TREES, _LEAVES, _PACE, _BINS = 30, 4, 0.1, 64

fit_logistic = fit_softmax


class Learner(Protocol):
    """What has been fitted: the same row of columns gives the same bits, alone and in company."""

    def __call__(self, inputs: Float, /) -> Float:
        """Probabilities of shape (rows, classes)."""


class Fit(Protocol):
    """How a learner is fitted."""

    def __call__(self, inputs: Float, classes: Int, weight: Float, penalty: float, /) -> Learner:
        """The learner of these rows."""


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted linear map of standardised columns to class indicators, cut to probabilities."""

    centre: Float
    spread: Float
    coefficients: Float
    shares: Float
    columns: tuple[int, ...]

    def __call__(self, inputs: Float) -> Float:
        """Probabilities of shape (rows, classes)."""
        said = scored((inputs - self.centre) / self.spread, self.coefficients, self.shares)
        said = np.clip(said, SMALLEST, 1.0)
        probability = np.zeros((len(inputs), len(CLASSES)))
        probability[:, self.columns] = said / said.sum(axis=1, keepdims=True)
        return probability


def fit_ridge(inputs: Float, classes: Int, weight: Float, penalty: float) -> Ridge:
    """Ridge regression of the class indicators (Hoerl and Kennard 1970); without signal it says the class shares."""
    standard, centre, spread = standardised(inputs)
    met = np.unique(classes)
    indicator = (classes[:, None] == met).astype(float)
    shares = weight @ indicator / weight.sum()
    # Centred by the weights, so that the class shares stand in for an intercept that is not penalised.
    middle = weight @ standard / weight.sum()
    centred = standard - middle
    normal = (centred * weight[:, None]).T @ centred + penalty * weight.sum() * np.eye(inputs.shape[1])
    coefficients = np.linalg.solve(normal, (centred * weight[:, None]).T @ (indicator - shares)).T
    return Ridge(centre + middle * spread, spread, coefficients, shares, tuple(int(one) for one in met))


@dataclass(frozen=True, eq=False)
class Net:
    """A fitted net with one hidden layer of hyperbolic tangents."""

    centre: Float
    spread: Float
    hidden: tuple[Float, Float]
    output: tuple[Float, Float]
    columns: tuple[int, ...]

    def __call__(self, inputs: Float) -> Float:
        """Probabilities of shape (rows, classes)."""
        hidden = np.tanh(scored((inputs - self.centre) / self.spread, *self.hidden))
        return in_columns(scored(hidden, *self.output), self.columns)


def fit_mlp(inputs: Float, classes: Int, weight: Float, penalty: float, seed: int) -> "Net | Softmax":
    """A net with one hidden layer of 8, by at most 200 rounds of L-BFGS from weights drawn with the seed."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    standard, centre, spread = standardised(inputs)
    met = np.unique(classes)
    if len(met) == 1:
        return fit_softmax(inputs, classes, weight, penalty)
    model = MLPClassifier(
        hidden_layer_sizes=(_HIDDEN,),
        activation="tanh",
        solver="lbfgs",
        alpha=penalty * float(weight.sum()),
        max_iter=_ITERATIONS,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the number of rounds is a limit, not a target
        model.fit(standard, classes, sample_weight=weight)
    (first, second), (first_offset, second_offset) = model.coefs_, model.intercepts_
    output, offset = second.T, second_offset
    if len(met) == 2:
        output = np.vstack((np.zeros_like(output), output))
        offset = np.concatenate(([0.0], offset))
    return Net(centre, spread, (first.T, first_offset), (output, offset), tuple(int(one) for one in met))


@dataclass(frozen=True, eq=False)
class Boosted:
    """Fitted boosted trees."""

    model: Any
    columns: tuple[int, ...]

    def __call__(self, inputs: Float) -> Float:
        """Probabilities of shape (rows, classes)."""
        probability = np.zeros((len(inputs), len(CLASSES)))
        if len(inputs):
            probability[:, self.columns] = self.model.predict_proba(inputs)
        return probability


def fit_boosted(inputs: Float, classes: Int, weight: Float, penalty: float) -> "Boosted | Softmax":
    """30 rounds of trees of 4 leaves by scikit-learn's histogram booster, at a pace of 0.1; nothing in it draws."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    met = np.unique(classes)
    if len(met) == 1:
        return fit_softmax(inputs, classes, weight, penalty)
    model = HistGradientBoostingClassifier(
        learning_rate=_PACE,
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        max_bins=_BINS,
        min_samples_leaf=max(20, len(classes) // 50),
        l2_regularization=penalty * float(weight.sum()),
        early_stopping=False,
        random_state=0,  # read by nothing below 200,000 rows, where bins are made of a sample
    )
    return Boosted(model.fit(inputs, classes, sample_weight=weight), tuple(int(one) for one in met))
