"""Ray as executor: Ray Data streams small specs to workers, which read panels in place and store what they make.

A worker that dies takes the block it was on with it. Ray Data would try that block again without end, so it is told not
to: what a stream leaves unanswered is tried again here by single tasks, whose errors say what became of them.
"""

import json
import logging
import os
import pickle
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from farm.config import Execution
from farm.errors import BadInput
from farm.run.executor import Dialogue, InProcess, Raised, Work
from farm.run.faults import OUT_OF_MEMORY, OWN_FAULT, WORKER_DIED, Fault, fault_of
from farm.search import Question

# Ray turns token authentication on by itself where the variable is unset, and then its parts disagree about it.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import ray
import ray.data
from ray.exceptions import RayError
from ray.util.annotations import RayDeprecationWarning

from farm.run.again import Tried, again
from farm.run.nodes import nodes, prove_shared
from farm.run.on_worker import on_worker

Spec = TypeVar("Spec")
Result = TypeVar("Result")

_OBJECT_STORE_BYTES = 256 * 1024**2
_LONGEST_SECONDS = 16.0


class OnRay:
    """Ray Data over specs, on a cluster or on a local Ray that is started here and stopped by ``close``."""

    def __init__(self, execution: Execution, threads: int, home: str = "") -> None:
        self._threads = threads
        self._address = execution.address or os.environ.get("RAY_ADDRESS")
        self._workers = execution.workers
        self._home = home
        self._started = False
        self._dashboard: str | None = None
        self._faults: Counter[str] = Counter()
        self._metrics: dict[str, Any] = {}
        self.cores = execution.workers or 1

    def map(self, work: Work[Spec, Result], specs: Sequence[Spec]) -> Iterator[Result]:
        """Results of the work on every spec, as they come."""
        if not specs:
            return
        if len(specs) <= work.few and not (self._started or self._address or ray.is_initialized()):
            yield from InProcess(self._threads).map(self._counting(work), specs)
            return
        self.connect()
        unanswered = set(range(len(specs)))
        tried: dict[int, Tried] = {}
        for at, answer in self._stream(work, specs):
            unanswered.discard(at)
            if not isinstance(answer, Raised):
                yield answer
            elif fault_of(answer.error) is OUT_OF_MEMORY:
                tried[at] = Tried(1, OUT_OF_MEMORY, str(answer.error))
            else:
                answer.end()
        lost = Tried(1, WORKER_DIED, "the worker or its node was lost before it answered")
        tried |= dict.fromkeys(unanswered, lost)
        yield from again(self._counting(work), specs, tried, self._threads, self._width)

    def converse(self, name: str, answer: Callable[[Question], Any], dialogue: Dialogue) -> None:
        """Answer every question of a dialogue by one long-lived Ray Tune run."""
        from farm.run.tune import tuned

        self.connect()
        tuned(name, answer, dialogue, self._threads, self._width, self._count)

    def report(self, phase: str, counts: dict[str, float], **about: str) -> None:
        """Show counts as gauges ``farm_<phase>_<count>`` among Ray's metrics, with a label for all they are about."""
        if not ray.is_initialized():
            return
        from ray.util.metrics import Gauge

        for name, value in counts.items():
            full = f"farm_{phase}_{name}"
            if full not in self._metrics:
                self._metrics[full] = Gauge(full, description=f"{phase} of the run: {name}", tag_keys=tuple(about))
            self._metrics[full].set(value, tags=about)

    def describe(self) -> dict[str, Any]:
        """Where the work ran; without a job when everything was stored already."""
        joined = ray.is_initialized()
        return {
            "on": "ray",
            "address": self._address or "local",
            "workers": self.cores,
            "ray": ray.__version__,
            "job_id": ray.get_runtime_context().get_job_id() if joined else None,
            "submission_id": _submission_id(),
            "dashboard": self._dashboard,
            "faults": dict(self._faults),
        }

    def close(self) -> None:
        """Stop the local Ray, or leave the cluster."""
        if self._started:
            ray.shutdown()

    def connect(self) -> None:
        """Join or start Ray; a run that finds everything stored never does."""
        if self._started:
            return
        if not ray.is_initialized():
            self._dashboard = _start(self._address, self._workers)
            self._started = True
        data = ray.data.DataContext.get_current()
        data.enable_progress_bars = False
        data.print_on_execution_start = False
        data.max_errored_blocks = -1
        # It reports lost blocks, which are counted and tried again here, and that it has no progress bar, as asked for.
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        if self._address and self._home:
            prove_shared(self._home)
        cluster = nodes().cpus
        self.cores = min(self._workers or cluster, cluster)

    def _counting(self, work: Work[Spec, Result]) -> Work[Spec, Result]:
        """The work, with each of its faults counted for the manifest."""

        def tell(label: str, fault: Fault, attempt: int, error: str) -> None:
            self._count(fault)
            work.tell(label, fault, attempt, error)

        return replace(work, tell=tell)

    def _count(self, fault: Fault) -> None:
        self._faults[fault.name] += 1

    @property
    def _width(self) -> int:
        return max(1, self.cores // self._threads)

    def _stream(self, work: Work[Spec, Result], specs: Sequence[Spec]) -> Iterator[tuple[int, Result | Raised]]:
        """Answers with the positions of their specs, as far as no worker was lost."""
        blocks = guided_blocks(list(enumerate(specs)), self._width, lambda numbered: work.seconds(numbered[1]))
        items = [{"specs": pickle.dumps(block)} for block in blocks]
        answered = on_worker(work, self._threads)

        def answers(batch: Any) -> Any:
            return {"answers": [answered(block) for block in batch["specs"]]}

        answers.__name__ = work.name.replace(" ", "_")
        with warnings.catch_warnings():
            # The one option without a name in Ray Data's own signature, and what keeps a poison spec from looping.
            warnings.simplefilter("ignore", RayDeprecationWarning)
            dataset = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
                answers,
                batch_size=1,
                num_cpus=self._threads,
                memory=min(work.memory, nodes().memory // self._width) or None,
                compute=ray.data.TaskPoolStrategy(size=min(self._width, len(items))),
                max_retries=0,
            )
        try:
            for batch in dataset.iter_batches(batch_size=1, prefetch_batches=0):
                for content in batch["answers"]:
                    yield from pickle.loads(content)
        except RayError as error:  # an answer was lost with its node after it was given
            if fault_of(error) is OWN_FAULT:
                raise


def guided_blocks(specs: Sequence[Spec], width: int, seconds: Callable[[Spec], float]) -> list[list[Spec]]:
    """Specs in the blocks that one task works through: long ones first, single specs at the end.

    Ray Data takes a few tenths of a second from the end of a task to the start of the next. Long blocks make little of
    it; single specs at the end let all workers finish together (guided self-scheduling: Polychronopoulos, Kuck 1987).
    ``seconds`` is about what a spec takes.

    >>> [len(block) for block in guided_blocks(range(40), 2, lambda spec: 1.0)]
    [6, 5, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    left = sum(map(seconds, specs))
    blocks: list[list[Spec]] = []
    wanted = taken = 0.0
    for spec in specs:
        if taken + seconds(spec) > wanted:
            wanted, taken = min(_LONGEST_SECONDS, left / (3 * width)), 0.0
            blocks.append([])
        blocks[-1].append(spec)
        taken += seconds(spec)
        left -= seconds(spec)
    return blocks


def _start(address: str | None, workers: int | None) -> str | None:
    """The dashboard's URL, where the Ray that was joined or started has one."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            context = ray.init(address=address, **quiet)
        else:
            context = ray.init(
                num_cpus=workers, include_dashboard=False, object_store_memory=_OBJECT_STORE_BYTES, **quiet
            )
    except ConnectionError as error:
        raise BadInput(
            f"no Ray cluster answers at {address}: {error}; start one with `ray start --head`, or leave the address "
            "out to use a local Ray"
        ) from error
    return f"http://{context.dashboard_url}" if context.dashboard_url else None


def _submission_id() -> str | None:
    """The id that `ray job submit` gave to this driver; None where it was started otherwise."""
    config = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}"))
    found = config.get("metadata", {}).get("job_submission_id")
    return None if found is None else str(found)
