"""What becomes of a search's question whose worker was lost, or that did not find the memory it needs."""

import pickle
from collections import Counter
from typing import Any

import pytest
from ray.exceptions import WorkerCrashedError
from ray.tune.search import Searcher

from farm.run.executor import Raised
from farm.run.faults import OUT_OF_MEMORY, WORKER_DIED, Fault
from farm.run.tune import Asking
from farm.search import Asked, Question


class Three:
    """A dialogue of three questions that may all be asked at once."""

    def __init__(self) -> None:
        self._left = [Question("s", Asked(number, {}, (0,))) for number in (1, 2, 3)]
        self.told: dict[int, Any] = {}
        self.attempts: list[tuple[int, str, int]] = []

    @property
    def over(self) -> bool:
        return len(self.told) == 3

    def next(self) -> Question | None:
        return self._left.pop(0) if self._left else None

    def lost(self, question: Question, fault: Fault, attempt: int, error: str) -> None:
        self.attempts.append((question.asked.number, fault.name, attempt))

    def answer(self, question: Question, result: Any) -> None:
        self.told[question.asked.number] = result


class Driven:
    """Tune's part, played by hand: trials that begin, and end well or badly."""

    def __init__(self) -> None:
        self.dialogue, self.faults = Three(), Counter[str]()
        self._asking = Asking(self.dialogue, self._lost)
        self._trials = 0

    def _lost(self, fault: Fault) -> None:
        self.faults[fault.name] += 1

    def asks(self) -> tuple[str, int] | None:
        """The next trial and the number it asks for; None where nothing is asked now."""
        self._trials += 1
        found = self._asking.suggest(str(self._trials))
        if found is None or found == Searcher.FINISHED:
            return None
        return str(self._trials), found["question"].asked.number

    def ends(self, trial: str, answer: Any) -> None:
        self._asking.on_trial_complete(trial, {"answer": pickle.dumps(answer)})

    def loses(self, trial: str) -> None:
        self._asking.on_trial_complete(trial, error=True)


@pytest.fixture
def driven() -> Driven:
    return Driven()


def asked(driven: Driven) -> tuple[str, int]:
    found = driven.asks()
    assert found is not None
    return found


def test_what_ran_out_of_memory_is_asked_again_when_nothing_else_is_under_way(driven: Driven) -> None:
    (hungry, one), (other, two) = asked(driven), asked(driven)
    driven.ends(hungry, Raised(MemoryError("no room"), ""))
    assert driven.asks() is None
    driven.ends(other, "two")
    again, number = asked(driven)
    assert (one, two, number) == (1, 2, 1)
    assert driven.asks() is None
    driven.ends(again, "one")
    assert driven.dialogue.told == {1: "one", 2: "two"}
    assert asked(driven)[1] == 3
    assert driven.faults == {"out of memory": 1}


def test_it_is_given_up_after_the_attempts_of_its_fault_and_the_search_goes_on(driven: Driven) -> None:
    for _ in range(OUT_OF_MEMORY.attempts):
        trial, number = asked(driven)
        assert number == 1
        driven.ends(trial, Raised(MemoryError("no room"), ""))
    assert isinstance(driven.dialogue.told[1].error, MemoryError)
    assert driven.faults == {"out of memory": OUT_OF_MEMORY.attempts}
    assert driven.dialogue.attempts == [(1, "out of memory", n + 1) for n in range(OUT_OF_MEMORY.attempts)]
    assert asked(driven)[1] == 2


def test_a_lost_worker_s_question_is_asked_again_beside_others_and_in_the_end_alone(driven: Driven) -> None:
    trial, _ = asked(driven)
    for attempt in range(2, WORKER_DIED.attempts + 1):
        driven.loses(trial)
        trial, number = asked(driven)
        assert number == 1
        beside = driven.asks()
        assert (beside is None) == (attempt >= WORKER_DIED.alone)
        if beside is not None:
            driven.ends(beside[0], "done")
    driven.loses(trial)
    assert driven.faults == {"worker died": WORKER_DIED.attempts}
    assert isinstance(driven.dialogue.told[1].error, WorkerCrashedError)


def test_a_fault_of_farm_itself_is_not_tried_again(driven: Driven) -> None:
    trial, _ = asked(driven)
    driven.ends(trial, Raised(KeyError("split"), "trace"))
    assert isinstance(driven.dialogue.told[1].error, KeyError)
    assert not driven.faults
    assert not driven.dialogue.attempts
