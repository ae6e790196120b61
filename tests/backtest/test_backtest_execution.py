"""When orders fill and positions close: latency, bars without trades, flat at the end of a session or a week."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Account, Execution, Orders, buy_and_hold, simulate

SEEDS = st.integers(0, 2**32 - 1)
EXECUTIONS = st.builds(Execution, latency=st.integers(0, 4), flatten=st.sampled_from([None, "session_end", "week_end"]))
CAPITAL = 100_000.0


@pytest.fixture(scope="session")
def small_lots(make_instrument):
    return make_instrument(lot=0.1)


@pytest.fixture(scope="session")
def steps(make_bars):
    """Twelve bars that open at 100, 101, … and close half a point higher; two sessions of six."""
    open_ = np.arange(100.0, 112.0)
    return make_bars(open_, open_ + 0.5, session=np.repeat([0, 1], 6))


def one_order(bars, row, exit_row, exit_price=None, size=1.0):
    price = bars.close[exit_row] if exit_price is None else exit_price
    return Orders.of_arrays([row], [row + 1], [exit_row], [bars.open[row + 1]], [price], [size])


def holes_filled(bars, seed):
    """The bars with some made flat at the last close of their segment, as a gap policy leaves them."""
    filled = np.random.default_rng(seed).random(len(bars)) < 0.3
    filled[bars.segment_bounds()[:-1]] = False
    last_real = np.maximum.accumulate(np.where(filled, 0, np.arange(len(bars))))
    flat = bars.close[last_real]
    prices = {name: np.where(filled, flat, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    return replace(bars, **prices, volume=np.where(filled, 0.0, bars.volume), filled=filled)


def on(bars, orders):
    """The orders at the prices of changed bars."""
    exit_price = np.clip(orders.exit_price, bars.low[orders.exit_row], bars.high[orders.exit_row])
    return replace(orders, entry_price=bars.open[orders.entry_row], exit_price=exit_price)


# ---- Latency


@pytest.mark.parametrize(("latency", "entry"), [(0, 1), (1, 2), (3, 4)])
def test_an_order_fills_at_the_open_of_the_bar_after_its_latency(steps, latency, entry):
    executed, positions = Execution(latency).of(steps, one_order(steps, 0, 5))
    assert (executed.entry_row[0], executed.entry_price[0]) == (entry, 100.0 + entry)
    assert (executed.exit_row[0], executed.exit_price[0]) == (5, 105.5)
    assert positions.tolist() == [0]


def test_an_event_that_ended_before_the_fill_is_left_a_latency_after_its_end(steps):
    # Ended in bar 2, filled at the open of bar 4: the news of bar 2 is acted upon as late as the decision of bar 0.
    executed, _ = Execution(3).of(steps, one_order(steps, 0, 2, exit_price=102.25))
    assert (executed.entry_row[0], executed.exit_row[0], executed.exit_price[0]) == (4, 5, 105.5)


def test_nobody_can_call_back_an_order_whose_event_ended_before_it_filled(random_market):
    bars, orders = random_market(3)
    _, positions = Execution(2).of(bars, orders)
    segment_end = np.where(bars.segment[orders.row] == 0, 199, 399)
    np.testing.assert_array_equal(positions, np.flatnonzero(orders.row + 3 <= segment_end))


@pytest.mark.parametrize(("latency", "fills"), [(0, True), (3, True), (4, False)])
def test_the_last_bar_of_a_segment_still_fills(make_bars, latency, fills):
    bars = make_bars([100.0] * 7, [100.0] * 7, segment=[0, 0, 0, 0, 0, 1, 1])
    executed, _ = Execution(latency).of(bars, one_order(bars, 0, 4))
    assert executed.entry_row.tolist() == ([1 + latency] if fills else [])


def test_orders_that_find_no_bar_in_their_segment_are_counted(make_bars, small_lots):
    bars = make_bars([100.0] * 6, [100.0] * 6, segment=[0, 0, 0, 1, 1, 1])
    rows = {"entry_price": [100.0] * 3, "exit_price": [100.0] * 3, "size": [1.0, 0.0, 1.0]}
    orders = Orders.of_arrays([1, 3, 4], [2, 4, 5], [2, 5, 5], **rows)
    counts = simulate(bars, orders, small_lots, CAPITAL, execution=Execution(1)).counts
    assert (counts.orders, counts.unfilled, counts.no_bet, counts.taken) == (3, 2, 1, 0)


def test_a_trade_names_the_order_it_came_from(make_bars, small_lots):
    bars = make_bars([100.0] * 8, [100.0] * 8, segment=[0, 0, 1, 1, 1, 1, 1, 1])
    rows = {"entry_price": [100.0] * 2, "exit_price": [100.0] * 2, "size": [1.0, 1.0]}
    orders = Orders.of_arrays([0, 2], [1, 3], [1, 6], **rows)
    assert simulate(bars, orders, small_lots, CAPITAL, execution=Execution(1)).trades.order.tolist() == [1]


# ---- Bars that nobody traded


def test_an_entry_on_a_filled_bar_waits_for_the_next_real_open(steps):
    bars = replace(steps, filled=np.isin(np.arange(12), [1, 2]))
    executed, _ = Execution().of(bars, one_order(bars, 0, 5))
    assert (executed.entry_row[0], executed.entry_price[0]) == (3, 103.0)


def test_an_exit_on_a_filled_bar_waits_for_the_next_real_open(steps):
    bars = replace(steps, filled=np.isin(np.arange(12), [4, 5]))
    executed, _ = Execution().of(bars, one_order(bars, 0, 4))
    assert (executed.exit_row[0], executed.exit_price[0]) == (6, 106.0)


def test_an_exit_that_finds_no_later_trade_is_at_the_last_real_close(steps):
    bars = replace(steps, filled=np.isin(np.arange(12), [4, 5]))
    executed, _ = Execution(flatten="session_end").of(bars, one_order(bars, 0, 8))
    assert (executed.exit_row[0], executed.exit_price[0]) == (3, 103.5)
    ends_filled = replace(steps, filled=np.arange(12) >= 10)
    executed, _ = Execution().of(ends_filled, one_order(ends_filled, 6, 11))
    assert (executed.exit_row[0], executed.exit_price[0]) == (9, 109.5)


def test_an_order_behind_which_nothing_is_traded_never_fills(steps):
    bars = replace(steps, filled=np.arange(12) >= 9)
    executed, positions = Execution().of(bars, one_order(bars, 8, 10))
    assert len(executed) == len(positions) == 0


# ---- Flat by the close


def test_no_position_is_held_over_a_session_s_end(steps):
    executed, _ = Execution(flatten="session_end").of(steps, one_order(steps, 1, 9))
    assert (executed.exit_row[0], executed.exit_price[0]) == (5, 105.5)


def test_an_order_decided_at_the_last_close_is_held_in_the_next_session(steps):
    executed, _ = Execution(flatten="session_end").of(steps, one_order(steps, 5, 9))
    assert (executed.entry_row[0], executed.exit_row[0]) == (6, 9)


def test_an_early_close_moves_the_exit_with_the_session(make_bars):
    bars = make_bars([100.0] * 12, [100.0] * 12, session=np.repeat([0, 1, 4], [6, 2, 4]))  # the second ends early
    executed, _ = Execution(flatten="session_end").of(bars, one_order(bars, 5, 11))
    assert executed.exit_row.tolist() == [7]


@pytest.mark.parametrize(("friday", "exit_row"), [(1, 5), (0, 7)])  # 1970-01-01 was a Thursday
def test_a_week_ends_with_its_last_session(make_bars, friday, exit_row):
    monday = friday + 3
    bars = make_bars([100.0] * 12, [100.0] * 12, session=np.repeat([friday, monday, monday + 1], [6, 2, 4]))
    executed, _ = Execution(flatten="week_end").of(bars, one_order(bars, 0, 7))
    assert executed.exit_row.tolist() == [exit_row]


def test_buying_and_holding_is_not_closed_by_any_session(random_market, small_lots):
    bars, _ = random_market(4)
    account = Account(capital=CAPITAL, flatten="session_end")
    np.testing.assert_array_equal(
        account.hold(bars, small_lots).net, simulate(bars, buy_and_hold(bars), small_lots, CAPITAL).net
    )


# ---- Laws


@given(SEEDS, EXECUTIONS)
def test_every_execution_obeys_its_own_rules(random_market, small_lots, seed, execution):
    bars, orders = random_market(seed)
    bars = holes_filled(bars, seed)
    orders = on(bars, orders)
    executed, positions = execution.of(bars, orders)
    executed.require_no_lookahead(bars)
    assert (executed.entry_row >= orders.entry_row[positions] + execution.latency).all()
    assert not bars.filled[executed.entry_row].any()
    assert not bars.filled[executed.exit_row].any()
    assert (executed.entry_price == bars.open[executed.entry_row]).all()
    if execution.flatten == "session_end":
        assert (bars.session[executed.entry_row] == bars.session[executed.exit_row]).all()
    result = simulate(bars, orders, small_lots, CAPITAL, execution=execution)
    counts = result.counts
    assert counts.orders == (counts.no_bet + counts.taken + counts.in_position + counts.below_lot + counts.unfilled)
    assert counts.no_bet == np.count_nonzero(orders.size == 0)
    scale = np.abs(result.trades.gross).sum() + result.trades.cost.sum()
    assert abs(result.net.sum() * CAPITAL - result.trades.net.sum()) <= 1e-12 * scale


@given(SEEDS, EXECUTIONS)
def test_a_fill_depends_on_no_later_bar(random_market, seed, execution):
    bars, orders = random_market(seed)
    cut = 150  # inside a session and the first segment
    known = orders.take(np.maximum(orders.exit_row, orders.entry_row) < cut)
    whole, _ = execution.of(bars, known)
    changed = {name: getattr(bars, name).copy() for name in ("open", "high", "low", "close")}
    for values in changed.values():
        values[cut:] *= 1.5
    later, _ = execution.of(replace(bars, **changed), known)
    np.testing.assert_array_equal(later.entry_row, whole.entry_row)
    np.testing.assert_array_equal(later.exit_row, whole.exit_row)
    early = whole.exit_row < cut
    np.testing.assert_array_equal(later.exit_price[early], whole.exit_price[early])


@given(SEEDS)
def test_without_latency_closing_or_filled_bars_orders_are_executed_as_they_are(random_market, seed):
    bars, orders = random_market(seed)
    executed, positions = Execution().of(bars, orders)
    assert executed is orders
    np.testing.assert_array_equal(positions, np.arange(len(orders)))
