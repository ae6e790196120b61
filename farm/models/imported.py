"""Any classifier that speaks scikit-learn, made to keep the contract."""

import inspect
from typing import Any, Final, Self

import numpy as np

from farm.errors import BadInput
from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import refuse_eval_set, training_rows
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
        names = classifier.get_params(deep=False) if hasattr(classifier, "get_params") else {}
        given: dict[str, Any] = {}
        if "random_state" in names:
            given["random_state"] = seed
        kind = type(classifier)
        if "n_jobs" in names and (kind.__module__.partition(".")[0], kind.__name__) != _IGNORES_JOBS:
            given["n_jobs"] = threads
        self.classifier = classifier.set_params(**given) if given else classifier
        self.threads = threads

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        name = type(self.classifier).__name__
        refuse_eval_set(name, eval_set)
        weighted = takes_weights(type(self.classifier))
        if sample_weight is not None and not weighted:
            raise ValueError(f"{name} takes no sample_weight; fit it without (its wants say weights=False)")
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        if len(rows.classes) > 1:
            with pinned(self.threads):
                if weighted:
                    self.classifier.fit(rows.X, rows.code, sample_weight=rows.weight)
                else:
                    self.classifier.fit(rows.X, rows.code)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if len(self.classes_) == 1 or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        with pinned(self.threads):
            proba = np.asarray(self.classifier.predict_proba(X), dtype=np.float64)
        return proba / proba.sum(axis=1, keepdims=True)  # some libraries answer in float32


def wants_of(kind: type) -> Wants:
    """What a scikit-learn classifier of this class wants."""
    return Wants(scale=_SCALE, weights=takes_weights(kind), seed="random_state", threads="n_jobs")


def takes_weights(kind: type) -> bool:
    """Whether the class's ``fit`` has a parameter ``sample_weight``."""
    fit = getattr(kind, "fit", None)
    return fit is not None and "sample_weight" in inspect.signature(fit).parameters


def wrapped(uses: str, classifier: Any, seed: int, threads: int) -> Imported:
    """The classifier under the contract.

    Raises
    ------
    BadInput
        The classifier gives no probabilities: its class has no ``predict_proba``, or not with these parameters.
    """
    for verb in ("fit", "predict_proba"):
        if not hasattr(classifier, verb):
            raise BadInput(
                f"model {uses}: has no {verb} with these parameters; a model needs fit and predict_proba, so choose a "
                "classifier that gives probabilities (some do after a parameter such as loss or probability)"
            )
    return Imported(classifier, seed, threads)
