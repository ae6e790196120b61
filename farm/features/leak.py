"""Columns that know too much: a single feature on bars never separates ups from downs well."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from farm.bars.frame import Float

_ROWS = 200_000  # the standard error is then below 0.002; more rows would only cost time


@dataclass(frozen=True)
class Suspicion:
    """A column that alone tells up from down: its area under the curve, and that in standard errors from 1/2."""

    name: str
    auc: float
    z: float


def suspicious_features(
    values: Float,
    names: Sequence[str],
    labels: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    threshold: float = 0.2,
    z: float = 6.0,
) -> list[Suspicion]:
    """Columns that alone separate up from down labels better than honest ones can, the worst first.

    For each column: the weighted probability that an up row's value exceeds a down row's, ties counting half (the area
    under the ROC curve: Hanley and McNeil, Radiology 143, 1982). It is a check of the data before any fit: what it
    names was most likely computed from the future. A leak that no ordering of one column shows is not found here.

    Parameters
    ----------
    values : float array, shape (rows, columns)
        Rows where the column is NaN are left out of it.
    names : one a column
    labels : shape (rows,)
        Positive is up, negative down; zero is left out.
    weights : shape (rows,), optional
        Average uniqueness of the labels, in (0, 1]: their sum is taken as the number of independent rows. Default 1.
    threshold : float
        Distance of the area from one half above which a column is named.
    z : float
        It must also be that many standard errors away, so that a handful of rows accuses nobody.

    Raises
    ------
    ValueError
        When lengths differ.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> label = rng.choice([-1, 1], 1000)
    >>> values = np.column_stack([rng.normal(size=1000), label + rng.normal(size=1000)])
    >>> [found.name for found in suspicious_features(values, ["honest", "planted"], label)]
    ['planted']
    """
    label = np.asarray(labels)
    weight = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not (values.ndim == 2 and len(values) == len(label) == len(weight) and values.shape[1] == len(names)):
        raise ValueError(
            f"values {values.shape}, names {len(names)}, labels {len(label)} and weights {len(weight)} do not fit; "
            f"values must be (rows, columns) with one name a column and one label and weight a row"
        )
    rows = np.flatnonzero(label != 0)
    rows = rows[:: -(-len(rows) // _ROWS) or 1]
    up, weight = label[rows] > 0, weight[rows]
    found = []
    for name, column in zip(names, np.ascontiguousarray(values[rows].T), strict=True):
        auc, error = _separation(column, up, weight)
        if abs(auc - 0.5) > max(threshold, z * error):
            found.append(Suspicion(name, auc, abs(auc - 0.5) / error))
    return sorted(found, key=lambda one: (-abs(one.auc - 0.5), one.name))


def _separation(x: Float, up: np.ndarray, weight: Float) -> tuple[float, float]:
    """Area under the curve and its standard error when nothing is there; (0.5, inf) without rows on both sides."""
    there = ~np.isnan(x)
    x, up, weight = x[there], up[there], weight[there]
    ups, downs = float(weight[up].sum()), float(weight[~up].sum())
    if ups <= 0 or downs <= 0:
        return 0.5, np.inf
    order = np.argsort(x)
    x, up, weight = x[order], up[order], weight[order]
    starts = np.flatnonzero(np.concatenate(([True], x[1:] != x[:-1])))  # equal values count as one step
    up_step = np.add.reduceat(np.where(up, weight, 0.0), starts)
    down_step = np.add.reduceat(np.where(up, 0.0, weight), starts)
    below = np.cumsum(down_step) - down_step
    auc = float(up_step @ (below + down_step / 2)) / (ups * downs)
    return auc, float(np.sqrt((ups + downs + 1) / (12 * ups * downs)))
