"""The ``selection`` section of an experiment."""

from typing import Annotated

from pydantic import Field

from farm.selection.clustered import ClusteredMda
from farm.selection.mda import Mda
from farm.selection.mdi import Mdi
from farm.selection.separation import Separation
from farm.selection.sfi import Sfi

Selection = Annotated[Separation | Mdi | Mda | ClusteredMda | Sfi, Field(discriminator="kind")]
