"""CatBoost, pinned to one seed and a fixed number of threads, leaving no file behind."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import Rows, balanced, class_shares, require_eval_set_with, stopping_rows, training_rows

Share = Annotated[float, Field(gt=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class CatBoost:
    """Gradient-boosted symmetric trees (Prokhorenkova et al. 2018): one question a level, the same in all its nodes.

    Without early stopping all ``n_estimators`` rounds are trained. With ``early_stopping_rounds`` training stops on the
    ``eval_set`` given to ``fit`` and the best round predicts; ``eval_set`` rows of a class that the train rows lack are
    left out of that decision. Where every feature is constant there is nothing to ask: the class shares are predicted.
    """

    wants: ClassVar[Wants] = Wants(missing=True, seed="seed", threads="threads", patience="early_stopping_rounds")

    n_estimators: Count
    learning_rate: Share
    max_depth: Annotated[int, Field(ge=1, le=16)]
    l2_leaf_reg: Amount
    random_strength: Amount
    bagging_temperature: Amount
    balanced: bool
    early_stopping_rounds: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        require_eval_set_with(self.early_stopping_rounds, eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.shares_ = class_shares(rows)
        self.booster_: Any = None if len(rows.classes) == 1 or _constant(rows.X) else self._train(rows, eval_set)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.booster_ is None or len(X) == 0:
            return np.tile(self.shares_, (len(X), 1))
        from catboost import Pool

        proba = self.booster_.predict(
            Pool(np.ascontiguousarray(X), thread_count=self.threads),
            prediction_type="Probability",
            thread_count=self.threads,
        )
        return np.asarray(proba, dtype=np.float64)

    def _train(self, rows: Rows, eval_set: EvalSet | None) -> Any:
        from catboost import CatBoost as Booster
        from catboost import Pool

        def pool(X: Float, code: Labels, weight: Float | None) -> Any:
            return Pool(np.ascontiguousarray(X), label=code, weight=weight, thread_count=self.threads)

        weight = balanced(rows) if self.balanced else rows.weight
        booster = Booster(self._parameters(len(rows.classes), stops=eval_set is not None))
        tail = None
        if eval_set is not None:
            known, code, tail_weight = stopping_rows(eval_set, rows.classes)
            tail = pool(eval_set.X[known], code, tail_weight)
        booster.fit(pool(rows.X, rows.code, weight), eval_set=tail, early_stopping_rounds=self.early_stopping_rounds)
        return booster

    def _parameters(self, n_classes: int, *, stops: bool) -> dict[str, Any]:
        return {
            "loss_function": "Logloss" if n_classes == 2 else "MultiClass",
            "iterations": self.n_estimators,
            "learning_rate": self.learning_rate,
            "depth": self.max_depth,
            "l2_leaf_reg": self.l2_leaf_reg,
            "random_strength": self.random_strength,
            "bootstrap_type": "Bayesian",
            "bagging_temperature": self.bagging_temperature,
            "random_seed": self.seed,
            "thread_count": self.threads,
            "task_type": "CPU",
            "use_best_model": stops,
            "allow_writing_files": False,
            "logging_level": "Silent",
        }


def _constant(X: Float) -> bool:
    """Whether no column has two values."""
    first = X[:1]
    return bool(((first == X) | (np.isnan(X) & np.isnan(first))).all())
