from collections.abc import Callable, Sequence

import numpy as np
import pytest

from farm.bars.frame import Bars

MINUTE = 60_000_000_000

MakeBars = Callable[..., Bars]


@pytest.fixture(scope="session")
def make_bars() -> MakeBars:
    """Bars of ``minutes`` from rows of (open, high, low, close), with an hour's hole before each of ``starts``."""

    def build(prices: object, starts: Sequence[int] = (), minutes: int = 1, symbol: str = "TEST") -> Bars:
        table = np.asarray(prices, dtype=np.float64).reshape(-1, 4)
        n = len(table)
        segment = np.zeros(n, dtype=np.int64)
        for start in starts:
            segment[start:] += 1
        open_time = np.arange(n) * minutes * MINUTE + segment * 60 * MINUTE
        columns = {name: np.ascontiguousarray(table[:, k]) for k, name in enumerate(("open", "high", "low", "close"))}
        return Bars(
            symbol=symbol,
            timeframe=f"{minutes}min",
            open_time=open_time,
            available_at=open_time + minutes * MINUTE,
            volume=np.ones(n),
            session=np.zeros(n, dtype=np.int64),
            segment=segment,
            **columns,
        )

    return build


@pytest.fixture(scope="session")
def random_prices() -> Callable[..., np.ndarray]:
    """Rows of (open, high, low, close) in quarters around 100, with opening gaps, flat bars and ties."""

    def build(seed: int, n: int, gap: float = 0.3) -> np.ndarray:
        rng = np.random.default_rng(seed)
        jump = rng.integers(-3, 4, n) * (rng.random(n) < gap)
        body = rng.integers(-4, 5, n)
        close = 400 + np.cumsum(jump + body)
        open_ = close - body
        high = np.maximum(open_, close) + rng.integers(0, 4, n)
        low = np.minimum(open_, close) - rng.integers(0, 4, n)
        return np.maximum(np.column_stack([open_, high, low, close]), 4) * 0.25

    return build
