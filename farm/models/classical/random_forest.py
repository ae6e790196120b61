"""A random forest."""

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import balanced, refuse_eval_set, training_rows

Count = Annotated[int, Field(ge=1)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class RandomForest:
    """Classification trees on bootstrap samples of the rows, their class shares averaged (Breiman 2001).

    ``balanced`` gives every class the same total weight; the probabilities then no longer follow the classes' shares.
    """

    wants: ClassVar[Wants] = Wants(seed="seed", threads="threads")

    n_estimators: Count
    max_depth: Count
    min_samples_split: Annotated[int, Field(ge=2)]
    min_samples_leaf: Count
    max_features: Literal["sqrt", "log2"] | Annotated[float, Field(gt=0, le=1)]
    criterion: Literal["gini", "entropy", "log_loss"]
    balanced: bool
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        refuse_eval_set("random_forest", eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.forest_: Any = None
        if len(rows.classes) == 1:
            return self
        from sklearn.ensemble import RandomForestClassifier

        self.forest_ = RandomForestClassifier(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_split=self.min_samples_split,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            criterion=self.criterion,
            random_state=self.seed,
            n_jobs=self.threads,
        ).fit(rows.X, rows.code, sample_weight=balanced(rows) if self.balanced else rows.weight)
        # Threads that predict add up the trees in the order in which they happen to end: the last bits would differ.
        self.forest_.set_params(n_jobs=1)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.forest_ is None or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        proba = np.asarray(self.forest_.predict_proba(X), dtype=np.float64)
        return proba / proba.sum(axis=1, keepdims=True)
