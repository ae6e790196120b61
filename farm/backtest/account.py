"""The ``backtest:`` section of an experiment: whose costs, how much money, how orders are carried out."""

from typing import Any, Literal

from pydantic import Field

from farm.backtest.execution import Execution, Flatten
from farm.backtest.impact import SquareRootImpact
from farm.backtest.orders import Orders, buy_and_hold
from farm.backtest.result import Backtest
from farm.backtest.simulate import simulate
from farm.backtest.tariff import Tariff
from farm.bars.frame import Bars, Float, Int
from farm.bars.instrument import Cost, Instrument, Slippage
from farm.section import Section


class OwnCosts(Section):
    """Costs per fill that stand in place of every instrument's."""

    commission: Cost
    slippage: Slippage


def _not_given(value: Any) -> bool:
    return not value


class Account(Section):
    """An account that trades orders: a fixed capital, and the costs of the instrument or its own.

    ``latency`` counts the bars between a decision and its fill beyond the next open, ``flatten`` closes positions at
    the end of a session or a week (see `Execution`), ``impact`` is the cost of moving the market.

    Examples
    --------
    >>> Account.model_validate({"costs": "instrument", "capital": 100000}).capital
    100000.0
    """

    costs: Literal["instrument"] | OwnCosts = "instrument"
    capital: float = Field(gt=0)
    # What is not asked for is left out of the digest, so that an experiment without it keeps its identity.
    latency: int = Field(default=0, ge=0, le=1000, exclude_if=_not_given)
    flatten: Flatten | None = Field(default=None, exclude_if=_not_given)
    impact: SquareRootImpact | None = Field(default=None, exclude_if=_not_given)

    def backtest(self, bars: Bars, orders: Orders, instrument: Instrument, *, cost_multiple: float = 1.0) -> Backtest:
        """Backtest of the orders with this account's capital, costs and execution (see `simulate`)."""
        return simulate(
            bars,
            orders,
            self.costs_of(instrument),
            self.capital,
            cost_multiple=cost_multiple,
            execution=Execution(self.latency, self.flatten),
            impact=self.impact,
        )

    def hold(self, bars: Bars, instrument: Instrument) -> Backtest:
        """Backtest of buying and holding, which no end of a session closes."""
        return self.model_copy(update={"flatten": None}).backtest(bars, buy_and_hold(bars), instrument)

    def later(self, bars: int) -> "Account":
        """The same account, so many bars slower."""
        return self.model_copy(update={"latency": self.latency + bars})

    def round_trips(self, bars: Bars, row: Int, instrument: Instrument) -> Float:
        """Cost of a round trip decided at each bar, as a return, for a position of the whole capital."""
        return Tariff(bars, self.costs_of(instrument), self.impact).round_trips(row, self.capital)

    def require_data(self, bars: Bars) -> None:
        """Refuse bars that lack what this account's costs are made of: `BadInput` names it."""
        if self.impact is not None:
            self.impact.require_volume(bars)

    def costs_of(self, instrument: Instrument) -> Instrument:
        """The instrument with the costs that this account pays."""
        if isinstance(self.costs, OwnCosts):
            return instrument.model_copy(update={"commission": self.costs.commission, "slippage": self.costs.slippage})
        return instrument
