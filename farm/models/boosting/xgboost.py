"""XGBoost, pinned to one seed and a fixed number of threads."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import Rows, balanced, require_eval_set_with, stopping_rows, training_rows
from farm.models.sharing import rows_key, shared

Share = Annotated[float, Field(gt=0, le=1)]
Penalty = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class XGBoost:
    """Gradient-boosted trees over histograms of each feature (Chen and Guestrin 2016), grown level by level.

    Without early stopping all ``n_estimators`` rounds are trained. With ``early_stopping_rounds`` training stops on the
    ``eval_set`` given to ``fit`` and the best round predicts; ``eval_set`` rows of a class that the train rows lack are
    left out of that decision.
    """

    wants: ClassVar[Wants] = Wants(missing=True, seed="seed", threads="threads", patience="early_stopping_rounds")

    n_estimators: Count
    learning_rate: Share
    max_depth: Annotated[int, Field(ge=1, le=16)]
    min_child_weight: Penalty
    gamma: Penalty
    subsample: Share
    colsample_bytree: Share
    reg_alpha: Penalty
    reg_lambda: Penalty
    max_bin: Annotated[int, Field(ge=2, le=65_535)]
    balanced: bool
    early_stopping_rounds: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        require_eval_set_with(self.early_stopping_rounds, eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.booster_: Any = None if len(rows.classes) == 1 else self._train(rows, eval_set)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.booster_ is None or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        import xgboost

        raw = self.booster_.predict(xgboost.DMatrix(X, nthread=self.threads), iteration_range=(0, self.rounds_))
        proba = np.asarray(raw, dtype=np.float64)  # the library computes in float32
        if proba.ndim == 1:
            return np.column_stack((1.0 - proba, proba))
        return proba / proba.sum(axis=1, keepdims=True)

    def _train(self, rows: Rows, eval_set: EvalSet | None) -> Any:
        import xgboost

        weight = balanced(rows) if self.balanced else rows.weight
        train = shared(
            ("xgboost", self.max_bin, self.threads, rows_key(rows.X, rows.code, weight)),
            lambda: xgboost.QuantileDMatrix(
                rows.X, label=rows.code, weight=weight, max_bin=self.max_bin, nthread=self.threads
            ),
        )
        watched = []
        if eval_set is not None:
            known, code, tail_weight = stopping_rows(eval_set, rows.classes)
            tail = xgboost.DMatrix(eval_set.X[known], label=code, weight=tail_weight, nthread=self.threads)
            watched.append((tail, "tail"))
        booster = xgboost.train(
            self._parameters(len(rows.classes)),
            train,
            num_boost_round=self.n_estimators,
            evals=watched,
            early_stopping_rounds=self.early_stopping_rounds,
            verbose_eval=False,
        )
        self.rounds_ = self.n_estimators if eval_set is None else booster.best_iteration + 1
        return booster

    def _parameters(self, n_classes: int) -> dict[str, Any]:
        objective: dict[str, Any] = (
            {"objective": "binary:logistic", "eval_metric": "logloss"}
            if n_classes == 2
            else {"objective": "multi:softprob", "num_class": n_classes, "eval_metric": "mlogloss"}
        )
        return objective | {
            "tree_method": "hist",
            "device": "cpu",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "gamma": self.gamma,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "alpha": self.reg_alpha,
            "lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "seed": self.seed,
            "nthread": self.threads,
            "verbosity": 0,
        }
