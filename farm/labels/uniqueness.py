"""How much of a label is its own: concurrency and average uniqueness of closed intervals."""

from typing import Any, Literal, overload

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]


def intervals(start: ArrayLike, end: ArrayLike, where: str) -> tuple[Int, Int]:
    """Starts and ends as int64 arrays, checked: equal lengths, whole numbers, 0 <= start <= end."""
    pair: list[Any] = []
    for name, given in (("start", start), ("end", end)):
        values = np.asarray(given)
        if values.ndim != 1 or (len(values) and values.dtype.kind not in "iu"):
            raise ValueError(
                f"{where}: {name} has shape {values.shape}, type {values.dtype}; give one dimension of row numbers"
            )
        pair.append(np.ascontiguousarray(values, dtype=np.int64))
    starts, ends = pair
    if len(starts) != len(ends):
        raise ValueError(f"{where}: {len(starts)} starts, {len(ends)} ends; give one of each a label")
    if not _sound(starts, ends):
        bad = int(np.argmin((starts >= 0) & (starts <= ends)))
        raise ValueError(f"{where}: label {bad} is [{starts[bad]}, {ends[bad]}]; intervals need 0 <= start <= end")
    return starts, ends


@njit(cache=True, nogil=True)
def _sound(start: Int, end: Int) -> bool:
    sound = True
    for k in range(len(start)):
        sound &= (start[k] >= 0) & (start[k] <= end[k])
    return sound


@njit(cache=True, nogil=True)
def counts(start: Int, end: Int, n_bars: int) -> Int:
    """Labels that cover each bar, from the differences at their ends."""
    change = np.zeros(n_bars + 1, dtype=np.int64)
    for k in range(len(start)):
        change[start[k]] += 1
        change[end[k] + 1] -= 1
    total = 0
    for t in range(n_bars):
        total += change[t]
        change[t] = total
    return change[:n_bars]


def concurrency(start: ArrayLike, end: ArrayLike, n_bars: int) -> Int:
    """Number of labels that cover each bar, shape (n_bars,); intervals are closed (AFML section 4.3).

    >>> concurrency([0, 2, 4], [2, 3, 5], 7)
    array([1, 1, 2, 1, 1, 1, 0])
    """
    starts, ends = intervals(start, end, "concurrency")
    if len(ends) and ends.max() >= n_bars:
        raise ValueError(f"concurrency: a label ends at {ends.max()}, n_bars is {n_bars}; it must be larger")
    return counts(starts, ends, int(n_bars))


@njit(cache=True, nogil=True)
def _average_uniqueness(start: Int, end: Int) -> Float:
    if len(start) == 0:
        return np.empty(0)
    first, last = start.min(), end.max()
    change = np.zeros(last - first + 2, dtype=np.int32)
    for k in range(len(start)):
        change[start[k] - first] += 1
        change[end[k] - first + 1] -= 1
    below = np.empty(len(change))  # below[t]: sum of 1/concurrency before bar first + t
    total, running = 0, 0.0
    for t in range(len(change)):
        below[t] = running
        total += change[t]
        if total > 0:
            running += 1.0 / total
    result = np.empty(len(start))
    for k in range(len(start)):
        result[k] = (below[end[k] - first + 1] - below[start[k] - first]) / (end[k] - start[k] + 1)
    return result


@overload
def average_uniqueness(start: ArrayLike, end: ArrayLike) -> Float: ...
@overload
def average_uniqueness(start: ArrayLike, end: ArrayLike, *, average: None) -> Float: ...
@overload
def average_uniqueness(start: ArrayLike, end: ArrayLike, *, average: Literal["labels", "cells"]) -> float: ...
def average_uniqueness(
    start: ArrayLike, end: ArrayLike, *, average: Literal["labels", "cells"] | None = None
) -> Float | float:
    """Average uniqueness of each label, shape (labels,): the mean over its bars of 1 / concurrency (AFML section 4.4).

    Two different numbers are called the average uniqueness of a whole set, and ``average`` asks for one of them:
    ``labels`` is the mean of what is returned without it; ``cells`` weighs every bar of every label equally, so that
    long labels count more (AFML snippet 4.4's matrix, mlfinlab). Intervals are closed.

    >>> average_uniqueness([0, 2, 4], [2, 3, 5])
    array([0.83333333, 0.75      , 1.        ])
    >>> round(average_uniqueness([0, 2, 4], [2, 3, 5], average="cells"), 4)
    0.8571
    """
    if average not in (None, "labels", "cells"):
        raise ValueError(f"average_uniqueness: average is {average!r}; choose labels, cells or None")
    starts, ends = intervals(start, end, "average_uniqueness")
    each = _average_uniqueness(starts, ends)
    if average is None:
        return each
    if len(each) == 0:
        raise ValueError("average_uniqueness: no labels have no average; give at least one")
    return float(each.mean() if average == "labels" else np.average(each, weights=ends - starts + 1))
