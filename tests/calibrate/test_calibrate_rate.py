"""Rates and their bounds: against the binomial law itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from farm.calibrate.rate import Rate, lower_bound, upper_bound, wilson_interval


@given(st.integers(1, 400), st.data())
def test_exact_bounds_are_where_the_count_becomes_improbable(runs, data):
    count = data.draw(st.integers(0, runs))
    above, below = upper_bound(count, runs), lower_bound(count, runs)
    if count < runs:
        assert binom.cdf(count, runs, above) == pytest.approx(0.05, abs=1e-6)
    if count:
        assert binom.sf(count - 1, runs, below) == pytest.approx(0.05, abs=1e-6)
    assert below <= count / runs <= above


@given(st.integers(1, 400), st.data())
def test_an_interval_holds_its_rate_and_stays_between_0_and_1(runs, data):
    count = data.draw(st.integers(0, runs))
    low, high = wilson_interval(count, runs)
    assert 0 <= low <= count / runs + 1e-12
    assert count / runs - 1e-12 <= high <= 1


def test_counted_and_seen_runs_give_the_same_rate():
    assert Rate.of([True, False, True, False, False]) == Rate.counted(2, 5)


def test_nine_hundred_runs_with_five_percent_are_below_seven_and_a_half():
    assert 0.05 < Rate.counted(45, 900).at_most < 0.075
