"""Gauss-Legendre nodes, made once when first needed."""

from functools import cache

import numpy as np

from farm.stats.accepted import FloatArray


@cache
def unit_nodes() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [0, 1]; 200 of them bring the expected maximum of up to 1e8 normals to 1e-9."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    nodes, weights = 0.5 * (nodes + 1.0), 0.5 * weights
    nodes.flags.writeable = weights.flags.writeable = False
    return nodes, weights
