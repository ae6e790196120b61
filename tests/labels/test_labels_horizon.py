import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from farm.bars.timeframe import nanoseconds
from farm.errors import BadInput
from farm.labels import PRESETS, Directional, Horizon, HorizonBarrier, TripleBarrier, bars_in, label_quality

written = TypeAdapter(Horizon).validate_python
timeframes = st.sampled_from(("1min", "5min", "10min", "15min", "20min", "25min", "30min", "45min", "1h", "4h", "1d"))


@pytest.mark.parametrize(
    ("timeframe", "count"), [("1min", 100), ("5min", 20), ("10min", 10), ("20min", 5), ("25min", 4)]
)
def test_h20_is_a_hundred_minutes_on_every_timeframe(timeframe, count):
    assert written("H20") == "100min"
    assert bars_in(written("H20"), timeframe) == count


@given(minutes=st.integers(1, 10_000), timeframe=timeframes)
def test_a_horizon_in_time_never_watches_longer_than_it_says(minutes, timeframe):
    horizon, length = f"{minutes}min", nanoseconds(timeframe)
    if nanoseconds(horizon) < length:
        with pytest.raises(BadInput, match=rf"labels.horizon is {horizon}, shorter than one bar of {timeframe}"):
            bars_in(horizon, timeframe)
    else:
        count = bars_in(horizon, timeframe)
        assert count * length <= nanoseconds(horizon) < (count + 1) * length


@given(count=st.integers(1, 1000), timeframe=timeframes)
def test_a_horizon_in_bars_is_itself(count, timeframe):
    assert bars_in(written(count), timeframe) == count


def test_the_presets_are_bars_of_five_minutes():
    assert list(PRESETS) == ["H1", "H5", "H10", "H15", "H20", "H30", "H60", "H120"]
    for name, time in PRESETS.items():
        assert bars_in(time, "5min") == int(name[1:])


@pytest.mark.parametrize("wrong", ["H21", "20", "5 minutes", "-5min", 0, -3, 2.5, None])
def test_what_is_no_horizon_is_refused(wrong):
    with pytest.raises(ValidationError):
        written(wrong)


def test_a_wrong_name_is_told_the_right_ones():
    with pytest.raises(ValidationError, match=r"'H25' is no horizon; .*did you mean 'H.*known: H1, H10, H120"):
        written("H25")


def test_bars_without_a_length_need_a_horizon_in_bars():
    assert bars_in(20, "dollar") == 20
    with pytest.raises(BadInput, match="no fixed length in time; give it in bars"):
        bars_in("100min", "dollar")


def test_either_bars_or_a_time():
    by_time = TripleBarrier(up=1.0, down=1.0, horizon="H20")
    assert [by_time.bars_watched(timeframe) for timeframe in ("1min", "5min", "1h")] == [100, 20, 1]
    assert TripleBarrier(up=1.0, down=1.0, max_bars=7).bars_watched("5min") == 7
    with pytest.raises(ValidationError, match=r"max_bars or horizon must say.*neither"):
        TripleBarrier(up=1.0, down=1.0)
    with pytest.raises(ValidationError, match=r"max_bars or horizon must say.*both"):
        TripleBarrier(up=1.0, down=1.0, max_bars=7, horizon=7)


def test_a_recipe_written_before_there_were_horizons_keeps_its_digest():
    """Panels and results are found by these; they were taken when ``max_bars`` was the only way."""
    atr, ewma = {"kind": "atr", "window": 14}, {"kind": "ewma", "span": 20}
    first = TripleBarrier(up=2.0, down=2.0, max_bars=50, volatility=atr)
    assert first.digest() == "020075cadbc4b9a9d9c8b76de5a7d6c5"
    second = TripleBarrier(up=2.0, down=1.0, max_bars=50, volatility=ewma, timeout="sign", ambiguous="nearest")
    assert second.digest() == "a3f3c8c7188596882628c91e01c39b9d"


def test_a_horizon_in_time_labels_as_so_many_bars(make_bars, random_prices):
    bars = make_bars(random_prices(3, 300), [150], minutes=5)
    rows = np.arange(300)
    by_time = TripleBarrier(up=2.0, down=2.0, horizon="H5").label(bars, rows)
    by_bars = TripleBarrier(up=2.0, down=2.0, max_bars=5).label(bars, rows)
    np.testing.assert_array_equal(by_time.exit_row, by_bars.exit_row)
    np.testing.assert_array_equal(by_time.label, by_bars.label)


def walk(make_bars, n, minutes):
    """A driftless walk seen through bars of ``minutes``."""
    path = 1e5 + np.cumsum(np.random.default_rng(4).normal(size=n * 10 * minutes)).reshape(n, -1)
    open_ = np.r_[1e5, path[:-1, -1]]
    high, low = np.maximum(path.max(axis=1), open_), np.minimum(path.min(axis=1), open_)
    return make_bars(np.column_stack([open_, high, low, path[:, -1]]), minutes=minutes)


def test_the_reach_leaves_about_the_same_share_neutral_at_every_horizon(make_bars):
    shares, fixed = [], []
    bars = walk(make_bars, 20_000, 5)
    for horizon in (5, 20, 60):
        for recipe, found in (
            (HorizonBarrier(horizon=horizon), shares),
            (TripleBarrier(up=2.0, down=2.0, horizon=horizon), fixed),
        ):
            found.append(label_quality(recipe.label(bars, np.arange(len(bars))), recipe).class_share[1])
    assert max(shares) - min(shares) < 0.1
    assert max(fixed) - min(fixed) > 0.5


def test_a_horizon_barrier_is_a_triple_barrier_at_the_reach(make_bars, random_prices):
    bars = make_bars(random_prices(5, 300), [120], minutes=5)
    rows = np.arange(300)
    preset = HorizonBarrier(horizon=16, reach=0.5).label(bars, rows)
    plain = TripleBarrier(up=2.0, down=2.0, max_bars=16).label(bars, rows)
    np.testing.assert_array_equal(preset.label, plain.label)
    np.testing.assert_array_equal(preset.exit_price, plain.exit_price)


def test_a_horizon_too_short_for_the_bars_says_which_bars(make_bars, random_prices):
    with pytest.raises(BadInput, match=r"labels.horizon is 25min, shorter than one bar of 30min"):
        Directional(horizon="H5").label(make_bars(random_prices(1, 50), minutes=30), np.arange(50))
