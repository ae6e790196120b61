"""Opening a study's lockbox: one candidate, refitted on the development span, on the span that nobody has seen."""

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from farm.backtest import Backtest, Orders, metrics
from farm.bars import Loaded
from farm.config import Experiment
from farm.errors import BadInput
from farm.final import FinalModel, fit_base_finally, fit_pipeline_finally
from farm.folds import lockbox_start
from farm.ledger import LockboxOpening, open_lockbox
from farm.models import Catalog, installed
from farm.panel import Panel, PanelRecipe
from farm.run.folder import RunFolder
from farm.run.plan import StudyPlan, plan_study, roles_of
from farm.run.prepare import describe, open_panel, panel_key
from farm.run.reproduce import experiment_of
from farm.run.work import read_chunks
from farm.stack import Market, Stack, build_lattice
from farm.stats import bootstrap_interval, probabilistic_sharpe_ratio
from farm.store import Store
from farm.study import STACK

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
    if not experiment.folds.lockbox:
        raise BadInput(f"{folder.place}: folds.lockbox is 0, so this run sealed nothing; nothing is left to open")
    summary = folder.read_json("summary.json")
    if summary is None:
        raise BadInput(f"{folder.place}: this run did not finish; run its experiment again first")
    candidate = _chosen(summary, symbol, trial, folder.place)
    sealed = _sealed(experiment, catalog, candidate["symbol"])
    final, panel = _refit(experiment, catalog, sealed.plan, candidate["trial"])
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
    open_lockbox(home, sealed.plan.ledger_name, opening)
    found = _evaluate(experiment, sealed, final)
    told = {
        **dataclasses.asdict(opening),
        **_described(found, sealed.plan.prepared.sessions_per_year, experiment.seed),
        "development_sharpe": candidate["sharpe"],
        "development_events": len(panel),
        "training_growth": final.training_growth,
    }
    earlier = (folder.read_json(FILE) or {"openings": []})["openings"]
    folder.write_json(FILE, {"openings": [*earlier, told]})
    return told


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
    loaded = experiment.bars.read(symbol)
    store, key = Store(experiment.where), panel_key(experiment, loaded)
    missing = BadInput(
        f"{symbol}: the fits of this run are not stored, or its data or Farm's code has changed since; run its "
        "experiment again, then open the lockbox of that run"
    )
    if not store.has("panels", key):
        raise missing
    plan = plan_study(experiment, describe(experiment, loaded, open_panel(store, key), key), catalog)
    keys = [chunk.key for chunk in plan.chunks]
    if len(store.have("fits", keys)) < len(set(keys)):
        raise missing
    return Sealed(loaded, plan, lockbox_start(loaded.bars.session, experiment.folds.lockbox))


def _refit(experiment: Experiment, catalog: Catalog, plan: StudyPlan, trial: str) -> tuple[FinalModel, Panel]:
    """The candidate as it would be deployed, from the development panel and its stored out-of-fold predictions."""
    store = Store(experiment.where)
    panel = open_panel(store, plan.prepared.panel_key)
    stack = experiment.stack or Stack()
    candidates = [name for name, role in roles_of(experiment, catalog).items() if role == "candidate"]
    bases, steps = (candidates, stack.complete()) if trial == STACK else ([trial], stack.for_one_base())
    predictions, records = read_chunks(store, [chunk for chunk in plan.chunks if chunk.name in bases])
    lattice = build_lattice(plan.prepared.plan, panel.events.decided_at, predictions)
    with threadpool_limits(experiment.threads):
        fitted = {
            name: fit_base_finally(
                panel, name, experiment.models[name], catalog,
                seed=experiment.seed, threads=experiment.threads,
                keep=experiment.features.keep, selection=experiment.selection,
            )
            for name in bases
        }  # fmt: skip
    seen = np.mean([record.n_train + record.n_tail for name in bases for record in records[name].values()])
    growth = float(np.count_nonzero(panel.events.labelled) / seen)
    return FinalModel(fitted, fit_pipeline_finally(steps, bases, lattice, panel.events), growth), panel


def _evaluate(experiment: Experiment, sealed: Sealed, final: FinalModel) -> Backtest:
    """The candidate's bets on the sealed span; features may look back into the development span, as they would live."""
    loaded = sealed.loaded
    decisions = experiment.decisions.model_copy(update={"limit": _NO_LIMIT})
    whole = PanelRecipe(decisions, experiment.features, experiment.labels, 0.0).build(
        loaded.bars, loaded.instrument.calendar, threads=experiment.threads
    )
    rows = np.flatnonzero(whole.events.decided_at > loaded.bars.open_time[sealed.first])
    first = int(np.searchsorted(whole.bars.open_time, loaded.bars.open_time[sealed.first]))
    bars = whole.bars.between(first, len(whole.bars))
    events = whole.events.take(rows)
    events = replace(
        events, row=events.row - first, entry_row=events.entry_row - first, exit_row=events.exit_row - first
    )
    market = Market(
        volatility=events.volatility / bars.close[events.row],
        cost=experiment.backtest.round_trips(bars, events.row, loaded.instrument),
    )
    decision = final.decide(whole.values[rows], market)
    return experiment.backtest.backtest(bars, Orders.of_events(events, decision.size), loaded.instrument)


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
