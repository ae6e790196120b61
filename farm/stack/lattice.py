"""The pair lattice: for every row, the prediction of each model that never saw the row's group nor one other.

Bases may decide at other times than the study's clock. Their predictions meet at its rows by an as-of join: a row has
the last one that was made by then, in the same group, by the split of the pair, and no longer ago than is allowed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    (rows, groups, classes) a base; NaN where h is the row's own group, and in rows for which the base has nothing to
    say. ``split[x, h]`` is the split it came from, -1 where h is the row's own group. ``age[m]`` is how long before
    each row its prediction was made, ns, shape (rows,); -1 where there is none.
    """

    bases: tuple[str, ...]
    probability: Mapping[str, Float]
    split: Int
    group: Int
    age: Mapping[str, Int] = field(default_factory=dict)

    def mean(self, base: str) -> Float:
        """The mean of p(x|h) over all other groups h, shape (rows, classes); NaN in rows without a prediction."""
        return mean_over_others(self.probability[base])


def mean_over_others(values: Float) -> Float:
    """The mean over axis 1 of what is not NaN; NaN where nothing is.

    >>> mean_over_others(np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])).tolist()
    [2.0, nan]
    """
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def asof(moments: Int, times: Int, start: Int, max_age: int | None = None) -> Int:
    """Position in ``times`` of the last one at or before each moment, -1 where there is none.

    Parameters
    ----------
    moments, start
        When each row is decided, and the moment before which nothing may serve it, its group's start; int64 ns, (rows,)
    times
        When predictions were made, rising.
    max_age
        How long before a row a prediction may have been made, ns; None for as long as its group lasts.

    >>> asof(np.array([5, 9, 12]), np.array([1, 6, 8]), np.array([0, 0, 10])).tolist()
    [0, 2, -1]
    """
    last = np.searchsorted(times, moments, side="right") - 1
    if len(times) == 0:
        return np.full(len(moments), -1, dtype=np.int64)
    made = times[np.maximum(last, 0)]
    serves = (last >= 0) & (made >= start)
    if max_age is not None:
        serves &= moments - made <= max_age
    return np.where(serves, last, -1).astype(np.int64)


def build_lattice(
    plan: FoldPlan,
    decided_at: Int,
    predictions: Predictions,
    *,
    own: Mapping[str, Int] | None = None,
    max_age: int | None = None,
) -> Lattice:
    """Join every base's predictions on their keys (decision time, split); the order they come in does not matter.

    Parameters
    ----------
    decided_at
        Decision times of the study's rows, int64 ns UTC, shape (rows,), strictly increasing.
    predictions
        Base name -> split number -> (decision times, probabilities of shape (n, classes)).
    own
        Decision times of bases that have their own; the others decide at the study's.
    max_age
        How old a prediction may be at a row, ns; None for as long as its group lasts.

    Raises
    ------
    BadInput
        The plan does not hold out every pair of its groups.
    ValueError
        A split without predictions; a prediction for a time that is no decision of the base, for one that the split did
        not hold out, given twice, missing or not finite. The message names base, split and the first such time.
    """
    pairs = _pairs(plan)
    for times in (decided_at, *(own or {}).values()):
        if len(times) == 0 or np.any(np.diff(times) <= 0):
            raise ValueError(f"decided_at: {len(times)} times must be at least one and strictly increasing")
    group = plan.group_of(decided_at)
    split_of = np.full((len(decided_at), len(plan.groups)), -1, dtype=np.int64)
    for number, (first, second) in enumerate(pairs):
        split_of[group == first, second] = number
        split_of[group == second, first] = number
    starts = np.array([one.start for one in plan.groups], dtype=np.int64)[group]
    lattice, age = {}, {}
    for base, by_split in predictions.items():
        times = (own or {}).get(base, decided_at)
        said = _by_pair(plan, pairs, times, by_split, base)
        last = asof(decided_at, times, starts, max_age)
        lattice[base] = np.where((last >= 0)[:, None, None], said[last], np.nan)
        age[base] = np.where(last >= 0, decided_at - times[last], -1)
    return Lattice(tuple(lattice), lattice, split_of, group, age)


def _by_pair(
    plan: FoldPlan,
    pairs: list[tuple[int, int]],
    decided_at: Int,
    by_split: Mapping[int, tuple[Int, Float]],
    base: str,
) -> Float:
    """What a base says at its own decisions, shape (decisions, groups, classes): by the split of each pair."""
    group = plan.group_of(decided_at)
    said = np.full((len(decided_at), len(plan.groups), len(CLASSES)), np.nan)
    for number, (first, second) in enumerate(pairs):
        if number not in by_split:
            raise ValueError(f"base {base} has no predictions of split {number}; fit every split of the plan")
        rows, probability = _joined(decided_at, group, (first, second), *by_split[number], f"{base}, split {number}")
        said[rows, np.where(group[rows] == first, second, first)] = probability
    return said


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
