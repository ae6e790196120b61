"""How much each event weighs in a fit."""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from farm.labels.events import Events
from farm.labels.uniqueness import average_uniqueness, intervals

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _attributed(start: Int, end: Int, log_returns: Float, skip: int) -> Float:
    change = np.zeros(len(log_returns) + 1, dtype=np.int64)
    for k in range(len(start)):
        change[start[k]] += 1
        change[end[k] + 1] -= 1
    result = np.empty(len(start))
    count = 0
    shared = np.zeros(len(log_returns))
    for t in range(len(log_returns)):
        count += change[t]
        if count > 0:
            shared[t] = log_returns[t] / count
    for k in range(len(start)):
        total = 0.0
        for t in range(start[k] + skip, end[k] + 1):
            total += shared[t]
        result[k] = abs(total)
    return result


def _mean_one(weights: Float) -> Float:
    """The weights divided by their mean; ones where all are 0."""
    total = weights.sum()
    return weights * (len(weights) / total) if total > 0 else np.ones(len(weights))


def return_attribution(
    start: ArrayLike, end: ArrayLike, log_returns: ArrayLike, *, include_start: bool = False
) -> Float:
    """Weight of each label by the return that is its own, of mean 1, shape (labels,): AFML section 4.6, snippet 4.10.

    Each bar's log return is divided by the number of labels that cover the bar; a label's weight is the absolute sum of
    its parts. A label decided at the close of its start bar did not earn that bar's own return, so it is left out;
    ``include_start=True`` adds it, as the book's snippet does. All weights are 1 when no label has any return.

    Parameters
    ----------
    start, end
        Closed intervals of bar positions.
    log_returns
        One a bar, from the previous bar's close to its own. The first may be NaN if no label needs it.

    >>> return_attribution([0, 1], [1, 2], [0.0, 0.02, 0.03])
    array([0.5, 1.5])
    """
    starts, ends = intervals(start, end, "return_attribution")
    returns = np.ascontiguousarray(log_returns, dtype=np.float64)
    if returns.ndim != 1 or (len(ends) and ends.max() >= len(returns)):
        raise ValueError(f"return_attribution: log_returns have shape {returns.shape}; give one a bar, to the last end")
    parts = _attributed(starts, ends, returns, 0 if include_start else 1)
    if np.isnan(parts).any():
        raise ValueError(f"return_attribution: label {np.isnan(parts).argmax()} covers a bar without a return; drop it")
    return _mean_one(parts)


def time_decay(uniqueness: ArrayLike, c: float) -> Float:
    """Factor of each label by its age, shape (labels,), the newest 1: AFML section 4.7, snippet 4.11.

    Age is counted in uniqueness, not in time: the factor is linear in the cumulative average uniqueness, labels being
    in the order of their starts. ``c`` = 1 is no decay; between 0 and 1 it is the factor the oldest tends to; below 0
    the oldest share -c of uniqueness gets 0.

    >>> time_decay([1.0, 1.0, 1.0, 1.0], 0.5)
    array([0.625, 0.75 , 0.875, 1.   ])
    """
    if not -1 < c <= 1:
        raise ValueError(f"time_decay: c is {c}; it must be above -1 and at most 1")
    values = np.asarray(uniqueness, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0) & np.isfinite(values)):
        raise ValueError("time_decay: uniqueness must be one dimension of finite numbers not below 0")
    passed = np.cumsum(values)
    if len(passed) == 0 or passed[-1] == 0:
        return np.ones(len(passed))
    slope = (1 - c) / passed[-1] if c >= 0 else 1 / ((c + 1) * passed[-1])
    return np.maximum(1 - slope * (passed[-1] - passed), 0.0)


def sample_weights(
    events: Events, rows: NDArray[np.int64] | NDArray[np.bool_], *, log_returns: Float | None = None
) -> Float:
    """Weight of each of these events, of mean 1, shape (rows,), from their own watched bars alone.

    Without ``log_returns`` the weight is the average uniqueness; with one log return a bar it is the return
    attribution. Both count the bars watched, ``row`` + 1 to ``exit_row``: the deciding bar lies before the entry, and
    would tie the weight of a label that has ended to decisions made at that very moment. Give the rows of one fit:
    nothing outside of them is looked at, so a train set's weights do not know the test set. In a pool the weights of
    every symbol add up to the same (`farm.pool`).

    Raises
    ------
    ValueError
        What ``return_attribution`` raises.
    """
    first, last = events.row[rows] + 1, events.exit_row[rows]
    if log_returns is not None:
        return events.weighed(rows, return_attribution(first, last, log_returns, include_start=True))
    return events.weighed(rows, _mean_one(average_uniqueness(first, last)))
