"""A feature may leave its last division to the table: the values, and what is not finite, are the same."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.features import Feature
from farm.features.feature import Segment
from farm.features.quotient import Quotient
from farm.testing.feature import random_bars

rows = st.integers(0, 1300)  # across blocks


def drawn(seed, n):
    values = np.random.default_rng(seed).normal(size=(2, n))
    values[:, np.random.default_rng(seed + 1).random(n) < 0.1] = 0.0
    return values


@given(st.integers(0, 1000), rows, st.sampled_from([-1.0, 1.0, 100.0]))
def test_numpy_takes_it_for_its_values(seed, n, times):
    numerator, denominator = drawn(seed, n)
    expected = [times * a / b if b else 7.0 for a, b in zip(numerator, denominator, strict=True)]
    quotient = Quotient(numerator, denominator, otherwise=7.0, times=times)
    np.testing.assert_array_equal(np.asarray(quotient), expected)
    assert quotient.shape == (n,)
    assert np.asarray(quotient, dtype=np.float32).dtype == np.float32


def test_two_lengths_make_no_quotient():
    with pytest.raises(ValueError, match=r"shapes \(3,\) and \(2,\)"):
        Quotient(np.ones(3), np.ones(2), otherwise=0.0)


@pytest.fixture(scope="module")
def bars():
    return random_bars(np.random.default_rng(2), [1400, 30, 700])


def feature(compute):
    return Feature(name="made", group="made", lookback=40, inputs=("close",), source="own", compute=compute)


def both(bars):
    """Numerator and denominator with every kind of number that is not finite, and zeros."""
    with np.errstate(divide="ignore", invalid="ignore"):
        odd = np.select([bars.close % 7 < 1, bars.close % 5 < 1], [np.nan, np.inf], bars.close)
    return odd, np.where(bars.close % 3 < 1, 0.0, bars.open)


@pytest.mark.parametrize("otherwise", [0.0, np.nan])
def test_a_column_and_its_flags_are_those_of_the_divided_array(bars, otherwise):
    prices = replace(bars, close=np.random.default_rng(3).uniform(0, 100, len(bars)))
    lazy = feature(lambda bars: Quotient(*both(bars), otherwise=otherwise, times=3.0))
    eager = feature(lambda bars: np.asarray(Quotient(*both(bars), otherwise=otherwise, times=3.0)))
    segment = Segment.cut(prices, 0, 1400)
    found, finite = np.empty((2, 1400)), np.ones((2, 1400), dtype=np.bool_)
    for one, column, flags in zip((lazy, eager), found, finite, strict=True):
        one.fill(column, flags, segment)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(finite[0], np.isfinite(found[0]))
    np.testing.assert_array_equal(finite[1], finite[0])
    assert not finite[0, :39].any()
    assert finite[0].any()
    np.testing.assert_array_equal(lazy.values(prices), eager.values(prices))


def test_a_quotient_of_another_length_is_refused(bars):
    with pytest.raises(ValueError, match="one value a bar"):
        feature(lambda bars: Quotient(bars.close[1:], bars.open[1:], otherwise=0.0)).values(bars)
