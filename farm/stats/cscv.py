"""The kernel of combinatorially symmetric cross-validation: every half of the blocks against the other half.

The sums of a half are one entry of a table over subsets of the first blocks plus one over subsets of the last
(meet in the middle), so a column costs two additions a half whatever the number of blocks. Halves come in
complementary pairs: the i-th in lexicographic order has the i-th from the end for its complement.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import comb

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.stats.accepted import FloatArray
from farm.stats.threads import share


@dataclass(frozen=True, slots=True)
class BlockSums:
    """Per-block sums of a return matrix, from which the Sharpe ratio of any half follows."""

    counts: FloatArray  # (S,) rows
    sums: FloatArray  # (S, N) of deviations from the column's mean
    squares: FloatArray  # (S, N) of squared deviations
    means: FloatArray  # (N,) the columns' means
    idle_columns: NDArray[np.int64]  # (K,) columns that are constant over at least half of the blocks …
    idle_blocks: NDArray[np.int64]  # (K,) … and the bit mask of blocks over which they hold that one value


@dataclass(frozen=True, slots=True)
class Halves:
    """For every half of the blocks, in lexicographic order: the best column there and how it did in the other half."""

    selected: NDArray[np.int64]
    in_sample: FloatArray
    out_of_sample: FloatArray
    below: NDArray[np.int64]  # columns that did worse than the selected one out of sample
    level: NDArray[np.int64]  # columns that did as well, itself included


def sum_blocks(returns: FloatArray, n_blocks: int) -> BlockSums:
    """Block sums of a matrix (T, N); where `n_blocks` does not divide T the first blocks are one row longer."""
    edges = _block_edges(len(returns), n_blocks)
    means, sums, squares, lowest, highest = _sum_rows(returns, edges)
    idle_columns, idle_blocks = _idle_halves(lowest, highest)
    return BlockSums(np.diff(edges).astype(np.float64), sums, squares, means, idle_columns, idle_blocks)


def halves_of(blocks: BlockSums, threads: int) -> Halves:
    """Selection and outcome for every half; the result does not depend on `threads`."""
    n_blocks = len(blocks.counts)
    masks = _half_masks(n_blocks)
    n = len(masks)
    split = n_blocks // 2
    tables = _tables(blocks)
    halves = Halves(
        selected=np.empty(n, np.int64),
        in_sample=np.empty(n),
        out_of_sample=np.empty(n),
        below=np.empty(n, np.int64),
        level=np.empty(n, np.int64),
    )

    def work(start: int, stop: int) -> None:
        _compare_halves(
            start, stop, masks, split, *tables, blocks.means,
            blocks.idle_columns, blocks.idle_blocks,
            halves.selected, halves.in_sample, halves.out_of_sample, halves.below, halves.level,
        )  # fmt: skip

    share(work, n // 2, threads)
    return halves


def _block_edges(n_rows: int, n_blocks: int) -> NDArray[np.int64]:
    length, longer = divmod(n_rows, n_blocks)
    sizes = np.full(n_blocks, length, dtype=np.int64)
    sizes[:longer] += 1
    return np.concatenate([[0], np.cumsum(sizes)])


def _idle_halves(lowest: FloatArray, highest: FloatArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where rounding would give a constant stretch a deviation of 1e-19 and so an endless Sharpe ratio."""
    constant = lowest == highest
    n_blocks = len(constant)
    columns, masks = [], []
    for column in np.flatnonzero(constant.sum(axis=0) >= n_blocks // 2):
        for value in np.unique(lowest[constant[:, column], column]):
            same = constant[:, column] & (lowest[:, column] == value)
            if same.sum() >= n_blocks // 2:
                columns.append(int(column))
                masks.append(int(np.sum(1 << np.flatnonzero(same))))
    return np.array(columns, dtype=np.int64), np.array(masks, dtype=np.int64)


def _tables(blocks: BlockSums) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Row counts, and sums beside sums of squares, of every subset of the first and of the last half of the blocks."""
    split = len(blocks.counts) // 2
    both = np.hstack([blocks.sums, blocks.squares])
    return (
        _subset_sums(blocks.counts[:split, None])[:, 0],
        _subset_sums(blocks.counts[split:, None])[:, 0],
        _subset_sums(both[:split]),
        _subset_sums(both[split:]),
    )


@lru_cache(maxsize=2)
def _half_masks(n_blocks: int) -> NDArray[np.int64]:
    """Bit masks of the halves, in the order of itertools.combinations; read-only."""
    masks = _fill_half_masks(n_blocks, np.empty(comb(n_blocks, n_blocks // 2), np.int64))
    masks.flags.writeable = False
    return masks


@njit(cache=True, nogil=True)
def _sum_rows(
    returns: FloatArray, edges: NDArray[np.int64]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Column means; and by block: sums and sums of squares of deviations from them, lowest and highest values."""
    n_rows, n_columns = returns.shape
    n_blocks = len(edges) - 1
    means = np.zeros(n_columns)
    sums, squares = np.zeros((n_blocks, n_columns)), np.zeros((n_blocks, n_columns))
    lowest, highest = np.full((n_blocks, n_columns), np.inf), np.full((n_blocks, n_columns), -np.inf)
    for block in range(n_blocks):
        low, high = lowest[block], highest[block]
        for row in range(edges[block], edges[block + 1]):
            values = returns[row]
            for column in range(n_columns):
                value = values[column]
                means[column] += value
                low[column] = value if value < low[column] else low[column]
                high[column] = value if value > high[column] else high[column]
    means /= n_rows
    for block in range(n_blocks):
        total, square = sums[block], squares[block]
        for row in range(edges[block], edges[block + 1]):
            values = returns[row]
            for column in range(n_columns):
                deviation = values[column] - means[column]
                total[column] += deviation
                square[column] += deviation * deviation
    return means, sums, squares, lowest, highest


@njit(cache=True, nogil=True)
def _fill_half_masks(n_blocks: int, masks: NDArray[np.int64]) -> NDArray[np.int64]:
    k = n_blocks // 2
    chosen = np.arange(k)
    for i in range(len(masks)):
        masks[i] = 0
        for block in chosen:
            masks[i] |= 1 << block
        place = k - 1
        while place >= 0 and chosen[place] == n_blocks - k + place:
            place -= 1
        if place < 0:
            break
        chosen[place] += 1
        for after in range(place + 1, k):
            chosen[after] = chosen[after - 1] + 1
    return masks


@njit(cache=True, nogil=True)
def _subset_sums(rows: FloatArray) -> FloatArray:
    """Sums of the rows over every subset, indexed by the subset's bit mask."""
    table = np.zeros((1 << rows.shape[0], rows.shape[1]))
    for row in range(rows.shape[0]):
        for mask in range(1 << row):
            for column in range(rows.shape[1]):
                table[mask | (1 << row), column] = table[mask, column] + rows[row, column]
    return table


@njit(cache=True, nogil=True, error_model="numpy")
def _sharpe_of_half(low: FloatArray, high: FloatArray, count: float, means: FloatArray, sharpe: FloatArray) -> None:
    n = len(means)
    per_row, per_freedom = 1.0 / count, 1.0 / (count - 1.0)
    for column in range(n):
        total = low[column] + high[column]
        square = low[n + column] + high[n + column]
        variance = (square - total * total * per_row) * per_freedom
        ratio = (total * per_row + means[column]) / np.sqrt(variance)
        sharpe[column] = ratio if variance > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _best(sharpe: FloatArray) -> int:
    best = 0
    for column in range(1, len(sharpe)):
        if sharpe[column] > sharpe[best]:
            best = column
    return best


@njit(cache=True, nogil=True)
def _rank(sharpe: FloatArray, selected: int) -> tuple[int, int]:
    value = sharpe[selected]
    below, level = 0, 0
    for column in range(len(sharpe)):
        below += sharpe[column] < value
        level += sharpe[column] == value
    return below, level


@njit(cache=True, nogil=True)
def _compare_halves(
    start: int,
    stop: int,
    masks: NDArray[np.int64],
    split: int,
    low_counts: FloatArray,
    high_counts: FloatArray,
    low: FloatArray,
    high: FloatArray,
    means: FloatArray,
    idle_columns: NDArray[np.int64],
    idle_blocks: NDArray[np.int64],
    selected: NDArray[np.int64],
    in_sample: FloatArray,
    out_of_sample: FloatArray,
    below: NDArray[np.int64],
    level: NDArray[np.int64],
) -> None:
    one, other = np.empty(len(means)), np.empty(len(means))
    everything = (1 << (2 * split)) - 1
    part = (1 << split) - 1
    for i in range(start, stop):
        mirror = len(masks) - 1 - i
        mask, rest = masks[i], everything ^ masks[i]
        a, b = mask & part, mask >> split
        c, d = rest & part, rest >> split
        _sharpe_of_half(low[a], high[b], low_counts[a] + high_counts[b], means, one)
        _sharpe_of_half(low[c], high[d], low_counts[c] + high_counts[d], means, other)
        for k in range(len(idle_columns)):
            if mask & ~idle_blocks[k] == 0:
                one[idle_columns[k]] = 0.0
            if rest & ~idle_blocks[k] == 0:
                other[idle_columns[k]] = 0.0
        for at, inside, outside in ((i, one, other), (mirror, other, one)):
            best = _best(inside)
            selected[at] = best
            in_sample[at] = inside[best]
            out_of_sample[at] = outside[best]
            below[at], level[at] = _rank(outside, best)


def count_outcomes(blocks: BlockSums, n_points: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Equally spaced points over the Sharpe ratios of every column in every half, and how many each is the next of.

    A ratio is counted at the first point that is not below it.
    """
    tables = _tables(blocks)
    masks = _half_masks(len(blocks.counts))
    split = len(blocks.counts) // 2
    edges = np.array([np.inf, -np.inf])
    nothing = np.empty(0, np.int64)
    _count_halves(masks, split, *tables, blocks.means, blocks.idle_columns, blocks.idle_blocks, edges, nothing)
    points = np.linspace(edges[0], edges[1], n_points)
    counts = np.zeros(n_points, np.int64)
    _count_halves(masks, split, *tables, blocks.means, blocks.idle_columns, blocks.idle_blocks, points, counts)
    return points, counts


@njit(cache=True, nogil=True)
def _count_halves(
    masks: NDArray[np.int64],
    split: int,
    low_counts: FloatArray,
    high_counts: FloatArray,
    low: FloatArray,
    high: FloatArray,
    means: FloatArray,
    idle_columns: NDArray[np.int64],
    idle_blocks: NDArray[np.int64],
    points: FloatArray,
    counts: NDArray[np.int64],
) -> None:
    """Without `counts`: the least and the greatest Sharpe ratio go to `points`. With: they are counted between them."""
    sharpe = np.empty(len(means))
    part = (1 << split) - 1
    for mask in masks:
        a, b = mask & part, mask >> split
        _sharpe_of_half(low[a], high[b], low_counts[a] + high_counts[b], means, sharpe)
        for k in range(len(idle_columns)):
            if mask & ~idle_blocks[k] == 0:
                sharpe[idle_columns[k]] = 0.0
        if len(counts) == 0:
            points[0], points[1] = min(points[0], sharpe.min()), max(points[1], sharpe.max())
            continue
        last = len(points) - 1
        per_step = last / max(points[last] - points[0], 1e-300)
        for value in sharpe:
            at = min(int((value - points[0]) * per_step), last)
            while at < last and points[at] < value:
                at += 1
            while at > 0 and points[at - 1] >= value:
                at -= 1
            counts[at] += 1
