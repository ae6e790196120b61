"""Kinds of artificial markets for whole experiments: with nothing to find, and with an edge of known size."""

from typing import Any

from pydantic import Field

from farm.config import Experiment
from farm.section import Section

_PLACEHOLDER = "SYN"


class MarketCell(Section):
    """One kind of experiment on artificial markets, which always have clusters of volatility and regimes.

    ``oracle`` is the annual net Sharpe ratio that somebody would earn who knew the conditional mean; None: nothing is
    there. ``drift`` lets the rates drift at which barriers are touched. ``labels`` and ``account`` replace keys of the
    experiment's labels and backtest; of its models the first ``models`` compete (None: all). ``markets`` are judged as
    one experiment.
    """

    name: str
    oracle: float | None = None
    drift: float = Field(default=0.0, ge=0, lt=1)
    markets: int = Field(default=1, ge=1)
    labels: dict[str, Any] = Field(default_factory=dict)
    account: dict[str, Any] = Field(default_factory=dict)
    models: int | None = Field(default=None, ge=1)

    def experiment(self, base: Experiment, *, edge: float, seed: int) -> Experiment:
        """The experiment on one draw of this kind of market."""
        names = [f"{_PLACEHOLDER}{number}" if self.markets > 1 else _PLACEHOLDER for number in range(self.markets)]
        planted = {name: {"edge": edge, "drift": self.drift} for name in names}
        values = base.model_dump(mode="json", exclude_none=True)
        values["bars"] = {**values["bars"], "seed": seed, "markets": planted}
        values["labels"] = {**values["labels"], **self.labels}
        values["backtest"] = {**values["backtest"], **self.account}
        values["models"] = dict(list(values["models"].items())[: self.models])
        values["seed"] = seed
        return Experiment.model_validate(values)


_FEW = 3  # and their stack: deflation for few trials has the least to spare
_FREE: dict[str, Any] = {
    "costs": {"commission": {"kind": "bps", "value": 0}, "slippage": {"kind": "bps", "value": 0}},
}

NOTHING = (
    MarketCell(name="nothing: volatility clusters, twenty candidates", account=_FREE),
    MarketCell(name="nothing: volatility clusters", account=_FREE, models=_FEW),
    MarketCell(name="nothing: drifting class rates", drift=0.8, account=_FREE, models=_FEW),
    MarketCell(
        name="nothing: labels overlap eightfold",
        labels={"up": 10.0, "down": 10.0, "max_bars": 576},
        account=_FREE,
        models=_FEW,
    ),
    MarketCell(name="nothing: three markets at once, with costs", markets=3, models=_FEW),
)


def with_edge(oracle: float) -> MarketCell:
    """A market on which an oracle's annual net Sharpe ratio is this."""
    return MarketCell(name=f"oracle Sharpe {oracle:g}", oracle=oracle)
