"""From orders to the fills that an account can have: latency, bars without trades, positions closed overnight."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from farm.backtest.orders import Orders
from farm.bars.frame import Bars, Bool, Float, Int

Flatten = Literal["session_end", "week_end"]


@dataclass(frozen=True)
class Execution:
    """How an account carries its orders out.

    ``latency`` is the number of bars between a decision and the earliest open at which its order fills, beyond the next
    one: the order of bar t fills at the open of bar t + 1 + latency. Exits are no later for it, since barriers rest at
    the broker and the last bar is known beforehand; but a position whose event had ended before the order filled
    leaves only at the close of the bar ``latency`` after that end, for nobody could have called the order back.

    ``flatten`` closes every position at the close of the last bar of the session it was entered in, or of the calendar
    week of that session. Holidays and early closes move that bar with the session. It is the last close and not the
    last open because that is where an event that has run its time leaves, too: an order for the close.

    A filled bar is nobody's trade. An entry or exit that falls on one waits for the next real bar of its segment and
    fills at that bar's open; where an exit finds none before the position must be closed, it is at the last real close.
    """

    latency: int = 0
    flatten: Flatten | None = None

    def of(self, bars: Bars, orders: Orders) -> tuple[Orders, Int]:
        """The orders as they are executed, and their positions among the given ones.

        Left out are orders that find no bar to fill in before their segment ends.

        Examples
        --------
        >>> minute, price = 60 * 10**9, np.arange(100.0, 106.0)
        >>> times, zeros = np.arange(6) * minute, np.zeros(6, dtype=np.int64)
        >>> bars = Bars("X", "1min", times, times + minute, price, price, price, price, price, zeros, zeros)
        >>> orders = Orders.of_arrays([0, 4], [1, 5], [3, 5], [101.0, 105.0], [103.0, 105.0], [1.0, 1.0])
        >>> late, positions = Execution(latency=1).of(bars, orders)
        >>> late.entry_row, late.entry_price, late.exit_row, positions
        (array([2]), array([102.]), array([3]), array([0]))
        """
        every = np.arange(len(orders))
        if self.latency == 0 and self.flatten is None and not bars.filled.any():
            return orders, every
        real = np.flatnonzero(~bars.filled)
        entry = _next(real, orders.entry_row + self.latency, len(bars))
        fills = entry <= _last(bars.segment, orders.row)
        orders, entry = orders.take(fills), entry[fills]
        orders = replace(orders, entry_row=entry, entry_price=bars.open[entry])
        end = _last(bars.segment, entry)
        orders = self._late_exits(bars, orders, end)
        if self.flatten is not None:
            end = np.minimum(end, _last(self._period(bars), entry))
        return _leave_on_real_bars(bars, real, orders, end), every[fills]

    def _late_exits(self, bars: Bars, orders: Orders, end: Int) -> Orders:
        over = orders.exit_row < orders.entry_row
        late = np.minimum(np.maximum(orders.exit_row + self.latency, orders.entry_row), end)
        return _leaving(orders, over, late, bars.close[late])

    def _period(self, bars: Bars) -> Int:
        # Day 0 was a Thursday; weeks begin on Monday.
        return bars.session if self.flatten == "session_end" else (bars.session + 3) // 7


def _leave_on_real_bars(bars: Bars, real: Int, orders: Orders, end: Int) -> Orders:
    """Exits that fall on a filled bar or behind ``end`` moved: to the next real open, at the latest the last close."""
    waits = _next(real, orders.exit_row, len(bars))
    orders = _leaving(orders, waits > orders.exit_row, waits, bars.open[np.minimum(waits, len(bars) - 1)])
    last = real[np.searchsorted(real, end, side="right") - 1]
    return _leaving(orders, orders.exit_row > last, last, bars.close[last])


def _leaving(orders: Orders, where: Bool, row: Int, price: Float) -> Orders:
    return replace(
        orders,
        exit_row=np.where(where, row, orders.exit_row),
        exit_price=np.where(where, price, orders.exit_price),
    )


def _next(real: Int, row: Int, n_bars: int) -> Int:
    """The first real bar at or after each position; the number of bars where there is none."""
    return np.append(real, n_bars)[np.searchsorted(real, row)]


def _last(number: Int, row: Int) -> Int:
    """The last position with the same number as each position has; numbers never decrease."""
    stops = np.append(np.flatnonzero(np.diff(number)), len(number) - 1)
    return stops[np.searchsorted(stops, row)]
