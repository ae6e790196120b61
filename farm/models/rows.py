"""The rows a model trains on and stops on: checked, of one type, and without those of weight 0."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from farm.models.contract import EvalSet, Float, Labels
from farm.models.views import RowRanges


class Rows(NamedTuple):
    """Train rows: ``X`` (n, n_features) as given, each row's class number, weight or None, and the sorted classes."""

    X: Any
    code: Labels
    weight: Float | None
    classes: Labels


def training_rows(X: Float | RowRanges, y: Labels, sample_weight: Float | None) -> Rows:
    """Rows with a weight above 0, their labels as numbers of the sorted classes.

    Rows of weight 0 are cut rather than passed on: libraries still count them in bins, leaves and class lists.

    Raises
    ------
    ValueError
        Shapes that do not fit together, a weight that is negative or not finite, or no row with a weight above 0.

    Examples
    --------
    >>> rows = training_rows(np.eye(3), np.array([-1, 0, 1]), np.array([1.0, 0.0, 2.0]))
    >>> rows.code.tolist(), rows.weight.tolist(), rows.classes.tolist()
    ([0, 1], [1.0, 2.0], [-1, 1])
    """
    if len(X.shape) != 2:
        raise ValueError(f"X has shape {X.shape}; give X as (n, n_features)")
    kept = weighted_rows(len(X), y, sample_weight)
    if len(kept) < len(y):
        X, y = X[kept], y[kept]
        sample_weight = None if sample_weight is None else sample_weight[kept]
    classes, code = np.unique(y, return_inverse=True)
    return Rows(X, code, sample_weight, classes)


def weighted_rows(n: int, y: Labels, sample_weight: Float | None) -> NDArray[np.int64]:
    """Positions of those of ``n`` rows that have a weight above 0.

    Raises
    ------
    ValueError
        Shapes that do not fit together, a weight that is negative or not finite, or no row with a weight above 0.
    """
    if y.shape != (n,):
        raise ValueError(f"X has {n} rows and y shape {y.shape}; give X as (n, ...) and y as (n,)")
    kept = np.arange(n)
    if sample_weight is not None:
        if sample_weight.shape != y.shape:
            raise ValueError(f"sample_weight has shape {sample_weight.shape}, y {y.shape}; give one weight a row")
        if not (np.isfinite(sample_weight).all() and (sample_weight >= 0).all()):
            raise ValueError("sample_weight has a negative or non-finite value; weights are finite and 0 or more")
        kept = np.flatnonzero(sample_weight > 0)
    if len(kept) == 0:
        raise ValueError("no train row has a weight above 0; give at least one")
    return kept


def require_eval_set_with(patience: int | None, eval_set: EvalSet | None) -> None:
    """Raise a ValueError unless a model that stops early, and no other, was given rows to stop on."""
    if (eval_set is None) != (patience is None):
        raise ValueError(
            f"early_stopping_rounds is {patience} and eval_set is {'missing' if eval_set is None else 'given'}; give "
            "both or neither"
        )


def stopping_rows(eval_set: EvalSet, classes: Labels) -> tuple[NDArray[np.int64], Labels, Float | None]:
    """Positions of the rows to stop on, their class numbers and weights; rows of a class not trained on are left out.

    Raises
    ------
    ValueError
        No row is of a trained class.
    """
    known = np.flatnonzero(np.isin(eval_set.y, classes))
    if len(known) == 0:
        raise ValueError(f"eval_set has no row of the trained classes {classes.tolist()}; give a longer tail")
    weight = None if eval_set.sample_weight is None else eval_set.sample_weight[known]
    return known, np.searchsorted(classes, eval_set.y[known]), weight


def thinned(rows: Rows, most: int, seed: int) -> Rows:
    """At most that many of the rows: every class keeps its share, and its rows are drawn evenly over time.

    Each class is cut in the order of its rows into as many blocks of nearly equal length as it may keep rows, and one
    row of each block is drawn. A class that has rows keeps at least one.

    >>> rows = training_rows(np.arange(8.0)[:, None], np.array([0, 1] * 4), None)
    >>> kept = thinned(rows, 4, seed=0)
    >>> np.bincount(kept.code).tolist(), bool((np.diff(kept.X[:, 0]) > 0).all())
    ([2, 2], True)
    """
    n = len(rows.code)
    if n <= most:
        return rows
    counts = np.bincount(rows.code)
    quota = np.maximum(counts * most // n, 1)
    largest = int(counts.argmax())
    quota[largest] += most - quota.sum()
    rng = np.random.default_rng(seed)
    kept: list[int] = []
    for code, at_most in enumerate(quota.tolist()):
        own = np.flatnonzero(rows.code == code)
        edges = np.arange(at_most + 1) * len(own) // at_most
        kept += own[rng.integers(edges[:-1], edges[1:])].tolist()
    chosen = np.sort(np.array(kept, dtype=np.int64))
    weight = None if rows.weight is None else rows.weight[chosen]
    return Rows(rows.X[chosen], rows.code[chosen], weight, rows.classes)


def balanced(rows: Rows) -> Float:
    """Weights under which every class weighs the same in total, their sum unchanged: shape (n,).

    >>> rows = training_rows(np.zeros((4, 1)), np.array([0, 0, 0, 1]), None)
    >>> balanced(rows).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    weight = np.ones(len(rows.code)) if rows.weight is None else rows.weight
    total = np.bincount(rows.code, weight)
    factor = weight.sum() / (len(total) * total)
    return weight * factor[rows.code]


def class_shares(rows: Rows) -> Float:
    """Weighted share of every class, shape (n_classes,), adding up to 1."""
    total = np.bincount(rows.code, rows.weight)
    return total / total.sum()


def refuse_eval_set(model: str, eval_set: EvalSet | None) -> None:
    """Raise a ValueError when a model that cannot stop early was given rows to stop on."""
    if eval_set is not None:
        raise ValueError(f"{model} cannot stop early but was given an eval_set; leave early_stopping out")
