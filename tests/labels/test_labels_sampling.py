import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from farm.labels import Atr, Cusum, Every, Sampling, TripleBarrier, cusum_events, label_quality, threshold_for

seeds = st.integers(0, 2**32 - 1)
ATR = Atr(window=3)


def filtered_by_hand(close, threshold):
    events, rise, fall = [], 0.0, 0.0
    for i in range(1, len(close)):
        change = np.log(close[i]) - np.log(close[i - 1])
        rise, fall = max(0.0, rise + change), min(0.0, fall + change)
        if not threshold[i] > 0:
            rise = fall = 0.0
        elif fall < -threshold[i]:
            fall = 0.0
            events.append(i)
        elif rise > threshold[i]:
            rise = 0.0
            events.append(i)
    return events


@given(seeds, st.sampled_from((0.001, 0.01, 0.05)))
def test_the_filter_is_that_of_the_definition(random_prices, seed, scale):
    close = random_prices(seed, 150)[:, 3]
    rng = np.random.default_rng(seed)
    threshold = scale * rng.random(150)
    threshold[rng.random(150) < 0.1] = np.nan
    assert cusum_events(close, threshold).tolist() == filtered_by_hand(close, threshold)


def test_a_run_of_just_the_threshold_is_no_event():
    step = np.log(101.0) - np.log(100.0)
    assert cusum_events([100.0, 101.0], step).tolist() == cusum_events([101.0, 100.0], step).tolist() == []
    less = np.nextafter(step, 0)
    assert cusum_events([100.0, 101.0], less).tolist() == cusum_events([101.0, 100.0], less).tolist() == [1]


@given(seed=seeds, threshold=st.sampled_from((0.5, 2.0)), start=st.integers(1, 99))
def test_the_filter_starts_again_after_a_hole(make_bars, random_prices, seed, threshold, start):
    bars = make_bars(random_prices(seed, 100), [start])
    width = ATR.of(bars)
    parts = [(0, bars.between(0, start)), (start, bars.between(start, 100))]
    expected = [
        offset + i for offset, part in parts for i in cusum_events(part.close, threshold * ATR.of(part) / part.close)
    ]
    assert Cusum(threshold=threshold).sample(bars, width).tolist() == expected


@given(seed=seeds, now=st.integers(5, 98))
def test_events_do_not_know_what_follows(make_bars, random_prices, seed, now):
    prices = random_prices(seed, 100)
    whole, cut = make_bars(prices), make_bars(prices[: now + 1])
    for sampling in (Cusum(threshold=1.0), Every()):
        found = sampling.sample(whole, ATR.of(whole))
        assert found[found <= now].tolist() == sampling.sample(cut, ATR.of(cut)).tolist()


def test_every_bar_with_a_volatility(make_bars, random_prices):
    bars = make_bars(random_prices(1, 10), [6])
    assert Every().sample(bars, ATR.of(bars)).tolist() == [3, 4, 5, 9]


@given(seed=seeds, limit=st.integers(1, 400))
def test_a_threshold_that_fits(make_bars, random_prices, seed, limit):
    bars = make_bars(random_prices(seed, 400))
    threshold = threshold_for(bars, ATR.of(bars), limit)
    assert len(Cusum(threshold=threshold).sample(bars, ATR.of(bars))) <= limit
    assert threshold == float(f"{threshold:.3g}")


def test_a_threshold_that_fits_is_not_wasteful(make_bars, random_prices):
    bars = make_bars(random_prices(2, 20_000))
    threshold = threshold_for(bars, ATR.of(bars), 1000)
    assert 980 <= len(Cusum(threshold=threshold).sample(bars, ATR.of(bars))) <= 1000


def test_fewer_events_are_more_unique(make_bars, random_prices):
    bars = make_bars(random_prices(3, 5000))
    recipe = TripleBarrier(up=2.0, down=2.0, max_bars=20, volatility=ATR)
    every, some = (
        label_quality(recipe.label(bars, sampling.sample(bars, ATR.of(bars))), recipe)
        for sampling in (Every(), Cusum(threshold=3.0))
    )
    assert some.events < every.events / 2
    assert some.effective_events / some.labelled > 1.5 * every.effective_events / every.labelled


def test_a_section_as_a_person_writes_it():
    adapter = TypeAdapter(Sampling)
    assert adapter.validate_python({"kind": "cusum", "threshold": 1.5}) == Cusum(threshold=1.5)
    assert adapter.validate_python({"kind": "every"}) == Every()


def test_impossible_arguments_are_named(make_bars, random_prices):
    bars = make_bars(random_prices(1, 10))
    with pytest.raises(ValueError, match="threshold is 0"):
        cusum_events([1.0, 2.0], 0)
    with pytest.raises(ValueError, match=r"threshold has shape \(3,\)"):
        cusum_events([1.0, 2.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="finite prices above 0"):
        cusum_events([1.0, -2.0], 0.1)
    with pytest.raises(ValueError, match="limit is 0"):
        threshold_for(bars, ATR.of(bars), 0)
    for sampling in (Every(), Cusum(threshold=1.0)):
        with pytest.raises(ValueError, match="there are 10 bars"):
            sampling.sample(bars, np.ones(9))
