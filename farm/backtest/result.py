"""What a backtest returns: trades, returns by session, and what became of every order."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from farm.bars.frame import Float, Int


@dataclass(frozen=True)
class Counts:
    """What became of the orders: ``orders == no_bet + taken + in_position + below_lot + unfilled``.

    ``no_bet`` had size 0, ``in_position`` were decided while another position was open, ``below_lot`` were smaller than
    half a lot, ``unfilled`` found no bar to fill in before their segment ended.
    """

    orders: int
    no_bet: int
    taken: int
    in_position: int
    below_lot: int
    unfilled: int = 0


@dataclass(frozen=True, eq=False)
class Trades:
    """Closed positions in time order; every array has one value a trade, money in the instrument's currency.

    ``order`` is the position in the orders. ``decided_at``, ``entered_at``, ``exited_at`` are int64 ns UTC: the close
    of the decision bar, the open of the entry bar, and the close of the exit bar, when the exit is known. ``side`` is 1
    (long) or -1, ``quantity`` is positive. ``entry_cost``, ``exit_cost`` and ``roll_cost`` (of changing from contract
    to contract) are before the multiple; ``cost`` has it applied.
    """

    order: Int
    decided_at: Int
    entered_at: Int
    exited_at: Int
    entry_row: Int
    exit_row: Int
    side: np.ndarray
    quantity: Float
    entry_price: Float
    exit_price: Float
    gross: Float
    entry_cost: Float
    exit_cost: Float
    roll_cost: Float
    cost_multiple: float

    def __len__(self) -> int:
        return len(self.order)

    @property
    def instrument_cost(self) -> Float:
        """Costs of all fills at a multiple of 1."""
        return self.entry_cost + self.exit_cost + self.roll_cost

    @property
    def cost(self) -> Float:
        """Costs of all fills."""
        return self.cost_multiple * self.instrument_cost

    @property
    def net(self) -> Float:
        """Gross P&L less costs."""
        return self.gross - self.cost

    @property
    def bars_held(self) -> Int:
        """Number of bars in which the position was open, the entry and exit bars included."""
        return self.exit_row - self.entry_row + 1

    def frame(self) -> pd.DataFrame:
        """The trades as a table with tz-aware UTC times."""
        times = {
            name: pd.to_datetime(getattr(self, name), utc=True) for name in ("decided_at", "entered_at", "exited_at")
        }
        names = ("side", "quantity", "entry_price", "exit_price", "gross", "cost", "net", "bars_held")
        return pd.DataFrame(times | {name: getattr(self, name) for name in names})


@dataclass(frozen=True, eq=False)
class Backtest:
    """Returns by session and the trades behind them.

    ``sessions`` are days since 1970-01-01, one for every session of the bars, idle ones too. ``gross``, ``cost`` and
    ``net`` have one value a session, as fractions of the starting capital; nothing is reinvested, so they add up.
    ``instrument_cost`` is the cost at a multiple of 1.
    """

    capital: float
    point_value: float
    n_bars: int
    cost_multiple: float
    sessions: Int
    gross: Float
    instrument_cost: Float
    trades: Trades
    counts: Counts

    @property
    def cost(self) -> Float:
        """Costs by session at this backtest's multiple."""
        return self.cost_multiple * self.instrument_cost

    @property
    def net(self) -> Float:
        """Gross returns less costs by session: the series that every statistic reads."""
        return self.gross - self.cost

    @property
    def break_even_multiple(self) -> float | None:
        """The cost multiple at which the net P&L is 0; negative when the gross P&L is; None without any cost."""
        cost = float(np.sum(self.trades.instrument_cost))
        return float(np.sum(self.trades.gross)) / cost if cost > 0 else None

    def at_cost(self, multiple: float) -> "Backtest":
        """The same trades at another cost multiple: costs never change what was traded."""
        if not (np.isfinite(multiple) and multiple >= 0):
            raise ValueError(f"multiple: found {multiple}; give 0 or more (1 is the instrument's own cost)")
        return replace(self, cost_multiple=multiple, trades=replace(self.trades, cost_multiple=multiple))

    def frame(self) -> pd.DataFrame:
        """The returns as a table: session (date), gross, cost, net."""
        session = pd.to_datetime(self.sessions, unit="D")
        return pd.DataFrame({"session": session, "gross": self.gross, "cost": self.cost, "net": self.net})
