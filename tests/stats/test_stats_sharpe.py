"""The Sharpe family: known answers, laws, and what a null simulation must show."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import (
    Moments,
    autocorrelation_adjusted_sharpe,
    deflated_sharpe_ratio,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)

seeds = st.integers(0, 10_000)


def series(seed: int, n: int = 120, mean: float = 0.1) -> np.ndarray:
    return mean + np.random.default_rng(seed).standard_normal(n)


def test_a_matrix_gives_one_sharpe_ratio_a_column():
    matrix = np.column_stack([series(1), series(2)])
    assert sharpe_ratio(matrix) == pytest.approx([sharpe_ratio(series(1)), sharpe_ratio(series(2))])


def test_periods_make_it_annual():
    assert sharpe_ratio(series(0), periods=252) == pytest.approx(sharpe_ratio(series(0)) * 252**0.5)
    assert sharpe_ratio(Moments(0.1, 100), periods=4) == pytest.approx(0.2)


@given(seeds, st.floats(1e-6, 1e6))
def test_nothing_in_the_family_depends_on_the_unit_of_the_returns(seed, unit):
    returns = series(seed)
    assert sharpe_ratio(returns * unit) == pytest.approx(sharpe_ratio(returns))
    assert probabilistic_sharpe_ratio(returns * unit) == pytest.approx(probabilistic_sharpe_ratio(returns))


@given(seeds, st.floats(-0.3, 0.3), st.floats(0.0, 0.3))
def test_a_higher_benchmark_is_less_probably_beaten(seed, benchmark, more):
    returns = series(seed)
    assert probabilistic_sharpe_ratio(returns, benchmark + more) <= probabilistic_sharpe_ratio(returns, benchmark)


@given(seeds, st.floats(1, 1e6), st.floats(0, 1))
def test_deflation_never_raises_the_probability(seed, n_trials, variance):
    returns = series(seed)
    deflated = deflated_sharpe_ratio(returns, n_trials=n_trials, trial_sharpe_variance=variance)
    assert deflated <= probabilistic_sharpe_ratio(returns)


def test_one_trial_deflates_nothing():
    one = deflated_sharpe_ratio(series(0), n_trials=1, trial_sharpe_variance=0.5)
    assert one == probabilistic_sharpe_ratio(series(0))


@given(st.floats(1, 1e8), st.floats(1.0, 2.0), st.booleans())
def test_more_trials_promise_more(n_trials, factor, exact):
    fewer = expected_maximum_sharpe(n_trials, exact=exact)
    assert 0.0 <= fewer <= expected_maximum_sharpe(n_trials * factor, exact=exact) + 1e-12


def test_the_exact_expected_maximum_is_that_of_order_statistics():
    assert expected_maximum_sharpe(2, exact=True) == pytest.approx(1 / math.sqrt(math.pi), abs=1e-12)
    assert expected_maximum_sharpe(3, exact=True) == pytest.approx(1.5 / math.sqrt(math.pi), abs=1e-12)
    draws = np.random.default_rng(0).standard_normal((40_000, 20)).max(axis=1)
    assert expected_maximum_sharpe(20, exact=True) == pytest.approx(draws.mean(), abs=0.01)


def test_the_variance_of_trials_scales_the_expected_maximum():
    assert expected_maximum_sharpe(50, 0.25) == pytest.approx(0.5 * expected_maximum_sharpe(50))


@given(st.floats(0.02, 0.5), st.floats(0.6, 0.99), st.floats(-1, 1), st.floats(3, 10))
def test_a_track_record_of_minimum_length_has_just_that_confidence(sharpe, confidence, skew, kurtosis):
    length = minimum_track_record_length(Moments(sharpe, 10, skew, kurtosis), confidence=confidence)
    whole = math.ceil(length)
    assert probabilistic_sharpe_ratio(Moments(sharpe, max(whole, 2), skew, kurtosis)) >= confidence - 1e-9
    if whole > 3:
        assert probabilistic_sharpe_ratio(Moments(sharpe, whole - 1, skew, kurtosis)) <= confidence


def test_no_track_record_is_long_enough_for_an_edge_that_is_not_there():
    assert minimum_track_record_length(Moments(0.1, 100), benchmark=0.1) == math.inf


def test_the_minimum_backtest_length_stays_under_the_papers_bound():
    for n_trials in (2, 7, 45, 1000):
        assert 0 < minimum_backtest_length(n_trials, 1.0) < 2 * math.log(n_trials)


def test_psr_is_uniform_when_the_benchmark_is_the_truth():
    # 4,000 skewed, fat-tailed series of true Sharpe ratio 0.1: each decile of the PSR holds a tenth of them.
    rng = np.random.default_rng(0)
    shocks = rng.gamma(4.0, size=(4000, 500))
    returns = (shocks - 4.0) / 2.0 + 0.1
    found = np.array([probabilistic_sharpe_ratio(row, benchmark=0.1) for row in returns])
    assert np.histogram(found, np.linspace(0, 1, 11))[0] / 4000 == pytest.approx(np.full(10, 0.1), abs=0.025)


def test_the_best_of_many_null_trials_is_deflated_to_a_half():
    # The DSR with the trials' own variance: the best of 50 worthless trials is as likely above its benchmark as below.
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        sharpes = rng.standard_normal((250, 50))
        ratios = sharpes.mean(axis=0) / sharpes.std(axis=0, ddof=1)
        best = Moments(float(ratios.max()), 250)
        found.append(deflated_sharpe_ratio(best, n_trials=50, trial_sharpe_variance=float(ratios.var(ddof=1))))
    assert np.mean(found) == pytest.approx(0.48, abs=0.06)
    assert np.mean(np.array(found) > 0.95) < 0.02


def test_autocorrelation_lowers_the_annual_sharpe_of_smoothed_returns():
    # An average of two shocks has rho_1 = 1/2, so q periods have q + (q - 1) times the variance of one.
    shocks = np.random.default_rng(0).standard_normal(20_001)
    smoothed = 0.1 + 0.5 * (shocks[1:] + shocks[:-1])
    q = 12
    adjusted = autocorrelation_adjusted_sharpe(smoothed, q)
    assert adjusted / sharpe_ratio(smoothed) == pytest.approx(q / math.sqrt(q + (q - 1)), rel=0.03)


def test_without_lags_the_adjusted_sharpe_is_the_plain_one():
    assert autocorrelation_adjusted_sharpe(series(3), 12, n_lags=0) == pytest.approx(sharpe_ratio(series(3), 12))


def test_moments_are_the_moment_ratios():
    returns = series(4, 50)
    z = (returns - returns.mean()) / returns.std()
    found = Moments.of(returns)
    assert (found.skew, found.kurtosis) == pytest.approx((np.mean(z**3), np.mean(z**4)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sharpe_ratio([0.1, float("nan"), 0.2]), "row 1"),
        (lambda: sharpe_ratio([0.1, float("inf")]), "finite"),
        (lambda: sharpe_ratio([0.01] * 50), "constant"),
        (lambda: sharpe_ratio([[0.01, 0.02], [0.01, 0.03]]), "column 0"),
        (lambda: sharpe_ratio([0.1]), "at least 2"),
        (lambda: sharpe_ratio([0.1, 0.2], periods=0), "periods is 0"),
        (lambda: probabilistic_sharpe_ratio(np.ones((5, 2))), "one series"),
        (lambda: probabilistic_sharpe_ratio(Moments(1.0, 50, skew=3.0, kurtosis=1.0)), "skew 3.0"),
        (lambda: Moments(0.1, 1), "n_obs is 1"),
        (lambda: Moments(float("nan"), 10), "sharpe is nan"),
        (lambda: Moments.of([1.0, 2.0, 3.0], unbiased=True), "at least 4"),
        (lambda: Moments.of([1.0, 2.0, 3.0], ddof=2), "ddof is 2"),
        (lambda: expected_maximum_sharpe(0.5), "n_trials is 0.5"),
        (lambda: expected_maximum_sharpe(5, -1.0), "variance is -1"),
        (lambda: minimum_track_record_length(series(0), confidence=1.0), "confidence is 1"),
        (lambda: minimum_backtest_length(10, 0.0), "sharpe is 0"),
        (lambda: autocorrelation_adjusted_sharpe(series(0), 0), "periods is 0"),
        (lambda: autocorrelation_adjusted_sharpe(series(0), 12, n_lags=500), "n_lags is 500"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
