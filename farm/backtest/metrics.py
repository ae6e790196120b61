"""What a backtest amounts to: equity metrics from its sessions, trade metrics from its trades."""

import math
from dataclasses import dataclass

import numpy as np

from farm.backtest.result import Backtest
from farm.bars.frame import Float
from farm.stats import known_sharpe


@dataclass(frozen=True)
class Metrics:
    """Metrics of a backtest; None where a value is unknown, never 0.

    Returns and drawdown are fractions of the starting capital, not compounded.

    Attributes
    ----------
    cost_multiple : float
        Factor that was applied to the instrument's costs.
    gross_return, cost, net_return : float
        Sums over all sessions.
    annual_return : float
        Mean net return a session times sessions a year.
    sharpe : float or None
        Annual Sharpe ratio of the session returns, idle sessions included (sample standard deviation). None without
        variance.
    sortino : float or None
        As the Sharpe ratio, with the root mean square of the losses. None without a losing session.
    max_drawdown : float
        Largest fall of the summed net return below its highest value so far, the start included.
    calmar : float or None
        Annual return over the largest drawdown. None without a drawdown.
    time_under_water : float
        Share of the sessions that end below an earlier high.
    longest_under_water : int
        Most such sessions in a row.
    trades : int
        Number of trades.
    trades_per_year, turnover : float
        Trades a year; notional of all fills over the capital, a year.
    exposure : float
        Share of the bars in which a position was open.
    win_rate, mean_bars_held, profit_factor : float or None
        Share of trades with a net gain; mean bars held; net gains over net losses (None without a losing trade).
    trade_sharpe : float or None
        Annual Sharpe ratio bet by bet: mean over standard deviation of the trades' net P&L, times the root of trades a
        year.
    break_even_multiple : float or None
        The cost multiple at which nothing is earned.
    """

    cost_multiple: float
    gross_return: float
    cost: float
    net_return: float
    annual_return: float
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None
    time_under_water: float
    longest_under_water: int
    trades: int
    trades_per_year: float
    turnover: float
    exposure: float
    win_rate: float | None
    mean_bars_held: float | None
    profit_factor: float | None
    trade_sharpe: float | None
    break_even_multiple: float | None


def metrics(backtest: Backtest, sessions_per_year: float) -> Metrics:
    """Equity and trade metrics of a backtest.

    Annual figures count sessions, never bars: the same P&L on one-minute and five-minute bars has one Sharpe ratio.

    Parameters
    ----------
    backtest : Backtest
        Result of `simulate`.
    sessions_per_year : float
        Of the instrument's calendar: about 250 for an exchange, 365.25 for a market that never closes.

    Raises
    ------
    ValueError
        When ``sessions_per_year`` is not positive.

    Examples
    --------
    >>> from farm.backtest import buy_and_hold, simulate
    >>> from farm.bars.frame import Bars
    >>> from farm.bars.instrument import instrument_for
    >>> day, price, zeros = 86_400 * 10**9, np.array([100.0, 100.0, 103.0, 102.0]), np.zeros(4, dtype=np.int64)
    >>> times = np.arange(4) * day
    >>> bars = Bars("X", "1d", times, times + day, *[price] * 5, np.arange(4), zeros)
    >>> result = simulate(bars, buy_and_hold(bars), instrument_for("SYN", None), capital=1000.0, cost_multiple=0)
    >>> found = metrics(result, sessions_per_year=365.25)
    >>> round(found.net_return, 6), round(found.max_drawdown, 6), found.trades, found.exposure
    (0.02, 0.01, 1, 0.75)
    """
    if not (math.isfinite(sessions_per_year) and sessions_per_year > 0):
        raise ValueError(f"sessions_per_year: found {sessions_per_year}; give a positive number")
    net, trades = backtest.net, backtest.trades
    years = len(net) / sessions_per_year
    annual_return = float(net.mean()) * sessions_per_year
    under_water = _under_water(net)
    max_drawdown = float(under_water.max())
    notional = trades.quantity * (trades.entry_price + trades.exit_price) * backtest.point_value
    won, lost = trades.net[trades.net > 0], trades.net[trades.net < 0]
    return Metrics(
        cost_multiple=backtest.cost_multiple,
        gross_return=float(backtest.gross.sum()),
        cost=float(backtest.cost.sum()),
        net_return=float(net.sum()),
        annual_return=annual_return,
        sharpe=_sharpe(net, sessions_per_year),
        sortino=_ratio(annual_return, math.sqrt(sessions_per_year * float(np.mean(np.minimum(net, 0.0) ** 2)))),
        max_drawdown=max_drawdown,
        calmar=_ratio(annual_return, max_drawdown),
        time_under_water=float(np.mean(under_water > 0)),
        longest_under_water=_longest_run(under_water > 0),
        trades=len(trades),
        trades_per_year=len(trades) / years,
        turnover=float(notional.sum()) / backtest.capital / years,
        exposure=float(trades.bars_held.sum()) / backtest.n_bars,
        win_rate=_ratio(len(won), len(trades)),
        mean_bars_held=_ratio(float(trades.bars_held.sum()), len(trades)),
        profit_factor=_ratio(float(won.sum()), -float(lost.sum())),
        trade_sharpe=_sharpe(trades.net, len(trades) / years),
        break_even_multiple=backtest.break_even_multiple,
    )


def cost_ladder(
    backtest: Backtest, sessions_per_year: float, multiples: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
) -> tuple[Metrics, ...]:
    """Metrics of the same trades at several cost multiples, one a rung."""
    return tuple(metrics(backtest.at_cost(multiple), sessions_per_year) for multiple in multiples)


def _sharpe(returns: Float, periods: float) -> float | None:
    return known_sharpe(returns, periods) if len(returns) >= 2 else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _under_water(net: Float) -> Float:
    """How far each session ends below the highest equity so far, the start included."""
    equity = np.concatenate(([0.0], np.cumsum(net)))
    return (np.maximum.accumulate(equity) - equity)[1:]


def _longest_run(flags: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))
