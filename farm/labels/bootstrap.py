"""The sequential bootstrap: drawing labels that overlap little."""

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from farm.labels.uniqueness import counts, intervals

Int = NDArray[np.int64]
Float = NDArray[np.float64]

FAN = 16  # children of a node in the tree of sums


@njit(cache=True, nogil=True)
def _sum_of(values: Float, node: int) -> float:
    """Sum of a node's children."""
    total = 0.0
    for k in range(node * FAN, min(node * FAN + FAN, len(values))):
        total += values[k]
    return total


@njit(cache=True, nogil=True)
def _draws(start: Int, end: Int, furthest: Int, uniforms: Float) -> Int:
    """Drawn positions. ``start`` ascends, ``furthest`` is the running maximum of ``end``."""
    n = len(start)
    first_bar = start[0]
    n_bars = furthest[-1] - first_bar + 1
    drawn = np.zeros(n_bars, dtype=np.int64)  # drawn labels that cover each bar
    loss = np.zeros(n_bars + 1)  # running sum of what a draw takes from each of its bars

    # A label's weight is its average uniqueness if it came next. The tree holds the sums over 16, 16², … labels. A draw
    # changes the weights of the labels that overlap it, which are neighbours, so their sums are added up anew from
    # their children: few additions, and no error that grows with the number of draws.
    levels = [np.ones(n)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        nodes = (len(below) + FAN - 1) // FAN
        sums = np.empty(nodes)
        for node in range(nodes):
            sums[node] = _sum_of(below, node)
        levels.append(sums)
    weight = levels[0]

    result = np.empty(len(uniforms), dtype=np.int64)
    for draw in range(len(uniforms)):
        left = uniforms[draw] * levels[-1][0]
        k = 0
        for depth in range(len(levels) - 2, -1, -1):
            values = levels[depth]
            k *= FAN
            stop = min(k + FAN, len(values)) - 1
            while k < stop and left >= values[k]:
                left -= values[k]
                k += 1
        result[draw] = k

        s, e = start[k], end[k]
        total = 0.0
        for t in range(s, e + 1):
            c = drawn[t - first_bar]
            total += 1.0 / (1 + c) - 1.0 / (2 + c)
            drawn[t - first_bar] = c + 1
            loss[t - first_bar + 1] = total
        loss[s - first_bar] = 0.0
        low = np.searchsorted(furthest, s)  # before it every label ends before s
        high = np.searchsorted(start, e, side="right")
        for j in range(low, high):
            if end[j] >= s:
                a, b = max(s, start[j]) - first_bar, min(e, end[j]) - first_bar
                weight[j] -= (loss[b + 1] - loss[a]) / (end[j] - start[j] + 1)
        for depth in range(1, len(levels)):
            low //= FAN
            high = (high - 1) // FAN + 1
            for node in range(low, high):
                levels[depth][node] = _sum_of(levels[depth - 1], node)
    return result


def sequential_bootstrap(start: ArrayLike, end: ArrayLike, size: int, rng: np.random.Generator) -> Int:
    """Positions of ``size`` labels drawn with replacement, shape (size,), each preferring what overlaps little.

    The probability of a label is proportional to its average uniqueness among the labels drawn so far and itself: the
    mean over its bars of 1 / (1 + drawn labels that cover the bar) (AFML section 4.5). The distribution is exact; the
    cost of a draw is that of the labels which overlap the drawn one.

    Parameters
    ----------
    start, end
        Closed intervals of bar positions, in any order.
    size
        Number of draws, at least 0.
    rng
        One uniform number is taken for each draw.

    >>> sequential_bootstrap([0, 2, 4], [2, 3, 5], 4, np.random.default_rng(2))
    array([0, 1, 2, 0])
    """
    starts, ends = intervals(start, end, "sequential_bootstrap")
    if size != int(size) or size < 0:
        raise ValueError(f"sequential_bootstrap: size is {size}; it must be a whole number not below 0")
    if len(starts) == 0:
        if size:
            raise ValueError(f"sequential_bootstrap: {size} draws from no labels; give at least one label")
        return np.empty(0, dtype=np.int64)
    order = np.argsort(starts, kind="stable")
    ends = ends[order]
    return order[_draws(starts[order], ends, np.maximum.accumulate(ends), rng.random(int(size)))]


def draw_probabilities(start: ArrayLike, end: ArrayLike, drawn: ArrayLike) -> Float:
    """Probability of each label to be drawn next after these draws, shape (labels,): the definition, bar by bar.

    >>> draw_probabilities([0, 2, 4], [2, 3, 5], [1]) * 14
    array([5., 3., 6.])
    """
    starts, ends = intervals(start, end, "draw_probabilities")
    earlier = np.asarray(drawn, dtype=np.int64)
    if len(starts) == 0:
        return np.empty(0)
    share = 1.0 / (1 + counts(starts[earlier], ends[earlier], int(ends.max()) + 1))
    weight = np.array([share[s : e + 1].mean() for s, e in zip(starts, ends, strict=True)])
    return weight / weight.sum()
