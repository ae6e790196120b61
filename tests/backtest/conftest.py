"""Bars, orders and instruments of the backtest tests."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from farm.backtest import Orders
from farm.bars.calendar import AlwaysOpen
from farm.bars.frame import Bars
from farm.bars.instrument import Instrument, PerContract, Ticks

MINUTE = 60 * 10**9
DAY = 86_400 * 10**9


def _bars(open_, close, high=None, low=None, *, session=None, segment=None) -> Bars:
    """One-minute bars; each session starts at its own midnight."""
    open_, close = np.asarray(open_, float), np.asarray(close, float)
    n = len(open_)
    session = np.zeros(n, np.int64) if session is None else np.asarray(session, np.int64)
    segment = np.zeros(n, np.int64) if segment is None else np.asarray(segment, np.int64)
    first = np.concatenate(([0], np.flatnonzero(np.diff(session)) + 1))
    minute_of_session = np.arange(n) - np.repeat(first, np.diff(np.append(first, n)))
    open_time = session * DAY + minute_of_session * MINUTE
    return Bars(
        symbol="X",
        timeframe="1min",
        open_time=open_time,
        available_at=open_time + MINUTE,
        open=open_,
        high=np.maximum(open_, close) if high is None else np.asarray(high, float),
        low=np.minimum(open_, close) if low is None else np.asarray(low, float),
        close=close,
        volume=np.ones(n),
        session=session,
        segment=segment,
    )


def _random_market(seed: int, n: int = 400, n_sessions: int = 7) -> tuple[Bars, Orders]:
    """Random bars with gaps and a data hole, and orders that overlap, of all sizes."""
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.normal(0, 0.3, n))
    open_ = close + rng.normal(0, 0.2, n)
    high = np.maximum(open_, close) + rng.exponential(0.1, n)
    low = np.minimum(open_, close) - rng.exponential(0.1, n)
    hole = n // 2
    bars = _bars(
        open_, close, high, low, session=np.arange(n) * n_sessions // n, segment=(np.arange(n) >= hole).astype(int)
    )
    row = np.flatnonzero(rng.random(n) < 0.3)
    segment_end = np.where(row < hole, hole, n) - 1
    row, segment_end = row[row < segment_end], segment_end[row < segment_end]
    exit_row = np.minimum(row + 1 + rng.integers(0, 30, len(row)), segment_end)
    exit_price = low[exit_row] + rng.random(len(row)) * (high[exit_row] - low[exit_row])
    size = rng.uniform(-1, 1, len(row)) * (rng.random(len(row)) < 0.8)
    return bars, Orders.of_arrays(row, row + 1, exit_row, open_[row + 1], exit_price, size)


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., Bars]:
    return _bars


@pytest.fixture(scope="session")
def random_market() -> Callable[..., tuple[Bars, Orders]]:
    return _random_market


@pytest.fixture(scope="session")
def make_instrument() -> Callable[..., Instrument]:
    def make(**changed: object) -> Instrument:
        values = {
            "name": "test",
            "symbols": ("X",),
            "asset": "future",
            "currency": "USD",
            "calendar": AlwaysOpen(),
            "tick_size": 0.25,
            "point_value": 5.0,
            "lot": 1.0,
            "commission": PerContract(value=0.4),
            "slippage": Ticks(value=0.5),
            "source": "made up for a test",
        }
        return Instrument(**(values | changed))

    return make


@pytest.fixture(scope="session")
def mes(make_instrument) -> Instrument:
    """The Micro E-mini: 5 USD a point, tick .25; half a tick commission a round trip, half a tick slippage a fill."""
    return make_instrument(commission=Ticks(value=0.25), slippage=Ticks(value=0.5))


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real market files, which is not part of the project."""
    if "FARM_DATA" not in os.environ:
        pytest.skip("FARM_DATA does not name the folder of market data")
    return Path(os.environ["FARM_DATA"])
