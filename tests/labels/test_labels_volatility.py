import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import Atr, Ewma, exponential_deviation

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, window=st.sampled_from((2, 5, 14)), start=st.integers(1, 99))
def test_atr_is_talibs_and_starts_again_after_a_hole(make_bars, random_prices, seed, window, start):
    bars = make_bars(random_prices(seed, 100), [start])
    parts = [bars.between(0, start), bars.between(start, 100)]
    theirs = [talib.ATR(part.high, part.low, part.close, window) for part in parts]
    np.testing.assert_allclose(Atr(window=window).of(bars), np.concatenate(theirs), rtol=1e-12)


@given(seed=seeds, span=st.sampled_from((2, 5, 40)), start=st.integers(1, 99))
def test_ewma_is_pandas_and_starts_again_after_a_hole(make_bars, random_prices, seed, span, start):
    bars = make_bars(random_prices(seed, 100), [start])
    parts = [bars.between(0, start), bars.between(start, 100)]
    theirs = [
        pd.Series(np.log(part.close)).diff().ewm(span=span, min_periods=span).std().to_numpy() * part.close
        for part in parts
    ]
    np.testing.assert_allclose(Ewma(span=span).of(bars), np.concatenate(theirs), rtol=1e-9, atol=1e-12)


@given(seed=seeds, now=st.integers(1, 98), kind=st.sampled_from((Atr(window=5), Ewma(span=5))))
def test_volatility_does_not_know_what_follows(make_bars, random_prices, seed, now, kind):
    prices = random_prices(seed, 100)
    whole, cut = kind.of(make_bars(prices)), kind.of(make_bars(prices[: now + 1]))
    np.testing.assert_array_equal(whole[: now + 1], cut)


def test_no_bars(make_bars):
    assert len(Atr().of(make_bars([]))) == len(Ewma().of(make_bars([]))) == 0


def test_a_gap_in_the_values_is_passed_over():
    values = np.array([0.1, np.nan, 0.3, -0.2])
    theirs = pd.Series(values).ewm(span=4, ignore_na=True).std().to_numpy().copy()
    theirs[1] = np.nan
    np.testing.assert_allclose(exponential_deviation(values, 4), theirs)


def test_impossible_arguments_are_named():
    with pytest.raises(ValueError, match="span is 0"):
        exponential_deviation(np.zeros(3), 0)
    with pytest.raises(ValueError, match="shape"):
        exponential_deviation(np.zeros((3, 2)), 3)
