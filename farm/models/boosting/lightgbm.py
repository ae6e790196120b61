"""LightGBM, pinned to one seed and a fixed number of threads."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import EvalSet, Float, Labels, Wants
from farm.models.rows import Rows, balanced, require_eval_set_with, stopping_rows, training_rows
from farm.models.sharing import rows_key, shared
from farm.models.views import RowRanges, pieces_of

Share = Annotated[float, Field(gt=0, le=1)]
Penalty = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class LightGBM:
    """Gradient-boosted trees over histograms of each feature.

    Without early stopping all ``n_estimators`` rounds are trained, and returns hold little that many deep trees could
    learn. With ``early_stopping_rounds`` training stops on the ``eval_set`` given to ``fit`` and the best round
    predicts; ``eval_set`` rows of a class that the train rows lack are left out of that decision.
    """

    wants: ClassVar[Wants] = Wants(
        missing=True, in_place=True, seed="seed", threads="threads", patience="early_stopping_rounds"
    )

    n_estimators: Count
    learning_rate: Share
    num_leaves: Annotated[int, Field(ge=2)]
    max_depth: Annotated[int, Field(ge=1, le=16)]
    min_child_samples: Count
    min_split_gain: Penalty
    subsample: Share
    colsample_bytree: Share
    reg_alpha: Penalty
    reg_lambda: Penalty
    max_bin: Annotated[int, Field(ge=2, le=65_535)]
    balanced: bool
    early_stopping_rounds: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1

    def __post_init__(self) -> None:
        if self.num_leaves > 2**self.max_depth:
            raise ValueError(
                f"num_leaves is {self.num_leaves}, but a tree of max_depth {self.max_depth} has at most "
                f"{2**self.max_depth} leaves; lower num_leaves or raise max_depth"
            )

    def fit(
        self, X: Float | RowRanges, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None
    ) -> Self:
        """The model itself, fitted."""
        require_eval_set_with(self.early_stopping_rounds, eval_set)
        rows = training_rows(X, y, sample_weight)
        self.classes_: Labels = rows.classes
        self.booster_: Any = None if len(rows.classes) == 1 else self._train(rows, eval_set)
        return self

    def predict_proba(self, X: Float | RowRanges) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.booster_ is None or len(X) == 0:  # the library refuses to predict no row
            return np.ones((len(X), len(self.classes_)))
        pieces = [self.booster_.predict(piece, num_threads=self.threads) for piece in pieces_of(X)]
        raw = np.concatenate(pieces, dtype=np.float64)
        return raw if raw.ndim == 2 else np.column_stack((1.0 - raw, raw))

    def _train(self, rows: Rows, eval_set: EvalSet | None) -> Any:
        import lightgbm

        weight = balanced(rows) if self.balanced else rows.weight
        parameters = self._parameters(len(rows.classes))
        pieces = [*pieces_of(rows.X)]
        train = shared(
            ("lightgbm", self.max_bin, self.seed, self.threads, rows_key(rows.X, rows.code, weight)),
            lambda: lightgbm.Dataset(pieces, label=rows.code, weight=weight, params=parameters).construct(),
        )
        if eval_set is None or self.early_stopping_rounds is None:
            return lightgbm.train(parameters, train, num_boost_round=self.n_estimators)
        known, code, tail_weight = stopping_rows(eval_set, rows.classes)
        tail = train.create_valid(eval_set.X[known], label=code, weight=tail_weight)
        return lightgbm.train(
            parameters,
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
            "feature_pre_filter": False,  # it would make the bins of one min_data_in_leaf useless for another
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
