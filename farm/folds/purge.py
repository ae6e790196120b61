"""The purge itself: which rows a split may train on, as ranges, exact for labels of any length.

Rows stand in time order and each has the moment its label became known, its exit. Starts and exits share a unit: row
positions in the scikit-learn splitters, nanoseconds in a fold plan. A row before a held-out group is dropped when its
exit reaches that group; a row behind it is dropped until the group's last label has ended and the embargo has passed.
Both rules look at each held-out group by itself, so what lies between two of them stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.bars.frame import Int

Positions = NDArray[np.signedinteger[Any]]

_STRETCH = 4096


def last_exits(exits: Int, bounds: Int, empty: int) -> Int:
    """The latest exit of every group; ``empty`` for a group without rows."""
    latest = np.full(len(bounds) - 1, empty)
    filled = np.flatnonzero(np.diff(bounds))
    if len(filled):
        latest[filled] = np.maximum.reduceat(exits[: bounds[-1]], bounds[filled])
    return latest


def _crossing_rows(exits: Int, bounds: Int, purge_from: Int) -> tuple[Int, Int]:
    """Rows whose label reaches the next group, and where each group's rows start among them.

    The maxima of short stretches say where to look: nearly all rows are read once and compared with nothing.
    """
    starts = np.unique(np.concatenate((bounds[:-1], np.arange(bounds[0], bounds[-1], _STRETCH))))
    starts = starts[starts < bounds[-1]]
    highest = last_exits(exits, np.append(starts, bounds[-1]), 0)
    group = np.searchsorted(bounds, starts, side="right") - 1
    limit = np.append(purge_from[1:], np.iinfo(np.int64).max)[group]
    stops = np.append(starts[1:], bounds[-1])
    found = [
        np.flatnonzero(exits[starts[k] : stops[k]] >= limit[k]) + starts[k] for k in np.flatnonzero(highest >= limit)
    ]
    crossing = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    return crossing, np.searchsorted(crossing, bounds).astype(np.int64)


@njit(cache=True, nogil=True)
def _ranges(
    bounds: Int,
    resume: Int,
    purge_from: Int,
    crossing: Int,
    exits: Int,
    offsets: Int,
    earlier_only: bool,
    window: int,
    held_out: Int,
) -> tuple[Int, Int]:
    """Train and test ranges for held-out groups given in rising order."""
    n_groups = len(bounds) - 1
    train, test = np.empty((n_groups + len(crossing), 2), dtype=np.int64), np.empty((len(held_out), 2), dtype=np.int64)
    n_train, n_test, n_held, allowed_from = 0, 0, 0, 0
    first_group = max(0, held_out[0] - window) if earlier_only and window else 0
    for group in range(first_group, n_groups):
        stop = bounds[group + 1]
        if n_held < len(held_out) and group == held_out[n_held]:
            n_held += 1
            n_test = _append(test, n_test, bounds[group], stop)
            allowed_from = max(allowed_from, resume[group])
            continue
        if earlier_only and n_held:
            continue
        start = max(bounds[group], allowed_from)
        if n_held < len(held_out):  # the next held-out group has the lowest limit of all that follow
            limit = purge_from[held_out[n_held]]
            for k in range(offsets[group], offsets[group + 1]):
                if exits[k] >= limit and crossing[k] >= start:
                    n_train = _append(train, n_train, start, crossing[k])
                    start = crossing[k] + 1
        n_train = _append(train, n_train, start, stop)
    return train[:n_train].copy(), test[:n_test].copy()


@njit(cache=True, nogil=True)
def _append(out: Int, found: int, start: int, stop: int) -> int:
    """Write a range, unless it is empty, joined to the one before where they touch; the number of ranges now."""
    if start >= stop:
        return found
    if found and out[found - 1, 1] == start:
        out[found - 1, 1] = stop
        return found
    out[found, 0], out[found, 1] = start, stop
    return found + 1


@njit(cache=True, nogil=True)
def _fill(ranges: Int, out: Int) -> None:
    place = 0
    for k in range(len(ranges)):
        start, length = ranges[k, 0], ranges[k, 1] - ranges[k, 0]
        block = out[place : place + length]
        for row in range(len(block)):  # indexed from 0 with a known length, this writes as fast as memory takes it
            block[row] = start + row
        place += length


def positions(ranges: Int, dtype: type[np.signedinteger[Any]] = np.int64) -> Positions:
    """Row positions in ``ranges``, shape (n_ranges, 2) of [start, stop), as one new sorted array.

    >>> positions(np.array([[0, 2], [5, 8]])).tolist()
    [0, 1, 5, 6, 7]
    """
    out = np.empty(row_count(ranges), dtype=dtype)
    _fill(ranges, out)
    return out


def row_count(ranges: Int) -> int:
    """How many rows the ranges hold."""
    return int((ranges[:, 1] - ranges[:, 0]).sum())


@dataclass(frozen=True, eq=False)
class PurgedRows:
    """Groups laid over rows: gives the train and test rows of any held-out groups in microseconds.

    ``bounds`` (n_groups + 1): rows where the groups start, and the end. ``resume`` (n_groups): the first row behind a
    group that is free of its labels and embargo. ``purge_from`` (n_groups, never falling): an earlier row whose exit is
    at or after this is dropped. ``crossing``, their ``exits`` and ``offsets`` (n_groups + 1): the only rows for which
    that can happen. ``earlier_only`` trains on groups before the held-out ones alone, ``window`` of them or all (0).
    """

    bounds: Int
    resume: Int
    purge_from: Int
    crossing: Int
    exits: Int
    offsets: Int
    earlier_only: bool
    window: int

    @classmethod
    def of(
        cls, exits: Int, bounds: Int, resume: Int, purge_from: Int, *, earlier_only: bool = False, window: int = 0
    ) -> "PurgedRows":
        """Groups laid over the rows with these exits: one pass over the rows."""
        crossing, offsets = _crossing_rows(exits, bounds, purge_from)
        return cls(bounds, resume, purge_from, crossing, exits[crossing], offsets, earlier_only, window)

    def ranges(self, held_out: Iterable[int]) -> tuple[Int, Int]:
        """Train and test rows as [start, stop) pairs, each (n_ranges, 2): slices of a panel, no copies.

        Adjacent held-out groups are one block. Any groups may be held out, whatever the splits of a plan are.
        """
        n_groups = len(self.bounds) - 1
        held = sorted(set(held_out))
        if not held or held[0] < 0 or held[-1] >= n_groups:
            raise ValueError(f"held_out is {tuple(held)}; name at least one group between 0 and {n_groups - 1}")
        return _ranges(
            self.bounds,
            self.resume,
            self.purge_from,
            self.crossing,
            self.exits,
            self.offsets,
            self.earlier_only,
            self.window,
            np.array(held, dtype=np.int64),
        )

    def train_ranges(self, held_out: Iterable[int]) -> Int:
        """The train rows of ``ranges``."""
        return self.ranges(held_out)[0]

    def train_rows(self, held_out: Iterable[int]) -> Int:
        """Positions of the train rows, sorted."""
        return positions(self.ranges(held_out)[0]).astype(np.int64, copy=False)

    def test_rows(self, held_out: Iterable[int]) -> Int:
        """Positions of the held-out rows, sorted."""
        return positions(self.ranges(held_out)[1]).astype(np.int64, copy=False)
