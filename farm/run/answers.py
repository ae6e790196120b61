"""What a worker answers to a search's question: the fits it asks for, made unless stored, and their loss."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from farm.config import Experiment
from farm.models import Catalog, Model, installed
from farm.run.chunks import FitChunk, chunks_of_one_configuration
from farm.run.panels import open_panel
from farm.run.prepare import PreparedStudy
from farm.run.work import ChunkDone, Failure, fit_chunk, read_chunks
from farm.search import Asked, Configuration, Question, Rows, configured, configured_name, loss
from farm.stack.nested import outcomes_of
from farm.store import Store
from farm.study import market_of


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
