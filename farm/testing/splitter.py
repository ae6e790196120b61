"""The laws of a splitter, as a suite that Farm's own splitters and a plug-in's inherit.

Write a subclass whose name starts with ``Test`` and say how to make the splitter:

>>> class TestMine(SplitterConformance):
...     def splitter(self, label_end, embargo):
...         return MySplitter(5, label_end=label_end, embargo=embargo)
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from farm.bars.frame import Int


class Splitter(Protocol):
    """What scikit-learn and Farm ask of a splitter."""

    def split(self, X: Any, y: object = None, groups: object = None) -> Iterator[tuple[Int, Int]]:
        """Train and test positions of each split."""
        ...

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:
        """How many splits there are."""
        ...


class SplitterConformance(ABC):
    """Laws of a purged splitter on labels of many shapes; label intervals are closed, ``[row, label_end[row]]``."""

    n_rows = 97
    embargo = 3
    tests_every_row = True  # False for a walk forward, whose first rows are never tested

    @abstractmethod
    def splitter(self, label_end: Int | None, embargo: int) -> Splitter:
        """The splitter to hold to the laws, with these labels and this embargo in rows."""

    def label_ends(self) -> Iterator[Int]:
        """Label ends of several shapes: the row itself, a fixed horizon, ragged, and a few very long ones."""
        rng = np.random.default_rng(11)
        row, last = np.arange(self.n_rows), self.n_rows - 1
        yield row
        yield np.minimum(row + 4, last)
        yield np.minimum(row + rng.integers(0, 7, self.n_rows), last)
        yield np.minimum(row + np.where(rng.random(self.n_rows) < 0.05, 25, 1), last)

    def splits(self, embargo: int = 0) -> Iterator[tuple[Int, Int, Int]]:
        """(label ends, train, test) of every split on every shape of labels."""
        for ends in self.label_ends():
            for train, test in self.splitter(ends, embargo).split(np.zeros((self.n_rows, 2))):
                yield ends, train, test

    def test_positions_are_sorted_integers_inside_the_data(self) -> None:
        """Positions are integers, rise, and none stands twice."""
        for _, train, test in self.splits():
            for rows in (train, test):
                assert np.issubdtype(rows.dtype, np.integer)
                assert len(rows) > 0
                assert rows[0] >= 0
                assert rows[-1] < self.n_rows
                assert (np.diff(rows) > 0).all()

    def test_train_and_test_share_no_row(self) -> None:
        """No row is both trained on and tested."""
        for _, train, test in self.splits():
            assert not np.intersect1d(train, test).size

    def test_no_train_label_overlaps_a_test_label(self) -> None:
        """The purge, by the definition itself: every train interval against every test interval."""
        for ends, train, test in self.splits():
            overlap = (train[:, None] <= ends[test]) & (test <= ends[train][:, None])
            assert not overlap.any(), f"train row {train[overlap.any(axis=1)][0]} knows a test label"

    def test_the_embargo_holds_behind_every_test_block(self) -> None:
        """No train row stands within the embargo behind the last row of a test block."""
        for _, train, test in self.splits(self.embargo):
            block_ends = test[np.append(np.diff(test) > 1, True)]
            behind = train[:, None] - block_ends
            assert not ((behind > 0) & (behind <= self.embargo)).any()

    def test_what_lies_between_two_test_blocks_is_trained_on(self) -> None:
        """With labels of one row and no embargo a two-sided splitter drops nothing, whatever the blocks."""
        if not self.tests_every_row:
            return
        for train, test in self.splitter(None, 0).split(np.zeros((self.n_rows, 2))):
            assert len(train) + len(test) == self.n_rows

    def test_rows_are_tested_equally_often(self) -> None:
        """Every row is tested as often as any other: once in each path."""
        times = np.zeros(self.n_rows, dtype=int)
        for _, test in self.splitter(None, 0).split(np.zeros((self.n_rows, 2))):
            times[test] += 1
        tested = times if self.tests_every_row else times[times > 0]
        assert tested.min() == tested.max() > 0

    def test_the_number_of_splits_is_told_beforehand(self) -> None:
        """``get_n_splits`` says how many splits come."""
        splitter = self.splitter(None, self.embargo)
        X = np.zeros((self.n_rows, 2))
        assert splitter.get_n_splits(X) == len(list(splitter.split(X)))

    def test_splitting_again_gives_the_same_whatever_y_is(self) -> None:
        """A splitter has no memory and does not look at the target."""
        splitter = self.splitter(next(self.label_ends()), self.embargo)
        X = np.zeros((self.n_rows, 2))
        for first, second in zip(splitter.split(X), splitter.split(X, np.ones(self.n_rows)), strict=True):
            assert np.array_equal(first[0], second[0])
            assert np.array_equal(first[1], second[1])

    def test_splits_may_be_kept(self) -> None:
        """Arrays of one split are not overwritten by the next."""
        X = np.zeros((self.n_rows, 2))
        kept = list(self.splitter(None, 0).split(X))
        for (train, test), (train_now, test_now) in zip(kept, self.splitter(None, 0).split(X), strict=True):
            assert np.array_equal(train, train_now)
            assert np.array_equal(test, test_now)

    def test_labels_of_another_length_are_refused(self) -> None:
        """Label ends that do not fit the rows are a ``ValueError``, not a quiet wrong purge."""
        try:
            list(self.splitter(np.arange(self.n_rows - 1), 0).split(np.zeros((self.n_rows, 2))))
        except ValueError:
            return
        raise AssertionError("label ends one row short were accepted")

    def test_scikit_learn_can_use_it(self) -> None:
        """``cross_val_score`` gives one score a split."""
        from sklearn.dummy import DummyClassifier
        from sklearn.model_selection import cross_val_score

        splitter = self.splitter(None, self.embargo)
        y = np.arange(self.n_rows) % 2
        scores = cross_val_score(DummyClassifier(), np.zeros((self.n_rows, 2)), y, cv=splitter)
        assert len(scores) == splitter.get_n_splits()
        assert np.isfinite(scores).all()
