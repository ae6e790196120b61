"""What is taken, what is refused, and the laws of the money."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Account, Orders, buy_and_hold, simulate
from farm.bars.instrument import BasisPoints, PerContract, Ticks
from farm.labels import Atr, TripleBarrier

SEEDS = st.integers(0, 2**32 - 1)
CAPITAL = 100_000.0


@pytest.fixture(scope="session")
def small_lots(make_instrument):
    return make_instrument(lot=0.1, commission=BasisPoints(value=1.0))


def plain_reference(bars, orders, instrument, capital):
    """The same backtest bar by bar, as one would tell it: (taken, quantities, gross and cost by session in money)."""
    sessions = sorted(set(bars.session.tolist()))
    gross, cost = dict.fromkeys(sessions, 0.0), dict.fromkeys(sessions, 0.0)
    by_row = {int(row): i for i, row in enumerate(orders.row)}
    taken, quantities, position = [], [], None
    for bar in range(len(bars)):
        session = int(bars.session[bar])
        if position is not None:
            i, quantity, mark = position
            if bar == orders.entry_row[i]:
                mark = orders.entry_price[i]
                cost[session] += instrument.fill_cost(mark, quantity)
            leaves = bar == orders.exit_row[i]
            price = orders.exit_price[i] if leaves else bars.close[bar]
            gross[session] += quantity * instrument.point_value * (price - mark)
            position = (i, quantity, price)
            if leaves:
                cost[session] += instrument.fill_cost(price, quantity)
                position = None
        if position is None and bar in by_row:
            i = by_row[bar]
            wanted = orders.size[i] * capital / (bars.close[bar] * instrument.point_value)
            quantity = np.sign(wanted) * np.floor(abs(wanted) / instrument.lot + 0.5) * instrument.lot
            if quantity:
                taken.append(i)
                quantities.append(quantity)
                position = (i, quantity, np.nan)
    return taken, quantities, np.array(list(gross.values())), np.array(list(cost.values()))


@given(SEEDS)
def test_it_equals_a_bar_by_bar_account(random_market, small_lots, seed):
    bars, orders = random_market(seed)
    result = simulate(bars, orders, small_lots, CAPITAL)
    taken, quantities, gross, cost = plain_reference(bars, orders, small_lots, CAPITAL)
    np.testing.assert_array_equal(result.trades.order, taken)
    np.testing.assert_allclose(result.trades.side * result.trades.quantity, quantities, rtol=1e-15)
    np.testing.assert_allclose(result.gross * CAPITAL, gross, rtol=1e-12, atol=1e-8)
    np.testing.assert_allclose(result.cost * CAPITAL, cost, rtol=1e-12)


@given(SEEDS)
def test_session_returns_add_up_to_the_trades(random_market, small_lots, seed):
    result = simulate(*random_market(seed), small_lots, CAPITAL)
    scale = np.abs(result.trades.gross).sum() + result.trades.cost.sum()
    assert abs(result.net.sum() * CAPITAL - result.trades.net.sum()) <= 1e-12 * scale
    counts = result.counts
    assert counts.orders == counts.no_bet + counts.taken + counts.in_position + counts.below_lot


@given(SEEDS)
def test_positions_never_overlap_and_no_order_is_skipped_while_flat(random_market, small_lots, seed):
    bars, orders = random_market(seed)
    result = simulate(bars, orders, small_lots, CAPITAL)
    trades = result.trades
    assert (trades.entry_row[1:] > trades.exit_row[:-1]).all()
    skipped = np.setdiff1d(np.flatnonzero(orders.size), trades.order)
    open_at = (orders.row[trades.order] < orders.row[skipped, None]) & (trades.exit_row > orders.row[skipped, None])
    assert open_at.any(axis=1).sum() == result.counts.in_position


def test_a_decision_in_the_bar_of_an_exit_may_enter_at_the_next_open(make_bars, mes):
    bars = make_bars([5000.0] * 6, [5000.0] * 6)
    rows = {"entry_price": [5000.0] * 3, "exit_price": [5000.0] * 3, "size": [1, 1, 1]}
    result = simulate(bars, Orders.of_arrays([0, 1, 2], [1, 2, 3], [2, 4, 5], **rows), mes, CAPITAL)
    assert result.trades.order.tolist() == [0, 2]
    assert result.counts.in_position == 1


def test_an_order_below_half_a_lot_is_counted_and_does_not_block(make_bars, mes):
    bars = make_bars([5000.0] * 5, [5000.0] * 5)
    orders = Orders.of_arrays([0, 1, 2], [1, 2, 3], [4, 4, 4], [5000.0] * 3, [5000.0] * 3, [0.12, 0.0, -0.13])
    result = simulate(bars, orders, mes, CAPITAL)
    assert (result.counts.below_lot, result.counts.no_bet, result.counts.taken) == (1, 1, 1)
    assert result.trades.quantity.tolist() == [1.0]
    assert result.trades.side.tolist() == [-1]


def test_idle_sessions_are_there_with_zero(make_bars, mes):
    bars = make_bars([5000.0] * 9, [5000.0] * 9, session=np.repeat([10, 11, 14], 3))
    result = simulate(bars, Orders.of_arrays([3], [4], [5], [5000.0], [5000.0], [1.0]), mes, CAPITAL)
    assert result.sessions.tolist() == [10, 11, 14]
    assert result.net.tolist() == [0.0, -7.5 / CAPITAL, 0.0]


@pytest.mark.parametrize("multiple", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("commission", [BasisPoints(value=2.0), PerContract(value=0.6), Ticks(value=0.25)])
def test_costs_are_linear_in_the_multiple(random_market, make_instrument, commission, multiple):
    market, instrument = random_market(3), make_instrument(lot=0.1, commission=commission)
    once = simulate(*market, instrument, CAPITAL)
    many = simulate(*market, instrument, CAPITAL, cost_multiple=multiple)
    np.testing.assert_array_equal(many.gross, once.gross)
    np.testing.assert_allclose(many.cost, multiple * once.cost, rtol=1e-15)
    np.testing.assert_array_equal(many.net, once.at_cost(multiple).net)
    assert many.break_even_multiple == once.break_even_multiple


def test_the_break_even_multiple_leaves_nothing(random_market, small_lots):
    result = simulate(*random_market(3), small_lots, CAPITAL)
    kept = result.at_cost(abs(result.break_even_multiple))
    assert kept.trades.cost.sum() == pytest.approx(abs(result.trades.gross.sum()), rel=1e-12)


def test_without_costs_or_trades_there_is_no_break_even(random_market, make_instrument):
    bars, orders = random_market(3)
    free = make_instrument(commission=PerContract(value=0), slippage=Ticks(value=0))
    assert simulate(bars, orders, free, CAPITAL).break_even_multiple is None
    idle = replace(orders, size=np.zeros(len(orders)))
    assert simulate(bars, idle, make_instrument(), CAPITAL).break_even_multiple is None


@given(SEEDS)
def test_the_other_side_has_the_opposite_gross_and_the_same_cost(random_market, small_lots, seed):
    bars, orders = random_market(seed)
    long = simulate(bars, orders, small_lots, CAPITAL)
    short = simulate(bars, replace(orders, size=-orders.size), small_lots, CAPITAL)
    np.testing.assert_array_equal(short.gross, -long.gross)
    np.testing.assert_array_equal(short.cost, long.cost)


@given(SEEDS)
def test_mirrored_prices_and_sizes_have_the_same_gross(random_market, make_instrument, seed):
    # Mirrored about the close that every decision sees, so that quantities are the same.
    bars, orders = random_market(seed)
    instrument = make_instrument(lot=1.0)
    flat = replace(bars, close=np.full(len(bars), 100.0))
    axis = 100.0
    mirror = replace(
        flat, open=2 * axis - bars.open, high=2 * axis - bars.low, low=2 * axis - bars.high, close=2 * axis - flat.close
    )
    turned = replace(
        orders,
        entry_price=mirror.open[orders.entry_row],
        exit_price=np.clip(2 * axis - orders.exit_price, mirror.low[orders.exit_row], mirror.high[orders.exit_row]),
        size=-orders.size,
    )
    one, other = simulate(flat, orders, instrument, CAPITAL), simulate(mirror, turned, instrument, CAPITAL)
    np.testing.assert_allclose(other.gross, one.gross, atol=1e-13)
    np.testing.assert_array_equal(other.trades.quantity, one.trades.quantity)


def test_later_bars_and_orders_do_not_change_earlier_trades(random_market, small_lots):
    bars, orders = random_market(5)
    cut = int(np.searchsorted(orders.row, 150))
    earlier = Orders(**{name: values[:cut] for name, values in vars(orders).items()})
    whole, part = simulate(bars, orders, small_lots, CAPITAL), simulate(bars, earlier, small_lots, CAPITAL)
    np.testing.assert_array_equal(part.trades.net, whole.trades.net[: len(part.trades)])


def test_the_same_input_gives_the_same_bits(random_market, small_lots):
    first, second = (simulate(*random_market(9), small_lots, CAPITAL) for _ in range(2))
    assert first.net.tobytes() == second.net.tobytes()
    assert first.trades.net.tobytes() == second.trades.net.tobytes()


@given(SEEDS)
def test_a_trade_earns_the_return_of_its_label(random_market, small_lots, seed):
    """A label's return is a log return, a trade's gross is simple: gross / invested = exp(ret) - 1 on the long side."""
    bars, _ = random_market(seed)
    events = TripleBarrier(up=1.5, down=1.5, max_bars=20, volatility=Atr(window=5)).label(bars, np.arange(0, 400, 3))
    size = np.random.default_rng(seed).choice([-1.0, 1.0], len(events))
    trades = simulate(bars, Orders.of_events(events, size), small_lots, CAPITAL).trades
    invested = trades.quantity * trades.entry_price * small_lots.point_value
    simple = np.expm1(events.ret[trades.order])
    np.testing.assert_allclose(trades.gross / invested, trades.side * simple, atol=1e-13)
    np.testing.assert_array_equal(trades.exited_at, events.exited_at[trades.order])
    assert len(trades) > 5


def test_buy_and_hold_pays_its_costs_once_a_segment(random_market, small_lots):
    bars, _ = random_market(4)
    orders = buy_and_hold(bars)
    result = simulate(bars, orders, small_lots, CAPITAL)
    assert orders.row.tolist() == [0, 200]
    assert orders.exit_row.tolist() == [199, 399]
    assert result.counts.taken == 2
    assert np.flatnonzero(result.cost).tolist() == [0, 3, 6]  # session 3 has the hole: one exit and one entry
    simple = bars.close[orders.exit_row] / bars.open[orders.row + 1] - 1
    np.testing.assert_allclose(result.gross.sum(), simple.sum(), rtol=0.02)  # up to the lot and the first gap


def test_buy_and_hold_leaves_out_a_segment_of_one_bar(make_bars):
    assert buy_and_hold(make_bars([1, 1, 1.0], [1, 1, 1.0], segment=[0, 1, 1])).row.tolist() == [1]


VIOLATIONS = {
    "enters at or before its decision": {"entry_row": [0]},
    "not the open of its entry bar": {"entry_price": [5000.25]},
    "exits before it enters": {"exit_row": [0]},
    "outside the low and high": {"exit_price": [5001.0]},
    "crosses from one segment": {"exit_row": [4]},
    "outside the 5 bars": {"exit_row": [5]},
    "exit price outside": {"exit_price": [np.nan]},
}


@pytest.mark.parametrize("message", VIOLATIONS)
def test_an_order_from_the_future_is_refused(make_bars, mes, message):
    bars = make_bars([5000.0] * 5, [5000.0] * 5, segment=[0, 0, 0, 0, 1])
    good = {"row": [0], "entry_row": [1], "exit_row": [2]}
    good |= {"entry_price": [5000.0], "exit_price": [5000.0], "size": [1.0]}
    assert simulate(bars, Orders.of_arrays(**good), mes, CAPITAL).counts.taken == 1
    with pytest.raises(ValueError, match=message):
        simulate(bars, Orders.of_arrays(**good | VIOLATIONS[message]), mes, CAPITAL)


def test_an_entry_before_the_decision_is_available_is_refused(make_bars, mes):
    bars = make_bars([5000.0] * 4, [5000.0] * 4)
    late = replace(bars, available_at=bars.available_at + 1)
    order = Orders.of_arrays([0], [1], [2], [5000.0], [5000.0], [1.0])
    with pytest.raises(ValueError, match="before the decision was available"):
        simulate(late, order, mes, CAPITAL)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"size": [1.1, 0]}, r"size 1.1 at order 0 is not in \[-1, 1\]"),
        ({"size": [0, np.nan]}, "size nan at order 1"),
        ({"row": [0, 0]}, "row 0 follows row 0 at order 1"),
        ({"exit_price": [1.0]}, "exit_price has shape"),
    ],
)
def test_malformed_orders_are_refused(changed, message):
    good = {"row": [0, 1], "entry_row": [1, 2], "exit_row": [1, 2]}
    good |= {"entry_price": [1, 1], "exit_price": [1, 1], "size": [1, 1]}
    with pytest.raises(ValueError, match=message):
        Orders.of_arrays(**good | changed)


def test_impossible_arguments_are_refused(make_bars, mes):
    bars, none = make_bars([1.0], [1.0]), Orders.of_arrays([], [], [], [], [], [])
    assert simulate(bars, none, mes, 1.0).net.tolist() == [0.0]
    with pytest.raises(ValueError, match="capital: found 0"):
        simulate(bars, none, mes, 0)
    with pytest.raises(ValueError, match="cost_multiple: found -1"):
        simulate(bars, none, mes, 1.0, cost_multiple=-1)
    with pytest.raises(ValueError, match="multiple: found nan"):
        simulate(bars, none, mes, 1.0).at_cost(np.nan)
    with pytest.raises(ValueError, match="0 bars"):
        simulate(bars.between(0, 0), none, mes, 1.0)


def test_an_account_has_the_costs_of_the_instrument_or_its_own(random_market, mes):
    bars, orders = random_market(1)
    account = Account.model_validate({"costs": "instrument", "capital": 100000})
    np.testing.assert_array_equal(account.backtest(bars, orders, mes).net, simulate(bars, orders, mes, CAPITAL).net)
    free = {"commission": {"kind": "bps", "value": 0}, "slippage": {"kind": "ticks", "value": 0}}
    own = Account.model_validate({"costs": free, "capital": 100000})
    assert not own.backtest(bars, orders, mes).cost.any()
    with pytest.raises(ValueError, match="capital"):
        Account(capital=0)
