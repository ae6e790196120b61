"""Searches that adapt, before the grid; what they ask is stored like any fit, so that a killed one is replayed."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.config import Experiment
from farm.ledger import Ledger
from farm.models import Catalog, Model, installed
from farm.run.budget import Spending
from farm.run.chunks import FitChunk, chunks_of_one_configuration
from farm.run.executor import Executor, Raised
from farm.run.faults import OUT_OF_MEMORY, WORKER_DIED, fault_of
from farm.run.panels import open_panel
from farm.run.plan import Found, Searched, StudyPlan, trials_of
from farm.run.prepare import PreparedStudy
from farm.run.work import ChunkDone, Failure, fit_chunk, lost_chunk, read_chunks
from farm.search import (
    Asked,
    Conductor,
    Configuration,
    Question,
    Rows,
    Search,
    configured,
    configured_name,
    loss,
    search_seed,
)
from farm.stack.nested import outcomes_of
from farm.store import Store
from farm.study import market_of

Tell = Callable[[ChunkDone], None]


@dataclass(frozen=True)
class Ended:
    """What all searches came to, by symbol and model; their failed fits; which budget ended them, if one did."""

    by_symbol: Mapping[str, Mapping[str, Found]] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    stopped: str | None = None

    def of(self, symbol: str) -> Mapping[str, Found]:
        """What the searches of one study came to."""
        return self.by_symbol[symbol]


@dataclass(frozen=True)
class Ground:
    """Where one search asks: a model of one study, and the group that it must not look at (None: it looks at all)."""

    experiment: Experiment
    prepared: PreparedStudy
    model: str
    group: int | None

    @property
    def name(self) -> str:
        """What the search is called: symbol/model, and the group that it is for."""
        return f"{self.prepared.symbol}/{self.model}" + ("" if self.group is None else f"/group {self.group}")

    @property
    def splits(self) -> list[int]:
        """The splits that it may ask about: all, or those that held the group out."""
        splits = self.prepared.plan.splits
        return [number for number, held_out in enumerate(splits) if self.group is None or self.group in held_out]

    def trial(self, number: int) -> str:
        """The trial's name of a configuration."""
        model = self.model if self.group is None else f"{self.model}.g{self.group}"
        return configured_name(model, number)

    def configured(self, asked: Asked | Configuration) -> Model:
        """The configuration as a model."""
        return configured(self.experiment.models[self.model], asked.point, self.experiment)

    def chunks(self, asked: Asked | Configuration, catalog: Catalog) -> list[FitChunk]:
        """The fits of a configuration on the splits that were asked about."""
        one = (self.model, self.trial(asked.number), self.configured(asked))
        return list(chunks_of_one_configuration(self.experiment, self.prepared, catalog, one, asked.splits))


@dataclass(frozen=True)
class Answer:
    """What a question came to: the loss, infinite where a fit failed, and what became of the fits."""

    loss: float
    done: tuple[ChunkDone, ...]

    @property
    def failures(self) -> list[Failure]:
        """Its failed fits."""
        return [failure for chunk in self.done for failure in chunk.failures]


@dataclass(frozen=True)
class Evaluate:
    """Answers questions on a worker: fits what is not stored yet, and scores what is."""

    grounds: Mapping[str, Ground]
    run: str
    start: int

    def __call__(self, question: Question) -> Answer:
        """The answer to one question."""
        ground = self.grounds[question.search]
        chunks = [
            replace(chunk, run=self.run, start=self.start) for chunk in ground.chunks(question.asked, installed())
        ]
        done = tuple(fit_chunk(chunk) for chunk in chunks)
        if any(one.outcome not in ("stored", "reused") for one in done):
            return Answer(math.inf, done)
        return Answer(_loss(ground, chunks), done)


def _loss(ground: Ground, chunks: Sequence[FitChunk]) -> float:
    """The loss of stored predictions on the rows that a search may look at: D_g, or all labelled ones."""
    experiment, prepared = ground.experiment, ground.prepared
    search = experiment.search
    if search is None:
        raise ValueError("the experiment searches nothing")
    store = Store(experiment.where)
    panel = open_panel(store, chunks[0].panel_key)
    events, plan = panel.events, prepared.plan
    market = market_of(panel, experiment.backtest, prepared.instrument)
    allowed = np.flatnonzero(events.labelled)
    if ground.group is not None:
        allowed = np.intersect1d(allowed, plan.train_rows(events.decided_at, events.exited_at, (ground.group,)))
    known = Rows.of(outcomes_of(events, allowed).at(market.take(allowed)))
    predictions, _ = read_chunks(store, chunks)
    (by_split,) = predictions.values()
    at, said = _rows_said(events.decided_at, allowed, by_split)
    return loss(search.objective, said, known.take(at))


def _rows_said(
    decided_at: NDArray[np.int64],
    allowed: NDArray[np.int64],
    by_split: Mapping[int, tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions among the allowed rows, and what splits say of them; a row that two splits held out is there twice."""
    at, said = [], []
    for _, (times, probability) in sorted(by_split.items()):
        rows = np.searchsorted(decided_at, times)
        place = np.minimum(np.searchsorted(allowed, rows), len(allowed) - 1)
        inside = allowed[place] == rows
        at.append(place[inside])
        said.append(probability[inside])
    return np.concatenate(at), np.concatenate(said)


@dataclass
class Dialogue:
    """All searches of a run, told to the ledger before anything of them is fitted."""

    conductor: Conductor
    grounds: Mapping[str, Ground]
    spending: Spending
    tell: Tell
    failures: list[Failure] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing is left to ask, and nothing to be answered."""
        return self.conductor.over

    def next(self) -> Question | None:
        """The next question."""
        return self.conductor.next()

    def answer(self, question: Question, result: Answer | Raised) -> None:
        """Count what the question took, and tell its search the loss."""
        answer = result if isinstance(result, Answer) else self._given_up(question, result)
        for one in answer.done:
            self.spending.add(one.cpu_seconds)
            self.tell(one)
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
    tell: Tell,
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

    dialogue = Dialogue(Conductor(searches, begin, spending.spent), grounds, spending, tell)
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
