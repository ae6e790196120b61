"""The first phases of a run, one by one, as the driver makes them: benchmarks of the fits start and stop between."""

from collections.abc import Sequence

from farm.config import Experiment, load_experiment
from farm.models import installed
from farm.run.executor import Executor, Work
from farm.run.plan import FitChunk, StudyPlan, plan_study
from farm.run.prepare import PanelSpec, prepare_study, stored_study
from farm.run.work import ChunkDone, fit_chunk, lost_chunk
from farm.store import Store


def opened(file: str, home: str) -> Experiment:
    """The experiment of a file, in a home that is made."""
    experiment = load_experiment(file, [f"home={home}"])
    Store(experiment.where).create()
    return experiment


def planned(experiment: Experiment, executor: Executor) -> list[StudyPlan]:
    """Every study, its panels built and stored unless they are."""
    stored = [stored_study(experiment, symbol) for symbol in experiment.bars.symbols]
    prepared = {one.symbol: one for one in stored if one is not None}
    work = Work("prepare panels", prepare_study, lambda spec: spec.symbol)
    missing = [PanelSpec(experiment, symbol) for symbol in experiment.bars.symbols if symbol not in prepared]
    prepared |= {one.symbol: one for one in executor.map(work, missing)}
    return [plan_study(experiment, prepared[symbol], installed()) for symbol in experiment.bars.symbols]


def fitted(executor: Executor, chunks: Sequence[FitChunk]) -> list[ChunkDone]:
    """What became of every chunk."""
    work = Work("fit chunks", fit_chunk, lambda chunk: chunk.label, lost_chunk, seconds=lambda chunk: chunk.seconds)
    return list(executor.map(work, chunks))
