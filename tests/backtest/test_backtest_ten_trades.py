"""Ten trades of the Micro E-mini worked out by hand, right to the cent."""

import numpy as np
import pytest

from farm.backtest import Orders, metrics, simulate

# size, entry, exit, bars held -> contracts, gross, cost, net (USD). Every decision is at a close of 5000: one contract
# is 25,000 USD of the 100,000. A point is 5 USD; a round trip costs .5 + 2 * .5 ticks of 1.25 USD: 1.875 a contract.
HAND = [
    (0.25, 5000.25, 5004.25, 2, 1, 20.00, 1.875, 18.125),
    (-0.25, 4999.75, 5003.75, 2, 1, -20.00, 1.875, -21.875),
    (0.50, 5001.00, 4998.50, 2, 2, -25.00, 3.75, -28.75),
    (-1.00, 5000.00, 4990.00, 2, 4, 200.00, 7.50, 192.50),
    (0.37, 5002.00, 5002.25, 2, 1, 1.25, 1.875, -0.625),  # 1.48 contracts: one
    (0.38, 5000.00, 5000.00, 2, 2, 0.00, 3.75, -3.75),  # 1.52 contracts: two
    (0.125, 4990.00, 5010.00, 2, 1, 100.00, 1.875, 98.125),  # half a contract: one
    (-0.75, 5010.50, 5000.50, 2, 3, 150.00, 5.625, 144.375),
    (1.00, 5000.00, 4995.75, 1, 4, -85.00, 7.50, -92.50),  # leaves in the bar of its entry
    (0.25, 5000.00, 5020.00, 2, 1, 100.00, 1.875, 98.125),  # held overnight, see below
]
BARS_A_TRADE = 3


@pytest.fixture(scope="module")
def market(make_bars):
    """Three bars a trade: decision, entry, exit. The second session starts with the last trade's exit bar."""
    n = BARS_A_TRADE * len(HAND)
    open_, close = np.full(n, 5000.0), np.full(n, 5000.0)
    row = np.arange(len(HAND)) * BARS_A_TRADE
    exit_row = np.array([BARS_A_TRADE * i + held for i, (_, _, _, held, *_) in enumerate(HAND)])
    size, entry, exit_ = np.array([trade[:3] for trade in HAND]).T
    open_[row + 1] = entry
    close[-2] = 5012.0
    close[exit_row] = exit_
    return make_bars(open_, close, session=np.arange(n) >= n - 1), Orders.of_arrays(
        row, row + 1, exit_row, entry, exit_, size
    )


@pytest.fixture(scope="module")
def result(market, mes):
    return simulate(*market, mes, 100_000.0)


def test_every_trade_is_right_to_the_cent(result):
    held, contracts, gross, cost, net = np.array([trade[3:] for trade in HAND]).T
    trades = result.trades
    np.testing.assert_array_equal(trades.bars_held, held)
    np.testing.assert_array_equal(trades.quantity, contracts)
    np.testing.assert_allclose(trades.gross, gross, rtol=0, atol=1e-9)
    np.testing.assert_allclose(trades.cost, cost, rtol=0, atol=1e-9)
    np.testing.assert_allclose(trades.net, net, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(trades.side, np.sign([trade[0] for trade in HAND]))


def test_totals_are_right_to_the_cent(result):
    assert result.gross.sum() * 100_000 == pytest.approx(441.25, abs=1e-9)
    assert result.cost.sum() * 100_000 == pytest.approx(37.50, abs=1e-9)
    assert result.net.sum() * 100_000 == pytest.approx(403.75, abs=1e-9)
    assert result.break_even_multiple == pytest.approx(441.25 / 37.50)


def test_the_trade_held_overnight_is_marked_at_the_last_close_of_its_first_session(result):
    # 5000 -> 5012 belongs to the first session (60 USD), 5012 -> 5020 to the second (40 USD); one fill in each.
    assert result.gross[1] * 100_000 == pytest.approx(40.0, abs=1e-9)
    assert result.cost[1] * 100_000 == pytest.approx(0.9375, abs=1e-9)
    assert result.net[0] * 100_000 == pytest.approx(403.75 - 39.0625, abs=1e-9)


def test_trade_metrics_are_those_worked_out_by_hand(result):
    found = metrics(result, sessions_per_year=2)  # two sessions: exactly one year
    assert found.trades == found.trades_per_year == 10
    assert found.win_rate == 0.5
    assert found.profit_factor == pytest.approx(551.25 / 147.50)
    assert found.mean_bars_held == pytest.approx(1.9)
    assert found.exposure == pytest.approx(19 / 30)
    fills = [(5000.25 + 5004.25), (4999.75 + 5003.75), 2 * (5001 + 4998.5), 4 * (5000 + 4990), (5002 + 5002.25)]
    fills += [2 * 10000, (4990 + 5010), 3 * (5010.5 + 5000.5), 4 * (5000 + 4995.75), (5000 + 5020)]
    assert found.turnover == pytest.approx(sum(fills) * 5 / 100_000)


def test_the_table_of_trades_says_when(result):
    table = result.trades.frame()
    assert list(table.columns) == [
        *("decided_at", "entered_at", "exited_at", "side", "quantity", "entry_price", "exit_price"),
        *("gross", "cost", "net", "bars_held"),
    ]
    assert str(table.decided_at[0]) == str(table.entered_at[0]) == "1970-01-01 00:01:00+00:00"
    assert str(table.exited_at.iloc[-1]) == "1970-01-02 00:01:00+00:00"
    assert result.frame().net.sum() == result.net.sum()


def test_a_wrong_point_value_or_a_single_sided_cost_would_show(market, make_instrument, result):
    from farm.bars.instrument import Ticks

    ticks_as_points = simulate(*market, make_instrument(point_value=1.0), 20_000.0)
    assert not np.allclose(ticks_as_points.trades.gross, result.trades.gross)
    one_side = make_instrument(commission=Ticks(value=0.25), slippage=Ticks(value=0.0))
    assert simulate(*market, one_side, 100_000.0).trades.cost[0] == pytest.approx(0.625)
