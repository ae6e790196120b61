"""One share of a distributed fit, from stored panels to XGBoost's bins, block by block."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from farm.run.rows_apart import Block
from farm.store import Store


@dataclass(frozen=True)
class Job:
    """One fit as it travels: under which key its booster is stored, and how it is trained."""

    key: str
    parameters: dict[str, Any]
    rounds: int
    patience: int | None
    max_bin: int
    threads: int


def boosted(job: Job, store: Store, train: Sequence[Block], tail: Sequence[Block]) -> Any:
    """The booster of a job; of each worker's share where several are at it together."""
    import xgboost

    matrix = xgboost.QuantileDMatrix(streamed(store, train), max_bin=job.max_bin, nthread=job.threads)
    watched = []
    if job.patience is not None:
        # Bins of the train rows, so that the tail of a pool is not held as numbers either.
        seen = xgboost.QuantileDMatrix(streamed(store, tail), max_bin=job.max_bin, nthread=job.threads, ref=matrix)
        watched.append((seen, "tail"))
    return xgboost.train(
        job.parameters,
        matrix,
        num_boost_round=job.rounds,
        evals=watched,
        early_stopping_rounds=job.patience,
        verbose_eval=False,
    )


def streamed(store: Store, blocks: Sequence[Block]) -> Any:
    """Blocks as XGBoost reads them: one after the other, as often as it asks."""
    import xgboost

    class Streamed(xgboost.DataIter):
        def __init__(self) -> None:
            self._at = 0
            super().__init__()

        def next(self, input_data: Callable[..., None]) -> bool:
            if self._at == len(blocks):
                return False
            block = blocks[self._at]
            self._at += 1
            input_data(data=block.values(store), label=block.code, weight=block.weight)
            return True

        def reset(self) -> None:
            self._at = 0

    return Streamed()
