"""What each kind of labels says of a path drawn by hand, and of many drawn at random."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.stats import linregress

from farm.errors import BadInput
from farm.labels import (
    AdaptiveBarrier,
    Atr,
    Directional,
    Labels,
    Regression,
    Threshold,
    TrendScanning,
    TripleBarrier,
    held_events,
    strongest_trend,
)

seeds = st.integers(0, 2**32 - 1)
ATR = {"kind": "atr", "window": 3}
CALM = [[10, 10.5, 9.5, 10]] * 4  # an ATR of 1, known at the last


def path(make_bars, *closes):
    """Calm bars, then one bar for each close, opening where the one before closed."""
    opens = (10.0, *closes[:-1])
    return make_bars(CALM + [[o, max(o, c), min(o, c), c] for o, c in zip(opens, closes, strict=True)])


def one(recipe, bars):
    return recipe.label(bars, np.array([3]))


@pytest.mark.parametrize(("last", "label"), [(10.1, 1), (9.9, -1)])
def test_direction_is_the_sign_at_the_horizon_whatever_came_between(make_bars, last, label):
    event = one(Directional(horizon=3, volatility=ATR), path(make_bars, 15, 5, last, 20))
    assert (event.label, event.target, event.exit_row, event.exit_price) == (label, label, 6, last)
    assert event.entry_price == 10.0
    assert event.touch == 0


def test_a_price_that_came_back_has_no_direction(make_bars):
    event = one(Directional(horizon=3, volatility=ATR), path(make_bars, 15, 5, 10, 20))
    assert not event.labelled
    assert np.isnan(event.target)


@pytest.mark.parametrize(("last", "label"), [(12.0, 1), (11.9, 0), (8.1, 0), (8.0, -1), (10.0, 0)])
def test_a_threshold_counts_moves_at_least_as_large(make_bars, last, label):
    event = one(Threshold(horizon=2, threshold=2.0, volatility=ATR), path(make_bars, 30, last))
    assert (event.label, event.labelled) == (label, True)


def test_regression_learns_the_return_in_units_of_volatility(make_bars):
    event = one(Regression(horizon=2, volatility=ATR), path(make_bars, 30, 12))
    assert event.target == pytest.approx(math.log(1.2) * 10)
    assert event.label == 1
    clipped = one(Regression(horizon=2, clip=1.0, volatility=ATR), path(make_bars, 30, 12))
    assert clipped.target == pytest.approx(math.sqrt(2))
    still = one(Regression(horizon=2, volatility=ATR), path(make_bars, 30, 10))
    assert (still.target, still.label, still.labelled) == (0.0, 0, True)


def test_what_a_hole_cuts_off_ends_before_it(make_bars):
    bars = make_bars([*CALM, *CALM, *CALM], [6])
    events = held_events(bars, np.arange(12), volatility=np.ones(12), max_bars=3)
    assert events.row.tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert events.exit_row.tolist() == [3, 4, 5, 5, 5, 9, 10, 11, 11, 11]
    assert events.labelled.tolist() == [True, True, True, False, False] * 2


@given(seed=seeds, shortest=st.integers(2, 6), longest=st.integers(6, 25))
def test_the_strongest_trend_is_that_of_least_squares(seed, shortest, longest):
    rng = np.random.default_rng(seed)
    close = 100 + np.cumsum(rng.normal(size=60))
    rows = np.arange(0, 60 - longest, 9)
    expected = []
    for i in rows:
        fits = [linregress(np.arange(k + 1), close[i : i + k + 1]) for k in range(shortest, longest + 1)]
        t = [fit.slope / fit.stderr for fit in fits]
        expected.append(max(t, key=abs))
    np.testing.assert_allclose(strongest_trend(close, rows, shortest, longest), expected, rtol=1e-6)


def test_a_straight_line_is_the_strongest_trend_and_a_standstill_none():
    line = np.array([1.0, 1.1, 1.2, 1.3, 1.4])
    assert strongest_trend(line, np.array([0]), 2, 4).tolist() == [math.inf]
    assert strongest_trend(line[::-1], np.array([0]), 2, 4).tolist() == [-math.inf]
    assert strongest_trend(np.full(5, 7.3), np.array([0]), 2, 4).tolist() == [0.0]


def test_a_trend_ends_with_the_horizon_not_with_itself(make_bars):
    # four bars of a perfect rise, then a fall: the rise wins, but that is known only at the end
    bars = path(make_bars, 11, 12, 13, 14, 9, 8, 7, 6)
    event = one(TrendScanning(horizon=8, shortest=4, volatility=ATR), bars)
    assert (event.label, event.exit_row, event.exit_price) == (1, 11, 6.0)
    assert event.ret < 0


def test_a_weak_trend_is_neutral_only_where_asked(make_bars):
    bars = path(make_bars, 10.5, 9.8, 10.4, 9.7, 10.6, 9.9)
    plain = one(TrendScanning(horizon=6, shortest=3, volatility=ATR), bars)
    assert abs(plain.label) == 1
    neutral = one(TrendScanning(horizon=6, shortest=3, neutral_below=50.0, volatility=ATR), bars)
    assert (neutral.label, neutral.labelled) == (0, True)
    still = path(make_bars, *[10.0] * 6)
    assert not one(TrendScanning(horizon=6, volatility=ATR), still).labelled
    assert one(TrendScanning(horizon=6, neutral_below=1.0, volatility=ATR), still).labelled


def test_a_horizon_shorter_than_the_shortest_trend_is_refused(make_bars):
    with pytest.raises(BadInput, match=r"labels.horizon is 4, 4 bars of 1min, fewer than labels.shortest = 5"):
        one(TrendScanning(horizon=4, volatility=ATR), path(make_bars, 11))


@given(seed=seeds)
def test_adaptive_barriers_stand_where_the_regime_says(make_bars, random_prices, seed):
    bars = make_bars(random_prices(seed, 200), [90])
    recipe = AdaptiveBarrier(up=2.0, down=2.0, horizon=8, calm=0.5, wild=3.0, window=20, volatility=ATR)
    volatility = Atr(window=3).of(bars)
    factor = recipe.factor(bars, volatility)
    for first, last in ((0, 90), (90, 200)):
        for i in range(first, last):
            seen = volatility[max(first, i - 19) : i + 1]
            if len(seen) < 20 or np.isnan(seen).any():
                assert np.isnan(factor[i])
            else:
                assert factor[i] == (3.0 if volatility[i] > np.median(seen) else 0.5)
    events = recipe.label(bars, np.arange(200))
    assert not np.isnan(factor[events.row]).any()
    for regime, times in (("calm", 0.5), ("wild", 3.0)):
        inside = factor[events.row] == times
        fixed = TripleBarrier(up=2.0 * times, down=2.0 * times, max_bars=8, volatility=ATR)
        plain = fixed.label(bars, events.row[inside])
        np.testing.assert_array_equal(plain.label, events.label[inside], err_msg=regime)
        np.testing.assert_array_equal(plain.exit_price, events.exit_price[inside], err_msg=regime)
        np.testing.assert_array_equal(plain.volatility, events.volatility[inside], err_msg=regime)


def test_equal_factors_are_no_regimes(make_bars, random_prices):
    bars = make_bars(random_prices(2, 300))
    adaptive = AdaptiveBarrier(up=1.0, down=2.0, horizon=9, calm=1.0, wild=1.0, window=20).label(bars, np.arange(300))
    plain = TripleBarrier(up=1.0, down=2.0, max_bars=9).label(bars, adaptive.row)
    np.testing.assert_array_equal(plain.label, adaptive.label)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"kind": "triple_barrier", "up": 2, "down": 2, "horizon": "H20"}, "TripleBarrier"),
        ({"kind": "horizon_barrier", "horizon": "H20"}, "HorizonBarrier"),
        ({"kind": "adaptive_barrier", "up": 2, "down": 2, "horizon": 20}, "AdaptiveBarrier"),
        ({"kind": "directional", "horizon": "2h"}, "Directional"),
        ({"kind": "threshold", "horizon": 5, "threshold": 1}, "Threshold"),
        ({"kind": "regression", "horizon": 5}, "Regression"),
        ({"kind": "trend_scanning", "horizon": "H20"}, "TrendScanning"),
    ],
)
def test_a_kind_is_chosen_by_name(written, kind):
    recipe = TypeAdapter(Labels).validate_python(written)
    assert type(recipe).__name__ == kind
    assert recipe.learns == ("number" if kind == "Regression" else "class")
    assert recipe.entry == "next_open"
    with pytest.raises(ValidationError, match="unknown key 'horizn'"):
        TypeAdapter(Labels).validate_python({**written, "horizn": 3})


def test_there_is_no_other_kind():
    with pytest.raises(ValidationError, match="trend_scanning"):
        TypeAdapter(Labels).validate_python({"kind": "oracle"})
