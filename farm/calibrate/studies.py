"""The studies of an experiment on artificial markets, bars to net returns, in memory: all that there is to judge."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from farm.backtest import metrics
from farm.calibrate.oracle import oracle_backtest, synthetic
from farm.calibrate.own import own_sharpe
from farm.config import Experiment
from farm.errors import BadInput
from farm.fit import FitRecord, fit, fit_seed
from farm.models import Catalog, installed
from farm.run.panels import build_panels
from farm.run.plan import roles_of
from farm.run.prepare import describe
from farm.stats import column_sharpes
from farm.study import StudyRecipe

Float = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarketStudy:
    """One study, run: nothing in it depends on a rule of the verdict, so that a changed rule needs no new fit.

    ``returns`` are the candidates' headline net returns, shape (sessions, candidates), ``oracle`` the annual net Sharpe
    ratio of who knew the conditional mean, ``best`` the candidate of the highest Sharpe ratio (None: nobody traded) and
    ``own_sharpe`` what that one is worth on fresh bars, where this was asked for and it trades there.
    """

    candidates: tuple[str, ...]
    returns: Float
    sessions_per_year: float
    smallest_group: int
    faults: tuple[str, ...]
    oracle: float | None
    best: str | None
    own_sharpe: float | None


def run_studies(experiment: Experiment, *, measure_worth: bool) -> Mapping[str, MarketStudy]:
    """Every symbol's study, in this process with the experiment's threads."""
    catalog = _catalog()
    with threadpool_limits(experiment.threads):
        return {symbol: _run(experiment, symbol, catalog, measure_worth) for symbol in experiment.bars.symbols}


@cache
def _catalog() -> Catalog:
    return installed()  # looking for what is installed takes as long as a small study


def _run(experiment: Experiment, symbol: str, catalog: Catalog, measure_worth: bool) -> MarketStudy:
    loaded = synthetic(experiment).read(symbol)
    panels = build_panels(experiment, loaded, catalog)
    if len(panels) > 1:
        own = next(one.models[0] for one in reversed(panels.values()))
        raise BadInput(f"models.{own}: calibration knows models on the experiment's own decisions and features only")
    prepared = describe(experiment, loaded, panels)
    panel = panels[experiment.panel.digest()].panel
    predictions: dict[str, dict[int, tuple[NDArray[np.int64], Float]]] = {}
    records: dict[str, dict[int, FitRecord]] = {}
    for name, model in experiment.all_models().items():
        for split in range(len(prepared.plan.splits)):
            seed = fit_seed(experiment.seed, name, split)
            done = fit(
                panel, prepared.plan, model, catalog, split,
                seed=seed, threads=experiment.threads, keep=experiment.features.keep, selection=experiment.selection,
            )  # fmt: skip
            predictions.setdefault(name, {})[split] = (panel.events.decided_at[done.rows], done.probability)
            records.setdefault(name, {})[split] = done.record
    recipe = StudyRecipe(roles_of(experiment, catalog), experiment.stack, experiment.backtest, loaded.instrument)
    study = recipe.run(panel, prepared.plan, predictions, records)
    market = synthetic(experiment).market(symbol)
    oracle = oracle_backtest(experiment, market, loaded.bars, panel.bars, panel.events)
    series = study.candidate_returns()
    returns = np.column_stack(tuple(series.values()))
    best = _best(tuple(series), returns)
    return MarketStudy(
        candidates=tuple(series),
        returns=returns,
        sessions_per_year=prepared.sessions_per_year,
        smallest_group=min(group.n_events for group in prepared.plan.groups),
        faults=tuple(f"provenance: {violation}" for violation in study.proof.violations),
        oracle=metrics(oracle, prepared.sessions_per_year).sharpe,
        best=best,
        own_sharpe=own_sharpe(experiment, symbol, panel, prepared.plan, study.lattice, best, catalog)
        if measure_worth and best is not None
        else None,
    )


def _best(names: tuple[str, ...], returns: Float) -> str | None:
    sharpes = column_sharpes(returns)
    return None if np.isnan(sharpes).all() else names[int(np.nanargmax(sharpes))]
