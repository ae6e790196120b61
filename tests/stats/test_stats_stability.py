"""Stability of a selection: 1 for equal sets, about 0 for sets drawn by lot, and an error that repeats tell."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import selection_frequency, selection_stability

seeds = st.integers(0, 10_000)


@given(seed=seeds)
def test_equal_sets_are_as_stable_as_can_be(seed):
    one = np.random.default_rng(seed).random(12) < 0.5
    one[:2] = [True, False]
    found = selection_stability(np.tile(one, (7, 1)))
    assert found.value == pytest.approx(1)
    assert found.low == pytest.approx(1)
    assert found.high == pytest.approx(1)


def test_sets_drawn_by_lot_have_no_stability_on_average():
    rng = np.random.default_rng(0)
    found = [selection_stability([rng.permutation(20) < 8 for _ in range(10)]).value for _ in range(400)]
    assert abs(np.mean(found)) < 3 * np.std(found) / 20


def test_by_hand_with_sets_of_equal_size():
    # Frequencies 1, 2/3, 1/3, 0 over 3 fits: sample variances 0, 1/3, 1/3, 0, mean 1/6; chance 1/2 × 1/2.
    found = selection_stability([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]])
    assert found.value == pytest.approx(1 - (1 / 6) / (1 / 4))


@given(seed=seeds)
def test_the_order_of_fits_and_columns_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    kept = rng.random((6, 9)) < 0.4
    kept[0, :2] = [True, False]
    one = selection_stability(kept)
    other = selection_stability(kept[rng.permutation(6)][:, rng.permutation(9)])
    assert other.value == pytest.approx(one.value)
    assert other.low == pytest.approx(one.low)


def test_the_interval_holds_its_promise_for_independent_fits_of_varying_size():
    rng = np.random.default_rng(0)
    chance = rng.uniform(0, 1, 25)

    def draw(n_fits):
        reach = rng.uniform(0.3, 1.0, (n_fits, 1))  # how many a fit keeps varies
        return rng.random((n_fits, 25)) < chance * reach

    truth = selection_stability(draw(20_000)).value
    found = [selection_stability(draw(40)) for _ in range(300)]
    inside = np.mean([one.low < truth < one.high for one in found])
    assert 0.9 < inside < 0.985


@given(seed=seeds)
def test_the_error_is_about_the_jackknifes(seed):
    rng = np.random.default_rng(seed)
    kept = rng.random((40, 12)) < rng.uniform(0.1, 0.9, 12) * rng.uniform(0.5, 1, (40, 1))
    found = selection_stability(kept)
    without = np.array([selection_stability(np.delete(kept, i, axis=0)).value for i in range(40)])
    jackknife = np.sqrt(39 / 40 * np.sum((without - without.mean()) ** 2))
    assert (found.high - found.value) / 1.96 == pytest.approx(jackknife, rel=0.2)


@pytest.mark.parametrize("kept", [[[1, 0, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]])
def test_one_fit_and_fits_that_keep_everything_or_nothing_have_none(kept):
    found = selection_stability(kept)
    assert (found.value, found.low, found.high) == (None, None, None)


def test_what_is_no_matrix_of_true_and_false_is_refused():
    for wrong in ([1, 0], [[0.5, 1]], [[np.nan, 1]]):
        with pytest.raises(ValueError, match="true and false"):
            selection_stability(wrong)
    with pytest.raises(ValueError, match="confidence"):
        selection_stability([[1, 0], [0, 1]], confidence=95)


def test_frequencies_name_every_column():
    assert selection_frequency([("b",), ("a", "b"), ("b",), ("b",)], ("a", "b", "c")) == {"a": 0.25, "b": 1.0, "c": 0.0}
