"""Fits that several workers make together, each on its share of the rows: no process holds the matrix.

Workers are told which rows of which stored panels are theirs (`farm.run.rows_apart`), by Ray Train as Ray Data shards
of a row a fit; they read those panels in place, block by block, and keep of each block its bins alone
(`farm.run.streamed`). A fit's booster is stored when it is trained, so that a driver that dies then has only to
predict. What comes of it is an ordinary chunk of fits.
"""

import os
import pickle
import shutil
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from farm.errors import BadInput
from farm.fit import FittedBase
from farm.models import installed
from farm.models.boosting.lightgbm import LightGBM
from farm.models.boosting.xgboost import XGBoost
from farm.models.views import Scaling
from farm.panel import Panel
from farm.pool import before
from farm.run.chunks import FitChunk
from farm.run.faults import patiently
from farm.run.panels import open_panel
from farm.run.pooled_fits import fits_table
from farm.run.rows_apart import (
    Block,
    MemberRows,
    balanced,
    blocks_of,
    classes_of,
    dealt,
    record_of,
    rows_of_split,
    sampled,
    weights_of,
)
from farm.run.streamed import IN_PARTS, Job, Share
from farm.run.streamed.by_xgboost import as_bytes
from farm.run.work import ChunkDone, Failure, overtaken
from farm.run.xgboost_ray_engine import boosted_by_actors
from farm.section import digest
from farm.sentinels import turned_by, with_shifted_labels
from farm.store import Store

BOOSTERS = "boosters"
_ATTEMPTS = 2


@dataclass(frozen=True, eq=False)
class Prepared:
    """One fit before it is made: its job, its estimator, every symbol's rows, and the share of every worker.

    A fit whose rows are all of one class has no job.
    """

    split: int
    seed: int
    estimator: LightGBM | XGBoost
    rows: list[MemberRows]
    job: Job | None
    shares: list[Share]


def fit_together(chunk: FitChunk) -> ChunkDone:
    """Fit a chunk of a pool by several workers and store it, as `farm.run.work.fit_chunk` does with a smaller one."""
    started, store = time.time(), Store(chunk.home)
    if patiently(lambda: store.has("fits", chunk.key)):
        return _done(chunk, started, 0.0, "reused")
    panels = [before(open_panel(store, key), chunk.sealed) for key in chunk.members]
    try:
        fits = [_prepared(chunk, panels, split, seed) for split, seed in zip(chunk.splits, chunk.seeds, strict=True)]
        cpu_seconds = _trained(store, chunk, fits)
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001  # whatever training raises is recorded with its trace, and counted
        said = f"{type(error).__name__}: {error}"
        trace, name = traceback.format_exc(), chunk.names[0]
        failures = [Failure(chunk.symbol, name, split, said, trace) for split in chunk.splits]
        return _done(chunk, started, 0.0, "failed", failures)
    if overtaken(chunk):
        return _done(chunk, started, cpu_seconds, "overtaken")
    table = _predicted(store, chunk, fits)
    patiently(partial(store.put_table, "fits", chunk.key, table))
    for one in fits:
        if one.job is not None:
            store.discard(BOOSTERS, one.job.key)
    return _done(chunk, started, cpu_seconds, "stored")


def _done(
    chunk: FitChunk, started: float, cpu_seconds: float, outcome: Any, failures: Sequence[Failure] = ()
) -> ChunkDone:
    return ChunkDone(
        chunk.key, chunk.symbol, chunk.name, chunk.n_fits, cpu_seconds, started, time.time(), outcome, tuple(failures)
    )


def _prepared(chunk: FitChunk, panels: Sequence[Panel], split: int, seed: int) -> Prepared:
    model = chunk.models[0]
    library, estimator = IN_PARTS[model.uses], model.build(seed, chunk.threads, installed())
    assert isinstance(estimator, LightGBM | XGBoost)
    tail = None if model.early_stopping is None else model.early_stopping.tail
    rows = rows_of_split(panels, chunk.plan, split, tail)
    train = [one.train for one in rows]
    classes = classes_of(panels, train)
    estimator.classes_ = classes
    if len(classes) == 1:
        estimator.booster_ = None
        return Prepared(split, seed, estimator, rows, None, [])
    turned = [turned_by(one, seed) if chunk.shifted else 0 for one in panels]
    job = Job(
        key=digest([chunk.key, split]),
        parameters=estimator._parameters(len(classes)),
        rounds=estimator.n_estimators,
        patience=estimator.early_stopping_rounds,
        max_bin=estimator.max_bin,
        threads=chunk.threads,
    )

    def blocks(of: Sequence[Any], balance: bool) -> list[Block]:
        known = [own[np.isin(one.events.label[own], classes)] for one, own in zip(panels, of, strict=True)]
        codes = [
            np.searchsorted(classes, one.events.label[own]).astype(np.int8)
            for one, own in zip(panels, known, strict=True)
        ]
        weights = weights_of(panels, known)
        weights = balanced(codes, weights) if balance else weights
        return list(blocks_of(panels, chunk.members, known, codes, weights, turned))

    drawn = sampled(panels, chunk.members, train, turned, library.SAMPLED, seed)
    watched = [] if tail is None else blocks([one.tail for one in rows], False)
    whole = tail is None or library.WHOLE_TAIL
    tails = [watched] * chunk.workers if whole else dealt(watched, chunk.workers)
    trains = dealt(blocks(train, estimator.balanced), chunk.workers)
    shares = [Share(*own, drawn) for own in zip(trains, tails, strict=True)]
    return Prepared(split, seed, estimator, rows, job, shares)


def _trained(store: Store, chunk: FitChunk, fits: Sequence[Prepared]) -> float:
    """CPU seconds that training took; every booster that was not stored before is."""
    jobs = [one for one in fits if one.job is not None and not store.has(BOOSTERS, one.job.key)]
    if not jobs:
        return 0.0
    if chunk.engine == "xgboost_ray":
        for one in jobs:
            assert one.job is not None
            trains, tails = [own.train for own in one.shares], [own.tail for own in one.shares]
            booster, seconds = boosted_by_actors(one.job, chunk.home, trains, tails)
            _keep(store, one.job, as_bytes(booster), seconds)
    else:
        _by_ray_train(chunk, jobs)
    return sum(float(store.open_arrays(BOOSTERS, one.job.key)["cpu_seconds"][0]) for one in jobs if one.job is not None)


def _keep(store: Store, job: Job, model: bytes, cpu_seconds: float) -> None:
    arrays = {"model": np.frombuffer(model, dtype=np.uint8), "cpu_seconds": np.array([cpu_seconds])}
    store.put_arrays(BOOSTERS, job.key, arrays)


def _by_ray_train(chunk: FitChunk, jobs: Sequence[Prepared]) -> None:
    # The controller looks every two seconds, and whatever ends waits for it.
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
    import ray
    import ray.data
    from ray.train import DataConfig
    from ray.train.v2.api.config import FailureConfig, RunConfig, ScalingConfig

    from farm.run.nodes import nodes

    workers = chunk.workers
    shards = {
        f"worker {rank}": ray.data.from_items(
            [{"job": number, "share": pickle.dumps(one.shares[rank])} for number, one in enumerate(jobs)],
            override_num_blocks=1,
        )
        for rank in range(workers)
    }
    folder = Path(chunk.home) / "train" / chunk.key
    library = chunk.models[0].uses
    trainer, own = IN_PARTS[library].trainer(len(jobs))
    training = trainer(
        train_on_worker,
        train_loop_config={"home": chunk.home, "library": library, "jobs": [one.job for one in jobs]},
        datasets=dict(shards),
        dataset_config=DataConfig(datasets_to_split=[]),  # each worker asks for its own: dealt the same every time
        scaling_config=ScalingConfig(
            num_workers=workers, resources_per_worker={"CPU": min(chunk.threads, nodes().cpus / workers)}
        ),
        run_config=RunConfig(
            name=chunk.key, storage_path=str(folder.parent), failure_config=FailureConfig(max_failures=_ATTEMPTS)
        ),
        **own,
    )
    try:
        training.fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def train_on_worker(config: dict[str, Any]) -> None:
    """What every worker of a distributed fit does: its share of every job, in step with the others."""
    import ray.train

    rank, store = ray.train.get_context().get_world_rank(), Store(config["home"])
    library = IN_PARTS[config["library"]]
    for row in ray.train.get_dataset_shard(f"worker {rank}").iter_rows():
        job: Job = config["jobs"][row["job"]]
        model, cpu_seconds = library.trained(job, store, pickle.loads(row["share"]), row["job"])
        if rank == 0:
            _keep(store, job, model, cpu_seconds)


def _predicted(store: Store, chunk: FitChunk, fits: Sequence[Prepared]) -> pa.Table:
    """The predictions of all fits as a chunk of fits is stored; one symbol's panel is open at a time."""
    library, parts, records = IN_PARTS[chunk.models[0].uses], [], []
    for one in fits:
        if one.job is not None:
            model = store.open_arrays(BOOSTERS, one.job.key)["model"].tobytes()
            library.restored(one.estimator, one.job, model)
        own = []
        for number, (key, rows) in enumerate(zip(chunk.members, one.rows, strict=True)):
            panel = before(open_panel(store, key), chunk.sealed)
            base = FittedBase(np.arange(len(panel.names)), Scaling(), one.estimator)
            read = with_shifted_labels(panel, one.seed) if chunk.shifted else panel
            parts.append((one.split, number, panel.events.decided_at[rows.test], base.predict_rows(read, rows.test)))
            own.append(record_of(rows, one.rows, one.split, one.seed, panel.names).plain())
        records.append(own)
    return fits_table(parts, records)
