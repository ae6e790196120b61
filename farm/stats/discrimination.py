"""How well a score tells two classes apart."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def auc(score: Float, positive: NDArray[np.bool_]) -> float | None:
    """The chance that a positive event has the higher score, ties counting half; None with one class alone.

    The area under the ROC curve, by the rank sum (Hanley and McNeil, Radiology 143:1, 1982).

    >>> auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    from scipy.stats import rankdata

    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return None
    ranks = float(rankdata(score)[positive].sum())
    return (ranks - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative)
