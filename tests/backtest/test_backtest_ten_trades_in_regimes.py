"""Ten trades of the Micro E-mini worked out by hand: slippage by regime, a roll, flat overnight, a bar of latency."""

from dataclasses import replace

import numpy as np
import pytest

from farm.backtest import Execution, Orders, session_regimes, simulate
from farm.bars import instrument_for

# One trade a session, decided at a close of 5000 where one contract is 25,000 USD of the 100,000. A point is 5 USD.
# A round trip of a contract costs .5 + 2 * .5 ticks of 1.25 USD in a calm session: 1.875 USD; .5 + 2 * 1 ticks in a
# wild one: 3.125 USD. Sessions 26 to 30 are calm, 31 to 36 are wild (see `market`).
# session, size, entry, exit -> contracts, gross, cost; gross when filled a bar later, at 5002
HAND = [
    (26, 0.25, 5000.25, 5004.25, 1, 20.00, 1.875, 11.25),
    (27, -0.25, 4999.75, 5003.75, 1, -20.00, 1.875, -8.75),
    (28, 0.50, 5001.00, 4998.50, 2, -25.00, 3.75, -35.00),
    (29, -1.00, 5000.00, 4990.00, 4, 200.00, 7.50, 240.00),
    (30, 0.37, 5002.00, 5002.25, 1, 1.25, 1.875, 1.25),  # 1.48 contracts: one
    (31, 0.38, 5000.00, 5000.00, 2, 0.00, 6.25, -20.00),  # 1.52 contracts: two
    (32, 0.125, 4990.00, 5010.00, 1, 100.00, 3.125, 40.00),  # half a contract: one
    (33, -0.75, 5010.50, 5000.50, 3, 150.00, 9.375, 22.50),
    (34, 1.00, 5000.00, 4995.75, 4, -85.00, 12.50, 20.00),  # leaves in its entry bar; a bar late: 5002 to 5003
    (35, 0.25, 5000.00, 5020.00, 1, 100.00, 3.125, 90.00),  # held overnight, to the first close of session 36
]
CAPITAL = 100_000.0
BARS_A_SESSION = 6  # up, back, decision, entry, exit, rest
GROSS, COST = 441.25, 51.25  # sums of the columns


def usd(fractions):
    return fractions * CAPITAL


@pytest.fixture(scope="module")
def market(make_bars):
    """37 sessions that go up from 5000 by some points and back before they trade.

    By ever less until session 29, 60 points to 31: each five sessions calmer than those before. By 100 from 30 on.
    """
    sessions = 37
    swing = np.where(np.arange(sessions) < 30, 60.0 - np.arange(sessions), 100.0)
    swing[36] = 20.0
    open_ = np.full((sessions, BARS_A_SESSION), 5000.0)
    close = open_.copy()
    close[:, 0] = open_[:, 1] = 5000.0 + swing
    for session, _, entry, exit_, *_ in HAND:
        open_[session, 3], close[session, 3] = entry, 5002.0
        open_[session, 4], close[session, 4] = 5002.0, exit_
    close[34, 3:5] = 4995.75, 5003.0
    close[35, 4:] = 5012.0
    bars = make_bars(open_.ravel(), close.ravel(), session=np.repeat(np.arange(sessions), BARS_A_SESSION))
    session, size, entry, exit_ = np.array([trade[:4] for trade in HAND]).T
    row = session.astype(int) * BARS_A_SESSION + 2
    exit_row = row + 2
    exit_row[8] -= 1
    exit_row[9] += 2
    return bars, Orders.of_arrays(row, row + 1, exit_row, entry, exit_, size)


@pytest.fixture(scope="module")
def mes():
    """The Micro E-mini as it comes with Farm."""
    return instrument_for("MES", None)


def test_the_regimes_are_those_the_market_was_made_for(market):
    volatility = session_regimes(market[0]).volatility
    assert (volatility[:24] == "unknown").all()
    assert (volatility[24:31] == "low").all()
    assert (volatility[31:] == "high").all()


def test_every_trade_is_right_to_the_cent(market, mes):
    contracts, gross, cost, _ = np.array([trade[4:] for trade in HAND]).T
    result = simulate(*market, mes, CAPITAL)
    np.testing.assert_array_equal(result.trades.quantity, contracts)
    np.testing.assert_allclose(result.trades.gross, gross, rtol=0, atol=1e-9)
    np.testing.assert_allclose(result.trades.cost, cost, rtol=0, atol=1e-9)
    assert usd(result.net.sum()) == pytest.approx(GROSS - COST, abs=1e-9)
    assert result.trades.frame().net.sum() == pytest.approx(390.00, abs=1e-9)


def test_a_position_held_through_a_roll_pays_two_more_fills_and_earns_nothing_by_it(market, mes):
    bars, orders = market
    first_bar_of_36 = np.arange(len(bars)) == 36 * BARS_A_SESSION
    plain, rolled = (simulate(each, orders, mes, CAPITAL) for each in (bars, replace(bars, rolled=first_bar_of_36)))
    np.testing.assert_array_equal(rolled.gross, plain.gross)
    # Out of the old contract and into the new one, in a wild session: 2 * (.25 + 1) ticks of 1.25 USD.
    assert rolled.trades.cost[9] == pytest.approx(3.125 + 3.125, abs=1e-9)
    assert usd(rolled.cost[36]) == pytest.approx(1.5625 + 3.125, abs=1e-9)  # the exit, and the roll
    assert usd(rolled.net.sum()) == pytest.approx(GROSS - COST - 3.125, abs=1e-9)
    assert rolled.break_even_multiple == pytest.approx(GROSS / 54.375)


def test_flat_at_the_session_s_end_the_last_trade_leaves_at_its_first_session_s_last_close(market, mes):
    bars, orders = market
    bars = replace(bars, rolled=np.arange(len(bars)) == 36 * BARS_A_SESSION)
    result = simulate(bars, orders, mes, CAPITAL, execution=Execution(flatten="session_end"))
    assert result.trades.exit_price[9] == 5012.0
    assert bars.session[result.trades.exit_row].tolist() == [trade[0] for trade in HAND]
    assert usd(result.gross.sum()) == pytest.approx(GROSS - 100.0 + 60.0, abs=1e-9)  # 12 points, not 20
    assert usd(result.cost.sum()) == pytest.approx(COST, abs=1e-9)  # and no roll
    assert result.net[36] == 0.0


def test_a_bar_of_latency_enters_at_5002_and_leaves_where_it_would_have(market, mes):
    bars, orders = market
    result = simulate(bars, orders, mes, CAPITAL, execution=Execution(latency=1))
    assert (result.trades.entry_price == 5002.0).all()
    np.testing.assert_array_equal(result.trades.entry_row, orders.row + 2)
    np.testing.assert_allclose(result.trades.gross, [trade[-1] for trade in HAND], rtol=0, atol=1e-9)
    # 11.25 - 8.75 - 35 + 240 + 1.25 - 20 + 40 + 22.5 + 20 + 90
    assert usd(result.gross.sum()) == pytest.approx(361.25, abs=1e-9)
    assert usd(result.cost.sum()) == pytest.approx(COST, abs=1e-9)


def test_all_at_once(market, mes):
    bars, orders = market
    bars = replace(bars, rolled=np.arange(len(bars)) == 36 * BARS_A_SESSION)
    result = simulate(bars, orders, mes, CAPITAL, execution=Execution(1, "session_end"), cost_multiple=2.0)
    # As a bar late, but the last trade goes from 5002 to 5012: 50 USD; twice the costs, and no roll.
    assert usd(result.net.sum()) == pytest.approx(361.25 - 90.0 + 50.0 - 2 * COST, abs=1e-9)
