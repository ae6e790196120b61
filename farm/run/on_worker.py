"""What runs in a Ray worker: a block of specs, each with its threads pinned and its name in the process title."""

import pickle
from collections.abc import Callable
from typing import Any

# Ray Data names all tasks of a stage alike. The title of the process tells them apart; Ray itself sets it back after.
from ray._raylet import setproctitle  # type: ignore[attr-defined]  # compiled, and without stubs

from farm.run.executor import Raised, Work, attempt

Block = list[tuple[int, Any]]


def on_worker(work: Work[Any, Any], threads: int) -> Callable[[bytes], bytes]:
    """The function from a pickled block of numbered specs to its pickled, numbered answers."""
    run, label, stage = work.run, work.label, work.name.replace(" ", "_")

    def answered(block: bytes) -> bytes:
        numbered: Block = pickle.loads(block)
        answers: Block = []
        for at, spec in numbered:
            setproctitle(f"ray::{stage} {label(spec)}")
            answers.append((at, attempt(run, spec, threads)))
        return pickle.dumps(_that_travel(answers))

    return answered


def _that_travel(answers: Block) -> Block:
    """The answers, each error replaced by its words where the error itself cannot be pickled."""
    return [(at, _plain(one) if isinstance(one, Raised) else one) for at, one in answers]


def _plain(raised: Raised) -> Raised:
    try:
        pickle.loads(pickle.dumps(raised.error))
    except Exception:  # noqa: BLE001  # any class may refuse in its own way, and its words are enough
        return Raised(RuntimeError(f"{type(raised.error).__name__}: {raised.error}"), raised.trace)
    return raised
