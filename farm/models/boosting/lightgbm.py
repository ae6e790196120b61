"""LightGBM, pinned to one seed and a fixed number of threads."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import Rows, balanced, training_rows

Share = Annotated[float, Field(gt=0, le=1)]
Penalty = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class LightGBM:
    """Gradient-boosted trees over histograms of each feature.

    The defaults are a small model: without early stopping all ``n_estimators`` rounds are trained, and returns hold
    little that many deep trees could learn. With ``early_stopping_rounds`` (raise ``n_estimators`` then) training stops
    on the ``eval_set`` given to ``fit`` and the best round predicts; ``eval_set`` rows of a class that the train rows
    lack are left out of that decision.
    """

    wants: ClassVar[Wants] = Wants(missing=True, seed="seed", threads="threads", patience="early_stopping_rounds")

    n_estimators: Count = 100
    learning_rate: Share = 0.05
    num_leaves: Annotated[int, Field(ge=2)] = 15
    max_depth: Annotated[int, Field(ge=1, le=16)] = 6
    min_child_samples: Count = 20
    min_split_gain: Penalty = 0.0
    subsample: Share = 0.8
    colsample_bytree: Share = 0.8
    reg_alpha: Penalty = 0.1
    reg_lambda: Penalty = 1.0
    max_bin: Annotated[int, Field(ge=2, le=65_535)] = 255
    balanced: bool = False
    early_stopping_rounds: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1

    def __post_init__(self) -> None:
        if self.num_leaves > 2**self.max_depth:
            raise ValueError(
                f"num_leaves is {self.num_leaves}, but a tree of max_depth {self.max_depth} has at most "
                f"{2**self.max_depth} leaves; lower num_leaves or raise max_depth"
            )

    def fit(self, X: Float, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted."""
        if (eval_set is None) != (self.early_stopping_rounds is None):
            raise ValueError(
                f"early_stopping_rounds is {self.early_stopping_rounds} and eval_set is "
                f"{'missing' if eval_set is None else 'given'}; give both or neither"
            )
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.booster_: Any = None if len(rows.classes) == 1 else self._train(rows, eval_set)
        return self

    def predict_proba(self, X: Float) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.booster_ is None or len(X) == 0:  # the library refuses to predict no row
            return np.ones((len(X), len(self.classes_)))
        raw = np.asarray(self.booster_.predict(X, num_threads=self.threads), dtype=np.float64)
        return raw if raw.ndim == 2 else np.column_stack((1.0 - raw, raw))

    def _train(self, rows: Rows, eval_set: EvalSet | None) -> Any:
        import lightgbm

        weight = balanced(rows) if self.balanced else rows.weight
        train = lightgbm.Dataset(rows.X, label=rows.code, weight=weight)
        if eval_set is None or self.early_stopping_rounds is None:
            return lightgbm.train(self._parameters(len(rows.classes)), train, num_boost_round=self.n_estimators)
        known = np.isin(eval_set.y, rows.classes)
        if not known.any():
            raise ValueError(f"eval_set has no row of the trained classes {rows.classes.tolist()}; give a longer tail")
        tail_weight = None if eval_set.sample_weight is None else eval_set.sample_weight[known]
        tail = train.create_valid(
            eval_set.X[known], label=np.searchsorted(rows.classes, eval_set.y[known]), weight=tail_weight
        )
        return lightgbm.train(
            self._parameters(len(rows.classes)),
            train,
            num_boost_round=self.n_estimators,
            valid_sets=[tail],
            callbacks=[lightgbm.early_stopping(self.early_stopping_rounds, verbose=False)],
        )

    def _parameters(self, n_classes: int) -> dict[str, Any]:
        objective: dict[str, Any] = (
            {"objective": "binary"} if n_classes == 2 else {"objective": "multiclass", "num_class": n_classes}
        )
        return objective | {
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "max_depth": self.max_depth,
            "min_data_in_leaf": self.min_child_samples,
            "min_gain_to_split": self.min_split_gain,
            "bagging_fraction": self.subsample,
            "bagging_freq": 1,  # 0, the library's default, would make subsample a dead letter
            "feature_fraction": self.colsample_bytree,
            "lambda_l1": self.reg_alpha,
            "lambda_l2": self.reg_lambda,
            "max_bin": self.max_bin,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
