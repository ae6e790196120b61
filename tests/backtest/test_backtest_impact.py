"""The square-root law of market impact."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Account, Orders, SquareRootImpact, simulate
from farm.bars.instrument import PerContract
from farm.errors import BadInput

SEEDS = st.integers(0, 2**32 - 1)
LAW = SquareRootImpact(coefficient=0.8)
CAPITAL = 100_000.0


@pytest.fixture(scope="session")
def free(make_instrument):
    return make_instrument(lot=1e-6, commission=PerContract(value=0), slippage=PerContract(value=0))


@pytest.fixture(scope="session")
def thirty_days(make_bars):
    """30 sessions of four bars that go up by 1% and back twice; 500 contracts a bar."""
    close = np.tile([101.0, 100.0], 60)
    bars = make_bars(np.append(100.0, close[:-1]), close, session=np.repeat(np.arange(30), 4))
    return replace(bars, volume=np.full(120, 500.0))


def cost(bars, row, price, quantity, law=LAW):
    return law.fill_cost(bars, np.array([row]), np.array([price]), np.array([quantity]), 5.0)[0]


def test_a_fill_costs_what_the_law_says(thirty_days):
    # A day moves four times by log 1.01: daily volatility is 2 * .00995; it trades 2,000 contracts. 20 contracts at 100
    # are 10,000 USD: .8 * .0199007 * sqrt(20 / 2000) * 10,000 = 15.92 USD.
    assert cost(thirty_days, 99, 100.0, 20.0) == pytest.approx(0.8 * 2 * np.log(1.01) * 0.1 * 10_000, rel=1e-12)
    assert cost(thirty_days, 99, 100.0, 20.0) == pytest.approx(15.92, abs=0.005)


def test_the_present_day_does_as_well_half_way(thirty_days):
    np.testing.assert_allclose([cost(thirty_days, row, 100.0, 20.0) for row in (0, 1, 50, 97)], 15.92, atol=0.005)


@given(st.floats(0.01, 1e4), st.floats(1.0, 100.0))
def test_the_cost_a_contract_grows_with_the_root_of_the_size(thirty_days, quantity, times):
    small, large = cost(thirty_days, 60, 100.0, quantity) / quantity, cost(thirty_days, 60, 100.0, quantity * times)
    assert large / (quantity * times) == pytest.approx(small * np.sqrt(times), rel=1e-9)
    assert cost(thirty_days, 60, 100.0, -quantity) == cost(thirty_days, 60, 100.0, quantity)


def test_four_times_the_volume_halves_it(thirty_days):
    busy = replace(thirty_days, volume=4 * thirty_days.volume)
    assert cost(busy, 60, 100.0, 7.0) == pytest.approx(cost(thirty_days, 60, 100.0, 7.0) / 2, rel=1e-12)


@given(SEEDS, st.integers(1, 399))
def test_it_knows_no_bar_after_the_last_closed_one(random_market, seed, row):
    bars, _ = random_market(seed)
    later = np.arange(len(bars)) > row
    changed = replace(bars, close=bars.close * np.where(later, 1.5, 1), volume=bars.volume * np.where(later, 9, 1))
    assert (
        cost(bars, row, 100.0, 3.0) == cost(changed, row, 100.0, 3.0) == cost(bars.between(0, row + 1), row, 100.0, 3.0)
    )


@pytest.mark.parametrize(("session", "counts"), [(5, False), (6, True), (25, True), (26, False)])
def test_twenty_sessions_count_the_present_one_included(thirty_days, session, counts):
    busy = replace(thirty_days, volume=thirty_days.volume * np.where(thirty_days.session == session, 3.0, 1.0))
    last_of_25 = 25 * 4 + 3
    paid, usual = (cost(bars, last_of_25, 100.0, 7.0) for bars in (busy, thirty_days))
    assert (abs(paid / usual - 1) > 0.01) == counts


@given(SEEDS)
def test_a_backtest_pays_it_on_both_fills_by_what_was_known_before_each(random_market, free, seed):
    bars, orders = random_market(seed)
    found = simulate(bars, orders, free, CAPITAL, impact=LAW)
    plain = simulate(bars, orders, free, CAPITAL)
    np.testing.assert_array_equal(found.gross, plain.gross)
    trades = found.trades
    for i in range(0, len(trades), 7):
        paid = (
            cost(bars, trades.entry_row[i] - 1, trades.entry_price[i], trades.quantity[i]),
            cost(bars, trades.exit_row[i] - 1, trades.exit_price[i], trades.quantity[i]),
        )
        assert (trades.entry_cost[i], trades.exit_cost[i]) == pytest.approx(paid, rel=1e-12)


def test_ten_times_the_capital_pays_about_ten_root_ten_times_the_impact(random_market, free):
    bars, orders = random_market(1)
    small, large = (simulate(bars, orders, free, capital, impact=LAW) for capital in (CAPITAL, 10 * CAPITAL))
    assert large.cost.sum() / small.cost.sum() == pytest.approx(np.sqrt(10), rel=1e-6)  # as shares of the capital


def test_bars_without_volume_are_refused_before_any_work(thirty_days, free):
    silent = replace(thirty_days, volume=np.zeros(120))
    account = Account.model_validate({"capital": CAPITAL, "impact": {"kind": "square_root", "coefficient": 1}})
    account.require_data(thirty_days)
    with pytest.raises(BadInput, match=r"X: backtest\.impact.*volume of all 120 bars is 0; leave `impact` out"):
        account.require_data(silent)
    order = Orders.of_arrays([0], [1], [2], [101.0], [101.0], [1.0])
    with pytest.raises(BadInput, match="volume of all 120 bars"):
        account.backtest(silent, order, free)
    Account(capital=CAPITAL).require_data(silent)


def test_a_span_without_volume_is_named(thirty_days):
    begins_silent = replace(thirty_days, volume=np.where(np.arange(120) < 40, 0.0, 500.0))
    with pytest.raises(BadInput, match="20 sessions up to 1970-01-04T00:01:00 UTC have none"):
        cost(begins_silent, 12, 100.0, 1.0)


def test_the_cost_that_bets_are_weighed_against_has_the_impact_of_a_full_position_in_it(thirty_days, make_instrument):
    instrument = make_instrument()
    row = np.array([60])
    without = Account(capital=CAPITAL).round_trips(thirty_days, row, instrument)
    account = Account(capital=CAPITAL, impact=LAW)
    with_it = account.round_trips(thirty_days, row, instrument)
    full = CAPITAL / (thirty_days.close[60] * 5.0)
    assert (with_it - without)[0] == pytest.approx(2 * cost(thirty_days, 60, thirty_days.close[60], full) / CAPITAL)
    contract = thirty_days.close[60] * 5.0
    assert without[0] == pytest.approx(2 * (0.4 + 0.5 * 0.25 * 5.0) / contract)
