"""Orders to positions to net returns: one position at a time, costs on both fills."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from farm.backtest.execution import Execution
from farm.backtest.impact import SquareRootImpact
from farm.backtest.orders import Orders
from farm.backtest.regime import session_starts
from farm.backtest.result import Backtest, Counts, Trades
from farm.backtest.tariff import Tariff
from farm.bars.frame import Bars, Float, Int
from farm.bars.instrument import Instrument

_AT_ONCE = Execution()


def simulate(
    bars: Bars,
    orders: Orders,
    instrument: Instrument,
    capital: float,
    *,
    cost_multiple: float = 1.0,
    execution: Execution = _AT_ONCE,
    impact: SquareRootImpact | None = None,
) -> Backtest:
    """Backtest of the orders on their bars: net returns by session and the list of trades.

    Orders become fills as ``execution`` says. An order is taken when the account is flat at its decision: a position
    that leaves in bar x is known to be flat at x's close, so a decision in bar x may enter at the next open. Its
    quantity is ``size * capital / (close at the decision * point_value)``, rounded last to the nearest lot (half a lot
    rounds up; less is no trade, and is counted). Positions are marked to market at every close; each fill books its
    cost in its own bar. Slippage is a cost, not a worse price: gross P&L is that of the quoted prices. A position that
    is open before the first bar on a new contract (``bars.rolled``) leaves the old contract and enters the new one at
    that bar's open: two fills that cost, and no return beyond that of the joined prices. Profits are not reinvested:
    every size is a fraction of the same capital, so session returns add up and do not compound, and losses may add up
    to more than the capital.

    Parameters
    ----------
    bars : Bars
        Bars that the orders' rows point into.
    orders : Orders
        One order per decision.
    instrument : Instrument
        Point value, lot, commission and slippage.
    capital : float
        Money that a size of 1 invests, in the instrument's currency.
    cost_multiple : float
        Factor on every cost, 0 for none.
    execution : Execution
        Latency, and when positions must be closed; by default orders fill at the next open and leave as they say.
    impact : SquareRootImpact, optional
        What a fill costs beyond commission and slippage because it moves the market.

    Raises
    ------
    BadInput
        When there is an impact but no volume.
    ValueError
        When there are no bars, the capital is not positive, the cost multiple is negative, or an order uses a price
        that was not available (the message names the order).

    Examples
    --------
    >>> from farm.bars.instrument import instrument_for
    >>> minute, price = 60 * 10**9, np.array([100.0, 101.0, 102.0, 103.0])
    >>> times, zeros = np.arange(4) * minute, np.zeros(4, dtype=np.int64)
    >>> bars = Bars("X", "1min", times, times + minute, price, price + 1, price - 1, price, price, zeros, zeros)
    >>> order = Orders.of_arrays([0], [1], [3], [101.0], [103.0], [1.0])
    >>> result = simulate(bars, order, instrument_for("MES", None), 1000.0)
    >>> result.trades.quantity, result.trades.gross, result.gross
    (array([2.]), array([20.]), array([0.02]))
    """
    if len(bars) == 0:
        raise ValueError("bars: found 0 bars; give at least one")
    if not (math.isfinite(capital) and capital > 0):
        raise ValueError(f"capital: found {capital}; give a positive amount of money")
    if not (math.isfinite(cost_multiple) and cost_multiple >= 0):
        raise ValueError(f"cost_multiple: found {cost_multiple}; give 0 or more (1 is the instrument's own cost)")
    orders.require_no_lookahead(bars)
    executed, positions = execution.of(bars, orders)
    if executed is not orders:
        executed.require_no_lookahead(bars)

    fills = _one_position(
        executed.row,
        executed.exit_row,
        executed.size,
        bars.close[executed.row],
        capital / instrument.point_value,
        instrument.lot,
    )
    trades, rolls = _trades(bars, executed, fills, positions, Tariff(bars, instrument, impact), cost_multiple)
    starts = session_starts(bars)
    gross, cost = _book(
        starts,
        bars.close,
        trades.entry_row,
        trades.exit_row,
        trades.entry_price,
        trades.exit_price,
        trades.side * trades.quantity * instrument.point_value,
        trades.entry_cost,
        trades.exit_cost,
    )
    cost += np.bincount(np.searchsorted(starts, rolls.row, side="right") - 1, weights=rolls.cost, minlength=len(starts))
    no_bet = int(np.count_nonzero(orders.size == 0))
    unfilled = len(orders) - no_bet - int(np.count_nonzero(executed.size))
    return Backtest(
        capital=capital,
        point_value=instrument.point_value,
        n_bars=len(bars),
        cost_multiple=cost_multiple,
        sessions=bars.session[starts],
        gross=gross / capital,
        instrument_cost=cost / capital,
        trades=trades,
        counts=Counts(len(orders), no_bet, len(fills.order), fills.in_position, fills.below_lot, unfilled),
    )


class _Fills(NamedTuple):
    order: Int  # positions in the orders that were taken
    quantity: Float  # signed
    in_position: int
    below_lot: int


class _Rolls(NamedTuple):
    row: Int  # first bars on a new contract that met an open position
    cost: Float  # of both fills, in money


@njit(cache=True, nogil=True)
def _one_position(row: Int, exit_row: Int, size: Float, close: Float, contracts_per_price: float, lot: float) -> _Fills:
    taken = np.empty(len(row), dtype=np.int64)
    quantity = np.empty(len(row), dtype=np.float64)
    n = in_position = below_lot = 0
    flat_from = -1
    for i in range(len(row)):
        if size[i] == 0.0:
            continue
        if row[i] < flat_from:
            in_position += 1
        else:
            lots = math.floor(abs(size[i]) * contracts_per_price / close[i] / lot + 0.5)
            if lots < 1.0:
                below_lot += 1
            else:
                taken[n] = i
                quantity[n] = math.copysign(lots * lot, size[i])
                flat_from = exit_row[i]
                n += 1
    return _Fills(taken[:n], quantity[:n], in_position, below_lot)


def _trades(
    bars: Bars, orders: Orders, fills: _Fills, positions: Int, tariff: Tariff, cost_multiple: float
) -> tuple[Trades, _Rolls]:
    """The trades, and what each change of contract cost."""
    order, n = fills.order, len(fills.order)
    entry_row, exit_row = orders.entry_row[order], orders.exit_row[order]
    entry_price, exit_price = orders.entry_price[order], orders.exit_price[order]
    quantity = np.abs(fills.quantity)
    rolled, roll_row = _rolled(bars, entry_row, exit_row)
    cost = tariff.fills(
        np.concatenate([entry_row, exit_row, roll_row]),
        np.concatenate([entry_price, exit_price, bars.open[roll_row]]),
        np.concatenate([quantity, quantity, quantity[rolled]]),
    )
    rolls = _Rolls(roll_row, 2.0 * cost[2 * n :])
    trades = Trades(
        order=positions[order],
        decided_at=bars.available_at[orders.row[order]],
        entered_at=bars.open_time[entry_row],
        exited_at=bars.available_at[exit_row],
        entry_row=entry_row,
        exit_row=exit_row,
        side=np.sign(fills.quantity).astype(np.int8),
        quantity=quantity,
        entry_price=entry_price,
        exit_price=exit_price,
        gross=fills.quantity * tariff.instrument.point_value * (exit_price - entry_price),
        entry_cost=cost[:n],
        exit_cost=cost[n : 2 * n],
        roll_cost=np.asarray(np.bincount(rolled, weights=rolls.cost, minlength=n), dtype=np.float64),
        cost_multiple=cost_multiple,
    )
    return trades, rolls


def _rolled(bars: Bars, entry_row: Int, exit_row: Int) -> tuple[Int, Int]:
    """Trade and row of every change of contract that met an open position."""
    row = np.flatnonzero(bars.rolled) if len(entry_row) else np.zeros(0, dtype=np.int64)
    trade = np.searchsorted(entry_row, row) - 1  # the last one that was entered before
    met = (trade >= 0) & (exit_row[trade] >= row)
    return trade[met], row[met]


@njit(cache=True, nogil=True)
def _book(
    starts: Int,
    close: Float,
    entry_row: Int,
    exit_row: Int,
    entry_price: Float,
    exit_price: Float,
    exposure: Float,
    entry_cost: Float,
    exit_cost: Float,
) -> tuple[Float, Float]:
    """Gross P&L and costs by session, in money.

    The marks of the bars of one session telescope, so only the mark at each session's last close is needed.
    """
    gross = np.zeros(len(starts))
    cost = np.zeros(len(starts))
    session = 0
    for i in range(len(entry_row)):
        while session + 1 < len(starts) and starts[session + 1] <= entry_row[i]:
            session += 1
        cost[session] += entry_cost[i]
        mark = entry_price[i]
        while session + 1 < len(starts) and starts[session + 1] <= exit_row[i]:
            last_close = close[starts[session + 1] - 1]
            gross[session] += exposure[i] * (last_close - mark)
            mark = last_close
            session += 1
        gross[session] += exposure[i] * (exit_price[i] - mark)
        cost[session] += exit_cost[i]
    return gross, cost
