"""What a worker does: fit a chunk. It reads specs and stored panels, writes stored results, returns summaries."""

import json
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from farm.fit import FitRecord, Fitted, fit
from farm.models import installed
from farm.models.sharing import sharing
from farm.panel import Panel
from farm.pool import PooledPanel
from farm.run.chunks import FitChunk
from farm.run.faults import BAD_INPUT, OUT_OF_MEMORY, fault_of, patiently
from farm.run.folder import RunFolder
from farm.run.pooled_fits import open_fitted, pool_columns, records_by_symbol
from farm.sentinels import with_shifted_labels
from farm.store import Store, files_of

Outcome = Literal["stored", "reused", "failed", "overtaken"]


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
    """What the driver keeps of a chunk: no prediction, only what became of it and what it took.

    ``reused``: it had been stored by a worker that was lost before it could say so. ``overtaken``: a later start of the
    run took over, and nothing was stored.
    """

    key: str
    symbol: str
    model: str
    n_fits: int
    cpu_seconds: float
    started: float
    ended: float
    outcome: Outcome = "stored"
    failures: tuple[Failure, ...] = ()


def fit_chunk(chunk: FitChunk) -> ChunkDone:
    """Fit a chunk and store it; a chunk with a failed fit is not stored, so that the next run tries it again.

    The store is asked right before the work, and whether a later start has taken over right before the result is
    stored: a worker that outlives its driver stores nothing behind the back of the start that follows.

    Raises
    ------
    BadInput, MemoryError, OSError
        What `farm.run.faults` treats otherwise than a failing model.
    """
    started = time.time()
    cpu = time.process_time()
    failures: list[Failure] = []
    store = Store(chunk.home)
    outcome: Outcome
    if patiently(lambda: store.has("fits", chunk.key)):
        outcome = "reused"
    elif overtaken(chunk):
        outcome = "overtaken"
    else:
        outcome, failures = _fit_and_store(store, chunk)
    return ChunkDone(
        key=chunk.key,
        symbol=chunk.symbol,
        model=chunk.name,
        n_fits=chunk.n_fits,
        cpu_seconds=time.process_time() - cpu,
        started=started,
        ended=time.time(),
        outcome=outcome,
        failures=tuple(failures),
    )


def lost_chunk(chunk: FitChunk, said: str) -> ChunkDone:
    """What the driver keeps of a chunk that was given up: all its fits failed."""
    failures = tuple(Failure(chunk.symbol, name, split, said, "") for name in chunk.names for split in chunk.splits)
    now = time.time()
    return ChunkDone(chunk.key, chunk.symbol, chunk.name, chunk.n_fits, 0.0, now, now, "failed", failures)


def _fit_and_store(store: Store, chunk: FitChunk) -> tuple[Outcome, list[Failure]]:
    """What became of the chunk, and the fits that failed; with none, the chunk is stored.

    Of configurations that were fitted together those without a failure are stored each by itself.
    """
    panel = patiently(lambda: open_fitted(store, chunk))
    catalog = installed()
    done: dict[str, list[Fitted]] = {name: [] for name in chunk.names}
    failures: list[Failure] = []
    settings: dict[str, Any] = {"threads": chunk.threads, "keep": chunk.keep, "selection": chunk.selection}
    for split, seed in zip(chunk.splits, chunk.seeds, strict=True):
        learned = with_shifted_labels(panel, seed) if chunk.shifted else panel
        with sharing():
            for name, model in zip(chunk.names, chunk.models, strict=True):
                try:
                    done[name].append(fit(learned, chunk.plan, model, catalog, split, seed=seed, **settings))
                except (Exception, SystemExit) as error:  # whatever a model raises is recorded with its trace, counted
                    if fault_of(error) in (BAD_INPUT, OUT_OF_MEMORY):
                        raise
                    said = f"{type(error).__name__}: {error}"
                    failures.append(Failure(chunk.symbol, name, split, said, traceback.format_exc()))
    failed = {failure.model for failure in failures}
    if len(failed) == len(chunk.names):
        return "failed", failures
    if overtaken(chunk):
        return "overtaken", []
    whole = [chunk] if not failed else [part for part in chunk.parts() if part.names[0] not in failed]
    for one in whole:
        table = _table([done[name] for name in one.names], panel)
        patiently(partial(store.put_table, "fits", one.key, table))
    return ("failed", failures) if failed else ("stored", [])


def overtaken(chunk: FitChunk) -> bool:
    """Whether a later start of the run has begun than the one that sent the chunk."""
    if not chunk.run:
        return False
    manifest = patiently(RunFolder(files_of(chunk.home), chunk.run).manifest)
    return bool(manifest.get("starts", 0) > chunk.start)


def read_chunks(
    store: Store, chunks: Iterable[FitChunk]
) -> tuple[dict[str, dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]], dict[str, dict[int, FitRecord]]]:
    """Predictions and records by model and split, keyed by decision time, of stored chunks."""
    predictions: dict[str, dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]] = {}
    records: dict[str, dict[int, FitRecord]] = {}
    for chunk in chunks:
        table = store.get_table("fits", chunk.key)
        model, split = table["model"].to_numpy(), table["split"].to_numpy()
        times = table["decided_at"].to_numpy()
        probability = np.column_stack([table[name].to_numpy() for name in ("p_down", "p_flat", "p_up")])
        for name, own in zip(chunk.names, _records(table), strict=True):
            for record in own:
                rows = (model == chunk.names.index(name)) & (split == record.split)
                predictions.setdefault(name, {})[record.split] = (times[rows], probability[rows])
                records.setdefault(name, {})[record.split] = record
    return predictions, records


def _table(done: list[list[Fitted]], panel: Panel) -> pa.Table:
    """The fits of a chunk, by model and split; those of a pool also tell their symbols apart."""
    every = [one for of_model in done for one in of_model]
    numbers = [number for number, of_model in enumerate(done) for _ in of_model]
    lengths = [len(one.rows) for one in every]
    rows = np.concatenate([one.rows for one in every])
    probability = np.concatenate([one.probability for one in every])
    table = pa.table(
        {
            "model": pa.array(np.repeat(numbers, lengths), pa.int32()),
            "split": pa.array(np.repeat([one.record.split for one in every], lengths), pa.int32()),
            "decided_at": pa.array(panel.events.decided_at[rows], pa.int64()),
            "p_down": probability[:, 0],
            "p_flat": probability[:, 1],
            "p_up": probability[:, 2],
            **(pool_columns(panel, rows) if isinstance(panel, PooledPanel) else {}),
        }
    )
    records = [[_record(one, panel) for one in of_model] for of_model in done]
    return table.replace_schema_metadata({"records": json.dumps(records, sort_keys=True)})


def _record(done: Fitted, panel: Panel) -> Any:
    return records_by_symbol(panel, done.record) if isinstance(panel, PooledPanel) else done.record.plain()


def _records(table: pa.Table) -> list[list[FitRecord]]:
    metadata: Mapping[bytes, bytes] = table.schema.metadata
    plain: list[list[dict[str, Any]]] = json.loads(metadata[b"records"])
    return [[FitRecord.of(one) for one in of_model] for of_model in plain]
