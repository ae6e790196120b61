"""Logs of ratios: every digit of a small one, the same as the library's for a large one, whatever stands beside."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.features.logarithm import log_change, log_ratio

prices = st.floats(1e-3, 1e6)


@given(prices, st.floats(-1.0, 1.0))
def test_it_is_the_log_of_the_ratio(under, log):
    over = under * math.exp(log)
    exact = math.log1p(float((Fraction(over) - Fraction(under)) / Fraction(under)))
    assert log_ratio(np.array([over]), np.array([under]))[0] == pytest.approx(exact, rel=2e-15, abs=0)


def test_a_row_does_not_depend_on_the_rows_beside_it():
    rng = np.random.default_rng(0)
    under = rng.uniform(1.0, 2.0, 3000)
    near, mixed = under * np.exp(rng.normal(0, 1e-4, 3000)), under.copy()
    mixed[::2] = near[::2]
    mixed[1::2] *= np.exp(rng.normal(0, 1.0, 1500))  # far from one, which another formula serves
    np.testing.assert_array_equal(log_ratio(near, under)[::2], log_ratio(mixed, under)[::2])
    np.testing.assert_allclose(log_ratio(mixed, under)[1::2], np.log(mixed / under)[1::2], rtol=1e-13, atol=1e-15)


def test_what_has_no_log_is_no_number():
    over, under = np.array([0.0, 1.0, 0.0, np.nan, -1.0]), np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(log_ratio(over, under), [-np.inf, np.inf, np.nan, np.nan, np.nan])


@pytest.mark.parametrize("bars", [0, 1, 3, 5, 9])
def test_a_change_begins_where_there_is_a_row_to_change_from(bars):
    x = np.array([1.0, 2.0, 2.0, 3.0, 0.5])
    expected = [math.log(x[i] / x[i - bars]) if i >= bars else np.nan for i in range(5)]
    np.testing.assert_allclose(log_change(x, bars), expected, rtol=1e-15)
