"""Views of a panel: windows gathered without copying the history, scaled by rows that were chosen elsewhere."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.models import Model, builtin
from farm.models.rows import thinned, training_rows
from farm.models.views import BarWindows, RowRanges, Scaling, pieces_of


@given(st.data())
def test_a_window_holds_the_bars_up_to_its_decision_scaled(data):
    n_bars, length = data.draw(st.integers(1, 30)), data.draw(st.integers(1, 8))
    last = data.draw(st.lists(st.integers(length - 1, max(length - 1, n_bars - 1)), max_size=6))
    n_bars = max(n_bars, length)
    columns = np.array(data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3, unique=True).map(sorted)))
    history = np.random.default_rng(0).normal(size=(n_bars, 3))
    scaling = Scaling.fitted(history[:, columns], data.draw(st.sampled_from(["none", "standard", "robust"])))
    windows = BarWindows(history, np.array(last, dtype=np.int64), length, columns, scaling)
    assert windows.shape == (len(last), length, len(columns)) == (len(windows), length, len(columns))
    rows = np.arange(len(last))[::-1]
    found = windows[rows]
    for window, end in zip(found, np.array(last)[::-1] if last else [], strict=True):
        np.testing.assert_array_equal(window, scaling(history[end - length + 1 : end + 1][:, columns]))


def test_only_the_windows_asked_for_are_in_memory():
    history = np.zeros((200_000, 10))
    windows = BarWindows(history, np.arange(999, 200_000), 1000, np.arange(10), Scaling())
    assert windows.shape[0] * windows.shape[1] * 80 > 10**10
    assert windows[np.arange(3)].nbytes == 3 * 1000 * 80


@pytest.mark.parametrize("last", [1, 9])
def test_a_window_that_leaves_the_history_is_refused(last):
    with pytest.raises(ValueError, match="needs a whole window behind it"):
        BarWindows(np.zeros((9, 1)), np.array([last]), 3, np.arange(1), Scaling())


def test_robust_scaling_clips_and_standard_scaling_does_not():
    inputs = np.arange(101.0)[:, None]
    far = np.array([[1e6], [-1e6]])
    assert Scaling.fitted(inputs, "robust")(far).ravel().tolist() == [5.0, -5.0]
    assert abs(Scaling.fitted(inputs, "standard")(far)).min() > 1e4
    assert Scaling.fitted(inputs, "none")(far) is far


@given(st.integers(0, 99), st.integers(100, 900))
def test_thinned_rows_keep_class_shares_order_and_weights_and_cover_the_span(seed, most):
    rng = np.random.default_rng(seed)
    label = rng.choice([-1, 0, 1], p=[0.6, 0.395, 0.005], size=1000)
    label[:3] = [-1, 0, 1]
    rows = training_rows(np.arange(1000.0)[:, None], label, np.arange(1.0, 1001.0))
    kept = thinned(rows, most, seed)
    assert len(kept.code) == most
    position = kept.X[:, 0].astype(int)
    assert (np.diff(position) > 0).all()
    np.testing.assert_array_equal(kept.code, rows.code[position])
    np.testing.assert_array_equal(kept.weight, position + 1.0)
    assert kept.classes.tolist() == [-1, 0, 1]
    share = np.bincount(kept.code, minlength=3) / most - np.bincount(rows.code) / 1000
    assert np.abs(share).max() < 3 / most
    quarters = np.histogram(position, bins=4, range=(0, 1000))[0] / most
    assert np.abs(quarters - 0.25).max() < 8 / most + 0.005


def test_few_rows_are_left_alone():
    rows = training_rows(np.zeros((5, 1)), np.array([0, 1, 0, 1, 0]), None)
    assert thinned(rows, 5, seed=0) is rows


@given(st.data())
def test_rows_in_pieces_are_the_rows_and_lie_where_they_lay(data):
    values = np.random.default_rng(0).normal(size=(30, 3))
    cuts = sorted(data.draw(st.lists(st.integers(0, 30), min_size=2, max_size=8, unique=True)))
    pieces = [values[start:stop] for start, stop in pairwise(cuts)][::2]
    rows = RowRanges(pieces)
    whole = np.concatenate(pieces)
    assert rows.shape == whole.shape
    assert len(rows) == len(whole)
    np.testing.assert_array_equal(np.asarray(rows), whole)
    at = np.arange(len(whole))[::-2]
    np.testing.assert_array_equal(rows[at], whole[at])
    assert all(np.shares_memory(piece, values) for piece in pieces_of(rows))
    assert pieces_of(whole)[0] is whole


@pytest.mark.parametrize("weights", ["all above zero", "some zero"])
def test_boosting_on_pieces_learns_what_it_learns_on_a_copy(weights):
    rng = np.random.default_rng(3)
    values, label = rng.normal(size=(3000, 6)), rng.choice([-1, 0, 1], 3000)
    values[:, 0] += label
    rows = RowRanges((values[:700], values[900:2400], values[2500:]))
    at = np.r_[0:700, 900:2400, 2500:3000]
    weight = rng.uniform(0.1, 1, len(at)) * (1 if weights == "all above zero" else rng.integers(0, 2, len(at)))
    model = Model(uses="lightgbm", params={"n_estimators": 8})
    in_place = model.build(1, 1, builtin()).fit(rows, label[at], sample_weight=weight)
    copied = model.build(1, 1, builtin()).fit(values[at], label[at], sample_weight=weight)
    np.testing.assert_array_equal(in_place.predict_proba(values), copied.predict_proba(values))
    np.testing.assert_array_equal(in_place.predict_proba(rows), copied.predict_proba(values[at]))
