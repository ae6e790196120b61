"""What the statistics take: lists, frames, read-only and strided arrays all mean the same numbers."""

import numpy as np
import pandas as pd
import pytest

from farm.stats import (
    bootstrap_interval,
    effective_trials,
    probability_of_backtest_overfitting,
    reality_check,
    sharpe_ratio,
    sharpe_z,
)

MATRIX = np.random.default_rng(0).standard_normal((80, 4))


def read_only() -> np.ndarray:
    locked = MATRIX.copy()
    locked.flags.writeable = False
    return locked


@pytest.mark.parametrize("same", [MATRIX.tolist(), pd.DataFrame(MATRIX), np.asfortranarray(MATRIX), read_only()])
def test_every_form_of_a_matrix_gives_the_same_numbers(same):
    pbo = [probability_of_backtest_overfitting(m, 8).logits.tolist() for m in (MATRIX, same)]
    assert pbo[0] == pbo[1]
    assert effective_trials(same) == effective_trials(MATRIX)
    assert sharpe_ratio(same).tolist() == sharpe_ratio(MATRIX).tolist()
    checks = [reality_check(m, n_resamples=100) for m in (MATRIX, same)]
    assert checks[0] == checks[1]


@pytest.mark.parametrize("same", [MATRIX[:, 0].tolist(), pd.Series(MATRIX[:, 0]), MATRIX[:, 0], MATRIX[:, :1]])
def test_every_form_of_a_series_gives_the_same_numbers(same):
    plain = MATRIX[:, 0].copy()
    assert sharpe_z(same) == sharpe_z(plain)
    assert sharpe_ratio(same) == sharpe_ratio(plain)


def test_the_given_array_is_left_as_it_was():
    before = MATRIX.copy()
    probability_of_backtest_overfitting(MATRIX, 8)
    bootstrap_interval(MATRIX[:, 0], n_resamples=100)
    effective_trials(MATRIX)
    assert (before == MATRIX).all()


@pytest.mark.parametrize("seed", [-1, 0.5, 2**64])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed is"):
        bootstrap_interval(MATRIX[:, 0], seed=seed)
    with pytest.raises(ValueError, match="seed is"):
        effective_trials(MATRIX, seed=seed)


def test_a_number_too_large_to_square_is_refused():
    with pytest.raises(ValueError, match="row 3, column 1"):
        probability_of_backtest_overfitting(np.where(np.arange(320).reshape(80, 4) == 13, 1e200, MATRIX), 8)
