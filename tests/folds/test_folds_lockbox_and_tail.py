"""What is cut off: the lockbox before the groups, the early-stopping tail inside a fit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.folds import inner_tail, lockbox_start


def test_the_lockbox_begins_with_a_session():
    session = np.repeat(np.arange(10), 7)
    assert lockbox_start(session, 0.25) == 49  # bar 52 of 70 is in session 7
    assert lockbox_start(session, 0.1) == 63
    assert lockbox_start(session, 0) == 70


@given(st.lists(st.integers(1, 9), min_size=3, max_size=30), st.floats(0.01, 0.3))
def test_the_lockbox_holds_whole_sessions_and_at_least_its_fraction(lengths, fraction):
    session = np.repeat(np.arange(len(lengths)), lengths)
    try:
        start = lockbox_start(session, fraction)
    except BadInput:
        assert int((1 - fraction) * len(session)) < lengths[0]
        return
    assert session[start] != session[start - 1]
    assert start <= (1 - fraction) * len(session) + 1e-6
    assert start + lengths[session[start]] > int((1 - fraction) * len(session))


def test_a_lockbox_that_leaves_nothing_is_refused():
    with pytest.raises(BadInput, match="begins in the first session"):
        lockbox_start(np.zeros(100, dtype=int), 0.1)
    with pytest.raises(BadInput, match=r"folds\.lockbox is 0\.5"):
        lockbox_start(np.arange(100), 0.5)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=60), st.floats(0.05, 0.6), st.data()
)
def test_the_tail_is_the_last_part_and_no_fitted_label_reaches_it(steps, fraction, data):
    gap, length = np.array(steps).T
    decided = np.cumsum(gap)
    exited = decided + length
    rows = np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps))))
    try:
        fit, tail = inner_tail(decided, exited, rows, fraction)
    except BadInput:
        return
    assert len(tail) >= max(1, int(fraction * len(rows)))
    assert np.array_equal(tail, rows[len(rows) - len(tail) :])
    first = decided[tail[0]]
    assert fit.tolist() == [row for row in rows if decided[row] < first and exited[row] < first]


def test_a_tail_that_leaves_nothing_to_fit_is_refused():
    time = np.arange(10)
    with pytest.raises(BadInput, match=r"lower the fraction or labels\.max_bars"):
        inner_tail(time, time + 20, np.arange(10), 0.2)
    with pytest.raises(BadInput, match="no train rows"):
        inner_tail(time, time, np.arange(0), 0.2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        inner_tail(time, time, np.arange(10), 1.0)
