"""One share of an XGBoost fit; workers agree on bins by merging sketches of theirs."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from farm.run.rows_apart import Block
from farm.run.streamed.job import Job, Share
from farm.store import Store

SAMPLED = 0
WHOLE_TAIL = False


def trainer(_n_jobs: int) -> tuple[type[Any], dict[str, Any]]:
    """Ray's own: it starts XGBoost's tracker, once for all jobs."""
    from ray.train.v2.xgboost.xgboost_trainer import XGBoostTrainer

    return XGBoostTrainer, {}


def trained(job: Job, store: Store, share: Share, _number: int) -> tuple[bytes, float]:
    """The booster of a job, and the CPU seconds of all workers."""
    import xgboost

    started = time.process_time()
    booster = boosted(job, store, share.train, share.tail)
    took = np.array([time.process_time() - started])
    took = xgboost.collective.allreduce(took, xgboost.collective.Op.SUM)
    return as_bytes(booster), float(took[0])


def as_bytes(booster: Any) -> bytes:
    """The booster as it is stored."""
    return bytes(booster.save_raw("ubj"))


def restored(estimator: Any, job: Job, model: bytes) -> None:
    """Give an estimator the booster that was trained."""
    import xgboost

    booster = xgboost.Booster(model_file=bytearray(model))
    estimator.booster_ = booster
    estimator.rounds_ = job.rounds if job.patience is None else booster.best_iteration + 1


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
