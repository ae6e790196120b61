"""The steps that an experiment may name, and what every one of them reads."""

from typing import Annotated, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.stack.calibrate import Calibrate
from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.inputs import Market, Outcomes, Probabilities, sign_of
from farm.stack.meta_label import MetaLabel
from farm.stack.size import Size
from farm.stack.threshold import Threshold

__all__ = ["MapStep", "Market", "Outcomes", "Step", "sign_of"]

Float = NDArray[np.float64]

Step = Annotated[Calibrate | Combine | Choose | MetaLabel | Threshold | Size, Field(discriminator="kind")]


class FittedMap(Protocol):
    """A map of predictions that has learned."""

    def apply(self, inputs: Probabilities, /) -> dict[str, Float]:
        """Predictions by name, each of shape (rows, classes); a row is mapped alike alone and in company."""


class MapStep(Protocol):
    """A step that turns predictions into predictions; also one that no experiment names, such as a search's choice."""

    def fit(self, inputs: Probabilities, outcomes: Outcomes, /) -> FittedMap:
        """What these rows teach; nothing else is read."""
