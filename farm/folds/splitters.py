"""scikit-learn splitters by row position: purged k-fold, combinatorial purged cross-validation, walk forward.

Rows stand in time order and the label of row i uses the rows ``[i, label_end[i]]``, both included: a train row is
dropped when its interval shares a row with that of a test row. ``interval="half_open"`` reads ``label_end`` as the
first row the label does not use, as some libraries do. Which rows a block drops is in ``farm.folds.purge``.
"""

from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral, Real
from typing import Literal, Protocol

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from farm.bars.frame import Int
from farm.folds.embargo import fraction_of
from farm.folds.groups import assemble_paths, group_bounds, held_out_groups
from farm.folds.purge import Positions, PurgedRows, last_exits, positions

Interval = Literal["closed", "half_open"]
EmbargoFrom = Literal["label_end", "block_end"]


class HasRows(Protocol):
    """Anything with a length: an array, a frame, a list."""

    def __len__(self) -> int:
        """How many rows there are."""
        ...


class _Splitter:
    """What the three splitters share; a subclass says which groups are held out and how rows lie around them."""

    n_splits: int
    n_paths: int
    test_groups: tuple[tuple[int, ...], ...]

    def __init__(self, *, label_end: ArrayLike | None, embargo: float, interval: Interval) -> None:
        if interval not in ("closed", "half_open"):
            raise ValueError(f"interval is {interval!r}; write 'closed' or 'half_open'")
        self.label_end = None if label_end is None else _checked_ends(label_end)
        self.embargo = _checked_embargo(embargo)
        self.interval = interval

    @abstractmethod
    def _lay(self, n_rows: int, ends: Int, embargo: int) -> PurgedRows: ...

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: ARG002  # scikit-learn asks so
        """How many splits there are; the arguments are there for scikit-learn and ignored."""
        return self.n_splits

    def split(
        self,
        X: HasRows,
        y: object = None,  # noqa: ARG002  # as scikit-learn calls it
        groups: object = None,  # noqa: ARG002  # likewise
    ) -> Iterator[tuple[Positions, Positions]]:
        """Train and test positions of each split: sorted arrays, made one split at a time.

        Positions are int32, which takes half the memory, or int64 where the rows are too many for that.

        Parameters
        ----------
        X
            Anything with rows: array, frame, list. ``y`` and ``groups`` are ignored.

        Raises
        ------
        ValueError
            More groups than rows, labels that do not fit the rows, an embargo as long as the data; before the first
            split when any of them would train on nothing.
        """
        n_rows = int(X.shape[0]) if hasattr(X, "shape") else len(X)
        dtype = np.int32 if n_rows <= np.iinfo(np.int32).max else np.int64
        rows = self._lay_over(n_rows)
        for _ in self._ranges(rows):
            pass  # an empty train set late in the grid must not cost the fits before it
        for train, test in self._ranges(rows):
            yield positions(train, dtype), positions(test, dtype)

    def split_ranges(self, n_rows: int) -> Iterator[tuple[Int, Int]]:
        """The same splits as [start, stop) pairs: train (n_ranges, 2) and test (n_blocks, 2), without touching rows."""
        return self._ranges(self._lay_over(n_rows))

    def _ranges(self, rows: PurgedRows) -> Iterator[tuple[Int, Int]]:
        for number, held_out in enumerate(self.test_groups):
            train, test = rows.ranges(held_out)
            if len(train) == 0:
                raise ValueError(
                    f"split {number} (test groups {', '.join(map(str, held_out))}) has no row left to train on: purge "
                    "and embargo take them all; lower embargo, shorten the labels (label_end) or cut other groups"
                )
            yield train, test

    def _lay_over(self, n_rows: int) -> PurgedRows:
        return self._lay(n_rows, self._ends(n_rows), self._embargo_rows(n_rows))

    def _embargo_rows(self, n_rows: int) -> int:
        rows = self.embargo if isinstance(self.embargo, int) else fraction_of(n_rows, self.embargo)
        if rows >= n_rows:
            raise ValueError(f"embargo is {rows} rows and the data has {n_rows}; it must be shorter than the data")
        return rows

    def _ends(self, n_rows: int) -> Int:
        """The last row that each row's label uses."""
        if self.label_end is None:
            return np.arange(n_rows, dtype=np.int64)
        if len(self.label_end) != n_rows:
            raise ValueError(
                f"label_end has {len(self.label_end)} values for {n_rows} rows; give the end of every row's label, and "
                "take the same subset of it as of X"
            )
        if self.label_end.max(initial=0) >= n_rows:
            row = int(np.argmax(self.label_end >= n_rows))
            raise ValueError(
                f"label_end[{row}] is {self.label_end[row]}, past the last row {n_rows - 1}; drop the rows whose "
                "label is not complete"
            )
        if self.interval == "half_open":
            return np.maximum(self.label_end - 1, np.arange(n_rows))
        return self.label_end


class CombinatorialPurgedCV(_Splitter):
    """Every choice of ``n_test_groups`` of ``n_groups`` contiguous groups is tested once; the rest trains, purged.

    The first ``n_rows mod n_groups`` groups are one row longer; adjacent test groups are one block. Source: Advances in
    Financial Machine Learning, chapter 12, with the purge and embargo of section 7.4.

    Parameters
    ----------
    n_groups, n_test_groups
        How many groups the rows are cut into, and how many of them a split tests.
    label_end
        One integer row position per row of X: the last row whose price the label of the row uses. None: the row itself.
    embargo
        Rows behind a test block that are not trained on, or a fraction of all rows in (0, 1), rounded down.
    embargo_from
        Where these rows are counted from: the last label end of the block (AFML 7.4.2), so they add to the purge, or
        its last row (``"block_end"``), so the longer of purge and embargo holds.
    interval
        ``"closed"``: a label uses its end row, as in AFML; ``"half_open"``: the end is the first row it does not use.

    Attributes
    ----------
    n_splits, n_paths
        C(n_groups, n_test_groups), and that times n_test_groups / n_groups.
    test_groups
        The groups each split tests, in the order of ``itertools.combinations``.

    Raises
    ------
    ValueError
        For arguments outside these limits, labels that end before their row or past the data, or over 100,000 splits.

    Examples
    --------
    Twelve rows whose labels each use the next row too. Row 2 ends at row 3, where the second test block starts: purged.

    >>> ends = np.minimum(np.arange(12) + 1, 11)
    >>> cv = CombinatorialPurgedCV(4, 2, label_end=ends, embargo=1)
    >>> for held_out, (train, test) in zip(cv.test_groups, cv.split(range(12))):
    ...     print(held_out, "train", *train, "| test", *test)
    (0, 1) train 8 9 10 11 | test 0 1 2 3 4 5
    (0, 2) train 11 | test 0 1 2 6 7 8
    (0, 3) train 5 6 7 | test 0 1 2 9 10 11
    (1, 2) train 0 1 11 | test 3 4 5 6 7 8
    (1, 3) train 0 1 | test 3 4 5 9 10 11
    (2, 3) train 0 1 2 3 4 | test 6 7 8 9 10 11
    >>> cv.paths().tolist()
    [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]
    """

    def __init__(
        self,
        n_groups: int,
        n_test_groups: int,
        *,
        label_end: ArrayLike | None = None,
        embargo: float = 0,
        embargo_from: EmbargoFrom = "label_end",
        interval: Interval = "closed",
    ) -> None:
        super().__init__(label_end=label_end, embargo=embargo, interval=interval)
        if embargo_from not in ("label_end", "block_end"):
            raise ValueError(f"embargo_from is {embargo_from!r}; write 'label_end' or 'block_end'")
        self.n_groups = n_groups
        self.n_test_groups = n_test_groups
        self.embargo_from = embargo_from
        self.test_groups = held_out_groups(n_groups, n_test_groups)
        self.n_splits = len(self.test_groups)
        self.n_paths = self.n_splits * n_test_groups // n_groups

    def paths(self) -> Int:
        """Split numbers, shape (n_paths, n_groups): path p takes group g from the p-th split that tests g."""
        return assemble_paths(self.test_groups, self.n_groups)

    def _lay(self, n_rows: int, ends: Int, embargo: int) -> PurgedRows:
        bounds = group_bounds(n_rows, self.n_groups)
        purged_until = last_exits(ends, bounds, -1) + 1
        if self.embargo_from == "label_end":
            resume = purged_until + embargo
        else:
            resume = np.maximum(purged_until, bounds[1:] + embargo)
        return PurgedRows.of(ends, bounds, resume, purge_from=bounds[:-1])


class PurgedKFold(CombinatorialPurgedCV):
    """Each of ``n_splits`` contiguous folds is tested once; the rows around it train, purged and embargoed.

    Arguments, stances and errors as in ``CombinatorialPurgedCV``. Source: AFML, snippets 7.1 to 7.3.

    Examples
    --------
    Twelve rows whose labels each use the next row too.

    >>> ends = np.minimum(np.arange(12) + 1, 11)
    >>> for train, test in PurgedKFold(4, label_end=ends, embargo=1).split(range(12)):
    ...     print("train", *train, "| test", *test)
    train 5 6 7 8 9 10 11 | test 0 1 2
    train 0 1 8 9 10 11 | test 3 4 5
    train 0 1 2 3 4 11 | test 6 7 8
    train 0 1 2 3 4 5 6 7 | test 9 10 11
    """

    def __init__(
        self,
        n_splits: int,
        *,
        label_end: ArrayLike | None = None,
        embargo: float = 0,
        embargo_from: EmbargoFrom = "label_end",
        interval: Interval = "closed",
    ) -> None:
        super().__init__(
            n_splits, 1, label_end=label_end, embargo=embargo, embargo_from=embargo_from, interval=interval
        )


class WalkForward(_Splitter):
    """Each fold is tested by what was trained on rows before it, purged; the earliest rows are never tested.

    The rows are cut into ``n_splits + train_groups`` groups, the first ones a row longer where they do not divide; the
    last ``n_splits`` are the folds. Training lies before its test, so the embargo is a gap there: a train label must
    end at least ``embargo`` full rows before the fold.

    Parameters
    ----------
    n_splits
        How many folds there are.
    label_end, interval
        As in ``CombinatorialPurgedCV``.
    embargo
        Rows between the end of a train label and the fold, or a fraction of all rows in (0, 1), rounded down.
    expanding
        Train on all earlier groups; otherwise on the last ``train_groups`` alone.
    train_groups
        How many groups stand before the first fold.

    Raises
    ------
    ValueError
        As in ``CombinatorialPurgedCV``.

    Examples
    --------
    Twelve rows whose labels each use the next row too.

    >>> ends = np.minimum(np.arange(12) + 1, 11)
    >>> for train, test in WalkForward(3, label_end=ends, embargo=1).split(range(12)):
    ...     print("train", *train, "| test", *test)
    train 0 | test 3 4 5
    train 0 1 2 3 | test 6 7 8
    train 0 1 2 3 4 5 6 | test 9 10 11
    """

    def __init__(
        self,
        n_splits: int,
        *,
        label_end: ArrayLike | None = None,
        embargo: float = 0,
        expanding: bool = True,
        train_groups: int = 1,
        interval: Interval = "closed",
    ) -> None:
        super().__init__(label_end=label_end, embargo=embargo, interval=interval)
        if n_splits < 1 or train_groups < 1:
            raise ValueError(f"n_splits is {n_splits} and train_groups {train_groups}; both must be at least 1")
        self.n_splits = n_splits
        self.n_paths = 1
        self.expanding = expanding
        self.train_groups = train_groups
        self.test_groups = tuple((group,) for group in range(train_groups, train_groups + n_splits))

    def _lay(self, n_rows: int, ends: Int, embargo: int) -> PurgedRows:
        bounds = group_bounds(n_rows, self.n_splits + self.train_groups)
        window = 0 if self.expanding else self.train_groups
        nothing_after = bounds[1:]
        return PurgedRows.of(ends, bounds, nothing_after, bounds[:-1] - embargo, earlier_only=True, window=window)


def _checked_ends(label_end: ArrayLike) -> Int:
    ends = np.asarray(label_end)
    if ends.ndim != 1 or not np.issubdtype(ends.dtype, np.integer):
        raise ValueError(
            f"label_end has shape {ends.shape} and type {ends.dtype}; give one integer row position per row of X"
        )
    ends = np.ascontiguousarray(ends, dtype=np.int64)
    row = _first_before_itself(ends)
    if row >= 0:
        raise ValueError(f"label_end[{row}] is {ends[row]}, before row {row} itself; give the last row the label uses")
    return ends


@njit(cache=True, nogil=True)
def _first_before_itself(ends: Int) -> int:
    """The first row whose label ends before it; -1 when there is none."""
    signs = 0
    for row in range(len(ends)):  # without a branch this runs four times as fast as the search below
        signs |= ends[row] - row
    if signs >= 0:
        return -1
    for row in range(len(ends)):
        if ends[row] < row:
            return row
    return -1


def _checked_embargo(embargo: float) -> float:
    if not isinstance(embargo, bool | np.bool_):
        if isinstance(embargo, Integral) and embargo >= 0:
            return int(embargo)
        if isinstance(embargo, Real) and (0 < embargo < 1 or embargo == 0):
            return float(embargo)
    raise ValueError(
        f"embargo is {embargo!r}; give a whole number of rows from 0, or a fraction of the rows between 0 and 1"
    )
