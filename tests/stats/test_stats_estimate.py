"""What is computed once for many numbers is, to the bit, what each function computes alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from farm.stats import (
    Moments,
    SharpeEstimate,
    column_sharpes,
    known_sharpe,
    probabilistic_sharpe_ratio,
    sharpe_standard_error,
    sharpe_z,
    verdict_deflated_sharpe,
)


@given(arrays(np.float64, st.tuples(st.integers(4, 300), st.integers(1, 5)), elements=st.floats(-1e3, 1e3, width=32)))
def test_columns_have_the_sharpe_ratios_of_their_series(matrix):
    alone = [known_sharpe(column) for column in matrix.T]
    together = column_sharpes(matrix)
    assert [None if np.isnan(one) else float(one) for one in together] == alone


@pytest.mark.parametrize("seed", range(5))
def test_an_estimate_holds_what_the_functions_say(seed):
    returns = 0.05 + np.random.default_rng(seed).standard_t(4, 300)
    found = SharpeEstimate.of(returns)
    assert found.moments == Moments.of(returns)
    assert (found.error, found.z) == (sharpe_standard_error(returns), sharpe_z(returns))
    for n_trials in (1, 7.5, 100):
        assert found.deflated(n_trials) == verdict_deflated_sharpe(returns, n_trials)
        assert found.deflated(n_trials) <= probabilistic_sharpe_ratio(returns)


def test_an_idle_series_has_no_estimate():
    assert SharpeEstimate.of(np.zeros(10)) is None
    assert np.isnan(column_sharpes(np.zeros((10, 2)))).all()
