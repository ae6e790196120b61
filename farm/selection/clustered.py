"""Clustered mean decrease of accuracy: columns that say the same are permuted together."""

from typing import Literal

import numpy as np
from pydantic import Field

from farm.selection.choice import correlation
from farm.selection.mda import PermutationChooser
from farm.selection.rows import Float, Int, TrainRows


class ClusteredMda(PermutationChooser):
    """Mean decrease of accuracy by clusters of correlated columns; each column has the importance of its cluster.

    Columns of a cluster take their values from one other row, so what they say of each other is kept and only what
    they say of the label is lost. Within a cluster, the column that separates the classes best comes first.

    Source: Lopez de Prado, Machine Learning for Asset Managers (2020), section 6.5.2; clusters by average linkage.
    """

    kind: Literal["clustered_mda"] = "clustered_mda"
    together: float = Field(
        0.5, gt=0, lt=1, description="clusters join while their columns' mean correlation, either sign, is above this"
    )

    def importance(self, rows: TrainRows, seed: int) -> Float:
        """Nats an event that permuting the column's cluster costs, shape (columns,)."""
        cluster = correlation_clusters(correlation(rows), self.together)
        return self.loss_of(cluster, rows, seed)[cluster]


def correlation_clusters(correlations: Float, together: float) -> Int:
    """Cluster of each column, numbered from 0 by its first column, shape (columns,).

    Average linkage on 1 - |correlation|: the sign does not matter to a tree.

    Examples
    --------
    >>> correlation_clusters(np.array([[1.0, 0.1, -0.9], [0.1, 1.0, 0.0], [-0.9, 0.0, 1.0]]), 0.5)
    array([0, 1, 0])
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(correlations) < 2:
        return np.zeros(len(correlations), dtype=np.int64)
    distance = 1.0 - np.abs(correlations)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform((distance + distance.T) / 2), method="average")
    found = fcluster(tree, 1.0 - together, criterion="distance")
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number].astype(np.int64)
