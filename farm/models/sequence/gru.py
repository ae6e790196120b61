"""A GRU over the bars before each decision."""

from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from farm.models.contract import Device, EvalSet, Float, Labels, Wants, Windows
from farm.models.rows import Rows, balanced, require_eval_set_with, stopping_rows, weighted_rows

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]


@dataclass(config={"strict": True, "extra": "forbid"}, kw_only=True, eq=False)
class Gru:
    """Gated recurrent units over the last bars (60 where the experiment says nothing else), read in their order.

    Trained with AdamW, a warm-up and a cosine, clipped gradients, in batches of shuffled windows; with
    ``early_stopping`` the epoch with the least loss on the purged tail predicts, and training ends ``patience`` epochs
    after it. The weights are kept as plain arrays, so a fitted model pickles and predicts anywhere, on the CPU.
    ``balanced`` gives every class the same total weight; the probabilities then no longer follow the classes' shares.
    """

    wants: ClassVar[Wants] = Wants(
        input="window", window=60, scale="robust", seed="seed", threads="threads", patience="patience", device="device"
    )

    hidden: Count
    layers: Count
    dropout: Annotated[float, Field(ge=0, lt=1)]
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    clip: Positive
    batch: Count
    epochs: Count
    warm_up: Annotated[int, Field(ge=0)]
    balanced: bool
    patience: Count | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    threads: Count = 1
    device: Device = "cpu"

    def fit(self, X: Windows, y: Labels, sample_weight: Float | None = None, eval_set: EvalSet | None = None) -> Self:
        """The model itself, fitted: ``X`` is (n, bars, n_features)."""
        require_eval_set_with(self.patience, eval_set)
        if len(X.shape) != 3:
            raise ValueError(f"X has shape {X.shape}; a gru reads windows: give X as (n, bars, n_features)")
        kept = weighted_rows(len(X), y, sample_weight)
        self.classes_: Labels = np.unique(y[kept])
        self.n_features_ = X.shape[2]
        self.weights_: dict[str, Any] | None = None
        if len(self.classes_) > 1:
            self._train(X, kept, y, sample_weight, eval_set)
        return self

    def predict_proba(self, X: Windows) -> Float:
        """Probabilities, shape (n, len(classes_))."""
        if self.weights_ is None or len(X) == 0:
            return np.ones((len(X), len(self.classes_)))
        from farm.models.sequence.training import pinned_torch, scores

        with pinned_torch(self.threads, self.seed):
            found = scores(self._network(), self.weights_, X)
        odds = np.exp(found - found.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def _train(self, X: Windows, kept: Any, y: Labels, sample_weight: Float | None, eval_set: EvalSet | None) -> None:
        from farm.models.sequence.training import Batches, Schedule, pinned_torch, train

        code = np.searchsorted(self.classes_, y[kept])
        weight = np.ones(len(kept)) if sample_weight is None else sample_weight[kept]
        if self.balanced:
            weight = balanced(Rows(np.empty((len(kept), 0)), code, weight, self.classes_))
        rng = np.random.default_rng(self.seed)
        batches = Batches(X, kept, code, weight / weight.mean(), self.batch, rng)
        tail = None
        if eval_set is not None:
            rows, tail_code, tail_weight = stopping_rows(eval_set, self.classes_)
            tail_weight = np.ones(len(rows)) if tail_weight is None else tail_weight
            tail = Batches(eval_set.X, rows, tail_code, tail_weight, self.batch)
        schedule = Schedule(
            self.learning_rate, self.weight_decay, self.clip, self.batch, self.epochs, self.warm_up, self.patience
        )
        with pinned_torch(self.threads, self.seed):
            self.weights_ = train(self._network(), batches, tail, schedule, self.device)

    def _network(self) -> Any:
        from farm.models.sequence.network import GruNetwork

        return GruNetwork(
            self.n_features_, len(self.classes_), hidden=self.hidden, layers=self.layers, dropout=self.dropout
        )
