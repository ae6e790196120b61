"""What a candidate is truly worth: the rule that it trades, on a fresh stretch ten times as long."""

from collections.abc import Mapping

import numpy as np

from farm.backtest import Orders, metrics
from farm.bars import Instrument
from farm.calibrate.oracle import synthetic
from farm.config import Experiment
from farm.evidence import Thresholds
from farm.fit import FittedBase, fit_seed, train_base, with_tail
from farm.folds import FoldPlan
from farm.models import Catalog
from farm.panel import Panel
from farm.stack import Market, fit_pipeline
from farm.stack.lattice import Lattice
from farm.stack.nested import outcomes_of
from farm.stats import verdict_deflated_sharpe
from farm.study import STACK

_TIMES_AS_LONG = 10
_FRESH = 1_000_000_000  # seeds of fresh stretches; those of the markets stay below
_SERIES = 400


def own_sharpe(
    experiment: Experiment,
    symbol: str,
    panel: Panel,
    plan: FoldPlan,
    lattice: Lattice,
    candidate: str,
    catalog: Catalog,
) -> float | None:
    """Annual net Sharpe ratio of one candidate on bars that nothing saw, ten times as long; None where it never trades.

    A headline bets, on each group g, by the mean over h of what the pipeline F_g makes of the bases of pair {g, h}. The
    rule measured here is that one, for one g, which turns with the seed: no row of g trained anything in it.
    """
    group = experiment.seed % len(plan.groups)
    names = tuple(experiment.models) if candidate == STACK else (candidate,)
    stack = experiment.stack
    if stack is None:
        raise ValueError("calibration measures candidates of an experiment with a stack; write a section stack")
    steps = stack.complete() if candidate == STACK else stack.for_one_base()
    rows = plan.train_rows(panel.events.decided_at, panel.events.exited_at, (group,))
    rows = rows[panel.events.labelled[rows]]
    learned = {name: lattice.probability[name][rows, group] for name in names}
    longer = _longer(experiment)
    loaded = synthetic(longer).read(symbol)
    known = _market(experiment, panel, loaded.instrument).take(rows)
    pipeline = fit_pipeline(steps, learned, outcomes_of(panel.events, rows), known, stack.missing)
    fresh = longer.panel.build(loaded.bars, loaded.instrument.calendar)
    account, market = experiment.backtest, _market(experiment, fresh, loaded.instrument)
    sizes = []
    for split, held_out in enumerate(plan.splits):
        if group in held_out:
            bases = _bases(experiment, names, panel, plan, split, catalog)
            sizes.append(
                pipeline.apply({name: base.predict(fresh.values) for name, base in bases.items()}, market).size
            )
    backtest = account.backtest(fresh.bars, Orders.of_events(fresh.events, np.mean(sizes, axis=0)), loaded.instrument)
    return metrics(backtest, loaded.instrument.calendar.sessions_per_year).sharpe


def _market(experiment: Experiment, panel: Panel, instrument: Instrument) -> Market:
    at = panel.events.row
    return Market(
        volatility=panel.events.volatility / panel.bars.close[at],
        cost=experiment.backtest.round_trips(panel.bars, at, instrument),
    )


def chance_on_independent_returns(
    sharpe: float, *, sessions: int, sessions_per_year: float, n_trials: float, thresholds: Thresholds, seed: int
) -> float:
    """How often independent normal returns of this annual Sharpe ratio pass the same deflation, in 400 series.

    >>> about_half = chance_on_independent_returns(
    ...     1.16, sessions=504, sessions_per_year=252, n_trials=1, thresholds=Thresholds(), seed=0)
    >>> 0.4 < about_half < 0.6
    True
    """
    rng = np.random.default_rng([_FRESH, seed])
    series = rng.standard_normal((_SERIES, sessions)) + sharpe / np.sqrt(sessions_per_year)
    probabilities = [verdict_deflated_sharpe(returns, n_trials) for returns in series]
    return float(np.mean([known is not None and 1 - known <= thresholds.alpha for known in probabilities]))


def _longer(experiment: Experiment) -> Experiment:
    source = synthetic(experiment)
    values = experiment.model_dump(mode="json", exclude_none=True)
    values["bars"] |= {"years": source.years * _TIMES_AS_LONG, "seed": _FRESH + source.seed}
    values["decisions"]["limit"] *= _TIMES_AS_LONG
    return Experiment.model_validate(values)


def _bases(
    experiment: Experiment, names: tuple[str, ...], panel: Panel, plan: FoldPlan, split: int, catalog: Catalog
) -> Mapping[str, FittedBase]:
    """The bases of one split as the experiment fitted them."""
    events, trained = panel.events, {}
    for name in names:
        model = experiment.models[name]
        train = plan.train_rows(events.decided_at, events.exited_at, plan.splits[split])
        rows, tail = with_tail(events, train[events.labelled[train]], model, catalog)
        trained[name] = train_base(
            panel, rows, tail, model, catalog,
            seed=fit_seed(experiment.seed, name, split), threads=experiment.threads,
            keep=experiment.features.keep, selection=experiment.selection,
        )  # fmt: skip
    return trained
