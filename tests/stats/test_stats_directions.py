"""The expected width: what the slow way finds, on any number of threads, and known answers."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from farm.stats import effective_trials, expected_maximum_sharpe
from farm.stats.directions import count_matching_width, expected_width


def returns(n_rows: int, n_columns: int, kind: str) -> np.ndarray:
    rng = np.random.default_rng(n_columns)
    own = rng.standard_normal((n_rows, n_columns))
    if kind == "independent":
        return own
    if kind == "one factor":
        return np.sqrt(0.5) * own + np.sqrt(0.5) * rng.standard_normal((n_rows, 1))
    shared = np.repeat(rng.standard_normal((n_rows, 5)), n_columns // 5, axis=1)
    return np.sqrt(0.1) * own + np.sqrt(0.9) * shared


def units_of(columns: np.ndarray) -> np.ndarray:
    centred = columns - columns.mean(axis=0)
    return centred / np.linalg.norm(centred, axis=0)


def slow_count(columns: np.ndarray, draws: int) -> float:
    """The plain definition: normals with the correlation of the columns by its symmetric root, in double precision."""
    units = units_of(columns)
    values, vectors = np.linalg.eigh(units.T @ units)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    rng = np.random.default_rng(99)
    width = np.mean([np.ptp(rng.standard_normal((2000, len(root))) @ root, axis=1) for _ in range(draws // 2000)])
    return count_matching_width(float(width) / 2.0, len(columns) - 1)


@pytest.mark.parametrize("kind", ["independent", "one factor", "clusters"])
@pytest.mark.parametrize(("n_rows", "n_columns"), [(500, 10), (500, 100), (60, 100)])
def test_the_fast_number_is_the_slow_one(n_rows, n_columns, kind):
    # 1% for the simulation of the fast one, and about 0.5% for that of the slow one.
    columns = returns(n_rows, n_columns, kind)
    assert effective_trials(columns).value == pytest.approx(min(slow_count(columns, 60_000), n_columns), rel=0.015)


def test_many_seeds_scatter_by_less_than_one_percent():
    for kind in ("independent", "one factor", "clusters"):
        columns = returns(500, 50, kind)
        found = np.array([effective_trials(columns, seed=seed).value for seed in range(12)])
        assert found.std(ddof=1) / found.mean() < 0.01


def test_independent_normals_have_the_width_of_the_table():
    orthogonal = np.eye(40)
    assert expected_width(orthogonal, 0) == pytest.approx(expected_maximum_sharpe(40, exact=True), rel=1e-6)


def test_copies_have_no_width():
    assert expected_width(np.repeat(units_of(returns(300, 1, "independent")), 30, axis=1), 0) < 1e-6


@pytest.mark.parametrize(("n_rows", "n_columns"), [(400, 150), (100, 300)])
def test_the_number_does_not_depend_on_threads(n_rows, n_columns):
    columns = returns(n_rows, n_columns, "one factor")
    with threadpool_limits(1):
        alone = effective_trials(columns).value
    with threadpool_limits(4):
        assert effective_trials(columns).value == alone


@pytest.mark.slow
def test_a_thousand_trials_take_under_a_third_of_a_second_of_one_core():
    columns = returns(500, 1000, "one factor")
    effective_trials(columns)
    started = time.process_time()
    effective_trials(columns)
    assert time.process_time() - started < 0.3
