"""Every registered feature obeys the laws; what breaks one is named."""

from dataclasses import replace

import numpy as np
import pytest

from farm.features import Feature, registry
from farm.features.laws import (
    causality,
    declared_inputs,
    find_leaks,
    finiteness,
    lookback_parity,
    scale_invariance,
)
from farm.testing.feature import FeatureConformance, random_bars


class TestRegistered(FeatureConformance):
    @pytest.fixture(params=registry().values(), ids=registry().keys())
    def feature(self, request):
        return request.param


@pytest.fixture
def bars(rng):
    return random_bars(rng, [400, 60, 300])


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def planted(compute, **declared):
    declared = {"inputs": ("close",), "lookback": 5, "stationary": False} | declared
    return Feature(name="planted", group="test", source="own", compute=compute, **declared)


def centred_mean(bars):
    return np.convolve(bars.close, np.ones(5) / 5, mode="same")


def whole_sample_score(bars):
    return (bars.close - bars.close.mean()) / bars.close.std()


def next_volume(bars):
    return np.append(bars.volume[1:], bars.volume[-1:])


def bars_left(bars):
    return np.arange(len(bars), 0, -1.0)


@pytest.mark.parametrize("leak", [centred_mean, whole_sample_score, next_volume, bars_left])
def test_a_planted_leak_is_caught_by_name(leak, bars, rng):
    assert find_leaks(leak, bars, rng).name == leak.__name__
    assert causality(planted(leak), bars, rng).name == "planted"


def test_a_function_that_reads_only_the_past_is_not_accused(bars, rng):
    assert find_leaks(lambda bars: np.maximum.accumulate(bars.high), bars, rng) is None


def test_a_longer_memory_than_declared_is_caught(bars, rng):
    assert lookback_parity(planted(lambda bars: np.maximum.accumulate(bars.high)), bars, rng).law == "lookback parity"


def test_a_missing_value_after_the_lookback_is_caught(bars, rng):
    broken = planted(lambda bars: np.where(bars.volume == 0, np.nan, 1.0), inputs=("volume",))
    assert finiteness(broken, bars, rng).law == "finiteness"


def test_an_undeclared_input_is_caught(bars, rng):
    assert declared_inputs(planted(lambda bars: bars.high - bars.close), bars, rng).law == "inputs"


def test_a_price_level_is_caught_when_declared_stationary(bars, rng):
    level = planted(lambda bars: bars.close)
    assert scale_invariance(level, bars, rng) is None
    assert scale_invariance(replace(level, stationary=True), bars, rng).law == "scale invariance"


def test_bars_too_short_to_test_anything_are_refused(rng):
    with pytest.raises(ValueError, match="no value in 10 bars"):
        find_leaks(planted(lambda bars: bars.close, lookback=50), random_bars(rng, [10]), rng)


def test_a_function_of_the_wrong_length_is_refused(bars):
    with pytest.raises(ValueError, match="planted gave shape"):
        planted(lambda bars: bars.close[:-1]).values(bars)
