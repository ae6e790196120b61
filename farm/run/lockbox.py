"""Opening a study's lockbox: one candidate, refitted on the development span, on the span that nobody has seen."""

import dataclasses
import getpass
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from farm.backtest import Backtest, Orders, metrics
from farm.bars import Loaded
from farm.bars.timeframe import nanoseconds
from farm.config import Experiment
from farm.errors import BadInput
from farm.final import FinalModel, fit_base_finally, fit_pipeline_finally
from farm.folds import lockbox_start
from farm.ledger import LockboxOpening, open_lockbox
from farm.models import Catalog, installed
from farm.panel import Panel, PanelRecipe
from farm.report import write_report
from farm.run.folder import RunFolder
from farm.run.panels import build_panels, open_panel, panel_key, panels_by_model
from farm.run.plan import StudyPlan, plan_study, roles_of
from farm.run.prepare import describe
from farm.run.reproduce import experiment_of
from farm.run.work import read_chunks
from farm.stack import Stack, build_lattice
from farm.stats import bootstrap_interval, probabilistic_sharpe_ratio
from farm.store import Store
from farm.study import STACK, StudyRecipe, market_of

FILE = "lockbox.json"
_FEWEST_SESSIONS = 8  # the bootstrap's least
_NO_LIMIT = 2**31


@dataclass(frozen=True)
class Sealed:
    """A study whose lockbox may be opened: its data, its fits, and where the sealed span begins among its base bars."""

    loaded: Loaded
    plan: StudyPlan
    first: int


def open_sealed(
    folder: RunFolder, home: str, *, symbol: str | None = None, trial: str | None = None, reopen: str = ""
) -> dict[str, Any]:
    """Evaluate one candidate of a finished run on its lockbox; the look is recorded before it is taken.

    Parameters
    ----------
    symbol, trial
        Which candidate; by default the one that passed.
    reopen
        Why the span is looked at again, when it was before; the reason stands in the ledger.

    Returns
    -------
    dict
        The opening and what came of it, as it is added to the run's ``lockbox.json``.

    Raises
    ------
    BadInput
        Nothing or more than one candidate passed and none was named; the run sealed nothing; its fits are not stored,
        or its data has changed; the span was opened before and there is no reason.
    """
    experiment, catalog = experiment_of(folder).model_copy(update={"home": home}), installed()
    if experiment.pool is not None:
        raise BadInput(f"{folder.place}: is the run of a pool, whose lockbox cannot be opened: it stays sealed")
    if not experiment.folds.lockbox:
        raise BadInput(f"{folder.place}: folds.lockbox is 0, so this run sealed nothing; nothing is left to open")
    summary = folder.read_json("summary.json")
    if summary is None:
        raise BadInput(f"{folder.place}: this run did not finish; run its experiment again first")
    candidate = _chosen(summary, symbol, trial, folder.place)
    experiment = experiment.of(candidate["symbol"])
    sealed = _sealed(experiment, catalog, candidate["symbol"])
    final, panel = _refit(experiment, catalog, sealed, candidate["trial"])
    base = sealed.loaded.bars
    opening = LockboxOpening(
        symbol=candidate["symbol"],
        start=int(base.open_time[sealed.first]),
        end=int(base.available_at[-1]),
        trial=candidate["trial"],
        run=folder.run_id,
        opened_at=time.time_ns(),
        reason=reopen,
    )
    try:
        open_lockbox(home, sealed.plan.ledger_name, opening)
    except BadInput as error:
        asked = {"symbol": opening.symbol, "trial": opening.trial, "by": _person(), "asked_at": opening.opened_at}
        _note(folder, "refusals", {**asked, "said": str(error)})
        raise
    found = _evaluate(experiment, catalog, sealed, final)
    told = {
        **dataclasses.asdict(opening),
        **_described(found, sealed.plan.prepared.sessions_per_year, experiment.seed),
        "development_sharpe": candidate["sharpe"],
        "development_events": len(panel),
        "training_growth": final.training_growth,
        "by": _person(),
    }
    _note(folder, "openings", told)
    return told


def _note(folder: RunFolder, kind: Literal["openings", "refusals"], told: Mapping[str, Any]) -> None:
    """Add to the run's ``lockbox.json`` and to its report what was looked at, or what was not to be."""
    said = {"openings": [], "refusals": []} | (folder.read_json(FILE) or {})
    folder.write_json(FILE, {**said, kind: [*said[kind], told]})
    write_report(folder.fetch())
    folder.keep("report.html")


def _person() -> str:
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (OSError, KeyError):  # a container may run as a number that has no name
        return f"user {os.getuid()} on {platform.node()}"


def _chosen(summary: Mapping[str, Any], symbol: str | None, trial: str | None, place: str) -> dict[str, Any]:
    known = [
        {
            "symbol": study["symbol"],
            "trial": one["trial"],
            "verdict": one["verdict"],
            "sharpe": one["evidence"]["sharpe"],
        }
        for study in summary["studies"]
        for one in study["candidates"]
    ]
    named = symbol is not None or trial is not None
    fitting = [
        one
        for one in known
        if (one["symbol"] == symbol or symbol is None)
        and (one["trial"] == trial or trial is None)
        and (named or one["verdict"] == "PASS")
    ]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{one['symbol']}/{one['trial']} ({one['verdict']})" for one in fitting or known)
    what = (
        ("several candidates fit" if named else "several candidates passed")
        if fitting
        else ("no candidate fits" if named else "nothing passed")
    )
    raise BadInput(
        f"{place}: {what}; a lockbox is opened for one candidate, so name it by --symbol and --trial: {listed}"
    )


def _sealed(experiment: Experiment, catalog: Catalog, symbol: str) -> Sealed:
    if experiment.search is not None:
        raise BadInput(
            f"{symbol}: the run searched, and what each group picked is no one model that could be refitted; run the "
            "parameters that most groups picked (summary.json, under search) as an experiment without a search, then "
            "open the lockbox of that run"
        )
    loaded = experiment.bars.read(symbol)
    store = Store(experiment.where)
    missing = BadInput(
        f"{symbol}: the fits of this run are not stored, or its data or Farm's code has changed since; run its "
        "experiment again, then open the lockbox of that run"
    )
    if not all(store.has("panels", panel_key(one, loaded)) for one in experiment.recipes(catalog).values()):
        raise missing
    plan = plan_study(
        experiment, describe(experiment, loaded, build_panels(experiment, loaded, catalog, store)), catalog
    )
    keys = [chunk.key for chunk in plan.chunks]
    if len(store.have("fits", keys)) < len(set(keys)):
        raise missing
    return Sealed(loaded, plan, lockbox_start(loaded.bars.session, experiment.folds.lockbox))


def _refit(experiment: Experiment, catalog: Catalog, sealed: Sealed, trial: str) -> tuple[FinalModel, Panel]:
    """The candidate as it would be deployed, from the development panel and its stored out-of-fold predictions."""
    store, plan = Store(experiment.where), sealed.plan
    panel = open_panel(store, plan.prepared.panel_key)
    panels = panels_by_model(store, plan.prepared.panels, experiment.recipes(catalog))
    stack = (experiment.stack or Stack()).seeded(experiment.seed)
    recipe = StudyRecipe(roles_of(experiment, catalog), stack, experiment.backtest, plan.prepared.instrument)
    bases, steps = (recipe.bases(), stack.complete()) if trial == STACK else ((trial,), stack.for_one_base())
    predictions, records = read_chunks(store, [chunk for chunk in plan.chunks if chunk.name in bases])
    max_age = stack.max_age(nanoseconds(panel.bars.timeframe))
    times = {name: panels[name].events.decided_at for name in bases}
    lattice = build_lattice(plan.prepared.plan, panel.events.decided_at, predictions, own=times, max_age=max_age)
    models = experiment.all_models()
    with threadpool_limits(experiment.threads):
        fitted = {
            name: fit_base_finally(
                panels[name], name, models[name], catalog,
                seed=experiment.seed, threads=experiment.threads,
                keep=experiment.recipe_of(models[name], catalog).features.keep, selection=experiment.selection,
            )
            for name in bases
        }  # fmt: skip
    growth = [
        np.count_nonzero(panels[name].events.labelled)
        / np.mean([record.n_train + record.n_tail for record in records[name].values()])
        for name in bases
    ]
    market = market_of(panel, experiment.backtest, plan.prepared.instrument, stack.reads())
    pipeline = fit_pipeline_finally(steps, bases, lattice, panel.events, market, stack.missing)
    return FinalModel(fitted, pipeline, float(np.mean(growth)), max_age), panel


def _evaluate(experiment: Experiment, catalog: Catalog, sealed: Sealed, final: FinalModel) -> Backtest:
    """The candidate's bets on the sealed span; features may look back into the development span, as they would live."""
    loaded, since = sealed.loaded, int(sealed.loaded.bars.open_time[sealed.first])
    models = experiment.all_models()
    recipes = {name: _whole(experiment.recipe_of(models[name], catalog)) for name in final.bases}
    clock = _whole(experiment.panel)
    built = {
        recipe: recipe.build(loaded.bars, loaded.instrument.calendar, threads=experiment.threads)
        for recipe in {clock, *recipes.values()}
    }
    whole = built[clock]
    rows = np.flatnonzero(whole.events.decided_at > since)
    first = int(np.searchsorted(whole.bars.open_time, since))
    bars = whole.bars.between(first, len(whole.bars))
    events = whole.events.take(rows)
    events = replace(
        events, row=events.row - first, entry_row=events.entry_row - first, exit_row=events.exit_row - first
    )
    columns = (experiment.stack or Stack()).reads()
    market = market_of(whole, experiment.backtest, loaded.instrument, columns).take(rows)
    panels = {name: built[recipe] for name, recipe in recipes.items()}
    decision = final.decide(panels, events.decided_at, since, market)
    return experiment.backtest.backtest(bars, Orders.of_events(events, decision.size), loaded.instrument)


def _whole(recipe: PanelRecipe) -> PanelRecipe:
    """The recipe with nothing sealed and no limit."""
    return replace(recipe, lockbox=0.0, decisions=recipe.decisions.model_copy(update={"limit": _NO_LIMIT}))


def _described(found: Backtest, sessions_per_year: float, seed: int) -> dict[str, Any]:
    measured = dataclasses.asdict(metrics(found, sessions_per_year))
    low = high = above_zero = None
    if len(found.net) >= _FEWEST_SESSIONS and np.ptp(found.net) > 0:
        interval = bootstrap_interval(found.net, "sharpe", seed=seed, threads=1)
        annual = float(np.sqrt(sessions_per_year))
        low, high = interval.low * annual, interval.high * annual
        above_zero = float(probabilistic_sharpe_ratio(found.net))
    return {
        "sessions": len(found.net),
        "sharpe_low": low,
        "sharpe_high": high,
        "probabilistic_sharpe": above_zero,
        "metrics": measured,
    }
