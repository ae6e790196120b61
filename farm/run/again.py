"""Specs that were lost, tried again as single tasks: their errors are seen, and each is treated as it deserves."""

import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError

from farm.run.executor import Raised, Work
from farm.run.faults import OWN_FAULT, Fault, fault_of
from farm.run.nodes import nodes
from farm.run.on_worker import on_worker

Spec = TypeVar("Spec")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Tried:
    """How often a spec was tried in vain, and what ended the last attempt."""

    attempts: int
    fault: Fault
    error: str

    @property
    def given_up(self) -> bool:
        """Whether its fault deserves no further attempt."""
        return self.attempts >= self.fault.attempts

    @property
    def alone(self) -> bool:
        """Whether the next attempt is made alone on a node."""
        return 0 < self.fault.alone <= self.attempts + 1

    def and_then(self, fault: Fault, error: str) -> "Tried":
        """This, after one more attempt in vain."""
        return Tried(self.attempts + 1, fault, error)


def again(
    work: Work[Spec, Result], specs: Sequence[Spec], tried: dict[int, Tried], threads: int, width: int
) -> Iterator[Result]:
    """Results of specs, by position, that were tried in vain: ``width`` at a time, those that need it alone at the end.

    Raises
    ------
    BadInput, Failed
        As the work raises them, or a spec is given up and the work has no result for that.
    """
    tried = dict(tried)
    together, alone = deque[int](), deque[int]()
    running: dict[Any, int] = {}

    def wait_or_give_up(at: int) -> Iterator[Result]:
        last = tried[at]
        work.tell(work.label(specs[at]), last.fault, last.attempts, last.error)
        if last.given_up:
            yield work.given_up(specs[at], last.fault, last.attempts, last.error)
        else:
            (alone if last.alone else together).append(at)

    for at in sorted(tried):
        yield from wait_or_give_up(at)
    while together or alone or running:
        while together and len(running) < width:
            at = together.popleft()
            running[_task(work, at, specs[at], threads, cpus=threads)] = at
        if alone and not running:
            at = alone.popleft()
            running[_task(work, at, specs[at], threads, cpus=max(threads, nodes().most_cpus))] = at
        (done,), _ = ray.wait(list(running))
        at = running.pop(done)
        answer = _answer(done)
        if not isinstance(answer, Raised):
            yield answer
            continue
        fault = fault_of(answer.error)
        if not fault.attempts > 1:
            answer.end()
        tried[at] = tried[at].and_then(fault, str(answer.error).strip().partition("\n")[0])
        yield from wait_or_give_up(at)


def _task(work: Work[Any, Any], at: int, spec: Any, threads: int, cpus: int) -> Any:
    task = ray.remote(num_cpus=cpus, max_retries=0)(on_worker(work, threads))
    return task.options(name=f"{work.name} {work.label(spec)}").remote(pickle.dumps([(at, spec)]))


def _answer(done: Any) -> Any:
    """The one answer of a task, or what ended it."""
    try:
        ((_, answer),) = pickle.loads(ray.get(done))
    except RayError as error:
        if fault_of(error) is OWN_FAULT:
            raise
        return Raised(error, str(error))
    return answer
