"""One candidate of a finished run as it would be deployed: refitted on the development span of its study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from farm.bars.timeframe import nanoseconds
from farm.config import Experiment
from farm.final import FinalModel, fit_base_finally, fit_pipeline_finally
from farm.models import Catalog
from farm.panel import Panel
from farm.pooled_study import PooledRecipe, joined
from farm.run.panels import open_panel, panels_by_model
from farm.run.plan import StudyPlan, roles_of
from farm.run.pooled_fits import open_pool, read_pool
from farm.run.work import read_chunks
from farm.stack import Stack, build_lattice
from farm.stack.lattice import Lattice
from farm.stack.provenance import Records
from farm.stack.steps import Market
from farm.store import Store
from farm.study import STACK, StudyRecipe, market_of


@dataclass(frozen=True, eq=False)
class Development:
    """What is known of a study's development span: the panels its bases read, and what these said out of fold."""

    panel: Panel
    panels: Mapping[str, Panel]
    lattice: Lattice
    records: Records
    market: Market
    max_age: int | None


def refit(experiment: Experiment, catalog: Catalog, plan: StudyPlan, trial: str) -> tuple[FinalModel, Panel]:
    """The candidate as it would be deployed, from the development panel and its stored out-of-fold predictions.

    The bases of a pool are fitted by this process on the rows of all its symbols, whatever engine made its fits.
    """
    stack = (experiment.stack or Stack()).seeded(experiment.seed)
    recipe = StudyRecipe(roles_of(experiment, catalog), stack, experiment.backtest, plan.prepared.instrument)
    bases, steps = (recipe.bases(), stack.complete()) if trial == STACK else ((trial,), stack.for_one_base())
    known = (_of_pool if plan.prepared.members else _of_symbol)(experiment, catalog, plan, bases)
    models = experiment.all_models()
    with threadpool_limits(experiment.threads):
        fitted = {
            name: fit_base_finally(
                known.panels[name], name, models[name], catalog,
                seed=experiment.seed, threads=experiment.threads,
                keep=experiment.recipe_of(models[name], catalog).features.keep, selection=experiment.selection,
            )
            for name in bases
        }  # fmt: skip
    growth = [
        np.count_nonzero(known.panels[name].events.labelled)
        / np.mean([record.n_train + record.n_tail for record in known.records[name].values()])
        for name in bases
    ]
    pipeline = fit_pipeline_finally(steps, bases, known.lattice, known.panel.events, known.market, stack.missing)
    return FinalModel(fitted, pipeline, float(np.mean(growth)), known.max_age), known.panel


def _of_symbol(experiment: Experiment, catalog: Catalog, plan: StudyPlan, bases: Sequence[str]) -> Development:
    store, prepared, stack = Store(experiment.where), plan.prepared, experiment.stack or Stack()
    panel = open_panel(store, prepared.panel_key)
    panels = panels_by_model(store, prepared.panels, experiment.recipes(catalog))
    predictions, records = read_chunks(store, [chunk for chunk in plan.chunks if chunk.name in bases])
    times = {name: panels[name].events.decided_at for name in bases}
    max_age = stack.max_age(nanoseconds(panel.bars.timeframe))
    lattice = build_lattice(prepared.plan, panel.events.decided_at, predictions, own=times, max_age=max_age)
    market = market_of(panel, experiment.backtest, prepared.instrument, stack.reads())
    return Development(panel, panels, lattice, records, market, max_age)


def _of_pool(experiment: Experiment, catalog: Catalog, plan: StudyPlan, bases: Sequence[str]) -> Development:
    store, prepared, stack = Store(experiment.where), plan.prepared, experiment.stack or Stack()
    pool = open_pool(store, prepared.member_keys, prepared.sealed)
    chunks = [chunk for chunk in plan.chunks if chunk.name in bases]
    predictions, records = read_pool(store, chunks, len(prepared.members))
    max_age = stack.max_age(nanoseconds(pool.bars.timeframe))
    lattices = [
        build_lattice(prepared.plan, one.events.decided_at, said, max_age=max_age)
        for one, said in zip(pool.members, predictions, strict=True)
    ]
    instruments = tuple(one.instrument for one in prepared.members)
    recipe = PooledRecipe(
        roles_of(experiment, catalog), stack, experiment.backtest, prepared.instrument, instruments=instruments
    )
    market = recipe.market(pool, stack.reads())
    return Development(pool, dict.fromkeys(bases, pool), joined(pool, lattices), records[0], market, max_age)
