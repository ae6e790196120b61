"""Effective trials: copies add nothing, independents add one each, noise in the correlations adds nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import effective_trials, expected_maximum_sharpe

seeds = st.integers(0, 1000)


def independent(seed: int, n_rows: int, n_columns: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_rows, n_columns))


@pytest.mark.parametrize(("n_rows", "n_columns"), [(500, 100), (60, 100), (250, 5), (2000, 50), (500, 2)])
def test_independent_columns_count_one_each(n_rows, n_columns):
    found = effective_trials(independent(0, n_rows, n_columns))
    assert found.raw == n_columns
    assert found.value == pytest.approx(n_columns, rel=0.05)
    assert found.spectral == pytest.approx(n_columns, rel=0.05)
    assert found.clustered == n_columns


def test_a_hundred_copies_count_as_one():
    found = effective_trials(np.repeat(independent(0, 500, 1), 100, axis=1))
    assert (found.value, found.spectral, found.clustered) == pytest.approx((1.0, 1.0, 1.0), abs=1e-5)


@given(seeds, st.integers(2, 12), st.integers(1, 30))
def test_copies_of_a_trial_leave_the_number_where_it_was(seed, n_columns, copies):
    returns = independent(seed, 300, n_columns)
    before = effective_trials(returns).value
    with_copies = np.hstack([returns, np.repeat(returns[:, :1], copies, axis=1)])
    assert effective_trials(with_copies).value == pytest.approx(before, rel=0.12)


@given(seeds, st.integers(2, 12), st.integers(1, 10))
def test_each_independent_trial_adds_about_one(seed, n_columns, more):
    returns = independent(seed, 500, n_columns + more)
    before, after = effective_trials(returns[:, :n_columns]).value, effective_trials(returns).value
    assert after - before == pytest.approx(more, abs=0.1 * (n_columns + more))


@given(seeds, st.integers(1, 10), st.integers(0, 5), st.floats(0, 3))
def test_the_number_lies_between_one_and_all(seed, n_columns, idle, common):
    returns = independent(seed, 100, n_columns) + common * independent(seed + 1, 100, 1)
    found = effective_trials(np.hstack([returns, np.zeros((100, idle))]))
    for number in (found.value, found.spectral, found.clustered):
        assert 1.0 <= number + 1e-9 <= found.raw + 1e-6


@given(seeds, st.floats(1e-6, 1e6))
def test_neither_order_nor_unit_of_the_trials_matters(seed, unit):
    returns = independent(seed, 200, 6) + independent(seed + 1, 200, 1)
    turned = returns[:, ::-1] * unit
    assert effective_trials(turned).value == pytest.approx(effective_trials(returns).value, rel=0.05)


def test_an_idle_column_counts_one():
    returns = independent(0, 300, 3)
    idle = np.hstack([returns, np.zeros((300, 2)), np.full((300, 1), 0.1)])
    before, after = effective_trials(returns), effective_trials(idle)
    assert after.idle == 3
    assert after.value == pytest.approx(before.value + 3)
    assert effective_trials(np.zeros((300, 4))).value == 4.0


@pytest.mark.parametrize("rho", [0.3, 0.6, 0.9])
def test_correlated_trials_are_worth_what_their_best_is_expected_to_show(rho):
    # With one common correlation the largest of N is expected at sqrt(1 - rho) times that of N independents.
    common = np.random.default_rng(0).standard_normal((4000, 1))
    returns = rho**0.5 * common + (1 - rho) ** 0.5 * independent(1, 4000, 50)
    found = effective_trials(returns).value
    reach = (1 - rho) ** 0.5 * expected_maximum_sharpe(50, exact=True)
    assert expected_maximum_sharpe(found, exact=True) == pytest.approx(reach, rel=0.04)


def test_clusters_are_found():
    groups = np.repeat(independent(0, 500, 4), 5, axis=1) + 0.4 * independent(1, 500, 20)
    assert effective_trials(groups).clustered == 4


def test_the_same_seed_gives_the_same_number():
    returns = independent(0, 100, 8)
    assert effective_trials(returns, seed=3) == effective_trials(returns, seed=3)


@pytest.mark.parametrize(
    ("returns", "words"),
    [(np.ones(5), "matrix"), (np.ones((3, 4)), "3 rows"), ([[np.nan, 1.0]] * 9, "finite")],
)
def test_what_cannot_be_answered_is_refused_by_name(returns, words):
    with pytest.raises(ValueError, match=words):
        effective_trials(returns)
