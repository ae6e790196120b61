"""Groups, held-out combinations and paths: what a fold plan is before it has seen any data."""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from farm.bars.frame import Int

# 16 groups with 8 held out are 12,870 splits; beyond this a plan is a slip of the pen, and its fits would take years.
MAX_SPLITS = 100_000


def group_bounds(n_rows: int, n_groups: int) -> Int:
    """Row positions where each group starts, and ``n_rows`` at the end: shape (n_groups + 1,).

    The first ``n_rows mod n_groups`` groups are one row longer.

    Raises
    ------
    ValueError
        With more groups than rows, or under one group.

    Examples
    --------
    >>> group_bounds(12, 5).tolist()
    [0, 3, 6, 8, 10, 12]
    """
    if n_groups < 1:
        raise ValueError(f"n_groups is {n_groups}; it must be at least 1")
    if n_groups > n_rows:
        raise ValueError(
            f"{n_groups} groups cannot be cut from {n_rows} rows; take at most {n_rows} groups or give more rows"
        )
    shortest, longer = divmod(n_rows, n_groups)
    group = np.arange(n_groups + 1, dtype=np.int64)
    return group * shortest + np.minimum(group, longer)


def held_out_groups(n_groups: int, n_test_groups: int) -> tuple[tuple[int, ...], ...]:
    """The held-out groups of every split, in the order of ``itertools.combinations``.

    Raises
    ------
    ValueError
        Without at least one group on each side, or with more than ``MAX_SPLITS`` splits.

    Examples
    --------
    >>> held_out_groups(4, 2)
    ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    """
    if n_groups < 2:
        raise ValueError(f"{n_groups} groups: one is tested and one trains, so give at least 2 (n_groups, or n_splits)")
    if not 1 <= n_test_groups < n_groups:
        raise ValueError(
            f"n_test_groups is {n_test_groups} with n_groups {n_groups}; hold out at least 1 group and at most "
            f"{n_groups - 1}, so that one is left to train on"
        )
    n_splits = comb(n_groups, n_test_groups)
    if n_splits > MAX_SPLITS:
        raise ValueError(
            f"{n_groups} groups with {n_test_groups} held out make {n_splits:,} splits, each one a fit; the limit is "
            f"{MAX_SPLITS:,}: hold out 2 groups ({comb(n_groups, 2):,} splits) or cut fewer groups"
        )
    return tuple(combinations(range(n_groups), n_test_groups))


def assemble_paths(splits: Sequence[tuple[int, ...]], n_groups: int) -> Int:
    """Split numbers, shape (n_paths, n_groups): path p takes group g from the p-th split that tests g.

    A group that no split tests (the first ones of a walk forward) has -1. Over all paths every (split, held-out group)
    is used exactly once: Advances in Financial Machine Learning, section 12.4.

    Examples
    --------
    >>> assemble_paths(held_out_groups(4, 2), 4).tolist()
    [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]
    """
    testing: list[list[int]] = [[] for _ in range(n_groups)]
    for number, held_out in enumerate(splits):
        for group in held_out:
            testing[group].append(number)
    n_paths = max(map(len, testing))
    return np.array([tests or [-1] * n_paths for tests in testing], dtype=np.int64).T.copy()
