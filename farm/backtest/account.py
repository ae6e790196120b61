"""The ``backtest:`` section of an experiment: whose costs, and how much money."""

from typing import Literal

from pydantic import Field

from farm.backtest.orders import Orders
from farm.backtest.result import Backtest
from farm.backtest.simulate import simulate
from farm.bars.frame import Bars
from farm.bars.instrument import Cost, Instrument
from farm.section import Section


class OwnCosts(Section):
    """Costs per fill that stand in place of every instrument's."""

    commission: Cost
    slippage: Cost


class Account(Section):
    """An account that trades orders: a fixed capital, and the costs of the instrument or its own.

    Examples
    --------
    >>> Account.model_validate({"costs": "instrument", "capital": 100000}).capital
    100000.0
    """

    costs: Literal["instrument"] | OwnCosts = "instrument"
    capital: float = Field(gt=0)

    def backtest(self, bars: Bars, orders: Orders, instrument: Instrument, *, cost_multiple: float = 1.0) -> Backtest:
        """Backtest of the orders with this account's capital and costs (see `simulate`)."""
        return simulate(bars, orders, self.costs_of(instrument), self.capital, cost_multiple=cost_multiple)

    def costs_of(self, instrument: Instrument) -> Instrument:
        """The instrument with the costs that this account pays."""
        if isinstance(self.costs, OwnCosts):
            return instrument.model_copy(update={"commission": self.costs.commission, "slippage": self.costs.slippage})
        return instrument
