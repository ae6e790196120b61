"""Ray as executor: Ray Data streams small specs to workers, which read panels in place and store what they make."""

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from farm.config import Execution
from farm.errors import BadInput

# Ray turns token authentication on by itself where the variable is unset, and then its parts disagree about it.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray.data

Spec = TypeVar("Spec")
Result = TypeVar("Result")

_OBJECT_STORE_BYTES = 256 * 1024**2
_LONGEST_BLOCK = 16


class OnRay:
    """Ray Data over specs, on a cluster or on a local Ray that is started here and stopped by ``close``."""

    def __init__(self, execution: Execution, threads: int) -> None:
        self._threads = threads
        self._address = execution.address or os.environ.get("RAY_ADDRESS")
        self._workers = execution.workers
        self._started = False
        self.cores = execution.workers or 1

    def _connect(self) -> None:
        """Join or start Ray; a run that finds everything stored never does."""
        if self._started:
            return
        if not ray.is_initialized():
            _start(self._address, self._workers)
            self._started = True
        data = ray.data.DataContext.get_current()
        data.enable_progress_bars = False
        data.print_on_execution_start = False
        logging.getLogger("ray.data").setLevel(logging.WARNING)
        logging.getLogger("ray.data._internal.progress").setLevel(logging.ERROR)  # it warns of what was asked for
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]  # Ray's own gap
        cluster = int(resources.get("CPU", 1))
        self.cores = min(self._workers or cluster, cluster)

    def map(self, work: Callable[[Spec], Result], specs: Sequence[Spec], name: str) -> Iterator[Result]:
        """Results of ``work`` on every spec, as they come.

        A bad input found by a worker is raised here as the `BadInput` it is; any other error as Ray reports it.
        """
        if not specs:
            return
        self._connect()
        width = max(1, self.cores // self._threads)
        items = [{"specs": pickle.dumps(block)} for block in guided_blocks(specs, width)]
        dataset = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            _on_worker(work, name, self._threads),
            batch_size=1,
            num_cpus=self._threads,
            compute=ray.data.TaskPoolStrategy(size=min(width, len(items))),
        )
        for batch in dataset.iter_batches(batch_size=1, prefetch_batches=0):
            for content in batch["results"]:
                for result in pickle.loads(content):
                    if isinstance(result, BadInput):
                        raise result
                    yield result

    def describe(self) -> dict[str, Any]:
        """Where the work ran; without a job when everything was stored already."""
        job = ray.get_runtime_context().get_job_id() if ray.is_initialized() else None
        return {
            "on": "ray",
            "address": self._address or "local",
            "workers": self.cores,
            "ray": ray.__version__,
            "job_id": job,
        }

    def close(self) -> None:
        """Stop the local Ray, or leave the cluster."""
        if self._started:
            ray.shutdown()


def guided_blocks(specs: Sequence[Spec], width: int) -> list[list[Spec]]:
    """Specs in the blocks that one task works through: long ones first, single ones at the end.

    Ray Data takes a few tenths of a second from the end of a task to the start of the next. Long blocks make little of
    it; single specs at the end let all workers finish together (guided self-scheduling: Polychronopoulos, Kuck 1987).

    >>> [len(block) for block in guided_blocks(range(40), 2)]
    [6, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    blocks = []
    at = 0
    while at < len(specs):
        size = min(_LONGEST_BLOCK, max(1, (len(specs) - at) // (3 * width)))
        blocks.append(list(specs[at : at + size]))
        at += size
    return blocks


def _on_worker(work: Callable[[Any], Any], name: str, threads: int) -> Callable[[Any], Any]:
    """The function that a Ray worker runs on a block of specs; it bears the name that dashboards show."""

    def one(spec: Any) -> Any:
        try:
            with threadpool_limits(threads):
                return work(spec)
        except BadInput as error:
            return error

    def run(batch: Any) -> Any:
        return {"results": [pickle.dumps([one(spec) for spec in pickle.loads(block)]) for block in batch["specs"]]}

    run.__name__ = name.replace(" ", "_")
    return run


def _start(address: str | None, workers: int | None) -> None:
    try:
        if address:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        else:
            ray.init(
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
    except ConnectionError as error:
        raise BadInput(
            f"no Ray cluster answers at {address}: {error}; start one with `ray start --head`, or leave the address "
            "out to use a local Ray"
        ) from error
