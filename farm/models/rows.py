"""The rows a model trains on: checked, of one type, and without those of weight 0."""

from typing import NamedTuple

import numpy as np

from farm.models.contract import EvalSet, Float, Labels


class Rows(NamedTuple):
    """Train rows: ``X`` (n, n_features), the class number of each row, its weight or None, and the sorted classes."""

    X: Float
    code: Labels
    weight: Float | None
    classes: Labels


def training_rows(X: Float, y: Labels, sample_weight: Float | None) -> Rows:
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
    if X.ndim != 2 or y.shape != (len(X),):
        raise ValueError(f"X has shape {X.shape} and y {y.shape}; give X as (n, n_features) and y as (n,)")
    if sample_weight is not None:
        if sample_weight.shape != y.shape:
            raise ValueError(f"sample_weight has shape {sample_weight.shape}, y {y.shape}; give one weight a row")
        if not (np.isfinite(sample_weight).all() and (sample_weight >= 0).all()):
            raise ValueError("sample_weight has a negative or non-finite value; weights are finite and 0 or more")
        kept = sample_weight > 0
        if not kept.all():
            X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
    if len(y) == 0:
        raise ValueError("no train row has a weight above 0; give at least one")
    classes, code = np.unique(y, return_inverse=True)
    return Rows(X, code, sample_weight, classes)


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
