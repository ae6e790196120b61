import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import average_uniqueness, concurrency

labels = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=40)


def arrays(pairs):
    start = np.array([s for s, _ in pairs])
    return start, start + np.array([length for _, length in pairs])


def indicator(start, end, n_bars):
    bars = np.arange(n_bars)[:, None]
    return ((bars >= start) & (bars <= end)).astype(float)


@given(labels)
def test_counts_and_uniqueness_are_those_of_the_indicator_matrix(pairs):
    start, end = arrays(pairs)
    matrix = indicator(start, end, 90)
    count = matrix.sum(axis=1)
    assert concurrency(start, end, 90).tolist() == count.tolist()
    cells = np.divide(matrix, count[:, None], out=np.zeros_like(matrix), where=count[:, None] > 0)
    each = cells.sum(axis=0) / matrix.sum(axis=0)
    np.testing.assert_allclose(average_uniqueness(start, end), each, rtol=1e-12)
    assert average_uniqueness(start, end, average="labels") == pytest.approx(each.mean(), rel=1e-12)
    assert average_uniqueness(start, end, average="cells") == pytest.approx(cells[cells > 0].mean(), rel=1e-12)


@given(labels)
def test_uniqueness_lies_between_the_share_of_all_labels_and_one(pairs):
    start, end = arrays(pairs)
    each = average_uniqueness(start, end)
    assert (each <= 1 + 1e-12).all()
    assert (each >= 1 / len(pairs) - 1e-12).all()


@given(labels, st.integers(0, 80))
def test_uniqueness_of_ended_labels_does_not_know_what_follows(pairs, now):
    start, end = arrays(pairs)
    whole = average_uniqueness(start, end)[end <= now]
    known = start <= now  # a label still open is known to be open: it ends at now, for now
    cut = average_uniqueness(start[known], np.minimum(end[known], now))
    assert cut[end[known] <= now].tolist() == whole.tolist()


def test_intervals_are_closed():
    assert concurrency([1], [1], 3).tolist() == [0, 1, 0]
    assert average_uniqueness([0, 1], [1, 2]).tolist() == [0.75, 0.75]


def test_no_labels():
    assert concurrency([], [], 2).tolist() == [0, 0]
    assert len(average_uniqueness([], [])) == 0
    with pytest.raises(ValueError, match="at least one"):
        average_uniqueness([], [], average="cells")


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ([0, 3], [1, 2], r"label 1 is \[3, 2\]"),
        ([-1], [2], r"label 0 is \[-1, 2\]"),
        ([0, 1], [2], "2 starts, 1 ends"),
        ([0.5], [2], "start has shape"),
        ([[0]], [[2]], "start has shape"),
    ],
)
def test_an_impossible_interval_is_named(start, end, message):
    with pytest.raises(ValueError, match=message):
        average_uniqueness(start, end)
    with pytest.raises(ValueError, match=message):
        concurrency(start, end, 9)


def test_too_few_bars_and_unknown_average_are_named():
    with pytest.raises(ValueError, match="ends at 5, n_bars is 5"):
        concurrency([0], [5], 5)
    with pytest.raises(ValueError, match="average is 'bars'"):
        average_uniqueness([0], [5], average="bars")
