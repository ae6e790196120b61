"""Stationary bootstrap resamples: blocks of geometric length from random places on the circle of observations.

Every resample draws from a generator of its own, seeded by the call's seed and the resample's number, so the numbers do
not depend on how the resamples are shared among threads. Sums over a block are differences of prefix sums.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.stats.accepted import FloatArray, accept_seed
from farm.stats.long_run import correlated_window
from farm.stats.threads import share


def optimal_block_length(series: FloatArray) -> float:
    """Mean block length of the stationary bootstrap that suits the dependence of the series, at least 1.

    References
    ----------
    Politis & White (2004), Econometric Reviews 23(1), with the corrected constant of Patton, Politis & White (2009),
    Econometric Reviews 28(4).
    """
    n = len(series)
    covariances, weights = correlated_window(series)
    lags = np.arange(len(weights))
    spectrum = covariances[0] + 2.0 * float(np.sum(weights[1:] * covariances[1:]))
    bend = 2.0 * float(np.sum(weights * lags * covariances))
    longest = np.ceil(min(3.0 * np.sqrt(n), n / 3.0))
    if spectrum == 0.0:
        return float(longest)
    return float(np.clip((bend**2 / spectrum**2 * n) ** (1.0 / 3.0), 1.0, longest))


def resampled_sums(columns: FloatArray, n_resamples: int, block_length: float, seed: int, threads: int) -> FloatArray:
    """Sums of each column over each resample, shape (n_resamples, n_columns); `columns` is (T, n_columns)."""
    prefix = np.zeros((2 * len(columns) + 1, columns.shape[1]))
    np.cumsum(np.vstack([columns, columns]), axis=0, out=prefix[1:])
    sums = np.zeros((n_resamples, columns.shape[1]))
    lengths, start = _length_table(block_length), np.uint64(accept_seed(seed))
    share(lambda i, j: _sum_blocks(prefix, *lengths, start, i, j, sums), n_resamples, threads)
    return sums


def resampled_rows(n_rows: int, n_resamples: int, block_length: float, seed: int, first: int = 0) -> NDArray[np.int64]:
    """Row numbers of each resample, shape (n_resamples, n_rows): the same resamples that `resampled_sums` adds up."""
    rows = np.empty((n_resamples, n_rows), np.int64)
    _write_rows(*_length_table(block_length), np.uint64(accept_seed(seed)), first, rows)
    return rows


def _length_table(block_length: float) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Geometric lengths by table: a uniform 32-bit number under threshold k makes the block longer than k.

    The guide holds, by the number's top 8 bits, the length that the greatest number with those bits gives; from there
    it is a step or two. No logarithm, so no digit that could differ between machines.
    """
    going_on = 1.0 - 1.0 / block_length
    steps = 1 if going_on == 0.0 else int(np.ceil(-32.0 * np.log(2.0) / np.log(going_on))) + 1
    thresholds = np.floor(going_on ** np.arange(steps + 1) * 2.0**32).astype(np.uint64)
    thresholds[-1] = 0
    greatest = np.arange(1, 257, dtype=np.uint64) * np.uint64(1 << 24) - np.uint64(1)
    guide = steps + 1 - np.searchsorted(thresholds[:0:-1], greatest, side="right")
    return thresholds, guide


@njit(cache=True, nogil=True)
def _mixed(state: np.uint64) -> np.uint64:
    """SplitMix64's output function (Steele, Lea & Flood 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


@njit(cache=True, nogil=True)
def _start_of(seed: np.uint64, resample: int) -> np.uint64:
    return _mixed(seed ^ _mixed(np.uint64(resample) + np.uint64(0x9E3779B97F4A7C15)))


@njit(cache=True, nogil=True)
def _block(
    bits: np.uint64, n_rows: int, left: int, thresholds: NDArray[np.uint64], guide: NDArray[np.int64]
) -> tuple[np.int64, np.int64]:
    """First row and length of a block from 64 random bits: 32 for the place, 32 for the length."""
    first = np.int64(((bits >> np.uint64(32)) * np.uint64(n_rows)) >> np.uint64(32))
    uniform = bits & np.uint64(0xFFFFFFFF)
    length = guide[uniform >> np.uint64(24)]
    while uniform < thresholds[length]:
        length += 1
    return first, min(length, left)


@njit(cache=True, nogil=True)
def _sum_blocks(
    prefix: FloatArray,
    thresholds: NDArray[np.uint64],
    guide: NDArray[np.int64],
    seed: np.uint64,
    start: int,
    stop: int,
    sums: FloatArray,
) -> None:
    n_rows, n_columns = (len(prefix) - 1) // 2, prefix.shape[1]
    total = np.empty(n_columns)  # written back once, so that threads do not fight over a cache line
    for resample in range(start, stop):
        state = _start_of(seed, resample)
        done = 0
        total[:] = 0.0
        while done < n_rows:
            state += np.uint64(0x9E3779B97F4A7C15)
            first, length = _block(_mixed(state), n_rows, n_rows - done, thresholds, guide)
            for column in range(n_columns):
                total[column] += prefix[first + length, column] - prefix[first, column]
            done += int(length)
        sums[resample] = total


@njit(cache=True, nogil=True)
def _write_rows(
    thresholds: NDArray[np.uint64],
    guide: NDArray[np.int64],
    seed: np.uint64,
    first_resample: int,
    rows: NDArray[np.int64],
) -> None:
    n_rows = rows.shape[1]
    for resample in range(len(rows)):
        state = _start_of(seed, first_resample + resample)
        at = 0
        while at < n_rows:
            state += np.uint64(0x9E3779B97F4A7C15)
            first, length = _block(_mixed(state), n_rows, n_rows - at, thresholds, guide)
            for step in range(length):
                row = first + step
                rows[resample, at + step] = row if row < n_rows else row - n_rows
            at += int(length)
