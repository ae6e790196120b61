"""PBO: the fast kernel against the definition, laws of ranking, and its level on noise and on skill."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import probability_of_backtest_overfitting, stochastic_dominance

seeds = st.integers(0, 10_000)


def noise(seed: int, n_rows: int = 160, n_columns: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_rows, n_columns))


def sharpe_by_definition(rows: np.ndarray) -> np.ndarray:
    moving = np.ptp(rows, axis=0) > 0
    deviation = np.where(moving, rows.std(axis=0, ddof=1), 1.0)
    return np.where(moving, rows.mean(axis=0) / deviation, 0.0)


def by_definition(returns: np.ndarray, n_blocks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    blocks = np.array_split(returns, n_blocks)
    logits, inside, outside, selected = [], [], [], []
    for chosen in combinations(range(n_blocks), n_blocks // 2):
        is_ = sharpe_by_definition(np.vstack([blocks[b] for b in chosen]))
        oos = sharpe_by_definition(np.vstack([blocks[b] for b in range(n_blocks) if b not in chosen]))
        best = int(np.argmax(is_))
        rank = np.sum(oos < oos[best]) + (np.sum(oos == oos[best]) + 1) / 2
        share = rank / (returns.shape[1] + 1)
        logits.append(np.log(share / (1 - share)))
        inside.append(is_[best])
        outside.append(oos[best])
        selected.append(best)
    return np.array(logits), np.array(inside), np.array(outside), np.array(selected)


@given(seeds, st.sampled_from([2, 4, 6]), st.integers(12, 50), st.integers(2, 9))
def test_the_kernel_is_the_definition(seed, n_blocks, n_rows, n_columns):
    returns = noise(seed, n_rows, n_columns)
    logits, inside, outside, selected = by_definition(returns, n_blocks)
    found = probability_of_backtest_overfitting(returns, n_blocks)
    assert found.selected.tolist() == selected.tolist()
    assert found.logits == pytest.approx(logits, abs=1e-12)
    assert found.in_sample == pytest.approx(inside, rel=1e-9)
    assert found.out_of_sample == pytest.approx(outside, rel=1e-8, abs=1e-12)
    assert found.pbo == np.mean(logits <= 1e-12)
    assert found.probability_of_loss == np.mean(outside < 0)


@given(seeds, st.integers(1, 7))
def test_stretches_of_idleness_are_idle_in_the_kernel_too(seed, block):
    # A column of one value over half of the blocks has no deviation there, whatever rounding makes of it.
    returns = noise(seed, 80, 5) + 0.01
    returns[: 10 * block, 1] = 0.1
    returns[10 * block :, 2] = 0.0
    logits, inside, _, selected = by_definition(returns, 8)
    found = probability_of_backtest_overfitting(returns, 8)
    assert found.selected.tolist() == selected.tolist()
    assert found.logits == pytest.approx(logits, abs=1e-12)
    assert np.abs(found.in_sample).max() == pytest.approx(np.abs(inside).max())


def test_a_constant_column_never_wins_for_being_constant():
    returns = np.column_stack([noise(0), np.full(160, 0.1)])
    found = probability_of_backtest_overfitting(returns, 8)
    assert np.isin(8, found.selected) == (found.in_sample <= 0).any()


@given(seeds)
def test_the_order_of_the_trials_does_not_matter(seed):
    returns = noise(seed)
    order = np.random.default_rng(seed).permutation(returns.shape[1])
    one, other = (probability_of_backtest_overfitting(r, 8) for r in (returns, returns[:, order]))
    assert one.pbo == other.pbo
    assert one.logits.tolist() == other.logits.tolist()
    assert one.slope == pytest.approx(other.slope)


@given(seeds, st.floats(1e-3, 1e3))
def test_the_unit_of_the_returns_does_not_matter(seed, unit):
    returns = noise(seed)
    one, other = (probability_of_backtest_overfitting(r, 8) for r in (returns, returns * unit))
    assert one.logits.tolist() == other.logits.tolist()


@given(seeds)
def test_the_number_of_threads_does_not_matter(seed):
    one, three = (probability_of_backtest_overfitting(noise(seed), 8, threads=n) for n in (1, 3))
    assert one.logits.tolist() == three.logits.tolist()
    assert one.in_sample.tolist() == three.in_sample.tolist()


def test_equal_trials_are_overfit_half_of_the_time():
    found = [probability_of_backtest_overfitting(noise(seed, 320, 20), 10, threads=1).pbo for seed in range(150)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_equal_good_trials_are_overfit_half_of_the_time_too():
    # It measures whether the ranking holds, not whether there is an edge.
    found = [probability_of_backtest_overfitting(noise(s, 320, 20) + 0.2, 10, threads=1).pbo for s in range(150)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_one_skilled_trial_among_noise_is_not_overfit():
    skilled = np.zeros(20)
    skilled[7] = 0.3
    found = [probability_of_backtest_overfitting(noise(s, 320, 20) + skilled, 10, threads=1) for s in range(40)]
    assert np.mean([f.pbo for f in found]) < 0.1
    assert np.mean([f.probability_of_loss for f in found]) < 0.1


def test_the_degradation_line_is_least_squares():
    found = probability_of_backtest_overfitting(noise(3), 8)
    slope, intercept = np.polyfit(found.in_sample, found.out_of_sample, 1)
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept))


def test_the_other_definitions_differ_where_they_should():
    odd = noise(1, 96, 7)
    counted = probability_of_backtest_overfitting(odd, 6)
    spared = probability_of_backtest_overfitting(odd, 6, at_median="sound")
    assert counted.pbo - spared.pbo == pytest.approx(np.mean(counted.logits == 0))
    twins = np.hstack([odd, odd])
    average = probability_of_backtest_overfitting(twins, 6)
    lowest = probability_of_backtest_overfitting(twins, 6, ties="lowest")
    assert (lowest.logits < average.logits).all()
    best = probability_of_backtest_overfitting(odd + 3 * np.eye(7)[3], 6, rank_over="n")
    assert np.isinf(best.logits).all()


def test_rows_that_do_not_divide_are_kept_or_dropped_as_asked():
    returns = noise(2, 103, 5)
    dropped = probability_of_backtest_overfitting(returns, 10, remainder="drop_last")
    assert dropped.logits.tolist() == probability_of_backtest_overfitting(returns[:100], 10).logits.tolist()
    dropped = probability_of_backtest_overfitting(returns, 10, remainder="drop_first")
    assert dropped.logits.tolist() == probability_of_backtest_overfitting(returns[3:], 10).logits.tolist()


def test_selecting_a_trial_of_real_skill_dominates_choosing_at_random():
    skilled = noise(0, 320, 10) + np.eye(10)[3] * 0.6
    found = stochastic_dominance(skilled, 8)
    assert found.first_order
    assert found.second_order


def test_selecting_the_in_sample_best_of_opposites_is_dominated():
    # Each trial earns in one half of history what it loses in the other: the in-sample best is the worst to come.
    drift = np.where(np.arange(320) < 160, 0.5, -0.5)[:, None] * np.linspace(-1, 1, 10)
    found = stochastic_dominance(0.5 * noise(0, 320, 10) + drift, 2)
    assert not found.first_order
    assert not found.second_order


@given(seeds)
def test_dominance_counts_every_outcome(seed):
    returns = noise(seed, 48, 4)
    found = stochastic_dominance(returns, 4, n_points=50)
    blocks = np.array_split(returns, 4)
    halves = [np.vstack([blocks[a], blocks[b]]) for a, b in combinations(range(4), 2)]
    outcomes = np.sort(np.concatenate([sharpe_by_definition(half) for half in halves]))
    shares = np.searchsorted(outcomes, found.points + 1e-12, side="right") / len(outcomes)
    assert found.all_trials == pytest.approx(shares)
    assert (found.selected[-1], found.all_trials[-1]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: probability_of_backtest_overfitting(noise(0), 7), "n_blocks is 7"),
        (lambda: probability_of_backtest_overfitting(noise(0), 0), "n_blocks is 0"),
        (lambda: probability_of_backtest_overfitting(noise(0), 40), "n_blocks is 40"),
        (lambda: probability_of_backtest_overfitting(noise(0, 20), 16), "2 rows"),
        (lambda: probability_of_backtest_overfitting(noise(0)[:, 0], 8), "matrix"),
        (lambda: probability_of_backtest_overfitting(noise(0)[:, :1], 8), "1 columns"),
        (lambda: probability_of_backtest_overfitting(np.full((160, 3), 0.1), 8), "constant in every column"),
        (lambda: probability_of_backtest_overfitting(np.where(noise(0) > 3, np.nan, noise(0)) * np.nan, 8), "finite"),
        (lambda: probability_of_backtest_overfitting(noise(0), 8, ties="random"), "ties is 'random'"),
        (lambda: probability_of_backtest_overfitting(noise(0), 8, remainder="pad"), "remainder is 'pad'"),
        (lambda: probability_of_backtest_overfitting(noise(0), 8, threads=0), "threads is 0"),
        (lambda: stochastic_dominance(noise(0), 8, n_points=1), "n_points is 1"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
