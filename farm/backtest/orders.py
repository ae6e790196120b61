"""What a strategy asks for: one sized order per decision, and the guard against orders from the future."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from farm.bars.frame import Bars, Bool, Float, Int

if TYPE_CHECKING:
    from farm.labels import Events

# Means of sizes over the splits may leave [-1, 1] by a rounding error, never by more.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Orders:
    """Orders of one symbol in the order of their decisions; every array has one value an order.

    Attributes
    ----------
    row : int64 array
        Position of the decision bar, strictly increasing. The order is known at that bar's close.
    entry_row, exit_row : int64 array
        Positions of the bars in which the order fills and in which the position closes.
    entry_price, exit_price : float64 array
        Fill prices before costs: the open of ``entry_row``; the barrier, an open beyond it, or a close in ``exit_row``.
    size : float64 array
        Signed fraction of the capital in [-1, 1]; above 0 is long, 0 is no bet.

    Raises
    ------
    ValueError
        When lengths differ, rows do not increase, or a size is not in [-1, 1].

    Examples
    --------
    >>> orders = Orders.of_arrays(row=[0, 5], entry_row=[1, 6], exit_row=[4, 9], entry_price=[100.0, 101.0],
    ...                           exit_price=[102.0, 100.0], size=[0.5, -1.0])
    >>> len(orders)
    2
    """

    row: Int
    entry_row: Int
    exit_row: Int
    entry_price: Float
    exit_price: Float
    size: Float

    def __post_init__(self) -> None:
        for name in ("entry_row", "exit_row", "entry_price", "exit_price", "size"):
            found = getattr(self, name).shape
            if found != (len(self.row),):
                raise ValueError(
                    f"orders: {name} has shape {found} but row has {len(self.row)} values; give one value an order"
                )
        late = np.flatnonzero(np.diff(self.row) <= 0)
        if late.size:
            i = int(late[0])
            raise ValueError(
                f"orders: row {self.row[i + 1]} follows row {self.row[i]} at order {i + 1}; "
                "sort by decision and give at most one order a decision"
            )
        wrong = np.flatnonzero(~(np.abs(self.size) <= 1 + _ROUNDING))
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(
                f"orders: size {self.size[i]} at order {i} is not in [-1, 1]; "
                "a size is a signed fraction of the capital, and 0 is no bet"
            )

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: Int | Bool) -> "Orders":
        """The orders at these positions, or where a mask is true."""
        return Orders(**{each.name: getattr(self, each.name)[rows] for each in fields(self)})

    @classmethod
    def of_arrays(
        cls,
        row: ArrayLike,
        entry_row: ArrayLike,
        exit_row: ArrayLike,
        entry_price: ArrayLike,
        exit_price: ArrayLike,
        size: ArrayLike,
    ) -> "Orders":
        """Orders from anything array-like."""
        return cls(
            row=np.asarray(row, dtype=np.int64),
            entry_row=np.asarray(entry_row, dtype=np.int64),
            exit_row=np.asarray(exit_row, dtype=np.int64),
            entry_price=np.asarray(entry_price, dtype=np.float64),
            exit_price=np.asarray(exit_price, dtype=np.float64),
            size=np.asarray(size, dtype=np.float64),
        )

    @classmethod
    def of_events(cls, events: "Events", size: ArrayLike) -> "Orders":
        """One order per label event, entered and left where the event was, with the sizes given (one an event).

        A short position leaves where a long one would: the barriers that ended the event are those of both sides.
        """
        return cls.of_arrays(events.row, events.entry_row, events.exit_row, events.entry_price, events.exit_price, size)

    def require_no_lookahead(self, bars: Bars) -> None:
        """Refuse orders that no one could have executed on these bars.

        An order fills at the open of a bar that opens at or after its decision became available, leaves in that bar or
        later at a price that the exit bar traded, and stays in one segment.

        Raises
        ------
        ValueError
            Naming the first such order, what was found and the rule.
        """
        n = len(bars)
        last = np.maximum(np.maximum(self.row, self.entry_row), self.exit_row)
        first = np.minimum(np.minimum(self.row, self.entry_row), self.exit_row)
        self._require((first >= 0) & (last < n), f"has a row outside the {n} bars", "take events and bars of one panel")
        self._require(
            self.entry_row > self.row,
            "enters at or before its decision bar",
            "an order fills at the earliest at the next bar's open",
        )
        self._require(
            bars.open_time[self.entry_row] >= bars.available_at[self.row],
            "enters a bar that opened before the decision was available",
            "a decision is available at its bar's close",
        )
        self._require(
            self.entry_price == bars.open[self.entry_row],
            "has an entry price that is not the open of its entry bar",
            "an order fills at an open; label events with entry: next_open",
        )
        self._require(self.exit_row >= self.entry_row, "exits before it enters", "exit in the entry bar or later")
        self._require(
            (self.exit_price >= bars.low[self.exit_row]) & (self.exit_price <= bars.high[self.exit_row]),
            "has an exit price outside the low and high of its exit bar",
            "a position closes at a price that was traded",
        )
        self._require(
            (bars.segment[self.row] == bars.segment[self.entry_row])
            & (bars.segment[self.row] == bars.segment[self.exit_row]),
            "crosses from one segment into another",
            "no position is held over a data hole",
        )

    def _require(self, holds: np.ndarray, found: str, remedy: str) -> None:
        wrong = np.flatnonzero(~holds)
        if wrong.size:
            i = int(wrong[0])
            raise ValueError(
                f"order {i} (decision row {self.row[i]}, entry row {self.entry_row[i]} at {self.entry_price[i]}, "
                f"exit row {self.exit_row[i]} at {self.exit_price[i]}) {found}; {remedy}"
            )


def buy_and_hold(bars: Bars) -> Orders:
    """Orders that are long with the whole capital through every segment: the baseline of every report.

    Decided at a segment's first bar, entered at the next open, left at the segment's last close; costs arise once a
    segment. Segments of one bar have no order.

    Examples
    --------
    >>> minute, price, zeros = 60 * 10**9, np.array([100.0, 101.0, 102.0]), np.zeros(3, dtype=np.int64)
    >>> times = np.arange(3) * minute
    >>> orders = buy_and_hold(Bars("X", "1min", times, times + minute, *[price] * 5, zeros, zeros))
    >>> orders.entry_row, orders.exit_row, orders.entry_price, orders.exit_price
    (array([1]), array([2]), array([101.]), array([102.]))
    """
    bounds = bars.segment_bounds()
    starts, stops = bounds[:-1], bounds[1:]
    long_enough = stops - starts >= 2
    row, exit_row = starts[long_enough], stops[long_enough] - 1
    return Orders(
        row=row,
        entry_row=row + 1,
        exit_row=exit_row,
        entry_price=bars.open[row + 1],
        exit_price=bars.close[exit_row],
        size=np.ones(len(row)),
    )
