"""Reality check and SPA: their size on noise, their power, and what studentising changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import reality_check, spa
from farm.stats.resample import resampled_rows

seeds = st.integers(0, 10_000)


def noise(seed: int, n_rows: int = 200, n_columns: int = 10) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_rows, n_columns))


def test_the_best_of_noise_is_rejected_as_often_as_promised():
    white, hansen = [], []
    for seed in range(300):
        white.append(reality_check(noise(seed), n_resamples=400, seed=seed, block_length=2, threads=1).p_value)
        hansen.append(spa(noise(seed), n_resamples=400, seed=seed, block_length=2, threads=1).p_value)
    assert np.mean(np.array(white) < 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(np.array(hansen) < 0.05) == pytest.approx(0.05, abs=0.04)
    assert np.mean(white) == pytest.approx(0.5, abs=0.06)


def test_an_edge_is_found():
    edge = noise(0) + np.eye(10)[4] * 0.35
    assert reality_check(edge, n_resamples=500).p_value < 0.01
    found = spa(edge, n_resamples=500)
    assert found.p_value < 0.01
    assert found.best == 4


def test_hopeless_trials_weaken_the_reality_check_but_not_the_spa():
    # An edge among poor trials of large variance: what Hansen's test was made for.
    rng = np.random.default_rng(1)
    poor = 5 * rng.standard_normal((300, 30)) - 3.0
    edge = 0.22 + rng.standard_normal((300, 1))
    both = np.hstack([edge, poor])
    assert spa(both, n_resamples=1000).p_value < 0.01
    assert reality_check(both, n_resamples=1000).p_value > 0.05


@given(seeds)
def test_the_three_p_values_are_ordered(seed):
    found = spa(noise(seed, 60, 5) - 0.1, n_resamples=100, seed=seed)
    assert found.p_lower <= found.p_consistent <= found.p_upper
    assert found.p_value == found.p_consistent


@given(seeds, st.floats(0.1, 10))
def test_studentising_makes_the_unit_of_each_trial_irrelevant(seed, unit):
    returns = noise(seed, 60, 4)
    scaled = returns * [1, unit, 1, 1]
    one, other = (spa(r, n_resamples=100, block_length=3) for r in (returns, scaled))
    assert (one.statistic, one.p_value) == pytest.approx((other.statistic, other.p_value))


@given(seeds)
def test_rows_given_are_the_rows_used(seed):
    returns = noise(seed, 40, 3)
    rows = resampled_rows(40, 100, 4.0, seed)
    assert (
        spa(returns, rows=rows, block_length=4).p_value
        == spa(returns, n_resamples=100, block_length=4, seed=seed).p_value
    )


@given(seeds)
def test_a_benchmark_is_subtracted(seed):
    returns, benchmark = noise(seed, 60, 3), noise(seed + 1, 60, 1)[:, 0]
    assert reality_check(returns, benchmark, n_resamples=100, block_length=2) == reality_check(
        returns - benchmark[:, None], n_resamples=100, block_length=2
    )


def test_an_idle_trial_is_as_good_as_the_benchmark_and_no_better():
    returns = np.column_stack([noise(0) - 0.2, np.zeros(200)])
    found = spa(returns, n_resamples=200)
    assert found.deviations[-1] == 0.0
    assert found.statistic == 0.0
    assert np.isfinite(found.p_value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: spa(np.ones((50, 2))), "never differs"),
        (lambda: reality_check(noise(0), np.ones(3)), "benchmark has 3 rows"),
        (lambda: reality_check(noise(0), float("nan")), "benchmark is nan"),
        (lambda: reality_check(noise(0)[:5]), "5 rows"),
        (lambda: reality_check(noise(0), n_resamples=1), "n_resamples is 1"),
        (lambda: reality_check(noise(0), rows=np.zeros((10, 3), int)), "rows has shape"),
        (lambda: reality_check(noise(0), rows=np.full((10, 200), 200)), "row numbers from 200"),
        (lambda: spa(noise(0), block_length=0), "block_length is 0"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
