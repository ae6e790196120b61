"""What a search may spend, in which order its fits go out, and what becomes of those that were not begun."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from farm.run.chunks import FitChunk
from farm.run.plan import StudyPlan
from farm.search import Budget, Search


class Spending:
    """What a search may spend of the clock and of CPU time, in this start of the run."""

    def __init__(self, budget: Budget, now: Callable[[], float] = time.monotonic) -> None:
        self._budget, self._now = budget, now
        self._started = now()
        self._cpu = 0.0

    def add(self, cpu_seconds: float) -> None:
        """Count what fits took."""
        self._cpu += cpu_seconds

    def spent(self) -> str | None:
        """Which budget is spent, in words; None while there is some left."""
        minutes, hours = self._budget.minutes, self._budget.cpu_hours
        if minutes is not None and self._now() - self._started >= 60 * minutes:
            return f"search.budget.minutes = {minutes:g} was spent"
        if hours is not None and self._cpu >= 3600 * hours:
            return f"search.budget.cpu_hours = {hours:g} was spent"
        return None


def rounds_of(chunks: Sequence[FitChunk], search: Search | None) -> list[list[FitChunk]]:
    """The chunks in the order of dispatch: in turn for every study, and in rounds where time may end the search.

    Within a round the first chunk of every study comes before the second of any, so that no study waits for another's.
    """
    if search is None:
        return [list(chunks)]
    turn: dict[str, int] = {}
    placed = []
    for chunk in chunks:
        turn[chunk.symbol] = turn.get(chunk.symbol, -1) + 1
        placed.append((chunk.round if search.budget.timed else 0, turn[chunk.symbol], chunk))
    rounds: dict[int, list[FitChunk]] = {}
    for number, _, chunk in sorted(placed, key=lambda one: one[:2]):
        rounds.setdefault(number, []).append(chunk)
    return [rounds[number] for number in sorted(rounds)]


def without_unfitted(study: StudyPlan, left: Sequence[FitChunk], why: str) -> StudyPlan:
    """The study without the chunks that were left, and with their configurations set aside."""
    keys = {chunk.key for chunk in left}
    names = {name for chunk in study.chunks if chunk.key in keys for name in chunk.names}
    if not names:
        return study
    chunks = tuple(chunk for chunk in study.chunks if chunk.key not in keys)
    aside = {
        model: one.aside | {name: f"not begun when {why}" for name in one.models if name in names}
        for model, one in study.searched.items()
    }
    searched = {model: replace(one, aside=aside[model]) for model, one in study.searched.items()}
    return replace(study, chunks=chunks, searched=searched)
