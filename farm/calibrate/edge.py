"""How much edge must be planted for an oracle to earn a given Sharpe ratio."""

import math

import numpy as np

from farm.calibrate.oracle import edge_with_oracle_sharpe, oracle_sharpe, synthetic, with_market
from farm.config import Experiment

_YEARS = 240.0  # in all: these tell a Sharpe ratio to about 0.07
_SEEDS = 2_000_000_000  # those of the markets and of their fresh stretches stay below
_AROUND = (0.9, 1.1)


def edge_for_oracle(experiment: Experiment, target: float) -> float:
    """The ``edge`` at which the oracle's annual net Sharpe ratio is ``target`` on average over markets of this span.

    Bisection on one stretch of twenty years only comes near: it tells a Sharpe ratio to about a quarter, and where
    volatility clusters a long stretch has a higher one than the short ones that it consists of have on average. The
    rest is read off the line through the means over other markets, each as long as the experiment's, at a little less
    edge and at a little more.
    """
    near = edge_with_oracle_sharpe(experiment, target)
    edges = near * np.array(_AROUND)
    below, above = (_mean_sharpe(experiment, float(edge)) for edge in edges)
    if above <= below:
        return near
    return float(np.clip(edges[0] + (target - below) * (edges[1] - edges[0]) / (above - below), 0.0, 1.0))


def _mean_sharpe(experiment: Experiment, edge: float) -> float:
    years = synthetic(experiment).years
    seeds = range(_SEEDS, _SEEDS + math.ceil(_YEARS / years))
    found = [oracle_sharpe(with_market(experiment, years=years, edge=edge, seed=seed), "SYN") for seed in seeds]
    return float(np.mean([sharpe or 0.0 for sharpe in found]))
