"""Heights over the mean of the last bars, and how far these bars spread: under the rules of `windows`."""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK, copy, first_known, scaled

_MOMENTS = 512  # as BLOCK, where seven arrays are worked on


@njit(cache=True, nogil=True)
def above_mean(x: Float, window: int) -> tuple[Float, Float]:
    """Each value minus the mean of the last ``window`` values, and their (population) standard deviation.

    Two windows are joined by their means and their squares about them (Chan, Golub, LeVeque, The American Statistician
    37:3, 1983, 2.1), heights being taken over a row nearby: the variance keeps all its digits whatever the level.

    >>> above_mean(np.array([20000.0, 20002.0]), 2)
    (array([nan,  1.]), array([nan,  1.]))
    """
    n, first, most = len(x), first_known(x), _MOMENTS + window - 1
    above, deviation = np.empty(n), np.empty(n)
    above[: first + window - 1] = np.nan
    deviation[: first + window - 1] = np.nan
    heights, means, made_means, mean = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    squares, made_squares, square = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(first, n - window + 1, _MOMENTS):
        length = min(most, n - begin)
        rows, anchor = x[begin : begin + length], x[begin]
        for j in range(len(rows)):
            means[j] = heights[j] = rows[j] - anchor
            squares[j] = 0.0
        _moments(
            means[:length],
            made_means[:length],
            mean[:length],
            squares[:length],
            made_squares[:length],
            square[:length],
            window,
        )
        newest, levels, about = heights[window - 1 : length], mean[window - 1 : length], square[window - 1 : length]
        made, spread = above[begin + window - 1 :], deviation[begin + window - 1 :]
        for j in range(len(newest)):
            made[j] = newest[j] - levels[j]
            spread[j] = math.sqrt(about[j] / window)
    return above, deviation


@njit(cache=True, nogil=True)
def _moments(
    means: Float, spare: Float, mean: Float, squares: Float, spare_squares: Float, square: Float, window: int
) -> None:
    """Fill ``mean[window - 1:]`` with the window's mean and ``square`` with the sum of squares about it."""
    n, taken, reach = len(means), 0, 1
    while True:
        if window & reach:
            if taken == 0:
                copy(means, mean)
                copy(squares, square)
            else:
                share = reach / (taken + reach)
                _add_squares(means[: n - taken], squares[: n - taken], mean[taken:], square[taken:], taken * share)
                _move_to(means[: n - taken], mean[taken:], share)
            taken += reach
        if taken == window:
            return
        _join_squares(means, squares, spare_squares, reach)
        _join_means(means, spare, reach)
        means, spare = spare, means
        squares, spare_squares = spare_squares, squares
        reach *= 2


@njit(cache=True, nogil=True)
def _join_squares(means: Float, squares: Float, made: Float, reach: int) -> None:
    older, newer, to, weight = means[: len(means) - reach], means[reach:], made[reach:], reach / 2
    older_squares, newer_squares = squares[: len(squares) - reach], squares[reach:]
    for j in range(len(to)):
        step = older[j] - newer[j]
        to[j] = newer_squares[j] + older_squares[j] + weight * step * step


@njit(cache=True, nogil=True)
def _add_squares(older: Float, older_squares: Float, newer: Float, squares: Float, weight: float) -> None:
    for j in range(len(squares)):
        step = older[j] - newer[j]
        squares[j] += older_squares[j] + weight * step * step


@njit(cache=True, nogil=True)
def _join_means(means: Float, made: Float, reach: int) -> None:
    older, newer, to = means[: len(means) - reach], means[reach:], made[reach:]
    for j in range(len(to)):
        to[j] = newer[j] + 0.5 * (older[j] - newer[j])


@njit(cache=True, nogil=True)
def _move_to(older: Float, mean: Float, share: float) -> None:
    for j in range(len(mean)):
        mean[j] += share * (older[j] - mean[j])


@njit(cache=True, nogil=True)
def height(x: Float, window: int) -> Float:
    """Each value minus the mean of the last ``window`` values, itself included: what :func:`above_mean` says of it.

    >>> height(np.array([20000.0, 20002.0]), 2)
    array([nan,  1.])
    """
    n, first, most = len(x), first_known(x), BLOCK + window - 1
    out = np.empty(n)
    out[: first + window - 1] = np.nan
    heights, means, spare, mean = np.empty(most), np.empty(most), np.empty(most), np.empty(most)
    for begin in range(first, n - window + 1, BLOCK):
        length = min(most, n - begin)
        rows, anchor = x[begin : begin + length], x[begin]
        for j in range(len(rows)):
            heights[j] = rows[j] - anchor
        copy(heights[:length], means)
        now, to, taken, reach = means[:length], spare[:length], 0, 1
        while True:
            if window & reach:
                if taken == 0:
                    copy(now, mean)
                else:
                    _move_to(now[: length - taken], mean[taken:length], reach / (taken + reach))
                taken += reach
            if taken == window:
                break
            _join_means(now, to, reach)
            now, to = to, now
            reach *= 2
        newest, made = heights[window - 1 : length], out[begin + window - 1 :]
        for j in range(len(newest)):
            made[j] = newest[j] - mean[window - 1 + j]
    return out


@njit(cache=True, nogil=True)
def mean_absolute_deviation(x: Float, above: Float, window: int) -> Float:
    """Mean distance of the last ``window`` values from their mean, given each value's height ``above`` that mean.

    >>> x = np.array([1.0, 3.0, 5.0])
    >>> mean_absolute_deviation(x, above_mean(x, 3)[0], 3)
    array([       nan,        nan, 1.33333333])
    """
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    heights, levels, total = np.empty(most), np.empty(BLOCK), np.empty(BLOCK)
    first = first_known(x)
    for begin in range(first, n - window + 1, BLOCK):
        length = min(most, n - begin)
        known = length - window + 1
        rows, anchor = x[begin : begin + length], x[begin]
        for j in range(len(rows)):
            heights[j] = rows[j] - anchor
        newest, over = heights[window - 1 : length], above[begin + window - 1 : begin + length]
        for j in range(len(newest)):
            levels[j] = newest[j] - over[j]
            total[j] = 0.0
        back = 0
        while back + 3 < window:
            _add_distances(heights[window - 4 - back : length - back], levels[:known], total)
            back += 4
        while back < window:
            older = heights[window - 1 - back : length - back]
            for j in range(len(older)):
                total[j] += abs(older[j] - levels[j])
            back += 1
        scaled(total[:known], 1.0 / window, out[begin + window - 1 :])
    out[: first + window - 1] = np.nan
    return out


@njit(cache=True, nogil=True)
def _add_distances(rows: Float, levels: Float, total: Float) -> None:
    """Add the distances of four neighbouring rows from a level at once: each pass over ``total`` costs its own time."""
    n = len(levels)
    a, b, c, d = rows[:n], rows[1 : n + 1], rows[2 : n + 2], rows[3 : n + 3]
    for j in range(n):
        level = levels[j]
        total[j] += (abs(a[j] - level) + abs(b[j] - level)) + (abs(c[j] - level) + abs(d[j] - level))
