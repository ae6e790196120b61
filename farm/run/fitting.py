"""The fit phase: chunks sent out round by round, counted and logged as they come back."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from farm.errors import Failed
from farm.run.budget import Spending
from farm.run.executor import Executor, Work
from farm.run.log import RunLog
from farm.run.plan import FitChunk
from farm.run.progress import Steps, Watch
from farm.run.work import ChunkDone, fit_chunk, lost_chunk
from farm.store import Store


def fit_rounds(
    store: Store,
    executor: Executor,
    rounds: Sequence[Sequence[FitChunk]],
    log: RunLog,
    spending: Spending,
    *,
    memory: int = 0,
    watch: Watch | None = None,
) -> tuple[list[ChunkDone], list[FitChunk], dict[str, Any]]:
    """What became of the chunks that were not stored, those of rounds that were not begun, and how it went.

    No round after the first is begun once the search's budget of time is spent.
    """
    chunks = [chunk for one in rounds for chunk in one]
    stored = store.have("fits", [chunk.key for chunk in chunks])
    missing = [[chunk for chunk in one if chunk.key not in stored] for one in rounds]
    total = sum(chunk.n_fits for chunk in chunks)
    reused = total - sum(chunk.n_fits for one in missing for chunk in one)
    done: list[ChunkDone] = []
    left: list[FitChunk] = []

    work = Work(
        "fit chunks", fit_chunk, lambda chunk: chunk.label, lost_chunk, log.fault, memory, lambda chunk: chunk.seconds
    )
    expected = {chunk.key: chunk.seconds for one in missing for chunk in one}
    cores, ahead = (lambda: executor.cores), sum(expected.values())
    started = time.time()
    with Steps("fits", total, reused, watch=watch, log=log.progress, cores=cores, expected=ahead) as steps:
        for number, one in enumerate(missing):
            if number and (left or (one and spending.spent())):
                left += one
                continue
            for chunk in _fitted(executor, work, one):
                note(chunk, done, log)
                spending.add(chunk.cpu_seconds)
                steps.advance(chunk.n_fits, len(chunk.failures), chunk.cpu_seconds, expected[chunk.key])
    wall = time.time() - started
    cpu = sum(chunk.cpu_seconds for chunk in done)
    phase = {
        "fit_cpu_seconds": cpu,
        "fit_wall_seconds": wall,
        "cores": executor.cores,
        "efficiency": cpu / (executor.cores * wall) if done else None,
    }
    return done, left, phase


def _fitted(executor: Executor, work: Work[FitChunk, ChunkDone], chunks: Sequence[FitChunk]) -> Iterator[ChunkDone]:
    """What became of the chunks: those of one worker each, then those that workers fit together."""
    yield from executor.map(work, [chunk for chunk in chunks if not chunk.workers])
    together = [chunk for chunk in chunks if chunk.workers]
    if together:
        from farm.run.distributed import fit_together

        executor.connect()
        yield from map(fit_together, together)


def note(chunk: ChunkDone, done: list[ChunkDone], log: RunLog) -> None:
    """Keep and log what became of a chunk; Failed where another start has taken over."""
    if chunk.outcome == "overtaken":
        raise Failed("another start of this run has taken over; this one stops, and the other goes on")
    done.append(chunk)
    log.write("chunk", symbol=chunk.symbol, model=chunk.model, key=chunk.key, fits=chunk.n_fits,
              outcome=chunk.outcome, cpu_seconds=chunk.cpu_seconds, failures=len(chunk.failures))  # fmt: skip
    for failure in chunk.failures:
        log.write("fit failed", **failure.__dict__)
