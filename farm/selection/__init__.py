"""Selection: which columns a fit keeps, from its train rows alone."""

from farm.selection.choice import Chooser, correlation
from farm.selection.clustered import ClusteredMda, correlation_clusters
from farm.selection.kinds import Selection
from farm.selection.mda import Mda
from farm.selection.mdi import Mdi
from farm.selection.rows import TrainRows
from farm.selection.separation import Separation
from farm.selection.sfi import Sfi

__all__ = [
    "Chooser",
    "ClusteredMda",
    "Mda",
    "Mdi",
    "Selection",
    "Separation",
    "Sfi",
    "TrainRows",
    "correlation",
    "correlation_clusters",
]
