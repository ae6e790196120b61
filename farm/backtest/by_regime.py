"""A backtest's returns in calm and wild, rising and falling markets."""

import math
from dataclasses import dataclass

from farm.backtest.regime import TRENDS, VOLATILITIES, Regimes
from farm.backtest.result import Backtest
from farm.bars.frame import Float
from farm.stats import bootstrap_interval, known_sharpe

_LEAST = 20
_RESAMPLES = 2_000


@dataclass(frozen=True)
class RegimeRow:
    """What was earned in the sessions of one regime.

    ``by`` is what tells the regimes apart (volatility or trend), ``regime`` the regime's whole name, ``sessions`` how
    many there were, idle ones too. ``net_return`` is the sum of their net returns, as a fraction of the capital.
    ``sharpe`` is their annual Sharpe ratio, ``low`` and ``high`` the ends of its 95% interval; None where under 20
    sessions, or sessions without variance, tell nothing.
    """

    by: str
    regime: str
    sessions: int
    net_return: float
    sharpe: float | None
    low: float | None
    high: float | None


def by_regime(backtest: Backtest, regimes: Regimes, sessions_per_year: float, seed: int = 0) -> tuple[RegimeRow, ...]:
    """The net returns of a backtest by the regimes of its sessions: one row a regime that occurs.

    A session's regime was known before it opened, so each row is what somebody could have earned who trades in that
    regime only. The rows of one kind sum to the whole net return. Intervals are of a stationary bootstrap over the
    sessions of the regime, put together in time order.

    Parameters
    ----------
    backtest : Backtest
        On the bars that the regimes are of.
    regimes : Regimes
        See `session_regimes`.
    sessions_per_year : float
        Of the instrument's calendar.
    seed : int
        Of the resamples.

    Raises
    ------
    ValueError
        When the regimes are of other sessions than the backtest's.

    Examples
    --------
    >>> import numpy as np
    >>> from farm.backtest import buy_and_hold, simulate
    >>> from farm.backtest.regime import session_regimes
    >>> from farm.bars.frame import Bars
    >>> from farm.bars.instrument import instrument_for
    >>> day, number = 86_400 * 10**9, np.arange(200)
    >>> price = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0.001, 0.01, 200)))
    >>> bars = Bars("X", "1d", number * day, (number + 1) * day, *[price] * 5, number, number * 0)
    >>> held = simulate(bars, buy_and_hold(bars), instrument_for("SYN", None), 1000.0)
    >>> rows = by_regime(held, session_regimes(bars), 365.25)
    >>> [(row.regime, row.sessions) for row in rows if row.by == "trend"]
    [('trend up', 81), ('trend sideways', 59), ('trend unknown', 60)]
    """
    if len(regimes.starts) != len(backtest.sessions):
        raise ValueError(
            f"regimes: of {len(regimes.starts)} sessions, but the backtest has {len(backtest.sessions)}; take both "
            "from the same bars"
        )
    every = (
        *(("volatility", name, regimes.volatility == name) for name in VOLATILITIES),
        *(("trend", name, regimes.trend == name) for name in TRENDS),
    )
    return tuple(
        RegimeRow(
            by,
            f"{by} {name}",
            int(found.sum()),
            float(backtest.net[found].sum()),
            *_sharpe(backtest.net[found], sessions_per_year, seed),
        )
        for by, name, found in every
        if found.any()
    )


def _sharpe(net: Float, sessions_per_year: float, seed: int) -> tuple[float | None, float | None, float | None]:
    """Annual Sharpe ratio and the ends of its interval."""
    sharpe = known_sharpe(net, sessions_per_year) if len(net) >= _LEAST else None
    if sharpe is None:
        return None, None, None
    found = bootstrap_interval(net, "sharpe", n_resamples=_RESAMPLES, seed=seed, threads=1)
    year = math.sqrt(sessions_per_year)
    return sharpe, found.low * year, found.high * year
