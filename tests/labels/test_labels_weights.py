import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import (
    Events,
    TripleBarrier,
    average_uniqueness,
    concurrency,
    return_attribution,
    sample_weights,
    time_decay,
)

seeds = st.integers(0, 2**32 - 1)


def labelled(make_bars, prices) -> Events:
    return TripleBarrier(up=2.0, down=2.0, max_bars=15, volatility={"kind": "atr", "window": 5}).label(
        make_bars(prices), np.arange(len(prices))
    )


@given(seeds)
def test_attribution_shares_each_return_among_the_labels_that_earn_it(seed):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 50, 20)
    end = start + rng.integers(0, 9, 20)
    returns = rng.normal(size=60)
    count = concurrency(start, end, 60)
    for include in (False, True):
        parts = [
            abs((returns / np.maximum(count, 1))[s + (not include) : e + 1].sum())
            for s, e in zip(start, end, strict=True)
        ]
        expected = np.array(parts) / np.mean(parts)
        np.testing.assert_allclose(return_attribution(start, end, returns, include_start=include), expected, atol=1e-12)


def test_the_return_of_the_start_bar_was_earned_before_the_entry():
    returns = [0.0, 0.5, 0.01, 0.01, 0.02]
    np.testing.assert_allclose(return_attribution([1, 3], [2, 4], returns), [2 / 3, 4 / 3])
    np.testing.assert_allclose(
        return_attribution([1, 3], [2, 4], returns, include_start=True), [1.02 / 0.54, 0.06 / 0.54]
    )


def test_attribution_without_any_return_weighs_all_alike():
    assert return_attribution([0, 1], [2, 3], np.zeros(4)).tolist() == [1, 1]


def test_attribution_names_what_is_missing():
    with pytest.raises(ValueError, match="log_returns have shape"):
        return_attribution([0], [4], np.zeros(4))
    with pytest.raises(ValueError, match="label 1 covers a bar"):
        return_attribution([0, 1], [1, 3], [np.nan, 0.1, np.nan, 0.1])
    assert return_attribution([0], [1], [np.nan, 0.1]).tolist() == [1]


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=30), st.floats(-0.99, 1))
def test_decay_rises_to_one(uniqueness, c):
    factor = time_decay(uniqueness, c)
    assert factor[-1] == 1
    assert (np.diff(factor) >= 0).all()
    assert (factor >= max(c, 0) - 1e-12).all()


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=30))
def test_no_decay_at_one(uniqueness):
    assert (time_decay(uniqueness, 1) == 1).all()


@pytest.mark.parametrize("c", [-1, 1.1, np.nan])
def test_an_impossible_decay_is_named(c):
    with pytest.raises(ValueError, match="c is"):
        time_decay([1.0], c)


def test_an_impossible_uniqueness_is_named():
    with pytest.raises(ValueError, match="uniqueness must be"):
        time_decay([1.0, np.nan], 0.5)
    assert len(time_decay([], 0.5)) == 0


@given(seeds, st.integers(60, 120))
def test_weights_of_train_rows_do_not_know_the_test_rows(make_bars, random_prices, seed, first_test):
    events = labelled(make_bars, random_prices(seed, 200))
    train = np.flatnonzero(events.labelled & (events.exit_row < first_test))
    alone = events.take(train)
    assert sample_weights(events, train).tolist() == sample_weights(alone, np.arange(len(train))).tolist()
    # and they would notice: weights made over all rows differ
    everything = average_uniqueness(events.row + 1, events.exit_row)[train]
    assert not np.allclose(sample_weights(events, train), everything / everything.mean(), rtol=1e-6)


@given(seeds)
def test_weights_count_the_bars_watched(make_bars, random_prices, seed):
    events = labelled(make_bars, random_prices(seed, 200))
    rows = np.flatnonzero(events.labelled)[::3]
    each = average_uniqueness(events.row[rows] + 1, events.exit_row[rows])
    np.testing.assert_allclose(sample_weights(events, rows), each / each.mean())


@given(seeds)
def test_weights_average_one(make_bars, random_prices, seed):
    prices = random_prices(seed, 200)
    events = labelled(make_bars, prices)
    rows = np.flatnonzero(events.labelled)
    returns = np.diff(np.log(prices[:, 3]), prepend=np.nan)
    for weights in (sample_weights(events, rows), sample_weights(events, rows, log_returns=returns)):
        assert weights.shape == rows.shape
        assert weights.mean() == pytest.approx(1)
        assert (weights >= 0).all()


@given(seeds, st.integers(30, 190))
def test_uniqueness_of_ended_events_does_not_know_later_bars(make_bars, random_prices, seed, now):
    prices = random_prices(seed, 200)
    whole, cut = labelled(make_bars, prices), labelled(make_bars, prices[: now + 1])
    one, other = (average_uniqueness(e.row + 1, e.exit_row)[e.labelled & (e.exit_row <= now)] for e in (whole, cut))
    assert one.tolist() == other.tolist()
