"""Any classifier or regressor that speaks scikit-learn, made to keep the contract."""

import inspect
from functools import cache
from typing import Any, Final, Literal, Self

import numpy as np

from farm.errors import BadInput
from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import refuse_eval_set, training_rows, weighted_rows
from farm.models.threads import pinned

# Linear models, kernels and neighbours need scaled features, and trees do not mind them.
_SCALE: Final = "standard"

# It kept the parameter, which does nothing and warns (scikit-learn 1.8 to 1.10).
_IGNORES_JOBS = ("sklearn", "LogisticRegression")


class Imported:
    """A scikit-learn classifier under the contract.

    Its classes are numbered 0, 1, … before it sees them, ``random_state`` and ``n_jobs`` are set where it has them, and
    the thread pools of its libraries are limited while it works.
    """

    def __init__(self, classifier: Any, seed: int, threads: int) -> None:
        self.classifier = _pinned(classifier, seed, threads)
        self.threads = threads

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        name = type(self.classifier).__name__
        refuse_eval_set(name, eval_set)
        _refuse_weights_without_use(self.classifier, sample_weight)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        if len(rows.classes) > 1:
            with pinned(self.threads):
                _fit(self.classifier, rows.X, rows.code, rows.weight)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if len(self.classes_) == 1 or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        with pinned(self.threads):
            proba = np.asarray(self.classifier.predict_proba(np.ascontiguousarray(X)), dtype=np.float64)
        return proba / proba.sum(axis=1, keepdims=True)  # some libraries answer in float32


class ImportedRegressor:
    """A scikit-learn regressor that learns moves: pinned like a classifier, answering with a number a row."""

    def __init__(self, regressor: Any, seed: int, threads: int) -> None:
        self.regressor = _pinned(regressor, seed, threads)
        self.threads = threads

    def fit(self, X: Float, y: Float, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted: ``y`` holds the moves."""
        refuse_eval_set(type(self.regressor).__name__, eval_set)
        _refuse_weights_without_use(self.regressor, sample_weight)
        kept = weighted_rows(len(X), y, sample_weight)
        if len(kept) < len(y):
            X, y, sample_weight = X[kept], y[kept], None if sample_weight is None else sample_weight[kept]
        with pinned(self.threads):
            _fit(self.regressor, X, y, sample_weight)
        return self

    def predict(self, X: Float) -> Float:
        """The expected move of each row, shape (n,)."""
        if len(X) == 0:
            return np.zeros(0)
        with pinned(self.threads):
            return np.asarray(self.regressor.predict(np.ascontiguousarray(X)), dtype=np.float64)


def wants_of(kind: type) -> Wants:
    """What a scikit-learn classifier or regressor of this class wants."""
    learns: Literal["class", "move"] = "move" if _is_regressor(kind) else "class"
    return Wants(learns=learns, scale=_SCALE, weights=takes_weights(kind), seed="random_state", threads="n_jobs")


@cache  # to read a signature takes as long as a small fit's other overhead together
def takes_weights(kind: type) -> bool:
    """Whether the class's ``fit`` has a parameter ``sample_weight``."""
    fit = getattr(kind, "fit", None)
    return fit is not None and "sample_weight" in inspect.signature(fit).parameters


def wrapped(uses: str, estimator: Any, seed: int, threads: int) -> Imported | ImportedRegressor:
    """The classifier or regressor under the contract.

    Raises
    ------
    BadInput
        It is no regressor and gives no probabilities: its class has no ``predict_proba``, or not with these parameters.
    """
    if _is_regressor(type(estimator)):
        return ImportedRegressor(estimator, seed, threads)
    for verb in ("fit", "predict_proba"):
        if not hasattr(estimator, verb):
            raise BadInput(
                f"model {uses}: has no {verb} with these parameters; a model needs fit and predict_proba, so choose a "
                "classifier that gives probabilities (some do after a parameter such as loss or probability), or a "
                "regressor"
            )
    return Imported(estimator, seed, threads)


def _is_regressor(kind: type) -> bool:
    """Whether a class calls itself a regressor, in scikit-learn's newer way or its older one."""
    named = any(base.__name__ == "RegressorMixin" for base in kind.__mro__)
    return named or getattr(kind, "_estimator_type", None) == "regressor"


def _pinned(estimator: Any, seed: int, threads: int) -> Any:
    """The estimator with its seed and number of jobs set, where it has them."""
    names = estimator.get_params(deep=False) if hasattr(estimator, "get_params") else {}
    given: dict[str, Any] = {}
    if "random_state" in names:
        given["random_state"] = seed
    kind = type(estimator)
    if "n_jobs" in names and (kind.__module__.partition(".")[0], kind.__name__) != _IGNORES_JOBS:
        given["n_jobs"] = threads
    return estimator.set_params(**given) if given else estimator


def _fit(estimator: Any, X: Float, y: Any, weight: Float | None) -> None:
    X = np.ascontiguousarray(X)  # sums over another order of memory round differently
    if takes_weights(estimator.__class__):
        estimator.fit(X, y, sample_weight=weight)
    else:
        estimator.fit(X, y)
    # Forests whose threads predict add up their trees in the order in which they happen to end, and so the last bits.
    if hasattr(estimator, "estimators_") and "n_jobs" in estimator.get_params(deep=False):
        estimator.set_params(n_jobs=1)


def _refuse_weights_without_use(estimator: Any, sample_weight: Float | None) -> None:
    if sample_weight is not None and not takes_weights(estimator.__class__):
        name = type(estimator).__name__
        raise ValueError(f"{name} takes no sample_weight; fit it without (its wants say weights=False)")
