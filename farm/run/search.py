"""Searches that adapt, before the grid; what they ask is stored like any fit, so that a killed one is replayed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from farm.config import Experiment
from farm.ledger import Ledger
from farm.models import Catalog, installed
from farm.run.answers import Answer, Evaluate, Ground
from farm.run.budget import Spending
from farm.run.chunks import FitChunk
from farm.run.executor import Executor, Raised
from farm.run.faults import OUT_OF_MEMORY, WORKER_DIED, Fault, fault_of
from farm.run.plan import Found, Searched, StudyPlan, trials_of
from farm.run.work import ChunkDone, Failure, lost_chunk
from farm.search import (
    Asked,
    Conductor,
    Configuration,
    Question,
    Search,
    search_seed,
)


@dataclass(frozen=True)
class Listener:
    """Hears of every chunk that was answered, and of every attempt that came to nothing: label, fault, number, why."""

    chunk: Callable[[ChunkDone], None]
    fault: Callable[[str, Fault, int, str], None]


@dataclass(frozen=True)
class Ended:
    """What all searches came to, by symbol and model; their failed fits; which budget ended them, if one did."""

    by_symbol: Mapping[str, Mapping[str, Found]] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    stopped: str | None = None

    def of(self, symbol: str) -> Mapping[str, Found]:
        """What the searches of one study came to."""
        return self.by_symbol[symbol]


@dataclass
class Dialogue:
    """All searches of a run, told to the ledger before anything of them is fitted."""

    conductor: Conductor
    grounds: Mapping[str, Ground]
    spending: Spending
    listener: Listener
    failures: list[Failure] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing is left to ask, and nothing to be answered."""
        return self.conductor.over

    def next(self) -> Question | None:
        """The next question."""
        return self.conductor.next()

    def lost(self, question: Question, fault: Fault, attempt: int, error: str) -> None:
        """Note an attempt that came to nothing."""
        self.listener.fault(f"{question.search}/{question.asked.number}", fault, attempt, error)

    def answer(self, question: Question, result: Answer | Raised) -> None:
        """Count what the question took, and tell its search the loss."""
        answer = result if isinstance(result, Answer) else self._given_up(question, result)
        for one in answer.done:
            self.spending.add(one.cpu_seconds)
            self.listener.chunk(one)
        self.failures += answer.failures
        self.conductor.answer(question, answer.loss)

    def _given_up(self, question: Question, raised: Raised) -> Answer:
        if fault_of(raised.error) not in (OUT_OF_MEMORY, WORKER_DIED):
            raised.end()
        chunks = self.grounds[question.search].chunks(question.asked, installed())
        return Answer(math.inf, tuple(lost_chunk(chunk, str(raised.error)) for chunk in chunks))


def search_studies(
    experiment: Experiment,
    studies: Sequence[StudyPlan],
    catalog: Catalog,
    executor: Executor,
    spending: Spending,
    listener: Listener,
    run: tuple[str, str, int],
) -> Ended:
    """What every search of a run that adapts came to; nothing where none does.

    Parameters
    ----------
    run
        The run's id, its folder, and the number of this start.
    """
    search = experiment.search
    if search is None or not search.adapts:
        return Ended()
    grounds = _grounds(experiment, search, studies, catalog)
    searches = {name: _begin(search, ground, catalog) for name, ground in grounds.items()}

    def begin(name: str, batch: Sequence[Asked]) -> None:
        ground = grounds[name]
        models = {ground.trial(asked.number): ground.configured(asked) for asked in batch}
        starts = trials_of(ground.experiment, ground.prepared, catalog, models)
        Ledger(experiment.where, f"{experiment.name}/{ground.prepared.symbol}").start(
            [replace(start, run=run[0]) for start in starts]
        )

    dialogue = Dialogue(Conductor(searches, begin, spending.spent), grounds, spending, listener)
    executor.converse("search", Evaluate(grounds, run[1], run[2]), dialogue)
    found: dict[str, dict[str, list[tuple[Ground, Configuration]]]] = {}
    for name, ground in grounds.items():
        tried = found.setdefault(ground.prepared.symbol, {}).setdefault(ground.model, [])
        tried += [(ground, one) for one in searches[name].tried()]
    by_symbol = {
        symbol: {model: _found(tried, catalog) for model, tried in by_model.items()}
        for symbol, by_model in found.items()
    }
    return Ended(by_symbol, dialogue.failures, dialogue.conductor.stopped)


def _grounds(
    experiment: Experiment, search: Search, studies: Sequence[StudyPlan], catalog: Catalog
) -> dict[str, Ground]:
    grounds = []
    for study in studies:
        own = experiment.of(study.symbol).model_copy(update={"home": experiment.where})
        groups = range(len(study.prepared.plan.groups)) if search.nested == "strict" else [None]
        grounds += [
            Ground(own, study.prepared, model, group)
            for model in search.searched(experiment.models, catalog)
            for group in groups
        ]
    return {ground.name: ground for ground in grounds}


def _begin(search: Search, ground: Ground, catalog: Catalog) -> Any:
    model = ground.experiment.models[ground.model]
    names = (ground.prepared.symbol, ground.model, *([] if ground.group is None else [str(ground.group)]))
    return search.begin(ground.model, model, catalog, search_seed(ground.experiment.seed, *names), ground.splits)


_WORDS = {
    "pruned": "pruned",
    "failed": "a fit failed",
    "abandoned": "given up when the budget was spent",
}


def _found(tried: Sequence[tuple[Ground, Configuration]], catalog: Catalog) -> Found:
    models = {ground.trial(one.number): ground.configured(one) for ground, one in tried}
    finished = [(ground, one) for ground, one in tried if one.state == "finished"]
    aside = {
        ground.trial(one.number): f"{_WORDS[one.state]}, fitted on {len(one.splits)} splits"
        for ground, one in tried
        if one.state != "finished"
    }
    forced: tuple[str, ...] = ()
    if any(ground.group is not None for ground, _ in tried):
        best = _best_of_groups(finished, len(tried[0][0].prepared.plan.groups))
        forced = tuple(ground.trial(one.number) for ground, one in best)
        aside |= {
            ground.trial(one.number): f"searched for group {ground.group} alone, which took another"
            for ground, one in finished
            if ground.trial(one.number) not in forced
        }
        finished = best
    chunks = [chunk for ground, one in finished for chunk in _everywhere(ground, one, catalog)]
    return Found(Searched(models, aside, forced), tuple(chunks))


def _best_of_groups(
    finished: Sequence[tuple[Ground, Configuration]], n_groups: int
) -> list[tuple[Ground, Configuration]]:
    """For every group, the configuration that its own search found best; the earlier one of equal ones.

    A group whose search came to nothing leaves the model without any choice: nothing may stand in for it.
    """
    best: dict[int | None, tuple[Ground, Configuration]] = {}
    for ground, one in finished:
        known = best.get(ground.group)
        if known is None or (one.loss, one.number) < (known[1].loss, known[1].number):
            best[ground.group] = (ground, one)
    return [best[group] for group in range(n_groups)] if len(best) == n_groups else []


def _everywhere(ground: Ground, one: Configuration, catalog: Catalog) -> list[FitChunk]:
    """The fits of a configuration on all splits, those that its search asked for first, as they are stored."""
    others = tuple(split for split in range(len(ground.prepared.plan.splits)) if split not in one.splits)
    return ground.chunks(one, catalog) + ground.chunks(replace(one, splits=others), catalog)
