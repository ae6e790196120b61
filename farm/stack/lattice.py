"""The pair lattice: for every row, the prediction of each model that never saw the row's group nor one other."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.folds import FoldPlan
from farm.labels import CLASSES

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Predictions = Mapping[str, Mapping[int, tuple[Int, Float]]]


@dataclass(frozen=True, eq=False)
class Lattice:
    """Out-of-fold predictions of several bases on all pairs of groups.

    ``probability[m][x, h]`` is p(x|h): what base m, trained on neither the group of row x nor group h, says of x. Shape
    (rows, groups, classes) a base; NaN where h is the row's own group. ``split[x, h]`` is the split it came from, -1
    there.
    """

    bases: tuple[str, ...]
    probability: Mapping[str, Float]
    split: Int
    group: Int

    def mean(self, base: str) -> Float:
        """The mean of p(x|h) over all other groups h, shape (rows, classes)."""
        return np.nanmean(self.probability[base], axis=1)


def build_lattice(plan: FoldPlan, decided_at: Int, predictions: Predictions) -> Lattice:
    """Join every base's predictions on their keys (decision time, split); the order they come in does not matter.

    Parameters
    ----------
    decided_at
        Decision times of the study's rows, int64 ns UTC, shape (rows,), strictly increasing.
    predictions
        Base name -> split number -> (decision times, probabilities of shape (n, classes)).

    Raises
    ------
    BadInput
        The plan does not hold out every pair of its groups.
    ValueError
        A split without predictions; a prediction for a time that is no decision, for a row that the split did not hold
        out, given twice, missing or not finite. The message names base, split and the first such time.
    """
    pairs = _pairs(plan)
    if len(decided_at) == 0 or np.any(np.diff(decided_at) <= 0):
        raise ValueError(f"decided_at: {len(decided_at)} times must be at least one and strictly increasing")
    group = plan.group_of(decided_at)
    split_of = np.full((len(decided_at), len(plan.groups)), -1, dtype=np.int64)
    for number, (first, second) in enumerate(pairs):
        split_of[group == first, second] = number
        split_of[group == second, first] = number
    lattice = {}
    for base, by_split in predictions.items():
        filled = np.full((*split_of.shape, len(CLASSES)), np.nan)
        for number, (first, second) in enumerate(pairs):
            if number not in by_split:
                raise ValueError(f"base {base} has no predictions of split {number}; fit every split of the plan")
            rows, probability = _joined(
                decided_at, group, (first, second), *by_split[number], f"{base}, split {number}"
            )
            filled[rows, np.where(group[rows] == first, second, first)] = probability
        lattice[base] = filled
    return Lattice(tuple(lattice), lattice, split_of, group)


def _pairs(plan: FoldPlan) -> list[tuple[int, int]]:
    pairs = [(held_out[0], held_out[1]) for held_out in plan.splits if len(held_out) == 2]
    n_groups = len(plan.groups)
    if len(pairs) < len(plan.splits) or len(set(pairs)) < n_groups * (n_groups - 1) // 2:
        raise BadInput(
            f"folds: a study is judged on pairs of held-out groups, found kind {plan.kind} with {len(plan.splits)} "
            f"splits of {n_groups} groups; choose folds.kind cpcv with test_groups 2"
        )
    return pairs


def _joined(
    decided_at: Int, group: Int, held_out: tuple[int, int], times: Int, probability: Float, who: str
) -> tuple[Int, Float]:
    """The row of every prediction; the rows of the two groups each exactly once, or a ValueError."""
    if probability.shape != (len(times), len(CLASSES)):
        raise ValueError(f"base {who}: probabilities have shape {probability.shape} for {len(times)} decision times")
    rows = np.minimum(np.searchsorted(decided_at, times), len(decided_at) - 1)
    counts = np.bincount(rows, minlength=len(decided_at))
    inside = np.isin(group, held_out)
    _require(
        np.asarray(decided_at[rows] == times), times, f"base {who}: a prediction is for a time that is no decision"
    )
    _require(inside[rows], times, f"base {who}: a prediction is for a row outside the held-out groups {held_out}")
    _require(counts[rows] == 1, times, f"base {who}: a row is predicted twice")
    _require((counts == 1) | ~inside, decided_at, f"base {who}: a row of the held-out groups has no prediction")
    _require(np.asarray(np.isfinite(probability).all(axis=1)), times, f"base {who}: a prediction is not finite")
    return rows, probability


def _require(holds: NDArray[np.bool_], times: Int, found: str) -> None:
    wrong = np.flatnonzero(~holds)
    if len(wrong):
        first = pd.Timestamp(int(times[wrong[0]]), unit="ns", tz="UTC").isoformat()
        raise ValueError(
            f"{found}: {len(wrong)} of them, the first decided at {first}; predictions and panel must be of one study"
        )
