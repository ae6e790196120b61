"""Unit roots, stationarity and breaks of the mean: known answers, nulls that hold, and bounds that are said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from farm.stats import adf, cusum_test, kpss
from farm.stats.stationarity import UnitRootTest

seeds = st.integers(0, 10_000)


def autoregression(rng: np.random.Generator, rho: float, n: int) -> np.ndarray:
    return lfilter([1.0], [1.0, -rho], rng.standard_normal(n + 500))[500:]


def test_dickey_fuller_without_lags_is_the_t_value_of_its_regression():
    x = autoregression(np.random.default_rng(0), 0.8, 200)
    change, design = np.diff(x), np.column_stack([x[:-1], np.ones(199)])
    slope, *_ = np.linalg.lstsq(design, change, rcond=None)
    error = change - design @ slope
    covariance = error @ error / (199 - 2) * np.linalg.inv(design.T @ design)
    found = adf(x, lags=0)
    assert found.statistic == pytest.approx(slope[0] / np.sqrt(covariance[0, 0]), rel=1e-9)
    assert (found.lags, found.n_obs) == (0, 199)


def test_kpss_without_lags_is_the_sum_of_squared_partial_sums():
    x = np.random.default_rng(0).standard_normal(300)
    centred = x - x.mean()
    expected = np.sum(np.cumsum(centred) ** 2) / 300**2 / np.mean(centred**2)
    assert kpss(x, lags=0).statistic == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_tests_for_stationarity_and_a_constant_mean_reject_about_as_often_as_promised(rho):
    rng = np.random.default_rng(1)
    rejected = np.zeros(2)
    for _ in range(300):
        x = autoregression(rng, rho, 800)
        rejected += [kpss(x).p_value < 0.05, cusum_test(x).p_value < 0.05]
    assert (rejected / 300 < 0.11).all()
    assert (rejected / 300 > 0.015).all()


def test_dickey_fuller_rejects_random_walks_about_as_often_as_promised():
    rng = np.random.default_rng(2)
    rejected = np.mean([adf(np.cumsum(rng.standard_normal(300))).p_value < 0.05 for _ in range(300)])
    assert 0.02 < rejected < 0.09


def test_a_random_walk_and_noise_are_told_apart_by_both():
    noise = np.random.default_rng(3).standard_normal(1000)
    walk = np.cumsum(noise)
    assert adf(noise).p_value < 0.001
    assert adf(walk).p_value > 0.05
    assert kpss(noise).p_value >= 0.05
    assert kpss(walk).p_value <= 0.025


@given(seed=seeds)
def test_a_p_value_beyond_the_table_is_said_to_be_a_bound(seed):
    found = kpss(np.random.default_rng(seed).standard_normal(100), lags=0)
    assert (found.bound == ">") == (found.statistic <= 0.347)
    assert (found.bound == "<") == (found.statistic >= 0.739)
    assert 0.01 <= found.p_value <= 0.1
    assert found.p_text.startswith(found.bound)


def test_no_p_value_is_printed_as_zero():
    trending = np.arange(2000) + np.random.default_rng(0).standard_normal(2000)
    assert kpss(trending).p_text == "<0.010"
    strongest = adf(np.random.default_rng(0).standard_normal(2000), regression="ct", lags=0)
    assert (strongest.p_value, strongest.bound, strongest.p_text) == (0.0, "<", "<0.001")
    assert UnitRootTest(-2.0, 0.2874, "", 3, 100).p_text == "0.287"


@given(seed=seeds, scale=st.floats(1e-3, 1e3), shift=st.floats(-1e3, 1e3))
def test_units_do_not_matter(seed, scale, shift):
    x = autoregression(np.random.default_rng(seed), 0.5, 150)
    for test in (lambda y: adf(y, lags=2), lambda y: kpss(y, lags=4), cusum_test):
        assert test(scale * x + shift).statistic == pytest.approx(test(x).statistic, rel=1e-4)


def test_cusum_by_hand():
    # Mean 0; partial sums -1, -2, ..., -6, -5, ..., 0; variance 1 without lags: 6 / sqrt(12 × 1).
    found = cusum_test(np.repeat([-1.0, 1.0], 6), n_lags=0)
    assert found.statistic == pytest.approx(6 / np.sqrt(12))
    assert found.break_after == 6
    k = np.arange(1, 50)
    assert found.p_value == pytest.approx(2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * k**2 * found.statistic**2)))


@given(seed=seeds, at=st.integers(200, 600))
def test_a_large_break_is_found_where_it_is(seed, at):
    x = np.random.default_rng(seed).standard_normal(800)
    x[at:] += 2.0
    found = cusum_test(x)
    assert found.p_value < 0.01
    assert abs(found.break_after - at) < 25


def test_without_lags_persistence_would_be_taken_for_a_break():
    rng = np.random.default_rng(5)
    plain = np.mean([cusum_test(autoregression(rng, 0.9, 500), n_lags=0).p_value < 0.05 for _ in range(100)])
    assert plain > 0.8  # what lags are for


@pytest.mark.parametrize("test", [adf, kpss, cusum_test])
def test_constant_short_or_unknown_values_are_refused(test):
    with pytest.raises(ValueError, match="constant"):
        test(np.full(50, 0.1))
    with pytest.raises(ValueError, match="at least 12"):
        test(np.arange(5.0))
    with pytest.raises(ValueError, match="finite"):
        test(np.append(np.arange(50.0), np.nan))


def test_more_lags_than_the_rows_bear_are_refused():
    with pytest.raises(ValueError, match="lags is 30"):
        adf(np.arange(40.0) ** 2 % 7, lags=30)
    with pytest.raises(ValueError, match="lags is 40"):
        kpss(np.arange(40.0) ** 2 % 7, lags=40)
