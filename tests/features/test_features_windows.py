"""Windowed kernels against sums written out, at any price level, and without movement."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.features.extremes import bars_since_highest, highest, lowest
from farm.features.filters import weighted_heights
from farm.features.moments import above_mean, height, height_of_halves, mean_absolute_deviation
from farm.features.sliding import above_adaptive_mean
from farm.features.windows import (
    BLOCK,
    above_exponential_mean,
    change_over,
    exponential_mean,
    ratio,
    rolling_mean,
    rolling_sum,
    steps_back,
)

prices = st.builds(
    lambda seed, n, level: level * (1 + 1e-4 * np.random.default_rng(seed).normal(size=n).cumsum()),
    st.integers(0, 10_000),
    st.integers(1, 90),
    st.sampled_from([0.1, 1.0, 20_000.0]),
)
windows = st.integers(1, 70)


def windowed(x, window, value):
    return [np.nan if i < window - 1 else value(x[i - window + 1 : i + 1]) for i in range(len(x))]


@given(prices, windows)
def test_rolling_sum_is_the_sum_of_the_window(x, window):
    np.testing.assert_allclose(rolling_sum(x, window), windowed(x, window, np.sum), rtol=1e-13)
    np.testing.assert_allclose(rolling_mean(x, window), windowed(x, window, np.mean), rtol=1e-13)


@given(prices, windows, st.floats(0.01, 0.9))
def test_exponential_mean_weighs_the_window_and_nothing_before_it(x, window, alpha):
    weights = (1 - alpha) ** np.arange(window)[::-1]
    steps = np.diff(x, prepend=x[0])
    expected = windowed(steps, window, lambda w: np.average(w, weights=weights))
    np.testing.assert_allclose(exponential_mean(steps, alpha, window), expected, atol=1e-12 * abs(x).max())
    expected = windowed(x, window, lambda w: w[-1] - np.average(w, weights=weights))
    np.testing.assert_allclose(above_exponential_mean(x, alpha, window), expected, atol=1e-12 * abs(x).max())


@given(prices, windows)
def test_above_mean_gives_height_and_deviation(x, window):
    above, deviation = above_mean(x, window)
    np.testing.assert_array_equal(above, height(x, window))
    tolerance = 1e-12 * abs(x).max()
    np.testing.assert_allclose(above, windowed(x, window, lambda w: w[-1] - w.mean()), atol=tolerance)
    np.testing.assert_allclose(deviation, windowed(x, window, np.std), atol=tolerance)
    spread = windowed(x, window, lambda w: abs(w - w.mean()).mean())
    np.testing.assert_allclose(mean_absolute_deviation(x, above, window), spread, atol=tolerance)


@given(prices, windows)
def test_two_halves_have_the_height_of_the_whole(x, half):
    expected = windowed(x, 2 * half, lambda w: w[-1] - w.mean())
    found = height_of_halves(x, height(x, half), half)
    np.testing.assert_allclose(found, expected, atol=1e-12 * abs(x).max())


KERNELS = {
    "rolling_sum": rolling_sum,
    "exponential_mean": lambda x, window: exponential_mean(x, 0.05, window),
    "above_exponential_mean": lambda x, window: above_exponential_mean(x, 0.05, window),
    "height": height,
    "deviation": lambda x, window: above_mean(x, window)[1],
    "mean_absolute_deviation": lambda x, window: mean_absolute_deviation(x, height(x, window), window),
    "highest": highest,
    "bars_since_highest": bars_since_highest,
    "weighted_heights": lambda x, window: weighted_heights(x, np.linspace(1, 2, window)),
    "above_adaptive_mean": lambda x, window: above_adaptive_mean(x, np.sin(x) ** 2 / 3, window - 1),
}


@pytest.mark.parametrize("name", KERNELS)
@given(st.integers(0, 3 * BLOCK), st.integers(2, 300), st.integers(0, 100))
def test_where_a_block_ends_no_value_shows(name, rows, window, seed):
    """A prefix has the same bits, and a row recomputed from its own window alone the same value."""
    x = 1.2 + 1e-4 * np.random.default_rng(seed).integers(-9, 10, 3 * BLOCK).cumsum()
    whole = KERNELS[name](x, window)
    np.testing.assert_array_equal(KERNELS[name](x[:rows], window), whole[:rows])
    assert np.isnan(whole).sum() == np.isnan(whole[:window]).sum() == window - 1
    if rows >= window:
        alone = KERNELS[name](x[rows - window : rows], window)[-1]
        assert alone == pytest.approx(whole[rows - 1], abs=1e-12)


@given(prices, windows)
def test_extremes_are_those_of_the_window(x, window):
    x = np.round(x, 3)  # equal values, so that the latest of them counts
    np.testing.assert_array_equal(highest(x, window), windowed(x, window, np.max))
    np.testing.assert_array_equal(lowest(x, window), windowed(x, window, np.min))
    since = windowed(x, window, lambda w: np.argmax(w[::-1]))
    np.testing.assert_array_equal(bars_since_highest(x, window), since)


def test_a_price_level_costs_no_digits():
    steps = np.random.default_rng(0).integers(-4, 5, 400) / 64  # exact at every level tried
    low, high = above_mean(steps, 20), above_mean(steps + 2.0**24, 20)
    np.testing.assert_array_equal(low, high)
    np.testing.assert_array_equal(height(steps, 20), height(steps + 2.0**24, 20))
    halves = [height_of_halves(x, height(x, 10), 10) for x in (steps, steps + 2.0**24)]
    np.testing.assert_array_equal(*halves)
    np.testing.assert_array_equal(
        above_exponential_mean(steps, 0.1, 60), above_exponential_mean(steps + 2**24, 0.1, 60)
    )


def test_a_large_volume_that_hardly_varies_keeps_its_deviation():
    volume = 1e9 + np.random.default_rng(0).integers(0, 2, 4 * BLOCK)
    exact = np.array(windowed(volume - 1e9, 60, lambda w: (w - w.mean()).std()))
    np.testing.assert_allclose(above_mean(volume, 60)[1], exact, rtol=1e-12)


@pytest.mark.parametrize("window", [50, 59, 64])
def test_a_window_without_movement_gives_exactly_zero_whatever_its_digits(window):
    x = np.concatenate((1e9 * np.exp(np.random.default_rng(0).normal(0, 1, 1500)), np.full(200, 12_345.678)))
    still = 1500 + window
    assert (above_exponential_mean(x, 0.07, window)[still:] == 0).all()
    assert (height(x, window)[still:] == 0).all()
    assert (height_of_halves(x, height(x, window // 2), window // 2)[still:] == 0).all()
    assert (np.array(above_mean(x, window))[:, still:] == 0).all()


def test_a_window_without_movement_gives_exactly_zero():
    x = np.concatenate((20_000 * np.exp(np.random.default_rng(0).normal(0, 0.1, 100)), np.full(100, 12_345.678)))
    assert (above_exponential_mean(x, 0.07, 50)[150:] == 0).all()
    assert (above_mean(x, 50)[0][150:] == 0).all()
    assert (above_mean(x, 50)[1][150:] == 0).all()
    assert (exponential_mean(np.abs(np.diff(x)), 0.07, 50)[150:] == 0).all()


def test_missing_rows_at_the_start_delay_the_first_window():
    x = np.array([np.nan, np.nan, 1.0, 2.0, 3.0])
    np.testing.assert_array_equal(rolling_sum(x, 2), [np.nan, np.nan, np.nan, 3, 5])
    np.testing.assert_array_equal(exponential_mean(3 * x, 0.5, 2), [np.nan, np.nan, np.nan, 5, 8])
    np.testing.assert_array_equal(above_mean(x, 2)[0], [np.nan, np.nan, np.nan, 0.5, 0.5])


@pytest.mark.parametrize("bars", [0, 1, 3, 5, 9])
def test_a_change_begins_where_there_is_a_row_to_change_from(bars):
    x = np.random.default_rng(0).normal(size=5)
    np.testing.assert_array_equal(change_over(x, bars), x - steps_back(x, bars))


@pytest.mark.parametrize("bars", [0, 1, 3, 5, 9])
def test_steps_back_never_reaches_before_the_first_row(bars):
    x = np.arange(5.0)
    expected = [i - bars if i >= bars else np.nan for i in range(5)]
    np.testing.assert_array_equal(steps_back(x, bars), expected)


def test_a_ratio_to_nothing_is_the_stated_value():
    found = ratio(np.array([3.0, 0.0, np.nan]), np.array([0.0, 2.0, 0.0]), otherwise=7.0)
    np.testing.assert_array_equal(found, [7, 0, 7])
