"""What is done when something goes wrong, in one table: who is tried again, how often, and what it counts as.

`FAULTS` is what the code reads and what ``docs/faults.md`` shows; every row is brought about by a test.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from farm.errors import Failed

Result = TypeVar("Result")

WAITS = (1.0, 3.0, 9.0)


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    ``seen`` are names of exception classes (names, since Ray's and torch's are not imported to be recognised), empty
    where no code is left to see it. ``attempts`` is how often a spec is tried in all; ``alone`` from which attempt on
    it is tried alone, on a node with all its CPUs (0: never).
    """

    name: str
    happened: str
    seen: tuple[str, ...]
    done: str
    attempts: int
    alone: int
    counts_as: str
    exit_code: Literal[0, 1, 2, 130] | None


MODEL_RAISES = Fault(
    "model raises",
    "A model, a scaler or a selection raises, exits, or predicts what are no probabilities",
    ("Exception", "SystemExit"),
    "the fit is recorded with its traceback; the others go on",
    attempts=1,
    alone=0,
    counts_as="failed fit",
    exit_code=1,
)
BAD_INPUT = Fault(
    "bad input",
    "A worker finds that data or experiment are wrong",
    ("BadInput",),
    "the run stops with the message",
    attempts=1,
    alone=0,
    counts_as="stopped run",
    exit_code=2,
)
OUT_OF_MEMORY = Fault(
    "out of memory",
    "A fit cannot get the memory it asks for, or Ray kills its worker because the node's memory runs out",
    ("MemoryError", "OutOfMemoryError"),
    "tried again alone, never on less data",
    attempts=3,
    alone=2,
    counts_as="failed fit",
    exit_code=1,
)
WORKER_DIED = Fault(
    "worker died",
    "A worker is killed, crashes or leaves (the kernel's memory killer looks the same)",
    ("WorkerCrashedError",),
    "what it had not stored is tried again, in the end alone",
    attempts=5,
    alone=4,
    counts_as="failed fit",
    exit_code=1,
)
NODE_DIED = Fault(
    "node died",
    "A node is lost, with the workers and the answers it held",
    ("NodeDiedError", "ObjectLostError", "TaskUnschedulableError"),
    "what it had not stored is tried again on the nodes that are left",
    attempts=5,
    alone=0,
    counts_as="failed fit",
    exit_code=1,
)
HOME_UNREACHABLE = Fault(
    "home unreachable",
    "The home's disk is full or gone, or its object store does not answer",
    ("HomeFailed", "OSError"),
    f"tried again after {', '.join(f'{wait:g}' for wait in WAITS)} seconds, then the run stops and can be resumed",
    attempts=1 + len(WAITS),
    alone=0,
    counts_as="stopped run",
    exit_code=1,
)
DRIVER_DIED = Fault(
    "driver died",
    "The process of `farm run`, or its machine, is killed",
    (),
    "the same command goes on: what is stored is reused, and workers that outlive their driver store nothing more",
    attempts=1,
    alone=0,
    counts_as="stopped run",
    exit_code=None,
)
INTERRUPTED = Fault(
    "interrupted",
    "Somebody presses Ctrl-C",
    ("KeyboardInterrupt",),
    "the run stops; the same command goes on",
    attempts=1,
    alone=0,
    counts_as="stopped run",
    exit_code=130,
)
OWN_FAULT = Fault(
    "fault of Farm",
    "Anything else is raised outside of a model: a fault of Farm's own",
    ("BaseException",),
    "the run stops with the traceback; what was stored stays",
    attempts=1,
    alone=0,
    counts_as="stopped run",
    exit_code=1,
)

FAULTS = (
    MODEL_RAISES, BAD_INPUT, OUT_OF_MEMORY, WORKER_DIED, NODE_DIED, HOME_UNREACHABLE, DRIVER_DIED, INTERRUPTED,
    OWN_FAULT,
)  # fmt: skip
# A model's errors are caught where the model runs; what arrives here was raised around it.
_AROUND_A_MODEL = (BAD_INPUT, OUT_OF_MEMORY, WORKER_DIED, NODE_DIED, HOME_UNREACHABLE, INTERRUPTED)


def fault_of(error: BaseException) -> Fault:
    """The row of an error that was raised outside of a model.

    >>> fault_of(MemoryError()).name, fault_of(TimeoutError()).name, fault_of(KeyError()).name
    ('out of memory', 'home unreachable', 'fault of Farm')
    """
    names = {kind.__name__ for kind in type(error).__mro__}
    return next((fault for fault in _AROUND_A_MODEL if names & set(fault.seen)), OWN_FAULT)


def patiently(call: Callable[[], Result], wait: Callable[[float], object] = time.sleep) -> Result:
    """The result of a call that reaches for the home, made again after each of `WAITS` while the home is unreachable.

    Raises
    ------
    Failed
        The home was still unreachable the last time.
    """
    for pause in (*WAITS, None):
        try:
            return call()
        except OSError as error:
            if pause is None:
                raise Failed(f"{error} (tried {HOME_UNREACHABLE.attempts} times)") from error
            wait(pause)
    raise AssertionError("the last pause is None")


def table() -> str:
    """The table as Markdown, as ``docs/faults.md`` shows it."""
    rows = [
        "| fault | what happened | seen as | what is done | attempts | alone | counts as | exit code |",
        "| --- | --- | --- | --- | ---: | --- | --- | ---: |",
    ]
    for fault in FAULTS:
        seen = ", ".join(f"`{name}`" for name in fault.seen) or "nothing is left to see it"
        alone = f"from attempt {fault.alone}" if fault.alone else "no"
        code = "none" if fault.exit_code is None else str(fault.exit_code)
        rows.append(
            f"| {fault.name} | {fault.happened} | {seen} | {fault.done} | {fault.attempts} | {alone} "
            f"| {fault.counts_as} | {code} |"
        )
    return "\n".join(rows) + "\n"
