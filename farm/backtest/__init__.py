"""Predictions to orders to positions to net returns, with costs on both fills, and the sizes of bets."""

from farm.backtest.account import Account, OwnCosts
from farm.backtest.bets import (
    average_active,
    bet_size,
    bet_statistic,
    break_even_probability,
    discretise,
    kelly,
    kelly_continuous,
    power_size,
    sigmoid_size,
)
from farm.backtest.by_regime import RegimeRow, by_regime
from farm.backtest.execution import Execution
from farm.backtest.impact import SquareRootImpact
from farm.backtest.metrics import Metrics, cost_ladder, metrics
from farm.backtest.orders import Orders, buy_and_hold
from farm.backtest.regime import Regimes, session_regimes
from farm.backtest.result import Backtest, Counts, Trades
from farm.backtest.simulate import simulate

__all__ = [
    "Account",
    "Backtest",
    "Counts",
    "Execution",
    "Metrics",
    "Orders",
    "OwnCosts",
    "RegimeRow",
    "Regimes",
    "SquareRootImpact",
    "Trades",
    "average_active",
    "bet_size",
    "bet_statistic",
    "break_even_probability",
    "buy_and_hold",
    "by_regime",
    "cost_ladder",
    "discretise",
    "kelly",
    "kelly_continuous",
    "metrics",
    "power_size",
    "session_regimes",
    "sigmoid_size",
    "simulate",
]
