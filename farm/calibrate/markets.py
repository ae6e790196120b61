"""Kinds of artificial markets for whole experiments: with nothing to find, and with an edge of known size."""

from typing import Any

from pydantic import Field

from farm.config import Experiment
from farm.section import Section

_PLACEHOLDER = "SYN"


class MarketCell(Section):
    """One kind of experiment on artificial markets, which always have clusters of volatility and regimes.

    ``oracle`` is the annual net Sharpe ratio that somebody would earn who knew the conditional mean; None: nothing is
    there. ``drift`` lets the rates drift at which barriers are touched. ``labels`` replaces keys of the experiment's
    labels; ``markets`` are judged as one experiment.
    """

    name: str
    oracle: float | None = None
    drift: float = Field(default=0.0, ge=0, lt=1)
    markets: int = Field(default=1, ge=1)
    labels: dict[str, Any] = Field(default_factory=dict)

    def experiment(self, base: Experiment, *, edge: float, seed: int) -> Experiment:
        """The experiment on one draw of this kind of market."""
        names = [f"{_PLACEHOLDER}{number}" if self.markets > 1 else _PLACEHOLDER for number in range(self.markets)]
        planted = {name: {"edge": edge, "drift": self.drift} for name in names}
        values = base.model_dump(mode="json", exclude_none=True)
        values["bars"] = {**values["bars"], "seed": seed, "markets": planted}
        values["labels"] = {**values["labels"], **self.labels}
        values["seed"] = seed
        return Experiment.model_validate(values)


NOTHING = (
    MarketCell(name="nothing: volatility clusters"),
    MarketCell(name="nothing: drifting class rates", drift=0.8),
    MarketCell(name="nothing: labels overlap eightfold", labels={"up": 10.0, "down": 10.0, "max_bars": 576}),
    MarketCell(name="nothing: three markets at once", markets=3),
)


def with_edge(oracle: float) -> MarketCell:
    """A market on which an oracle's annual net Sharpe ratio is this."""
    return MarketCell(name=f"oracle Sharpe {oracle:g}", oracle=oracle)
