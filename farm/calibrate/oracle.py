"""What somebody would earn who knew the artificial market's conditional mean: the measure of a planted edge."""

import numpy as np

from farm.backtest import Backtest, Orders, metrics
from farm.bars import Bars, SyntheticBars, resample
from farm.bars.market import Market
from farm.config import Experiment
from farm.labels import Events

_LONG_YEARS = 20.0
_STEPS = 9


def oracle_backtest(experiment: Experiment, market: Market, base: Bars, bars: Bars, events: Events) -> Backtest:
    """The oracle's backtest of these events.

    The oracle sees the market's signal and volatility at every decision. It trades on the clock, with the positions,
    exits and costs of the experiment: the side of the conditional mean wherever that exceeds the cost of the round
    trip. How much of the next bar's mean lasts until the exit is one number, the least-squares slope over the events.

    Parameters
    ----------
    market, base
        The artificial market and its base bars, position by position.
    bars, events
        The decision bars and their events.
    """
    at = np.searchsorted(base.available_at, events.decided_at)
    mean = market.signal[at] * market.volatility[at]
    known = events.labelled
    information = float(np.sum(mean[known] ** 2))
    lasting = float(np.sum(mean[known] * events.ret[known])) / information if information > 0 else 0.0
    instrument = synthetic(experiment).read(base.symbol).instrument
    cost = experiment.backtest.round_trips(bars, events.row, instrument)
    size = np.where(np.abs(lasting * mean) > cost, np.sign(lasting * mean), 0.0)
    return experiment.backtest.backtest(bars, Orders.of_events(events, size), instrument)


def oracle_sharpe(experiment: Experiment, symbol: str) -> float | None:
    """Annual net Sharpe ratio of the oracle on one market's whole span; None where it never trades."""
    source = synthetic(experiment)
    loaded = source.read(symbol)
    bars = resample(loaded.bars, experiment.decisions.timeframe, loaded.instrument.calendar)
    rows = experiment.decisions.events.sample(bars, experiment.labels.volatility.of(bars))
    finer = loaded.bars if bars.timeframe != loaded.bars.timeframe else None
    events = experiment.labels.label(bars, rows, finer=finer)
    backtest = oracle_backtest(experiment, source.market(symbol), loaded.bars, bars, events)
    return metrics(backtest, loaded.instrument.calendar.sessions_per_year).sharpe


def edge_with_oracle_sharpe(experiment: Experiment, target: float) -> float:
    """The ``edge`` at which the oracle's annual net Sharpe ratio is ``target``, found by bisection on 20 years."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        edge = (low + high) / 2
        found = oracle_sharpe(with_market(experiment, years=_LONG_YEARS, edge=edge), "SYN")
        low, high = (edge, high) if found is None or found < target else (low, edge)
    return (low + high) / 2


def with_market(experiment: Experiment, **market: float) -> Experiment:
    """The experiment on one market ``SYN`` with what is planted in it; ``years`` and ``seed`` change the source."""
    source = {name: market.pop(name) for name in ("years", "seed") if name in market}
    values = experiment.model_dump(mode="json", exclude_none=True)
    values["bars"] = {**values["bars"], **source, "markets": {"SYN": market}}
    if "seed" in source:
        values["seed"] = source["seed"]
    return Experiment.model_validate(values)


def synthetic(experiment: Experiment) -> SyntheticBars:
    """The experiment's artificial markets; a ValueError where its bars are real."""
    if not isinstance(experiment.bars, SyntheticBars):
        raise ValueError(
            f"bars.source is {experiment.bars.source}; calibration needs artificial markets: source: synthetic"
        )
    return experiment.bars
