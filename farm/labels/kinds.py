"""The kinds of labels: what all of them can do, and the union that an experiment chooses from."""

from typing import Annotated, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.labels.adaptive import AdaptiveBarrier
from farm.labels.barrier import Entry
from farm.labels.directional import Directional
from farm.labels.events import Events
from farm.labels.horizon_barrier import HorizonBarrier
from farm.labels.recipe import TripleBarrier
from farm.labels.regression import Regression
from farm.labels.threshold import Threshold
from farm.labels.trend import TrendScanning
from farm.labels.volatility import Volatility

Labels = Annotated[
    TripleBarrier | HorizonBarrier | AdaptiveBarrier | Directional | Threshold | Regression | TrendScanning,
    Field(discriminator="kind"),
]
"""The ``labels`` section of an experiment."""


class LabelKind(Protocol):
    """What every kind of labels is; ``farm.testing.label.LabelConformance`` holds it to the laws."""

    @property
    def kind(self) -> str:
        """Its name in an experiment file."""
        ...

    @property
    def volatility(self) -> Volatility:
        """What measures moves: sampling and bet sizing use it, and most kinds."""
        ...

    @property
    def entry(self) -> Entry:
        """Where a decision enters."""
        ...

    @property
    def learns(self) -> Literal["class", "number"]:
        """Whether a model predicts an event's ``label`` or the number in its ``target``."""
        ...

    @property
    def touches(self) -> bool:
        """Whether price barriers end its events."""
        ...

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe after a decision that its label may depend on, at most."""
        ...

    def implied_null_share(self) -> float:
        """Share of up that chance gives, among touches of a price barrier, or among labels that are not 0."""
        ...

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:
        """Events of the decisions at these bars, in order; an event that its segment's end cuts off is not labelled."""
        ...
