"""Heights over the mean of the last bars, and how far these bars spread: under the rules of `windows`."""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float
from farm.features.windows import BLOCK, copy, digits_below_first, first_known, scaled


@njit(cache=True, nogil=True)
def height(x: Float, window: int) -> Float:
    """Each value minus the mean of the last ``window`` values, itself included: what :func:`above_mean` says of it.

    >>> height(np.array([20000.0, 20002.0]), 2)
    array([nan,  1.])
    """
    n, first, most = len(x), first_known(x), BLOCK + window - 1
    out = np.empty(n)
    out[: first + window - 1] = np.nan
    heights, made, spare = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(first, n - window + 1, BLOCK):
        length = min(most, n - begin)
        _over_first(x[begin : begin + length], heights)
        means, newest = out[begin + window - 1 : begin + length], heights[window - 1 :]
        _means(heights[:length], window, made, spare, means)
        for j in range(len(means)):
            means[j] = newest[j] - means[j]
    return out


@njit(cache=True, nogil=True)
def above_mean(x: Float, window: int) -> tuple[Float, Float]:
    """Each value minus the mean of the last ``window`` values, and their (population) standard deviation.

    Two windows are joined by their means and their squares about them (Chan, Golub, LeVeque, The American Statistician
    37:3, 1983, 2.1), heights being taken over a row nearby: the variance keeps all its digits whatever the level.

    >>> above_mean(np.array([20000.0, 20002.0]), 2)
    (array([nan,  1.]), array([nan,  1.]))
    """
    n, first, most = len(x), first_known(x), BLOCK + window - 1
    above, deviation = np.empty(n), np.empty(n)
    above[: first + window - 1] = np.nan
    deviation[: first + window - 1] = np.nan
    heights, zeros = np.empty(most), np.zeros(most)
    means, squares = (np.empty(most), np.empty(most)), (np.empty(most), np.empty(most))
    for begin in range(first, n - window + 1, BLOCK):
        length = min(most, n - begin)
        _over_first(x[begin : begin + length], heights)
        levels, about = above[begin + window - 1 : begin + length], deviation[begin + window - 1 : begin + length]
        _moments(heights[:length], zeros, window, means, squares, levels, about)
        newest = heights[window - 1 :]
        for j in range(len(levels)):
            levels[j] = newest[j] - levels[j]
        for j in range(len(about)):
            about[j] = math.sqrt(about[j] * (1 / window))
    return above, deviation


@njit(cache=True, nogil=True)
def _over_first(x: Float, heights: Float) -> None:
    """Write the height of each value over the first of them."""
    for j in range(len(x)):
        heights[j] = x[j] - x[0]


@njit(cache=True, nogil=True)
def _means(heights: Float, window: int, made: Float, spare: Float, to: Float) -> None:
    """Write the mean of each full window; ``made`` and ``spare`` are as long as ``heights`` and used up."""
    n, rows, reach = len(heights), heights, 1  # windows of ``reach``, one from each row on
    for digit in range(digits_below_first(window) - 1, -1, -1):
        odd = (window >> digit) & 1
        joined = 2 * reach + odd
        newer, older = rows[reach + odd :], rows[odd:]
        target = to if digit == 0 else made[: n - joined + 1]
        if odd:
            _mean_of_three(newer, older, heights, reach, target)
        else:
            _mean_of_two(newer, older, target)
        rows, made, spare, reach = target, spare, made, joined
    if window == 1:
        copy(heights, to)


@njit(cache=True, nogil=True)
def _mean_of_two(newer: Float, older: Float, to: Float) -> None:
    """Write the mean of two windows of one length; that of equal means is exact."""
    for j in range(len(to)):
        to[j] = newer[j] + 0.5 * (older[j] - newer[j])


@njit(cache=True, nogil=True)
def _mean_of_three(newer: Float, older: Float, oldest: Float, reach: int, to: Float) -> None:
    """Write the mean of two windows of ``reach`` rows and of one more row."""
    share, last = reach / (2 * reach + 1), 1 / (2 * reach + 1)
    for j in range(len(to)):
        to[j] = newer[j] + (share * (older[j] - newer[j]) + last * (oldest[j] - newer[j]))


@njit(cache=True, nogil=True)
def _moments(
    heights: Float,
    zeros: Float,
    window: int,
    means: tuple[Float, Float],
    squares: tuple[Float, Float],
    mean: Float,
    square: Float,
) -> None:
    """Write each full window's ``mean`` and the sum of squares about it; two arrays of each are used up."""
    n, reach, rows, about = len(heights), 1, heights, zeros[: len(heights)]
    made, spare = means
    made_squares, spare_squares = squares
    for digit in range(digits_below_first(window) - 1, -1, -1):
        odd = (window >> digit) & 1
        joined = 2 * reach + odd
        newer, older = rows[reach + odd :], rows[odd:]
        newer_squares, older_squares = about[reach + odd :], about[odd:]
        to = mean if digit == 0 else made[: n - joined + 1]
        to_squares = square if digit == 0 else made_squares[: n - joined + 1]
        if odd:
            _mean_of_three(newer, older, heights, reach, to)
            _squares_of_three(newer, older, heights, newer_squares, older_squares, reach, to_squares)
        else:
            _mean_of_two(newer, older, to)
            _squares_of_two(newer, older, newer_squares, older_squares, reach, to_squares)
        rows, made, spare, reach = to, spare, made, joined
        about, made_squares, spare_squares = to_squares, spare_squares, made_squares
    if window == 1:
        copy(heights, mean)
        copy(about, square)


@njit(cache=True, nogil=True)
def _squares_of_two(
    newer: Float, older: Float, newer_squares: Float, older_squares: Float, reach: int, to: Float
) -> None:
    weight = reach / 2
    for j in range(len(to)):
        step = older[j] - newer[j]
        to[j] = (newer_squares[j] + older_squares[j]) + weight * step * step


@njit(cache=True, nogil=True)
def _squares_of_three(
    newer: Float, older: Float, oldest: Float, newer_squares: Float, older_squares: Float, reach: int, to: Float
) -> None:
    weight, last = reach / 2, 2 * reach / (2 * reach + 1)
    for j in range(len(to)):
        step = older[j] - newer[j]
        far = oldest[j] - (newer[j] + 0.5 * step)
        to[j] = (newer_squares[j] + older_squares[j]) + (weight * step * step + last * far * far)


@njit(cache=True, nogil=True)
def height_of_halves(x: Float, above: Float, half: int) -> Float:
    """Each value minus the mean of the last ``2 * half``, given its height ``above`` the mean of the last ``half``.

    >>> x = np.array([1.0, 2.0, 4.0, 4.0])
    >>> height_of_halves(x, height(x, 2), 2)
    array([ nan,  nan,  nan, 1.25])
    """
    out = np.empty(len(x))
    out[:half] = np.nan
    now, newer, made = x[half:], above[half:], out[half:]
    for j in range(len(made)):
        made[j] = 0.5 * (newer[j] + ((now[j] - x[j]) + above[j]))
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
