"""Equity and trade metrics: worked by hand, recomputed from the trades, blind to the bar length."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Orders, cost_ladder, metrics, simulate
from farm.bars.frame import Bars

CAPITAL = 100_000.0


@pytest.fixture(scope="session")
def free(make_instrument):
    from farm.bars.instrument import PerContract

    return make_instrument(point_value=1.0, lot=1e-9, commission=PerContract(value=0), slippage=PerContract(value=0))


@pytest.fixture(scope="session")
def backtest_of(make_bars, free):
    """A backtest whose session returns are those given: one trade a session from a price of 100."""

    def make(returns):
        n = len(returns)
        open_ = close = np.full(3 * n, 100.0)
        close = close.copy()
        close[2::3] = 100 * (1 + np.asarray(returns))
        bars = make_bars(open_, close, session=np.repeat(np.arange(n), 3))
        row = np.arange(n) * 3
        orders = Orders.of_arrays(row, row + 1, row + 2, open_[row], close[row + 2], np.ones(n))
        return simulate(bars, orders, free, CAPITAL)

    return make


def test_equity_metrics_of_five_sessions_by_hand(backtest_of):
    found = metrics(backtest_of([0.02, -0.01, -0.03, 0.01, 0.04]), sessions_per_year=250)
    assert found.net_return == pytest.approx(0.03)
    assert found.annual_return == pytest.approx(0.006 * 250)
    assert found.sharpe == pytest.approx(0.006 / np.std([0.02, -0.01, -0.03, 0.01, 0.04], ddof=1) * np.sqrt(250))
    assert found.sortino == pytest.approx(0.006 / np.sqrt((0.01**2 + 0.03**2) / 5) * np.sqrt(250))
    assert found.max_drawdown == pytest.approx(0.04)
    assert found.calmar == pytest.approx(1.5 / 0.04)
    assert found.time_under_water == pytest.approx(3 / 5)
    assert found.longest_under_water == 3
    assert (found.win_rate, found.trades_per_year) == (0.6, pytest.approx(250))


def test_a_loss_from_the_start_is_a_drawdown(backtest_of):
    found = metrics(backtest_of([-0.02, -0.01]), 250)
    assert found.max_drawdown == pytest.approx(0.03)
    assert found.longest_under_water == 2
    assert found.profit_factor == 0.0


def test_what_is_unknown_is_none_not_zero(make_bars, free):
    none = Orders.of_arrays([], [], [], [], [], [])
    found = metrics(simulate(make_bars([1, 1.0], [1, 1.0], session=[0, 1]), none, free, CAPITAL), 250)
    unknown = {field.name for field in fields(found) if getattr(found, field.name) is None}
    assert unknown == {
        *("sharpe", "sortino", "calmar", "win_rate", "mean_bars_held", "profit_factor", "trade_sharpe"),
        "break_even_multiple",
    }


def test_constant_returns_have_no_sharpe_although_their_deviation_is_rounding(backtest_of):
    result = replace(backtest_of([0.1] * 7), gross=np.full(7, 0.1))
    assert metrics(result, 250).sharpe is None


def test_sessions_per_year_must_be_positive(backtest_of):
    with pytest.raises(ValueError, match="sessions_per_year: found 0"):
        metrics(backtest_of([0.1]), 0)


def _five_minutes(bars: Bars) -> Bars:
    first, last = np.arange(0, len(bars), 5), np.arange(4, len(bars), 5)
    return replace(
        bars,
        timeframe="5min",
        open_time=bars.open_time[first],
        available_at=bars.available_at[last],
        open=bars.open[first],
        high=np.maximum.reduceat(bars.high, first),
        low=np.minimum.reduceat(bars.low, first),
        close=bars.close[last],
        volume=np.add.reduceat(bars.volume, first),
        session=bars.session[first],
        segment=bars.segment[first],
    )


@given(st.integers(0, 2**32 - 1))
def test_the_same_trades_at_one_and_five_minutes_have_the_same_annual_metrics(make_bars, make_instrument, seed):
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.normal(0, 0.1, 1500))
    open_ = np.concatenate(([100.0], close[:-1]))
    fine = make_bars(open_, close, session=np.arange(1500) // 150)
    coarse = _five_minutes(fine)
    row = np.sort(rng.choice(299, 60, replace=False))
    exit_row = np.minimum(row + 1 + rng.integers(0, 12, 60), 299)
    size = rng.uniform(-1, 1, 60)
    at_five = Orders.of_arrays(row, row + 1, exit_row, coarse.open[row + 1], coarse.close[exit_row], size)
    at_one = replace(at_five, row=row * 5 + 4, entry_row=row * 5 + 5, exit_row=exit_row * 5 + 4)
    instrument = make_instrument(lot=0.01)
    one, five = (metrics(simulate(*market, instrument, CAPITAL), 250) for market in ((fine, at_one), (coarse, at_five)))
    assert one.trades == five.trades
    assert one.sharpe == pytest.approx(five.sharpe, rel=1e-9)
    for name in ("sortino", "calmar", "max_drawdown", "turnover", "exposure", "profit_factor", "trade_sharpe"):
        assert getattr(one, name) == pytest.approx(getattr(five, name), rel=1e-9), name
    assert one.mean_bars_held == pytest.approx(5 * five.mean_bars_held)


@given(st.integers(0, 2**32 - 1))
def test_metrics_are_those_of_the_trade_list(random_market, make_instrument, seed):
    """Everything recomputed from the table of trades and the bars' closes, with pandas."""
    bars, orders = random_market(seed)
    result = simulate(bars, orders, make_instrument(lot=0.1), CAPITAL)
    found, table = metrics(result, 250), result.trades.frame()
    assert found.net_return * CAPITAL == pytest.approx(table.net.sum(), abs=1e-8)
    assert found.cost * CAPITAL == pytest.approx(table.cost.sum())
    assert found.win_rate == pytest.approx((table.net > 0).mean())
    assert found.profit_factor == pytest.approx(table.net[table.net > 0].sum() / -table.net[table.net < 0].sum())
    assert found.exposure == pytest.approx(table.bars_held.sum() / len(bars))
    years = 7 / 250
    assert found.turnover == pytest.approx(
        (table.quantity * (table.entry_price + table.exit_price)).sum() * 5 / CAPITAL / years
    )
    assert found.trade_sharpe == pytest.approx(table.net.mean() / table.net.std() * np.sqrt(len(table) / years))


def test_the_cost_ladder_falls_with_every_rung(random_market, make_instrument):
    result = simulate(*random_market(2), make_instrument(lot=0.1), CAPITAL)
    rungs = cost_ladder(result, 250)
    assert [rung.cost_multiple for rung in rungs] == [0.0, 0.5, 1.0, 2.0]
    assert (np.diff([rung.net_return for rung in rungs]) < 0).all()
    assert len({rung.gross_return for rung in rungs}) == 1
    assert rungs[2] == metrics(result, 250)
