"""The two ways to run work: in this process, and on Ray (`on_ray`)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from farm.config import Execution

Spec = TypeVar("Spec")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a function over specs; results come in any order, each as soon as it is there."""

    cores: int

    def map(self, work: Callable[[Spec], Result], specs: Sequence[Spec], name: str) -> Iterator[Result]:
        """Results of ``work`` on every spec. ``name`` is what dashboards call the work."""
        ...

    def describe(self) -> dict[str, Any]:
        """Where the work ran, for the manifest."""
        ...

    def close(self) -> None:
        """Give back what was started."""
        ...


class InProcess:
    """Everything in this process, one spec after the other."""

    cores = 1

    def __init__(self, threads: int) -> None:
        self._threads = threads

    def map(self, work: Callable[[Spec], Result], specs: Sequence[Spec], name: str) -> Iterator[Result]:  # noqa: ARG002  # a process shows no names
        """Results of ``work`` on every spec, in order."""
        for spec in specs:
            with threadpool_limits(self._threads):
                result = work(spec)
            yield result

    def describe(self) -> dict[str, Any]:
        """Where the work ran."""
        return {"on": "process", "workers": 1}

    def close(self) -> None:
        """Nothing was started."""


def executor_for(execution: Execution, threads: int) -> Executor:
    """The executor that an experiment asks for; Ray is imported only when it is used."""
    if execution.on == "process":
        return InProcess(threads)
    from farm.run.on_ray import OnRay

    return OnRay(execution, threads)
