"""Log loss by the probability of each row's own class."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.selection.rows import Float, Int

_LEAST = 1e-3  # a smaller probability counts as this one, so that no single row decides


def column_of(target: NDArray[np.int8], classes: NDArray[Any]) -> Int:
    """Position of each target among sorted classes; -1 where it is not there.

    >>> column_of(np.array([1, -1, 0], dtype=np.int8), np.array([-1, 1]))
    array([ 1,  0, -1])
    """
    at = np.minimum(np.searchsorted(classes, target), len(classes) - 1)
    return np.where(classes[at] == target, at, -1).astype(np.int64)


def share_of_own(shares: Float, own: Int) -> Float:
    """Each row's share of its own class, shape (rows,); 0 where ``own`` is -1. ``shares`` is (rows, classes)."""
    return np.where(own < 0, 0.0, shares[np.arange(len(own)), own])


def log_of(share: Float) -> Float:
    """Natural logarithm of probabilities, of at least 0.001."""
    return np.log(np.maximum(share, _LEAST))
