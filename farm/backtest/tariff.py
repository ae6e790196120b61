"""What fills cost an account: commission, slippage in the session's regime, and impact."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from farm.backtest.impact import SquareRootImpact
from farm.backtest.regime import Regimes, session_regimes
from farm.bars.frame import Bars, Bool, Float, Int
from farm.bars.instrument import ByVolatility, Instrument


@dataclass(frozen=True, eq=False)
class Tariff:
    """The costs of fills on some bars, told by what was known before each fill."""

    bars: Bars
    instrument: Instrument
    impact: SquareRootImpact | None = None

    def fills(self, row: Int, price: Float, quantity: Float) -> Float:
        """Cost in money of fills in the bars at these positions, none of them the first bar."""
        cost = self.instrument.fill_cost(price, quantity, self._volatile(row))
        if self.impact is None:
            return cost
        return cost + self.impact.fill_cost(self.bars, row - 1, price, quantity, self.instrument.point_value)

    def round_trips(self, row: Int, capital: float) -> Float:
        """Cost of entering and leaving at the close of each bar, as a return, for who invests the whole capital."""
        close = self.bars.close[row]
        contract = close * self.instrument.point_value
        one = np.ones(len(row))
        share = 2 * self.instrument.fill_cost(close, one, self._volatile(row)) / contract
        if self.impact is None:
            return np.asarray(share)
        quantity = capital / contract
        pushed = self.impact.fill_cost(self.bars, row, close, quantity, self.instrument.point_value)
        return np.asarray(share + 2 * pushed / capital)

    def _volatile(self, row: Int) -> Bool | None:
        return self._regimes.volatile(row) if isinstance(self.instrument.slippage, ByVolatility) else None

    @cached_property
    def _regimes(self) -> Regimes:
        return session_regimes(self.bars)
