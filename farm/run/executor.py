"""The two ways to run work: in this process, and on Ray (`on_ray`)."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from farm.config import Execution
from farm.errors import BadInput, Failed
from farm.models.threads import pinned
from farm.run.faults import OUT_OF_MEMORY, Fault, fault_of, patiently
from farm.search import Question

Spec = TypeVar("Spec")
Result = TypeVar("Result")


def _unnamed(spec: object) -> str:  # noqa: ARG001  # it stands in for functions that do name a spec
    return ""


def _a_second(spec: object) -> float:  # noqa: ARG001  # as above
    return 1.0


def _untold(label: str, fault: Fault, attempt: int, error: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Work(Generic[Spec, Result]):
    """A function over specs, and what an executor must know of it.

    Parameters
    ----------
    name
        What dashboards call the work.
    run
        The function; it and its specs travel to workers.
    label
        What dashboards and logs call one spec.
    lost
        The result of a spec that was given up, from the words that say why; None: giving one up fails the run.
    tell
        Hears of every attempt that came to nothing: label, fault, number of the attempt, what was said.
    memory
        Bytes that one spec may need, as far as is known; 0: not known.
    seconds
        About what one spec takes: short ones travel together.
    few
        So few specs are worked on in the driver itself where no Ray runs yet: to start one takes longer.
    """

    name: str
    run: Callable[[Spec], Result]
    label: Callable[[Spec], str] = _unnamed
    lost: Callable[[Spec, str], Result] | None = None
    tell: Callable[[str, Fault, int, str], None] = _untold
    memory: int = 0
    seconds: Callable[[Spec], float] = _a_second
    few: int = 0

    def given_up(self, spec: Spec, fault: Fault, attempts: int, error: str) -> Result:
        """The result of a spec that was tried as often as its fault deserves; Failed where the work has none."""
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        said = f"{fault.name} after {times}: {error}"
        if self.lost is None:
            raise Failed(
                f"{self.name}: {self.label(spec)}: {said}; what was finished is stored, and the same command goes on "
                "from there"
            )
        return self.lost(spec, said)


@dataclass(frozen=True)
class Raised:
    """What came of a spec in place of a result: the error, and its traceback as text."""

    error: BaseException
    trace: str

    def end(self) -> None:
        """Raise what ends the run: the bad input or failure that it is, or the traceback of a fault of Farm's own."""
        if isinstance(self.error, BadInput | Failed):
            raise self.error
        raise Failed(f"a fault of Farm's own; what was finished is stored\n{self.trace}") from self.error


def attempt(work: Callable[[Spec], Result], spec: Spec, threads: int) -> Result | Raised:
    """The result of one spec with its threads pinned, or what was raised after the patience its fault deserves."""
    try:
        with pinned(threads):
            return patiently(lambda: work(spec))
    except Exception as error:  # noqa: BLE001  # the driver decides by the table what becomes of it
        return Raised(error, traceback.format_exc())


class Dialogue(Protocol):
    """Questions that follow from earlier answers."""

    @property
    def over(self) -> bool:
        """Whether nothing is left to ask, and nothing to be answered."""
        ...

    def next(self) -> Question | None:
        """The next question; None while all wait for answers, and when all is over."""
        ...

    def lost(self, question: Question, fault: Fault, attempt: int, error: str) -> None:
        """An attempt at a question came to nothing; it is asked again, or given up and answered so."""
        ...

    def answer(self, question: Question, result: Any) -> None:
        """What a question came to: the result of the work on it, or what was `Raised`."""
        ...


class Executor(Protocol):
    """Runs work over specs; results come in any order, each as soon as it is there."""

    cores: int

    def map(self, work: Work[Spec, Result], specs: Sequence[Spec]) -> Iterator[Result]:
        """A result for every spec; faults are met as `farm.run.faults` says.

        Raises
        ------
        BadInput
            A worker found that what was given is wrong.
        Failed
            The run cannot go on.
        """
        ...

    def converse(self, name: str, answer: Callable[[Question], Any], dialogue: Dialogue) -> None:
        """Answer every question of a dialogue; the answers travel, so the function and the questions are small.

        Raises
        ------
        BadInput, Failed
            As the dialogue raises them where it is told an answer.
        """
        ...

    def report(self, phase: str, counts: dict[str, float], **about: str) -> None:
        """Show the counts of a phase, and what they are about, where the executor's dashboards show such things."""
        ...

    def connect(self) -> None:
        """Be ready for work that is not handed over by ``map``."""
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

    def map(self, work: Work[Spec, Result], specs: Sequence[Spec]) -> Iterator[Result]:
        """Results of the work on every spec, in order; one alone in its process is not tried again for memory."""
        for spec in specs:
            result = attempt(work.run, spec, self._threads)
            if isinstance(result, Raised):
                if fault_of(result.error) is not OUT_OF_MEMORY:
                    result.end()
                work.tell(work.label(spec), OUT_OF_MEMORY, 1, str(result.error))
                result = work.given_up(spec, OUT_OF_MEMORY, 1, str(result.error))
            yield result

    def converse(self, name: str, answer: Callable[[Question], Any], dialogue: Dialogue) -> None:  # noqa: ARG002  # nothing shows the name
        """Answer every question of a dialogue, one after the other."""
        while (question := dialogue.next()) is not None:
            result = attempt(answer, question, self._threads)
            if isinstance(result, Raised) and fault_of(result.error) is OUT_OF_MEMORY:
                dialogue.lost(question, OUT_OF_MEMORY, 1, str(result.error))
            dialogue.answer(question, result)

    def report(self, phase: str, counts: dict[str, float], **about: str) -> None:
        """A process has no dashboard."""

    def connect(self) -> None:
        """A process is always ready."""

    def describe(self) -> dict[str, Any]:
        """Where the work ran."""
        return {"on": "process", "workers": 1}

    def close(self) -> None:
        """Nothing was started."""


def executor_for(execution: Execution, threads: int, home: str = "") -> Executor:
    """The executor that an experiment asks for; Ray is imported only when it is used.

    ``home`` is what all nodes of a cluster must be able to write, which is tried when the cluster is joined.
    """
    if execution.on == "process":
        return InProcess(threads)
    from farm.run.on_ray import OnRay

    return OnRay(execution, threads, home)
