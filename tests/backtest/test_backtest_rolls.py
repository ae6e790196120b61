"""A change of contract costs two fills and gives no return."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Orders, buy_and_hold, simulate
from farm.bars import AlwaysOpen, ContractBars, resample
from farm.bars.continuous import BeforeExpiry, Contract, continuous
from farm.bars.instrument import BasisPoints, Ticks

SEEDS = st.integers(0, 2**32 - 1)
CAPITAL = 100_000.0


@pytest.fixture(scope="session")
def small_lots(make_instrument):
    return make_instrument(lot=0.1, commission=BasisPoints(value=1.0))


@given(SEEDS)
def test_every_roll_under_an_open_position_costs_two_fills_and_nothing_else_changes(random_market, small_lots, seed):
    bars, orders = random_market(seed)
    rolled = np.random.default_rng(seed).random(len(bars)) < 0.1
    plain = simulate(bars, orders, small_lots, CAPITAL)
    found = simulate(replace(bars, rolled=rolled), orders, small_lots, CAPITAL)
    np.testing.assert_array_equal(found.gross, plain.gross)
    np.testing.assert_array_equal(found.trades.order, plain.trades.order)
    by_session = dict.fromkeys(bars.session.tolist(), 0.0)
    by_trade = np.zeros(len(plain.trades))
    for i, (entry, exit_) in enumerate(zip(plain.trades.entry_row, plain.trades.exit_row, strict=True)):
        for row in range(entry + 1, exit_ + 1):
            if rolled[row]:
                cost = 2 * small_lots.fill_cost(bars.open[row], plain.trades.quantity[i])
                by_trade[i] += cost
                by_session[int(bars.session[row])] += cost
    np.testing.assert_allclose(found.trades.cost - plain.trades.cost, by_trade, atol=1e-10)
    np.testing.assert_allclose((found.cost - plain.cost) * CAPITAL, list(by_session.values()), atol=1e-8)


def test_who_enters_on_the_first_bar_of_the_new_contract_has_nothing_to_roll(make_bars, mes):
    bars = make_bars([5000.0] * 6, [5000.0] * 6)
    order = Orders.of_arrays([1], [2], [4], [5000.0], [5000.0], [1.0])
    fills = 7.5  # four contracts, in and out
    for row, cost in ((1, fills), (2, fills), (3, 2 * fills), (4, 2 * fills), (5, fills)):
        found = simulate(replace(bars, rolled=np.arange(6) == row), order, mes, CAPITAL)
        assert found.cost.sum() * CAPITAL == pytest.approx(cost, abs=1e-9), row


@pytest.mark.parametrize("adjust", ["ratio", "difference"])
def test_holding_a_joined_future_earns_the_underlying_and_pays_for_its_roll(make_bars, make_instrument, adjust):
    """Two contracts of a price that stands still, the later one 5% dearer: the gap is no profit, the roll a cost."""
    days = np.arange(10)
    at_100, at_105 = (make_bars([price] * 10, [price] * 10, session=days) for price in (100.0, 105.0))
    near, far = Contract("NEAR", 6, at_100.between(0, 7)), Contract("FAR", 9, at_105)
    rule = BeforeExpiry(sessions=3)
    bars, rolls = continuous([near, far], rule, adjust, "X", AlwaysOpen())
    assert bars.session[bars.rolled].tolist() == [4]
    assert [roll.time for roll in rolls] == bars.open_time[bars.rolled].tolist()
    instrument = make_instrument(commission=Ticks(value=0.25), slippage=Ticks(value=0.5))
    held = simulate(bars, buy_and_hold(bars), instrument, 105 * 5 * 10.0)  # ten contracts
    assert held.gross.tolist() == [0.0] * len(held.sessions)
    fill = 10 * 0.75 * 0.25 * 5.0
    paid = dict(zip(held.sessions.tolist(), held.cost * held.capital, strict=True))
    assert {session: cost for session, cost in paid.items() if cost} == pytest.approx({1: fill, 4: 2 * fill, 6: fill})
    longer = resample(bars, "1d", AlwaysOpen())
    assert longer.session[longer.rolled].tolist() == [4]


def test_five_years_of_vix_futures_pay_for_every_roll(data_folder):
    symbol = "daily/VX_futures_contracts_daily_long"
    source = ContractBars(
        path=f"{data_folder}/{{symbol}}.parquet",
        symbols=(symbol,),
        timeframe="1d",
        stamp="open",
        on_bad_rows="quarantine",
        instruments={symbol: "cfe_vix"},
        max_gap="60d",
    )
    loaded = source.read(symbol)
    bars = loaded.bars
    assert int(bars.rolled.sum()) == len(loaded.report.rolls) == 52
    held = simulate(bars, buy_and_hold(bars), loaded.instrument, 1e6)
    met = sum(
        int(bars.rolled[entry + 1 : exit_ + 1].sum())
        for entry, exit_ in zip(held.trades.entry_row, held.trades.exit_row, strict=True)
    )
    quantity = held.trades.quantity
    assert len(quantity) == 1
    # Half a tick of 50 USD and 2.5 USD a contract and fill: two fills a roll.
    assert held.trades.roll_cost.sum() == pytest.approx(met * 2 * 27.5 * quantity[0])
    assert met > 45
