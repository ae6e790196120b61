"""The verdict's statistics: standard errors that hold, deflation that never helps, unknowns that stay unknown."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from farm.stats import (
    certifiable_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    known_sharpe,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
    sharpe_standard_error,
    sharpe_z,
    verdict_deflated_sharpe,
)

seeds = st.integers(0, 10_000)


def series(seed: int, n: int = 200, mean: float = 0.05) -> np.ndarray:
    return mean + np.random.default_rng(seed).standard_normal(n)


def autoregressive(rng: np.random.Generator, n_series: int, n: int, rho: float) -> np.ndarray:
    shocks = rng.standard_normal((n_series, n + 50))
    for t in range(1, n + 50):
        shocks[:, t] += rho * shocks[:, t - 1]
    return shocks[:, 50:]


def rejections(returns: np.ndarray) -> float:
    return float(np.mean([sharpe_z(row) > 1.645 for row in returns]))


def test_an_idle_series_has_no_sharpe_ratio():
    idle = np.zeros(100)
    assert known_sharpe(idle) is None
    assert sharpe_standard_error(idle) is None
    assert sharpe_z(idle + 0.1) is None
    assert verdict_deflated_sharpe(idle, 5) is None


def test_the_known_sharpe_is_the_sharpe_ratio():
    assert known_sharpe(series(0)) == sharpe_ratio(series(0))
    assert known_sharpe(series(0), 252) == pytest.approx(sharpe_ratio(series(0), 252))


@given(seeds, st.floats(-0.3, 0.3), st.floats(1, 1e6))
def test_the_verdicts_probability_never_exceeds_the_psr(seed, mean, n_trials):
    returns = series(seed, mean=mean)
    assert verdict_deflated_sharpe(returns, n_trials) <= probabilistic_sharpe_ratio(returns)


@given(seeds, st.floats(1, 1e4), st.floats(1, 10))
def test_more_trials_never_raise_the_verdicts_probability(seed, n_trials, factor):
    returns = series(seed)
    assert verdict_deflated_sharpe(returns, n_trials * factor) <= verdict_deflated_sharpe(returns, n_trials)


def test_one_trial_without_dependence_gives_the_psr():
    # An alternating sign makes autocorrelations that would narrow the error: the floor is then the PSR's own.
    returns = 0.1 + np.tile([1.0, -1.0], 100) * (1 + 0.1 * np.random.default_rng(0).random(200))
    assert verdict_deflated_sharpe(returns, 1) == probabilistic_sharpe_ratio(returns)


def test_the_verdicts_probability_is_z_less_the_expected_maximum():
    returns = series(1, mean=0.2)
    expected = ndtr(sharpe_z(returns) - expected_maximum_sharpe(10, exact=True))
    assert verdict_deflated_sharpe(returns, 10) == pytest.approx(expected)


@given(seeds, st.floats(1e-6, 1e6))
def test_the_unit_of_the_returns_does_not_matter(seed, unit):
    returns = series(seed)
    assert sharpe_z(returns * unit) == pytest.approx(sharpe_z(returns), rel=1e-9)


@given(seeds)
def test_the_error_is_never_narrower_than_for_independent_returns(seed):
    returns = series(seed)
    psr_error = sharpe_ratio(returns) / np.sqrt(len(returns) - 1)
    assert sharpe_standard_error(returns) >= 0.99 * np.sqrt(1 / (len(returns) - 1)) - abs(psr_error)


@pytest.mark.parametrize("shape", ["normal", "fat", "skewed", "sparse"])
def test_independent_null_series_pass_as_often_as_promised(shape):
    rng = np.random.default_rng(2)
    size = (1500, 500)
    returns = {
        "normal": lambda: rng.standard_normal(size),
        "fat": lambda: rng.standard_t(4, size),
        "skewed": lambda: 1.0 - rng.exponential(size=size),
        "sparse": lambda: rng.standard_normal(size) * (rng.random(size) < 0.1),
    }[shape]()
    assert rejections(returns) == pytest.approx(0.05, abs=0.017)  # 3 standard errors


@pytest.mark.parametrize("rho", [0.2, 0.5])
def test_autocorrelated_null_series_hardly_pass_more_often(rho):
    returns = autoregressive(np.random.default_rng(3), 1200, 500, rho)
    plain = np.mean([probabilistic_sharpe_ratio(row) > 0.95 for row in returns])
    assert plain > 0.075  # what the correction is for
    assert rejections(returns) < 0.08


def test_negative_autocorrelation_buys_no_significance():
    returns = autoregressive(np.random.default_rng(4), 600, 300, -0.3)
    assert rejections(returns) < 0.05


@pytest.mark.parametrize("common", [0.0, 1.0, 3.0])
def test_the_best_of_null_trials_passes_less_often_than_alpha(common):
    # However the trials are correlated: P(verdict DSR of the best > 1 - alpha) stays at or under alpha.
    rng = np.random.default_rng(5)
    passes, n = 0, 200
    for _ in range(n):
        returns = common * rng.standard_normal((300, 1)) + rng.standard_normal((300, 10))
        best = np.argmax(sharpe_ratio(returns))
        passes += verdict_deflated_sharpe(returns[:, best], effective_trials(returns).value) > 0.95
    assert passes / n <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / n)


def test_a_certifiable_edge_is_certified_with_the_power_promised():
    n_periods, per_year, n_trials = 500, 252, 20
    annual = certifiable_sharpe(n_periods, per_year, n_trials, alpha=0.05, power=0.8)
    rng = np.random.default_rng(6)
    returns = annual / per_year**0.5 + rng.standard_normal((800, n_periods))
    passed = np.mean([verdict_deflated_sharpe(row, n_trials) >= 0.95 for row in returns])
    assert passed == pytest.approx(0.8, abs=0.05)


@given(st.integers(100, 5000), st.floats(1, 1000), st.integers(2, 4))
def test_a_longer_span_certifies_less_and_more_trials_more(n_periods, n_trials, factor):
    base = certifiable_sharpe(n_periods, 252, n_trials)
    assert certifiable_sharpe(n_periods * factor, 252, n_trials) < base
    assert certifiable_sharpe(n_periods, 252, n_trials * factor) > base


def test_a_span_too_short_for_any_sharpe_certifies_none():
    assert certifiable_sharpe(5, 252, 1000) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sharpe_standard_error([1.0, 2.0, 3.0]), "at least 4"),
        (lambda: verdict_deflated_sharpe(series(0), 0), "n_trials is 0"),
        (lambda: certifiable_sharpe(1, 252, 5), "n_periods is 1"),
        (lambda: certifiable_sharpe(500, 0, 5), "periods_per_year is 0"),
        (lambda: certifiable_sharpe(500, 252, 5, alpha=0), "alpha is 0"),
        (lambda: certifiable_sharpe(500, 252, 5, power=1), "power is 1"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
