"""Drift and breaks: zero without a change, large with one, and quiet as often as promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, mannwhitneyu
from scipy.stats import wasserstein_distance as scipy_wasserstein

from farm.stats import (
    chow_test,
    kolmogorov_smirnov,
    mann_whitney,
    mean_shift,
    population_stability_index,
    wasserstein_distance,
)

seeds = st.integers(0, 10_000)


def sample(seed: int, n: int = 200, mean: float = 0.0) -> np.ndarray:
    return mean + np.random.default_rng(seed).standard_normal(n)


@given(seeds, st.integers(2, 50), st.integers(2, 50), st.booleans())
def test_distances_agree_with_scipy_on_ragged_and_tied_samples(seed, n, m, tied):
    one, other = sample(seed, n), sample(seed + 1, m, 0.3)
    if tied:
        one, other = one.round(), other.round()
    found, theirs = kolmogorov_smirnov(one, other), ks_2samp(one, other, method="asymp")
    assert found.statistic == pytest.approx(theirs.statistic)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-9)
    assert wasserstein_distance(one, other) == pytest.approx(scipy_wasserstein(one, other))


@given(seeds, st.sampled_from(["quantile", "width"]))
def test_the_index_is_zero_on_the_same_sample_and_never_negative(seed, bins):
    one, other = sample(seed), sample(seed + 1, 100, 0.5)
    assert population_stability_index(one, one, bins=bins) == 0.0
    assert population_stability_index(one, other, bins=bins) >= 0.0


@given(seeds, st.integers(2, 50), st.integers(2, 50), st.booleans())
def test_ranks_of_two_samples_are_compared_as_scipy_does_whichever_comes_first(seed, n, m, tied):
    one, other = sample(seed, n), sample(seed + 1, m, 0.3)
    if tied:
        one, other = one.round(), other.round()
    found, back, theirs = mann_whitney(one, other), mann_whitney(other, one), mannwhitneyu(one, other)
    pairs = (one[:, None] > other).sum() + (one[:, None] == other).sum() / 2
    assert found.statistic == theirs.statistic == pairs
    assert found.p_value == pytest.approx(theirs.pvalue)
    assert (back.statistic, back.p_value) == pytest.approx((n * m - pairs, found.p_value))


def test_ranks_reject_as_often_as_promised_without_a_shift_and_nearly_always_with_one():
    still = [mann_whitney(sample(seed), sample(seed + 1000)).p_value < 0.05 for seed in range(400)]
    moved = [mann_whitney(sample(seed), sample(seed + 1000, mean=0.5)).p_value < 0.05 for seed in range(50)]
    assert 0.02 < np.mean(still) < 0.085
    assert np.mean(moved) > 0.9


@given(seeds, st.floats(-5, 5), st.floats(0.1, 10), st.floats(-100, 100))
def test_a_shift_of_the_mean_is_measured_in_deviations_whatever_the_unit(seed, shift, scale, level):
    reference = sample(seed)
    current = reference + shift * reference.std(ddof=1)
    assert mean_shift(reference, current) == pytest.approx(shift, abs=1e-12)
    assert mean_shift(level + scale * reference, level + scale * current) == pytest.approx(shift, abs=1e-9)


def test_a_reference_that_does_not_vary_has_no_unit():
    with pytest.raises(ValueError, match="every value of reference is 2"):
        mean_shift([2, 2, 2], [1, 2, 3])


def test_the_index_grows_with_the_shift():
    shifts = [population_stability_index(sample(0, 5000), sample(1, 5000, s)) for s in (0.0, 0.2, 0.5, 1.0)]
    assert shifts == sorted(shifts)
    assert shifts[0] < 0.01
    assert shifts[-1] > 0.25


def test_by_hand_in_two_bins():
    # Shares 0.5 and 0.5 become 0.25 and 0.75.
    expected = (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    found = population_stability_index([0, 0, 1, 1], [0, 1, 1, 1], bins=[-1, 0.5, 2])
    assert found == pytest.approx(expected)


@given(seeds)
def test_a_value_on_an_edge_falls_where_numpy_counts_it(seed):
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, 4, 50).astype(float), rng.integers(0, 4, 50).astype(float)
    shares = [np.maximum(np.histogram(x, [-np.inf, 1, 2, np.inf])[0] / 50, 1e-4) for x in (one, other)]
    expected = np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0]))
    assert population_stability_index(one, other, bins=[0, 1, 2, 3]) == pytest.approx(expected)


def test_quantiles_that_coincide_make_one_bin():
    discrete = np.repeat([0.0, 1.0, 2.0], [600, 300, 100])
    assert population_stability_index(discrete, discrete) == 0.0
    assert np.isfinite(population_stability_index(discrete, np.full(50, 2.0)))


def test_under_no_change_the_index_has_its_known_mean():
    # (n_bins - 1) (1/n + 1/m): Yurdakul (2018).
    found = [population_stability_index(sample(2 * s, 1000), sample(2 * s + 1, 1000)) for s in range(300)]
    assert np.mean(found) == pytest.approx(9 * 2 / 1000, rel=0.15)


def test_ks_rejects_equal_samples_as_often_as_promised():
    rejected = [kolmogorov_smirnov(sample(2 * s), sample(2 * s + 1)).p_value < 0.05 for s in range(600)]
    assert 0.02 < np.mean(rejected) < 0.07


def test_wasserstein_is_the_shift_of_a_shifted_sample():
    assert wasserstein_distance(sample(0), sample(0) + 0.7) == pytest.approx(0.7)


def test_chow_rejects_a_steady_relation_as_often_as_promised():
    rejected = []
    for seed in range(600):
        x, error = sample(2 * seed, 80), sample(2 * seed + 1, 80)
        rejected.append(chow_test(1 + 2 * x + error, x, 40).p_value < 0.05)
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.027)


@given(seeds, st.floats(1e-3, 1e3))
def test_chow_does_not_depend_on_units(seed, unit):
    x, y = sample(seed, 60), sample(seed + 1, 60)
    assert chow_test(y * unit, x, 25).statistic == pytest.approx(chow_test(y, x * unit, 25).statistic)


def test_chow_finds_a_break_in_slope():
    x = sample(0, 200)
    y = np.where(np.arange(200) < 100, 1.0, -1.0) * x + 0.5 * sample(1, 200)
    assert chow_test(y, x, 100).p_value < 1e-10


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: population_stability_index([], [1.0]), "reference has 0"),
        (lambda: population_stability_index([1.0, np.nan], [1.0]), "reference is nan at row 1"),
        (lambda: population_stability_index(sample(0), sample(1), n_bins=1), "n_bins is 1"),
        (lambda: population_stability_index(sample(0), sample(1), bins="log"), "bins is 'log'"),
        (lambda: population_stability_index(sample(0), sample(1), bins=[2.0, 1.0, 3.0]), "increasing"),
        (lambda: population_stability_index(sample(0), sample(1), floor=0.0), "floor is 0"),
        (lambda: kolmogorov_smirnov([1.0], []), "current has 0"),
        (lambda: chow_test(sample(0), sample(1), 1), "break_after is 1"),
        (lambda: chow_test(sample(0), sample(1, 50), 100), "x has 50 rows"),
        (lambda: chow_test(sample(0), np.ones(200), 100), "collinear"),
        (lambda: chow_test(2 * sample(0), sample(0), 100), "exactly"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
