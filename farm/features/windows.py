"""Sums over the last bars: the numerics every feature is built on.

Three rules hold for each kernel. It reads no later row. What it returns for a row is a function of the last
``window`` rows alone, to rounding, however long the array before them. And it works on differences or on sums of one
sign, never on the difference of two large sums, so a price of 20000 costs no digits and a window without movement gives
exactly zero.
Rows before the first full window are NaN; NaN at the start of the input count as missing rows.

A window is put together from windows of 1, 2, 4, ... rows, each made of two of half its length (the doubling of Hillis
and Steele, Communications of the ACM 29:12, 1986): as many passes as the window's length has binary digits, and in each
the rows do not wait for one another, so that the processor takes several at a time. (A loop writes to
one array only: of more the compiler does not prove that they are apart.)
"""

import math

import numpy as np
from numba import njit

from farm.bars.frame import Float

BLOCK = 1024  # rows handled together, so that the passes over them stay in the nearest cache
_MOMENTS = 512  # the same where seven arrays are worked on


@njit(cache=True, nogil=True)
def first_known(x: Float) -> int:
    """Row of the first value that is no NaN; the length where there is none."""
    start = 0
    while start < len(x) and math.isnan(x[start]):
        start += 1
    return start


@njit(cache=True, nogil=True)
def copy(values: Float, to: Float) -> None:
    """Write one row of values over another of its length: an assignment of slices takes four times as long."""
    for j in range(len(values)):
        to[j] = values[j]


@njit(cache=True, nogil=True)
def _join_windows(rows: Float, made: Float, reach: int, factor: float) -> None:
    older, newer, to = rows[: len(rows) - reach], rows[reach:], made[reach:]
    for j in range(len(to)):
        to[j] = newer[j] + factor * older[j]


@njit(cache=True, nogil=True)
def _add_older(sums: Float, rows: Float, taken: int, factor: float) -> None:
    older, newer = rows[: len(rows) - taken], sums[taken:]
    for j in range(len(newer)):
        newer[j] += factor * older[j]


@njit(cache=True, nogil=True)
def geometric_sums(rows: Float, spare: Float, sums: Float, keep: float, window: int) -> None:
    """Fill ``sums[window - 1:]`` with the sum of ``keep**k`` times the row k back; the others are used up."""
    taken, reach = 0, 1  # sums hold the newest ``taken`` rows; rows hold windows of ``reach``
    behind, across = 1.0, keep  # keep to the power of ``taken``, and of ``reach``
    while True:
        if window & reach:
            if taken == 0:
                copy(rows, sums)
            else:
                _add_older(sums, rows, taken, behind)
            taken += reach
            behind *= across
        if taken == window:
            return
        _join_windows(rows, spare, reach, across)
        rows, spare = spare, rows
        reach *= 2
        across *= across


@njit(cache=True, nogil=True)
def _scale(values: Float, scale: float, to: Float) -> None:
    for j in range(len(values)):
        to[j] = values[j] * scale


@njit(cache=True, nogil=True)
def _geometric_mean(x: Float, keep: float, window: int, scale: float) -> Float:
    n, most = len(x), BLOCK + window - 1
    out = np.empty(n)
    out[: window - 1] = np.nan
    rows, spare, sums = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(0, n - window + 1, BLOCK):
        length = min(most, n - begin)
        copy(x[begin : begin + length], rows)
        geometric_sums(rows[:length], spare[:length], sums[:length], keep, window)
        _scale(sums[window - 1 : length], scale, out[begin + window - 1 : begin + length])
    return out


@njit(cache=True, nogil=True)
def rolling_sum(x: Float, window: int) -> Float:
    """Sum of the last ``window`` values.

    >>> rolling_sum(np.array([1.0, 2.0, 3.0, 4.0]), 2)
    array([nan,  3.,  5.,  7.])
    """
    return _geometric_mean(x, 1.0, window, 1.0)


@njit(cache=True, nogil=True)
def exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Exponentially weighted mean of the last ``window`` values, the weights scaled to sum to one.

    For values around zero or of one sign (differences, true ranges, gains); prices go through
    :func:`above_exponential_mean`.

    >>> exponential_mean(np.array([0.0, 3.0, 3.0]), 0.5, 2)
    array([nan,  2.,  3.])
    """
    keep = 1.0 - alpha
    return _geometric_mean(x, keep, window, alpha / (1.0 - keep**window))


@njit(cache=True, nogil=True)
def above_exponential_mean(x: Float, alpha: float, window: int) -> Float:
    """Each value minus the exponentially weighted mean of the last ``window`` values, itself included.

    Summed from the steps between rows, so that the level of ``x`` cancels before anything is rounded.

    >>> above_exponential_mean(np.array([5.0, 8.0, 8.0]), 0.5, 2)
    array([nan,  1.,  0.])
    """
    keep = 1.0 - alpha
    leaving, back, n = keep**window, window - 1, len(x)
    scale = 1.0 / (1.0 - leaving)
    out = np.empty(n)
    out[:back] = np.nan
    if back == 0:
        out[:] = x - x
        return out
    most = BLOCK + back - 1
    rows, spare, sums = np.empty(most), np.empty(most), np.empty(most)
    for begin in range(1, n - back + 1, BLOCK):
        length = min(most, n - begin)
        now, before = x[begin : begin + length], x[begin - 1 : begin - 1 + length]
        for j in range(len(now)):
            rows[j] = now[j] - before[j]
        geometric_sums(rows[:length], spare[:length], sums[:length], keep, back)
        found, newest, oldest = sums[back - 1 : length], now[back - 1 :], before[: length - back + 1]
        made = out[begin + back - 1 : begin + length]
        for j in range(len(made)):
            made[j] = (keep * found[j] - leaving * (newest[j] - oldest[j])) * scale
    return out


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
        _scale(total[:known], 1.0 / window, out[begin + window - 1 :])
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


@njit(cache=True, nogil=True, error_model="numpy")
def ratio(numerator: Float, denominator: Float, otherwise: float) -> Float:
    """``numerator / denominator``, and ``otherwise`` where the denominator is zero (nothing moved, nothing traded).

    >>> ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0]), otherwise=0.0)
    array([0.5, 0. ])
    """
    out = np.empty(len(numerator))
    for i in range(len(numerator)):
        out[i] = otherwise if denominator[i] == 0.0 else numerator[i] / denominator[i]
    return out


def steps_back(x: Float, bars: int) -> Float:
    """The value ``bars`` rows before each row, NaN where there is none.

    >>> steps_back(np.array([1.0, 2.0, 3.0]), 1)
    array([nan,  1.,  2.])
    """
    out = np.empty(len(x))
    out[:bars] = np.nan
    out[bars:] = x[: max(len(x) - bars, 0)]
    return out
