"""Higher timeframes shrunk by reliability: the laws hold, noise goes, a signal stays."""

import numpy as np
import pytest

from farm.bars.calendar import AlwaysOpen
from farm.bars.resample import resample
from farm.features import Feature, FeatureRecipe, registry
from farm.features.feature import SESSION
from farm.features.laws import causality, find_table_leaks, finiteness, lookback_parity, scale_invariance
from farm.features.shrink import WINDOW, shrunk
from farm.testing.feature import random_bars

READ_HIGHER = [name for name, feature in registry().items() if feature.group != SESSION]


@pytest.mark.parametrize("name", READ_HIGHER)
def test_every_feature_keeps_the_laws_when_it_is_shrunk(name):
    feature = shrunk(registry()[name], "15min")
    bars = random_bars(np.random.default_rng(7), [2 * feature.lookback + 200, 50, feature.lookback + 100])
    for law in (causality, lookback_parity, finiteness, scale_invariance):
        violation = law(feature, bars, np.random.default_rng(11))
        assert violation is None, str(violation)


def reading(values):
    column = Feature(name="made", group="test", lookback=1, inputs=(), source="own", compute=lambda bars: values)
    found = shrunk(column, "15min").values(random_bars(np.random.default_rng(0), [len(values)]))
    return found[WINDOW - 1 :], values[WINDOW - 1 :]


def trailing_mean(values):
    return np.convolve(values, np.ones(WINDOW) / WINDOW, mode="valid")


def test_noise_is_left_with_its_mean():
    noise = np.random.default_rng(1).normal(size=4000)
    found, given = reading(noise)
    moved = np.std(found - trailing_mean(noise)) / np.std(given)
    assert moved < 0.2


def test_a_signal_that_drifts_stays():
    found, given = reading(np.sin(np.arange(4000) / 20))
    np.testing.assert_allclose(found, given, atol=0.01)


def test_the_signal_is_guessed_better_than_by_the_reading():
    """A slow wave under noise as large as itself: the share kept is a half, the guess is nearer than the reading."""
    signal = np.sqrt(2) * np.sin(np.arange(20_000) / 8)
    found, given = reading(signal + np.random.default_rng(2).normal(size=20_000))
    truth, mean = signal[WINDOW - 1 :], trailing_mean(signal)
    kept = np.polyfit(given - mean, found - mean, 1)[0]
    assert kept == pytest.approx(0.5, abs=0.05)
    assert np.mean((found - truth) ** 2) < 0.7 * np.mean((given - truth) ** 2)


def test_a_column_that_stands_still_stays_where_it_is():
    found, given = reading(np.full(200, 0.1))
    np.testing.assert_array_equal(found, given)


@pytest.fixture(scope="module")
def base():
    return random_bars(np.random.default_rng(1), [2600, 100], "5min")


@pytest.fixture(scope="module")
def higher(base):
    return {"15min": resample(base, "15min", AlwaysOpen())}


class TestInARecipe:
    recipe = FeatureRecipe(preset="small", timeframes=("15min",), shrink="reliability")

    def test_only_higher_timeframes_change_and_need_more_bars(self, base, higher):
        plain = FeatureRecipe(preset="small", timeframes=("15min",))
        before, after = plain.table(base, higher), self.recipe.table(base, higher)
        assert after.names == before.names
        own = len(self.recipe.features)
        np.testing.assert_array_equal(after.values[:, :own], before.values[:, :own])
        assert (after.values[after.valid, own] != before.values[after.valid, own]).any()
        assert after.lookback["log_return_1@15min"] == 2 + 59
        assert after.valid.sum() < before.valid.sum()

    def test_no_column_reads_what_was_not_available(self, base, higher):
        assert find_table_leaks(self.recipe.table, base, higher, np.random.default_rng(4), cuts=5) is None

    def test_is_a_choice_of_its_own(self):
        assert self.recipe.digest() != FeatureRecipe(preset="small", timeframes=("15min",)).digest()
