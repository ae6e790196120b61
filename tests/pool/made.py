"""Small pools: panels made of nothing but numbers, and an experiment on artificial markets."""

from pathlib import Path
from typing import Any

import numpy as np

from farm.bars import Bars
from farm.config import Experiment
from farm.folds import Cpcv
from farm.labels import Events
from farm.panel import Panel

MINUTE = 60 * 10**9
FOLDS = Cpcv(groups=4, test_groups=2, embargo="1 session")


def tiny_panel(symbol: str, moments: Any, held: Any, rng: np.random.Generator, n_bars: int = 200) -> Panel:
    """A panel decided at the closes of these half-hour bars, each event held so many; a session has 12 bars."""
    moments, held = np.asarray(moments), np.asarray(held)
    available = (np.arange(n_bars) + 1) * 30 * MINUTE
    close = np.exp(rng.normal(0, 0.01, n_bars).cumsum())
    session = np.arange(n_bars) // 12
    bars = Bars(
        symbol, "30min", available - 30 * MINUTE, available, close, close * 1.01, close * 0.99, close, close,
        session, np.zeros(n_bars, dtype=np.int64),
    )  # fmt: skip
    exits = np.minimum(moments + held, n_bars - 1)
    n = len(moments)
    label = rng.choice([-1, 0, 1], n).astype(np.int8)
    events = Events(
        row=moments, decided_at=available[moments], entered_at=available[moments], exited_at=available[exits],
        entry_row=moments + 1, exit_row=exits, entry_price=close[moments + 1],
        exit_price=close[exits], volatility=np.full(n, 0.01), label=label, labelled=np.ones(n, dtype=bool),
        target=label.astype(float), ret=np.log(close[exits] / close[moments + 1]), touch=label,
        ambiguous=np.zeros(n, dtype=bool), resolved=np.zeros(n, dtype=bool),
    )  # fmt: skip
    return Panel(symbol, ("one", "two"), rng.normal(size=(n, 2)), events, bars)


def experiment(home: Path | str, symbols: tuple[str, ...] = ("SYN-A", "SYN-B"), **over: Any) -> Experiment:
    """Two artificial markets, a stack of two models; pooled unless ``pool`` is None."""
    return Experiment.model_validate(
        {
            "name": "pooled",
            "seed": 1,
            "home": str(home),
            "bars": {
                "source": "synthetic",
                "markets": {symbol: {"edge": 0.5} for symbol in symbols},
                "timeframe": "1h",
                "years": 0.5,
                "seed": 4,
            },
            "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 2}},
            "features": {"preset": "small", "keep": 50},
            "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
            "folds": {"kind": "cpcv", "groups": 4},
            "models": {
                "linear": {"uses": "logistic"},
                "boosted": {"uses": "xgboost", "params": {"n_estimators": 10, "max_depth": 3}},
            },
            "pool": {},
            "backtest": {"capital": 100000},
            "execution": {"on": "process"},
            "track": None,
            **over,
        }
    )
