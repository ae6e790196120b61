"""Many tests at once: Holm bounds any false rejection, the procedures of Benjamini the share of false ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from farm.stats import benjamini_hochberg, benjamini_yekutieli, holm

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_lists)
def test_holm_is_the_step_down_procedure(p_values):
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.2):
        rejected = np.zeros(len(p_values), bool)
        for step, i in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[i] * (len(p_values) - step) > alpha:
                break
            rejected[i] = True
        assert (adjusted <= alpha).tolist() == rejected.tolist()


@given(p_lists)
def test_benjamini_hochberg_is_the_step_up_procedure(p_values):
    m, order = len(p_values), np.argsort(p_values, kind="stable")
    adjusted = benjamini_hochberg(p_values)
    ranks = np.arange(1, m + 1)
    for alpha in (0.01, 0.05, 0.2):
        passing = np.flatnonzero(np.array(p_values)[order] * m / ranks <= alpha)
        assert np.sum(adjusted <= alpha) == (passing[-1] + 1 if len(passing) else 0)


@given(p_lists)
def test_adjusting_keeps_the_order_and_only_raises(p_values):
    order = np.argsort(p_values, kind="stable")
    for adjust in (holm, benjamini_hochberg, benjamini_yekutieli):
        adjusted = adjust(p_values)
        assert (np.diff(adjusted[order]) >= 0).all()
        assert (adjusted >= np.array(p_values)).all()
        assert adjusted.max() <= 1.0
    assert (benjamini_hochberg(p_values) <= holm(p_values) + 1e-15).all()


@given(p_lists, st.integers(0, 10))
def test_a_test_without_a_p_value_counts_as_one_of_p_1(p_values, missing):
    padded = p_values + [1.0] * missing
    for adjust in (holm, benjamini_hochberg, benjamini_yekutieli):
        found = adjust(p_values, n_tests=len(padded))
        assert found == pytest.approx(adjust(padded)[: len(p_values)])


def test_holm_bounds_the_chance_of_any_false_rejection():
    rng = np.random.default_rng(0)
    independent = rng.random((2000, 50))
    assert np.mean([holm(p).min() <= 0.05 for p in independent]) <= 0.05 + 0.015
    equal = np.repeat(rng.random((2000, 1)), 50, axis=1)
    assert np.mean([holm(p).min() <= 0.05 for p in equal]) <= 0.05


def test_benjamini_hochberg_bounds_the_share_of_false_rejections():
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(600):
        p_values = np.r_[rng.random(40), rng.random(10) * 1e-3]  # 40 true nulls, 10 strong effects
        rejected = benjamini_hochberg(p_values) <= 0.1
        shares.append(rejected[:40].sum() / max(rejected.sum(), 1))
    assert np.mean(shares) <= 0.1


@given(p_lists, st.integers(0, 10))
def test_benjamini_yekutieli_is_benjamini_hochberg_times_the_harmonic_sum(p_values, missing):
    m = len(p_values) + missing
    harmonic = sum(1 / rank for rank in range(1, m + 1))
    expected = np.minimum(benjamini_hochberg(p_values, m) * harmonic, 1.0)
    # Where the simpler one was cut off at 1 it says no more than that this one is, too.
    assert benjamini_yekutieli(p_values, m) == pytest.approx(expected)


def test_benjamini_yekutieli_bounds_the_share_of_false_rejections_of_tests_that_move_against_each_other():
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(2000):
        noise = rng.standard_normal(10)
        z = noise - noise.mean()  # each is negatively correlated with all others
        p_values = ndtr(-z / np.sqrt(0.9))
        rejected = benjamini_yekutieli(p_values) <= 0.2
        shares.append(float(rejected.any()))  # all are null: one rejection is a share of 1
    assert np.mean(shares) <= 0.2


def test_no_tests_give_no_adjusted_values():
    assert len(holm([])) == 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: holm([0.1, float("nan")]), "nan at position 1"),
        (lambda: benjamini_hochberg([1.2]), "1.2 at position 0"),
        (lambda: holm([0.1, 0.2], n_tests=1), "n_tests is 1"),
        (lambda: holm(0.1), "one value a test"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
