"""Sliding and filtering kernels against recursions written out, and regimes against markets made to order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars.frame import Bars
from farm.bars.timeframe import HOUR
from farm.features import registry
from farm.features.filters import parabolic_stop, share_below, weighted_heights
from farm.features.fractional import fractional_difference
from farm.features.sliding import above_adaptive_mean, filtered_probability
from farm.features.wavelets import DAUBECHIES, multiresolution, reach

seeds, windows = st.integers(0, 10_000), st.integers(2, 30)


def walk(seed, n=90, level=20_000.0):
    return level * (1 + 1e-4 * np.random.default_rng(seed).normal(size=n).cumsum())


@given(seeds, windows)
def test_the_adaptive_mean_begins_a_window_back(seed, window):
    x, share = walk(seed), np.random.default_rng(seed).random(90)
    share[:3] = np.nan
    found = above_adaptive_mean(x, share, window)
    assert np.isnan(found[: window + 2]).all()
    for i in range(window + 2, len(x)):
        mean = x[i - window]
        for j in range(i - window + 1, i + 1):
            mean += share[j] * (x[j] - mean)
        assert found[i] == pytest.approx(x[i] - mean, abs=1e-9)


@given(seeds, windows)
def test_the_filter_is_bayes_rule_from_the_long_run_share(seed, window):
    odds = np.random.default_rng(seed).normal(0, 3, size=60)
    found = filtered_probability(odds, 0.9, 0.8, window)
    for i in range(window - 1, len(odds)):
        p = 0.1 / 0.3
        for j in range(i - window + 1, i + 1):
            p = (1 - p) * 0.1 + p * 0.8
            p = p * np.exp(odds[j]) / (1 - p + p * np.exp(odds[j]))
        assert found[i] == pytest.approx(p, abs=1e-12)


def test_the_filter_bears_overwhelming_evidence():
    odds = np.tile([50.0, -50.0], 300)
    assert np.isfinite(filtered_probability(odds, 0.98, 0.95, 100)[99:]).all()


@given(seeds, windows)
def test_weighted_heights_and_ranks_are_those_of_the_window(seed, window):
    x, weights = walk(seed), np.random.default_rng(seed).normal(size=window)
    heights, ranks = weighted_heights(x, weights), share_below(np.round(x), window)
    for i in range(window - 1, len(x)):
        before = x[i - window + 1 : i + 1][::-1]
        assert heights[i] == pytest.approx(weights @ (before - x[i]), abs=1e-8)
        others = np.round(before[1:])
        expected = ((others < np.round(x[i])).mean() + (others <= np.round(x[i])).mean()) / 2
        assert ranks[i] == pytest.approx(expected)


def test_the_whole_difference_is_the_return_and_none_is_the_price():
    x = walk(3)
    np.testing.assert_allclose(fractional_difference(x, 1.0)[1:], np.diff(x), atol=1e-9)
    np.testing.assert_allclose(fractional_difference(x, 0.0), x)


def test_a_stop_stays_behind_a_trend_and_turns_with_it():
    high = np.concatenate((np.arange(100.0, 140.0), np.arange(139.0, 119.0, -1.0)))
    stop = parabolic_stop(high, high - 1, 15)
    assert (stop[14:40] < high[14:40] - 1).all()
    assert stop[-1] > high[-1]


class TestWavelets:
    def test_a_prefix_has_the_same_bits(self):
        x = np.random.default_rng(0).normal(size=500)
        whole, cut = multiresolution(x, DAUBECHIES, 4), multiresolution(x[:300], DAUBECHIES, 4)
        np.testing.assert_array_equal(whole[:, :300], cut)

    def test_scales_of_noise_halve(self):
        x = np.random.default_rng(0).normal(size=200_000)
        energy = np.nanmean(multiresolution(x, DAUBECHIES, 4) ** 2, axis=1)
        np.testing.assert_allclose(energy, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16], rtol=0.05)

    def test_no_detail_in_a_straight_line(self):
        parts = multiresolution(np.arange(100.0), DAUBECHIES, 3)
        np.testing.assert_allclose(parts[:3, reach(3) :], 0, atol=1e-12)

    def test_a_level_begins_when_its_reach_is_complete(self):
        parts = multiresolution(np.ones(100), DAUBECHIES, 4)
        assert [int(np.isnan(row).sum()) for row in parts] == [reach(j) - 1 for j in (1, 2, 3, 4, 4)]


def market(returns):
    close = 100 * np.exp(np.cumsum(returns))
    open_ = np.r_[100.0, close[:-1]]
    at = np.arange(len(close)) * HOUR
    span = {"open": open_, "high": np.maximum(open_, close), "low": np.minimum(open_, close), "close": close}
    return Bars(
        "MADE", "1h", at, at + HOUR, **span, volume=np.ones(len(close)), session=at // (24 * HOUR), segment=at * 0
    )


def values(name, bars):
    found = registry()[name].values(bars)
    return found[~np.isnan(found)]


class TestRegimes:
    def test_a_random_walk_has_half_the_exponent_and_a_trend_more(self):
        rng = np.random.default_rng(1)
        noise = rng.normal(0, 0.01, 20_000)
        trending = np.convolve(noise, np.ones(30) / 30, mode="valid")
        turning = np.diff(noise)
        assert values("hurst_128", market(noise)).mean() == pytest.approx(0.5, abs=0.03)
        assert values("variance_ratio_5_60", market(noise)).mean() == pytest.approx(1.0, abs=0.03)
        assert values("hurst_128", market(trending)).mean() > 0.8
        assert values("hurst_128", market(turning)).mean() < 0.2

    def test_wild_stretches_are_told_from_calm_ones(self):
        wild = np.arange(6000) % 200 < 50
        returns = np.random.default_rng(2).normal(0, 0.01, 6000) * np.where(wild, 3.0, 1.0)
        found = registry()["hmm_turbulent"].values(market(returns))
        inside, outside = found[wild & (np.arange(6000) > 400)], found[~wild & (np.arange(6000) > 400)]
        assert inside.mean() > 0.7 > 0.3 > outside.mean()

    def test_the_state_leans_to_the_drift(self):
        rising = np.arange(6000) % 400 < 200
        returns = np.random.default_rng(3).normal(0, 0.01, 6000) + np.where(rising, 0.003, -0.003)
        found = registry()["hmm_rising"].values(market(returns))[400:]
        assert found[rising[400:]].mean() > 0.6 > 0.4 > found[~rising[400:]].mean()

    def test_a_jump_is_not_confirmed_by_its_neighbours(self):
        returns = np.random.default_rng(4).normal(0, 0.001, 500)
        calm = values("jump_share_20", market(returns))[-10:].mean()
        returns[-5] = 0.05
        assert values("jump_share_20", market(returns))[-1] > 0.8 > calm
