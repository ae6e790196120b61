"""Row splitters: the known public bugs first, then literal examples, laws and messages."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.folds import CombinatorialPurgedCV, PurgedKFold, WalkForward
from farm.folds.purge import positions
from farm.testing.splitter import SplitterConformance

NEXT_ROW = np.minimum(np.arange(12) + 1, 11)


def lists(splitter, n_rows=12):
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(np.zeros(n_rows))]


def defined_train_rows(ends, test, embargo=0, embargo_from="label_end"):
    """The definition, row by row: quadratic, and sharing nothing with the implementation."""
    blocks = np.split(test, np.flatnonzero(np.diff(test) > 1) + 1)
    kept = []
    for row in range(len(ends)):
        dropped = row in test
        for block in blocks:
            dropped |= any(row <= ends[other] and other <= ends[row] for other in block)
            counted_from = max(ends[block]) if embargo_from == "label_end" else block[-1]
            dropped |= row > block[-1] and row <= counted_from + embargo
        if not dropped:
            kept.append(row)
    return kept


@st.composite
def labels(draw, most=60):
    n_rows = draw(st.integers(8, most))
    lengths = draw(st.lists(st.integers(0, draw(st.sampled_from([0, 3, 40]))), min_size=n_rows, max_size=n_rows))
    return np.minimum(np.arange(n_rows) + np.array(lengths), n_rows - 1)


def test_the_span_between_two_test_blocks_is_not_purged():
    # A public splitter purges from the first test label to the last, and leaves nothing of rows 20 to 79.
    cv = CombinatorialPurgedCV(10, 2, label_end=np.minimum(np.arange(100) + 2, 99))
    train, test = list(cv.split(np.zeros(100)))[cv.test_groups.index((1, 8))]
    assert test.tolist() == [*range(10, 20), *range(80, 90)]
    assert train.tolist() == [*range(8), *range(22, 78), *range(92, 100)]


def test_a_long_label_hidden_before_short_ones_is_purged():
    # Ends are not monotone: row 1 reaches into the test block though rows 2 and 3 do not.
    ends = np.array([0, 5, 2, 3, 4, 5, 6, 7])
    train, _ = list(PurgedKFold(2, label_end=ends).split(np.zeros(8)))[1]
    assert train.tolist() == [0, 2, 3]


def test_a_long_test_label_in_the_middle_of_its_block_is_purged_behind_it():
    ends = np.array([0, 6, 2, 3, 4, 5, 6, 7])
    train, _ = next(iter(PurgedKFold(2, label_end=ends).split(np.zeros(8))))
    assert train.tolist() == [7]


def test_cpcv_on_twelve_rows():
    cv = CombinatorialPurgedCV(4, 2, label_end=NEXT_ROW, embargo=1)
    assert lists(cv) == [
        ([8, 9, 10, 11], [0, 1, 2, 3, 4, 5]),
        ([11], [0, 1, 2, 6, 7, 8]),
        ([5, 6, 7], [0, 1, 2, 9, 10, 11]),
        ([0, 1, 11], [3, 4, 5, 6, 7, 8]),
        ([0, 1], [3, 4, 5, 9, 10, 11]),
        ([0, 1, 2, 3, 4], [6, 7, 8, 9, 10, 11]),
    ]
    assert cv.test_groups == ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
    assert (cv.n_splits, cv.get_n_splits(), cv.n_paths) == (6, 6, 3)
    assert cv.paths().tolist() == [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]


def test_purged_kfold_on_twelve_rows():
    assert lists(PurgedKFold(4, label_end=NEXT_ROW, embargo=1)) == [
        ([5, 6, 7, 8, 9, 10, 11], [0, 1, 2]),
        ([0, 1, 8, 9, 10, 11], [3, 4, 5]),
        ([0, 1, 2, 3, 4, 11], [6, 7, 8]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [9, 10, 11]),
    ]


def test_walk_forward_on_twelve_rows():
    assert lists(WalkForward(3, label_end=NEXT_ROW, embargo=1)) == [
        ([0], [3, 4, 5]),
        ([0, 1, 2, 3], [6, 7, 8]),
        ([0, 1, 2, 3, 4, 5, 6], [9, 10, 11]),
    ]
    assert lists(WalkForward(3, label_end=NEXT_ROW, expanding=False)) == [
        ([0, 1], [3, 4, 5]),
        ([3, 4], [6, 7, 8]),
        ([6, 7], [9, 10, 11]),
    ]
    assert lists(WalkForward(2, train_groups=2, expanding=False)) == [
        ([0, 1, 2, 3, 4, 5], [6, 7, 8]),
        ([3, 4, 5, 6, 7, 8], [9, 10, 11]),
    ]


def test_the_embargo_adds_to_the_purge_or_covers_it():
    ends = np.minimum(np.arange(20) + 3, 19)
    from_label = next(iter(PurgedKFold(4, label_end=ends, embargo=2).split(ends)))[0]
    from_block = next(iter(PurgedKFold(4, label_end=ends, embargo=2, embargo_from="block_end").split(ends)))[0]
    assert from_label[0] == 5 + 3 + 2
    assert from_block[0] == 5 + 3


def test_half_open_labels_do_not_use_their_end_row():
    ends = np.minimum(np.arange(12) + 2, 11)
    closed = lists(PurgedKFold(4, label_end=np.maximum(ends - 1, np.arange(12))))
    assert lists(PurgedKFold(4, label_end=ends, interval="half_open")) == closed


def test_the_first_groups_take_the_rows_that_do_not_divide():
    sizes = [len(test) for _, test in PurgedKFold(5).split(np.zeros(13))]
    assert sizes == [3, 3, 3, 2, 2]


def test_an_embargo_may_be_a_fraction_of_the_rows():
    # 0.29 * 100 is 28.999999999999996
    assert next(iter(PurgedKFold(2, embargo=0.29).split(np.zeros(100))))[0][0] == 50 + 29


def test_frames_and_lists_are_split_like_arrays():
    expected = lists(PurgedKFold(3))
    for X in (pd.DataFrame({"a": np.zeros(12)}), [[0.0]] * 12, np.zeros((12, 3))):
        assert [(train.tolist(), test.tolist()) for train, test in PurgedKFold(3).split(X)] == expected


@given(labels(), st.data())
def test_cpcv_trains_on_exactly_what_the_definition_leaves(ends, data):
    n_groups = data.draw(st.integers(3, 6), label="n_groups")
    cv = CombinatorialPurgedCV(
        n_groups,
        data.draw(st.integers(1, n_groups - 1), label="n_test_groups"),
        label_end=ends,
        embargo=data.draw(st.integers(0, 5), label="embargo"),
        embargo_from=data.draw(st.sampled_from(["label_end", "block_end"])),
    )
    rows = cv._lay_over(len(ends))
    for held_out in cv.test_groups:
        test = rows.test_rows(held_out)
        assert rows.train_rows(held_out).tolist() == defined_train_rows(ends, test, cv.embargo, cv.embargo_from)


@given(labels(), st.integers(1, 4), st.integers(0, 5), st.booleans())
def test_walk_forward_trains_on_exactly_what_the_definition_leaves(ends, train_groups, embargo, expanding):
    cv = WalkForward(3, label_end=ends, embargo=embargo, train_groups=train_groups, expanding=expanding)
    rows = cv._lay_over(len(ends))
    size = len(ends) / (3 + train_groups)
    for (group,) in cv.test_groups:
        test = rows.test_rows((group,))
        assert abs(len(test) - size) < 1
        first = 0 if expanding else rows.bounds[group - train_groups]
        assert rows.train_rows((group,)).tolist() == [
            row for row in range(first, test[0]) if ends[row] + embargo < test[0]
        ]


@given(labels(), st.integers(0, 4))
def test_ranges_hold_the_same_rows_as_indices(ends, embargo):
    cv = PurgedKFold(4, label_end=ends, embargo=embargo)
    try:
        splits = list(cv.split(ends))
    except ValueError as error:
        assert "no row left to train on" in str(error)  # noqa: PT017  # an error is one of two right answers
        return
    for (train, test), (train_ranges, test_ranges) in zip(splits, cv.split_ranges(len(ends)), strict=True):
        assert np.array_equal(train, positions(train_ranges))
        assert np.array_equal(test, positions(test_ranges))
        assert (train_ranges[1:, 0] > train_ranges[:-1, 1]).all()  # joined where they touch


@given(st.integers(2, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_paths_use_every_split_and_group_once(sizes):
    n_groups, n_test_groups = sizes
    cv = CombinatorialPurgedCV(n_groups, n_test_groups)
    paths = cv.paths()
    assert cv.n_splits == comb(n_groups, n_test_groups)
    assert paths.shape == (cv.n_paths, n_groups)
    assert cv.n_paths * n_groups == cv.n_splits * n_test_groups
    used = [(split, group) for path in paths for group, split in enumerate(path)]
    assert sorted(used) == [(split, group) for split, held in enumerate(cv.test_groups) for group in held]


def test_every_row_is_tested_once_in_every_path():
    cv = CombinatorialPurgedCV(6, 3)
    tests = [test for _, test in cv.split(np.zeros(50))]
    whose = np.repeat(np.arange(6), [9, 9, 8, 8, 8, 8])
    for path in cv.paths():
        rows = np.concatenate([tests[split][whose[tests[split]] == group] for group, split in enumerate(path)])
        assert sorted(rows) == list(range(50))


def test_labels_far_longer_than_a_group_and_many_rows_agree_with_the_definition_in_numpy():
    # More rows than one stretch of the search for crossing labels, with rare labels of thousands of rows.
    rng = np.random.default_rng(5)
    n_rows = 30_000
    ends = np.minimum(
        np.arange(n_rows) + np.where(rng.random(n_rows) < 0.001, 9_000, rng.integers(0, 40, n_rows)), n_rows - 1
    )
    cv = CombinatorialPurgedCV(7, 2, label_end=ends, embargo=100)
    for (train, test), held_out in zip(cv.split(ends), cv.test_groups, strict=True):
        keep = np.ones(n_rows, dtype=bool)
        keep[test] = False
        for block in np.split(test, np.flatnonzero(np.diff(test) > 1) + 1):
            keep[: block[0]] &= ends[: block[0]] < block[0]
            keep[block[-1] : ends[block].max() + 101] = False
        assert np.array_equal(train, np.flatnonzero(keep)), held_out


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PurgedKFold(3, label_end=NEXT_ROW[:-1]), "label_end has 11 values for 12 rows"),
        (lambda: PurgedKFold(3, label_end=NEXT_ROW - 2), r"label_end\[0\] is -1, before row 0"),
        (lambda: PurgedKFold(3, label_end=np.arange(12) + 1), r"label_end\[11\] is 12, past the last row 11"),
        (lambda: PurgedKFold(3, label_end=NEXT_ROW * 1.0), "type float64; give one integer row position"),
        (lambda: PurgedKFold(3, embargo=12), "embargo is 12 rows and the data has 12"),
        (lambda: PurgedKFold(3, embargo=-1), "embargo is -1; give a whole number"),
        (lambda: PurgedKFold(3, embargo=1.5), r"embargo is 1\.5; give a whole number"),
        (lambda: PurgedKFold(3, embargo=True), "embargo is True; give a whole number"),
        (lambda: PurgedKFold(3, embargo_from="start"), "embargo_from is 'start'"),
        (lambda: PurgedKFold(3, interval="open"), "interval is 'open'"),
        (lambda: PurgedKFold(13), "13 groups cannot be cut from 12 rows"),
        (lambda: PurgedKFold(1), "give at least 2"),
        (lambda: CombinatorialPurgedCV(4, 4), "n_test_groups is 4 with n_groups 4"),
        (lambda: CombinatorialPurgedCV(4, 0), "n_test_groups is 0 with n_groups 4"),
        (lambda: CombinatorialPurgedCV(30, 15), "155,117,520 splits.*the limit is 100,000: hold out 2 groups"),
        (lambda: WalkForward(0), "n_splits is 0"),
        (lambda: WalkForward(12), "13 groups cannot be cut from 12 rows"),
        (lambda: PurgedKFold(2, embargo=6), r"split 0 \(test groups 0\) has no row left.*lower embargo"),
        (lambda: CombinatorialPurgedCV(3, 2, label_end=np.full(12, 11)), r"split 0 \(test groups 0, 1\).*label_end"),
    ],
)
def test_what_cannot_be_split_is_refused_with_the_remedy(make, message):
    with pytest.raises(ValueError, match=message):
        next(make().split(np.zeros(12)))


def test_a_split_without_train_rows_is_refused_before_the_first_fit():
    # Every label reaches the last fold, so it alone has nothing to train on; the other folds have row 9.
    ends = np.array([8] * 9 + [9])
    with pytest.raises(ValueError, match="split 4"):
        next(PurgedKFold(5, label_end=ends).split(ends))


class TestCombinatorialPurgedCV(SplitterConformance):
    def splitter(self, label_end, embargo):
        return CombinatorialPurgedCV(6, 2, label_end=label_end, embargo=embargo)


class TestCombinatorialPurgedCVFromBlockEnd(SplitterConformance):
    def splitter(self, label_end, embargo):
        return CombinatorialPurgedCV(7, 3, label_end=label_end, embargo=embargo, embargo_from="block_end")


class TestPurgedKFold(SplitterConformance):
    def splitter(self, label_end, embargo):
        return PurgedKFold(5, label_end=label_end, embargo=embargo)


class TestWalkForward(SplitterConformance):
    tests_every_row = False

    def splitter(self, label_end, embargo):
        return WalkForward(3, label_end=label_end, embargo=embargo)


class LateByOneRow:
    """A planted error: the purge of every block's front is one row short."""

    def __init__(self, label_end):
        self.right = PurgedKFold(5, label_end=label_end)
        self.label_end = label_end

    def split(self, X, y=None, groups=None):
        for train, test in self.right.split(X):
            first = np.flatnonzero(self.label_end[: test[0]] == test[0])
            yield np.union1d(train, first[:1]).astype(int), test

    def get_n_splits(self, X=None, y=None, groups=None):
        return 5


def test_the_conformance_suite_catches_a_purge_that_is_one_row_short():
    class Suite(SplitterConformance):
        def splitter(self, label_end, embargo):
            return LateByOneRow(label_end)

    with pytest.raises(AssertionError, match="knows a test label"):
        Suite().test_no_train_label_overlaps_a_test_label()
