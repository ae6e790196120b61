"""The stationary bootstrap: its law, its seed, its threads, and the coverage of its intervals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import bootstrap_interval, optimal_block_length
from farm.stats.resample import resampled_rows, resampled_sums

seeds = st.integers(0, 10_000)


def series(seed: int, n: int = 300, mean: float = 0.1) -> np.ndarray:
    return mean + np.random.default_rng(seed).standard_normal(n)


def autoregressive(seed: int, n: int, rho: float) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_normal(n + 50)
    for t in range(1, n + 50):
        shocks[t] += rho * shocks[t - 1]
    return shocks[50:]


@given(seeds, st.integers(8, 60), st.floats(1, 8), st.integers(1, 3))
def test_sums_by_prefix_are_the_sums_of_the_resampled_rows(seed, n_rows, block_length, n_columns):
    columns = np.random.default_rng(seed).standard_normal((n_rows, n_columns))
    rows = resampled_rows(n_rows, 20, block_length, seed)
    sums = resampled_sums(columns, 20, block_length, seed, threads=1)
    assert sums == pytest.approx(columns[rows].sum(axis=1), abs=1e-10)


def test_blocks_are_geometric_and_wrap_around():
    rows = resampled_rows(400, 500, 8.0, seed=1)
    steps = np.diff(rows, axis=1) % 400
    assert np.mean(steps != 1) == pytest.approx((1 / 8) * (1 - 1 / 400), rel=0.03)
    lengths = [len(run) for row in rows for run in np.split(row, np.flatnonzero(np.diff(row) % 400 != 1) + 1)[1:-1]]
    for k in (1, 2, 5, 15):
        assert np.mean(np.array(lengths) > k) == pytest.approx((1 - 1 / 8) ** k, abs=0.02)


def test_every_row_is_drawn_equally_often():
    counts = np.bincount(resampled_rows(50, 20_000, 3.0, seed=2).ravel(), minlength=50)
    assert counts / 20_000 == pytest.approx(np.ones(50), abs=0.05)


def test_a_mean_block_of_one_is_the_plain_bootstrap():
    rows = resampled_rows(500, 200, 1.0, seed=3)
    assert np.mean(np.diff(rows, axis=1) == 1) == pytest.approx(1 / 500, abs=0.001)


@given(seeds, st.sampled_from(["mean", "sharpe"]))
def test_the_interval_depends_on_the_seed_and_on_nothing_else(seed, statistic):
    returns = series(seed)
    one, three = (bootstrap_interval(returns, statistic, n_resamples=200, seed=seed, threads=n) for n in (1, 3))
    assert one == three
    assert one != bootstrap_interval(returns, statistic, n_resamples=200, seed=seed + 1)
    assert one.low <= one.high


@given(seeds)
def test_a_function_is_given_the_same_resamples(seed):
    returns = series(seed, 60)
    fast = bootstrap_interval(returns, "sharpe", n_resamples=100, seed=seed)
    slow = bootstrap_interval(returns, lambda r: r.mean() / r.std(ddof=1), n_resamples=100, seed=seed)
    assert (fast.low, fast.high, fast.estimate) == pytest.approx((slow.low, slow.high, slow.estimate))


@given(seeds, st.floats(1e-3, 1e3))
def test_the_interval_scales_with_the_returns(seed, unit):
    returns = series(seed)
    one, other = (bootstrap_interval(r, "mean", n_resamples=200, block_length=5) for r in (returns, returns * unit))
    assert (other.low, other.high) == pytest.approx((one.low * unit, one.high * unit))


def test_columns_are_resampled_together():
    pair = np.column_stack([series(0), series(0) + 1.0])
    found = bootstrap_interval(pair, lambda rows: float(np.mean(rows[:, 1] - rows[:, 0])), n_resamples=100)
    assert (found.low, found.high) == pytest.approx((1.0, 1.0))


def test_blocks_grow_with_dependence_and_stay_one_without():
    lengths = [np.mean([optimal_block_length(autoregressive(s, 500, rho)) for s in range(20)]) for rho in (0, 0.3, 0.7)]
    assert 1.0 <= lengths[0] < 3.5 < lengths[1] < lengths[2]


@pytest.mark.parametrize("statistic", ["mean", "sharpe"])
def test_intervals_of_independent_returns_hold_the_truth_as_often_as_promised(statistic):
    held = 0
    for seed in range(400):
        found = bootstrap_interval(series(seed), statistic, n_resamples=500, seed=seed, threads=1)
        held += found.low <= 0.1 <= found.high
    assert held / 400 == pytest.approx(0.95, abs=0.033)  # 3 standard errors


def test_blocks_mend_most_of_what_dependence_spoils():
    blocks, plain = 0, 0
    for seed in range(300):
        returns = autoregressive(seed, 500, 0.3)
        found = bootstrap_interval(returns, "mean", n_resamples=500, seed=seed, threads=1)
        blocks += found.low <= 0.0 <= found.high
        found = bootstrap_interval(returns, "mean", n_resamples=500, seed=seed, threads=1, block_length=1)
        plain += found.low <= 0.0 <= found.high
    assert blocks / 300 > 0.87
    assert plain / 300 < 0.87


def test_a_resample_that_never_traded_counts_as_zero():
    rare = np.zeros(100)
    rare[50] = 1.0
    found = bootstrap_interval(rare, "sharpe", n_resamples=500, block_length=1)
    assert found.low == 0.0
    assert np.isfinite(found.high)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap_interval(np.ones(50), "sharpe"), "constant"),
        (lambda: bootstrap_interval(series(0, 5)), "at least 8"),
        (lambda: bootstrap_interval(series(0), "median"), "statistic is 'median'"),
        (lambda: bootstrap_interval(series(0), n_resamples=10), "n_resamples is 10"),
        (lambda: bootstrap_interval(series(0), confidence=95), "confidence is 95"),
        (lambda: bootstrap_interval(series(0), block_length=0.5), "block_length is 0.5"),
        (lambda: bootstrap_interval(series(0), lambda r: float("nan"), n_resamples=100), "not finite"),
        (lambda: bootstrap_interval(np.column_stack([series(0)] * 2), "mean"), "one series"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
