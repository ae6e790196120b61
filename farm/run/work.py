"""What a worker does: fit a chunk. It reads specs and stored panels, writes stored results, returns summaries."""

import json
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from farm.fit import FitRecord, Fitted, fit
from farm.models import installed
from farm.run.plan import FitChunk
from farm.run.prepare import open_panel
from farm.section import digest
from farm.store import Store

MAX_ATTEMPTS = 3


@dataclass(frozen=True)
class Failure:
    """A fit that did not succeed, after the attempts its kind of failure deserves."""

    symbol: str
    model: str
    split: int
    error: str
    trace: str


@dataclass(frozen=True)
class ChunkDone:
    """What the driver keeps of a chunk: no prediction, only that it is stored and what it took."""

    key: str
    symbol: str
    model: str
    n_fits: int
    cpu_seconds: float
    started: float
    ended: float
    failures: tuple[Failure, ...] = ()


def fit_chunk(chunk: FitChunk) -> ChunkDone:
    """Fit a chunk and store it; a chunk with a failed fit is not stored, so that the next run tries it again."""
    started = time.time()
    cpu = time.process_time()
    store = Store(chunk.home)
    if store.has("fits", chunk.key):  # the worker died later in the same block: what it stored is not fitted again
        return ChunkDone(chunk.key, chunk.symbol, chunk.name, len(chunk.splits), 0.0, started, time.time())
    attempt = _count_attempt(store, chunk)
    if attempt > MAX_ATTEMPTS:
        message = f"the worker died in each of {MAX_ATTEMPTS} attempts; the last one may tell why in the worker's log"
        failures = [Failure(chunk.symbol, chunk.name, split, message, "") for split in chunk.splits]
    else:
        failures = _fit_and_store(store, chunk)
        _forget_attempts(store, chunk)
    return ChunkDone(
        key=chunk.key,
        symbol=chunk.symbol,
        model=chunk.name,
        n_fits=len(chunk.splits),
        cpu_seconds=time.process_time() - cpu,
        started=started,
        ended=time.time(),
        failures=tuple(failures),
    )


def _fit_and_store(store: Store, chunk: FitChunk) -> list[Failure]:
    """The fits that failed; with none, the chunk is stored."""
    panel = open_panel(store, chunk.panel_key)
    catalog = installed()
    done: list[Fitted] = []
    failures: list[Failure] = []
    settings = {"threads": chunk.threads, "keep": chunk.keep}
    with threadpool_limits(chunk.threads):
        for split, seed in zip(chunk.splits, chunk.seeds, strict=True):
            try:
                done.append(fit(panel, chunk.plan, chunk.model, catalog, split, seed=seed, **settings))
            except Exception as error:  # noqa: BLE001  # whatever a model raises is recorded with its trace and counted
                said = f"{type(error).__name__}: {error}"
                failures.append(Failure(chunk.symbol, chunk.name, split, said, traceback.format_exc()))
    if not failures:
        store.put_table("fits", chunk.key, _table(done, panel.events.decided_at))
    return failures


def read_chunks(
    store: Store, chunks: Iterable[FitChunk]
) -> tuple[dict[str, dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]], dict[str, dict[int, FitRecord]]]:
    """Predictions and records by model and split, keyed by decision time, of stored chunks."""
    predictions: dict[str, dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    records: dict[str, dict[int, FitRecord]] = {}
    for chunk in chunks:
        table = store.get_table("fits", chunk.key)
        split = table["split"].to_numpy()
        times = table["decided_at"].to_numpy()
        probability = np.column_stack([table[name].to_numpy() for name in ("p_down", "p_flat", "p_up")])
        for record in _records(table):
            rows = split == record.split
            predictions.setdefault(chunk.name, {})[record.split] = (times[rows], probability[rows])
            records.setdefault(chunk.name, {})[record.split] = record
    return predictions, records


def _table(done: list[Fitted], decided_at: NDArray[np.int64]) -> pa.Table:
    rows = np.concatenate([one.rows for one in done])
    probability = np.concatenate([one.probability for one in done])
    split = np.repeat([one.record.split for one in done], [len(one.rows) for one in done])
    table = pa.table(
        {
            "split": pa.array(split, pa.int32()),
            "decided_at": pa.array(decided_at[rows], pa.int64()),
            "p_down": probability[:, 0],
            "p_flat": probability[:, 1],
            "p_up": probability[:, 2],
        }
    )
    return table.replace_schema_metadata({"records": json.dumps([one.record.plain() for one in done], sort_keys=True)})


def _records(table: pa.Table) -> list[FitRecord]:
    metadata: Mapping[bytes, bytes] = table.schema.metadata
    plain: list[dict[str, Any]] = json.loads(metadata[b"records"])
    return [FitRecord.of(one) for one in plain]


def _count_attempt(store: Store, chunk: FitChunk) -> int:
    """Number of this attempt; an attempt that ends takes its marks away, so only those that killed a worker remain."""
    for attempt in range(1, MAX_ATTEMPTS + 1):
        if store.put_json("attempts", _attempt_key(chunk, attempt), {"attempt": attempt}):
            return attempt
    return MAX_ATTEMPTS + 1


def _forget_attempts(store: Store, chunk: FitChunk) -> None:
    for attempt in range(1, MAX_ATTEMPTS + 1):
        store.discard("attempts", _attempt_key(chunk, attempt))


def _attempt_key(chunk: FitChunk, attempt: int) -> str:
    return digest([chunk.key, chunk.invocation, attempt])
