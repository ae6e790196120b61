"""The sealed last span of a study: where it begins, and what bets on it return."""

from dataclasses import dataclass, fields, replace

import numpy as np

from farm.backtest import Backtest, Orders
from farm.backtest.result import Counts, Trades
from farm.bars import Loaded
from farm.config import Experiment
from farm.errors import BadInput
from farm.final import FinalModel
from farm.folds import lockbox_start
from farm.models import Catalog
from farm.panel import PanelRecipe
from farm.pooled_study import with_parts
from farm.run.panels import build_panels, open_panel, panel_key
from farm.run.plan import StudyPlan, plan_study
from farm.run.pool import describe_member, describe_pool, stored_member
from farm.run.prepare import PreparedStudy, describe
from farm.stack import Stack
from farm.store import Store
from farm.study import market_of

_NO_LIMIT = 2**31


@dataclass(frozen=True)
class SealedSpan:
    """What is sealed of one symbol: its bars that open from ``since`` on, to ``until``, the last one's close, ns UTC.

    ``since`` is None where the symbol has no bar there.
    """

    symbol: str
    since: int | None
    until: int


@dataclass(frozen=True)
class Sealed:
    """A study whose lockbox may be opened: its fits, and what is sealed of each of its symbols."""

    plan: StudyPlan
    parts: tuple[SealedSpan, ...]

    @property
    def span(self) -> tuple[int, int]:
        """First and last moment of the sealed span, ns UTC; of a pool, of any of its symbols."""
        there = [(one.since, one.until) for one in self.parts if one.since is not None]
        return min(since for since, _ in there), max(until for _, until in there)


def sealed_study(experiment: Experiment, catalog: Catalog, symbol: str) -> Sealed:
    """A study of a finished run, or the pool that it is, from its data and what is stored of it.

    Raises
    ------
    BadInput
        The run searched; its fits are not stored, or its data or Farm's code has changed.
    """
    if experiment.pool is not None:
        return _sealed_pool(experiment, catalog)
    if experiment.search is not None:
        raise BadInput(
            f"{symbol}: the run searched, and what each group picked is no one model that could be refitted; run the "
            "parameters that most groups picked (summary.json, under search) as an experiment without a search, then "
            "open the lockbox of that run"
        )
    loaded, store = experiment.bars.read(symbol), Store(experiment.where)
    _require_panels(experiment, catalog, symbol, loaded)
    prepared = describe(experiment, loaded, build_panels(experiment, loaded, catalog, store))
    plan = _with_fits(experiment, catalog, prepared)
    bars = loaded.bars
    since = int(bars.open_time[lockbox_start(bars.session, experiment.folds.lockbox)])
    return Sealed(plan, (SealedSpan(symbol, since, int(bars.available_at[-1])),))


def _sealed_pool(experiment: Experiment, catalog: Catalog) -> Sealed:
    store, members, opens = Store(experiment.where), [], []
    for symbol in sorted(experiment.bars.symbols):  # one after the other: nobody holds the bars of all
        own = experiment.of(symbol)
        loaded = own.bars.read(symbol)
        _require_panels(own, catalog, symbol, loaded)
        member = stored_member(own, symbol)
        members.append(member or describe_member(own, loaded, build_panels(own, loaded, catalog, store)))
        days, first = np.unique(loaded.bars.session, return_index=True)
        opens.append((days, loaded.bars.open_time[first], int(loaded.bars.available_at[-1])))
    prepared = describe_pool(experiment, members, [open_panel(store, one.panel.key) for one in members])
    plan = _with_fits(experiment, catalog, prepared)
    assert prepared.sealed is not None  # for a share of the bars is sealed
    parts = []
    for symbol, (days, opened, until) in zip(prepared.symbols, opens, strict=True):
        later = opened[days >= prepared.sealed]
        parts.append(SealedSpan(symbol, int(later[0]) if len(later) else None, until))
    return Sealed(plan, tuple(parts))


def _require_panels(experiment: Experiment, catalog: Catalog, symbol: str, loaded: Loaded) -> None:
    store = Store(experiment.where)
    if not all(store.has("panels", panel_key(one, loaded)) for one in experiment.recipes(catalog).values()):
        raise _missing(symbol)


def _with_fits(experiment: Experiment, catalog: Catalog, prepared: PreparedStudy) -> StudyPlan:
    """The plan of a study whose fits are all stored."""
    plan = plan_study(experiment, prepared, catalog)
    keys = {chunk.key for chunk in plan.chunks}
    if len(Store(experiment.where).have("fits", list(keys))) < len(keys):
        raise _missing(prepared.symbol)
    return plan


def _missing(symbol: str) -> BadInput:
    return BadInput(
        f"{symbol}: the fits of this run are not stored, or its data or Farm's code has changed since; run its "
        "experiment again, then open the lockbox of that run"
    )


def bets_on(experiment: Experiment, catalog: Catalog, sealed: Sealed, final: FinalModel) -> Backtest:
    """What the candidate's bets on the sealed span return; on a pool the mean over its symbols, with its parts.

    Raises
    ------
    BadInput
        No decision bar lies there.
    """
    found = [_bets(experiment.of(one.symbol), catalog, one, final) for one in sealed.parts]
    there = [one for one in found if one is not None]
    if not there:
        raise BadInput(
            f"{sealed.plan.symbol}: no bar of {experiment.decisions.timeframe} lies in the sealed span, so nothing can "
            "be seen there; seal more by folds.lockbox"
        )
    if not sealed.plan.prepared.members:
        return there[0]
    return with_parts([_nothing(there[0]) if one is None else one for one in found])


def _nothing(like: Backtest) -> Backtest:
    """The backtest of a symbol without a bar in the span."""
    none = {one.name: getattr(like.trades, one.name)[:0] for one in fields(Trades) if one.name != "cost_multiple"}
    return replace(
        like,
        n_bars=0,
        sessions=like.sessions[:0],
        gross=like.gross[:0],
        instrument_cost=like.instrument_cost[:0],
        trades=replace(like.trades, **none),
        counts=Counts(*(0 for _ in fields(Counts))),
    )


def _bets(experiment: Experiment, catalog: Catalog, part: SealedSpan, final: FinalModel) -> Backtest | None:
    """The bets on one symbol; features may look back into the development span, as they would live.

    None where the symbol has no bar in the sealed span.
    """
    if part.since is None:
        return None
    loaded, since = experiment.bars.read(part.symbol), part.since
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
    if len(bars) == 0:
        return None
    events = whole.events.take(rows)
    events = replace(
        events, row=events.row - first, entry_row=events.entry_row - first, exit_row=events.exit_row - first
    )
    columns = (experiment.stack or Stack()).reads()
    market = market_of(whole, experiment.backtest, loaded.instrument, columns).take(rows)
    panels = {name: built[recipe] for name, recipe in recipes.items()}
    size = final.decide(panels, events.decided_at, since, market).size if len(rows) else np.zeros(0)
    return experiment.backtest.backtest(bars, Orders.of_events(events, size), loaded.instrument)


def _whole(recipe: PanelRecipe) -> PanelRecipe:
    """The recipe with nothing sealed and no limit."""
    return replace(recipe, lockbox=0.0, decisions=recipe.decisions.model_copy(update={"limit": _NO_LIMIT}))
