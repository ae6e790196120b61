"""One share of a LightGBM fit: the same bins on every worker, histograms of all shares added up (Ke et al. 2017).

Left to itself LightGBM has each worker make the bins of some features from its own share, which holds other times and
other symbols than the rest. Here every worker makes all bins from one sample of all rows, as large as the one that
LightGBM looks at in one process; fewer rows than that are all in it, and bins are those of one process. LightGBM stops
early by what its own worker sees, so that every worker watches the whole tail, as bins.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from farm.bars.frame import Float
from farm.run.rows_apart import Block
from farm.run.streamed.job import Job, Share
from farm.store import Store

SAMPLED = 200_000  # LightGBM's own bin_construct_sample_cnt
WHOLE_TAIL = True


def trainer(n_jobs: int) -> tuple[type[Any], dict[str, Any]]:
    """Workers that are told where each of them listens, job by job."""
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    from farm.run.streamed.links import Linked

    return DataParallelTrainer, {"backend_config": Linked(n_jobs)}


def trained(job: Job, store: Store, share: Share, number: int) -> tuple[bytes, float]:
    """The booster of a job, and the CPU seconds of all workers: so many times this one's."""
    import ray.train
    from ray.train.collective import barrier

    from farm.run.streamed.links import link

    started = time.process_time()
    train, watched = binned(job, store, share)
    barrier()  # who looks for a worker that is still busy with its bins gives up after two minutes
    model = boosted(job, train, watched, link(number))
    workers = ray.train.get_context().get_world_size()
    return model.encode(), (time.process_time() - started) * workers


def restored(estimator: Any, _job: Job, model: bytes) -> None:
    """Give an estimator the booster that was trained; it has the trees up to the best round."""
    import lightgbm

    estimator.booster_ = lightgbm.Booster(model_str=model.decode())


def binned(job: Job, store: Store, share: Share) -> tuple[Any, list[Any]]:
    """The bins of a share's rows to train on, and of those to watch where the fit stops early."""
    import lightgbm

    sampled = np.concatenate([one.values(store) for one in share.sampled])
    bins = lightgbm.Dataset(sampled, label=np.zeros(len(sampled)), params=_parameters(job)).construct()
    train = _streamed(job, store, share.train, bins)
    return train, [] if job.patience is None else [_streamed(job, store, share.tail, train)]


def boosted(job: Job, train: Any, watched: list[Any], network: dict[str, Any]) -> str:
    """The booster of a job as text; of each worker's share where a network of several is at it together."""
    import lightgbm

    stops: list[Callable[..., Any]] = []
    if job.patience is not None:
        stops.append(lightgbm.early_stopping(job.patience, verbose=False))
    booster = lightgbm.train(
        {**_parameters(job), **network}, train, num_boost_round=job.rounds, valid_sets=watched, callbacks=stops
    )
    return str(booster.model_to_string())


def _parameters(job: Job) -> dict[str, Any]:
    return {**job.parameters, "tree_learner": "data", "pre_partition": True}


def _streamed(job: Job, store: Store, blocks: Sequence[Block], like: Any) -> Any:
    """Blocks as a data set with the bins of another; of the numbers no more than one block is held."""
    import lightgbm

    class Streamed(lightgbm.Sequence):
        """One block, which LightGBM takes whole."""

        def __init__(self, block: Block) -> None:
            self._block = block
            self.batch_size = len(self)

        def __len__(self) -> int:
            return self._block.stop - self._block.start

        def __getitem__(self, rows: Any) -> Float:
            return self._block.values(store)[rows]

    return lightgbm.Dataset(
        [Streamed(block) for block in blocks],
        label=np.concatenate([block.code for block in blocks]),
        weight=np.concatenate([block.weight for block in blocks]),
        reference=like,
        params=_parameters(job),
    ).construct()
