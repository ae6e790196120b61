import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import (
    AdaptiveBarrier,
    Directional,
    HorizonBarrier,
    Regression,
    Threshold,
    TrendScanning,
    TripleBarrier,
    average_uniqueness,
    label_quality,
)

ATR = {"kind": "atr", "window": 3}


@given(st.integers(0, 2**32 - 1), st.sampled_from(("neutral", "sign", "regression")))
def test_shares_and_counts_add_up(make_bars, random_prices, seed, timeout):
    bars = make_bars(random_prices(seed, 200), [90])
    recipe = TripleBarrier(up=1.0, down=1.0, max_bars=4, volatility=ATR, timeout=timeout)
    events = recipe.label(bars, np.arange(200))
    found = label_quality(events, recipe)
    done = events.take(events.labelled)
    assert found.events == found.labelled + found.unlabelled == len(events)
    assert sum(found.class_share) == pytest.approx(1)
    assert sum(found.touch_share) == pytest.approx(1)
    assert found.class_share[2] == pytest.approx((done.label == 1).mean())
    assert found.up_share == pytest.approx(found.touch_share[2] / (found.touch_share[0] + found.touch_share[2]))
    assert found.ambiguous_share == pytest.approx(done.ambiguous.mean())
    assert found.effective_events == pytest.approx(average_uniqueness(done.row + 1, done.exit_row).sum())
    assert 0 < found.effective_events <= found.labelled
    assert found.holding_bars[0] >= 1
    assert found.holding_bars[-1] <= 4
    assert list(found.holding_bars) == sorted(found.holding_bars)


def test_the_share_that_finer_bars_decided(make_bars):
    calm = [[10, 10.5, 9.5, 10]] * 5
    bars = make_bars([*calm, [10, 12, 8, 10]], minutes=5)
    finer = make_bars([[10, 10, 10, 10]] * 25 + [[10, 12, 10, 12], [12, 12, 8, 8], *[[8, 10, 8, 10]] * 3])
    recipe = TripleBarrier(up=1.0, down=1.0, max_bars=1, volatility=ATR)
    assert label_quality(recipe.label(bars, np.array([4])), recipe).resolved_share == 0
    assert label_quality(recipe.label(bars, np.array([4]), finer), recipe).resolved_share == 1


def test_no_labels_have_no_shares(make_bars):
    recipe = TripleBarrier(up=3.0, down=1.0, max_bars=4, volatility=ATR)
    found = label_quality(recipe.label(make_bars([[10, 10.5, 9.5, 10]] * 5), np.arange(5)), recipe)
    assert (found.events, found.labelled, found.unlabelled, found.effective_events) == (1, 0, 1, 0)
    assert (
        found.class_share is found.touch_share is found.up_share is found.holding_bars is found.ambiguous_share is None
    )
    assert found.up_share_z is found.target_points is None
    assert found.implied_null_share == 0.25


@pytest.mark.parametrize(
    "recipe",
    [
        HorizonBarrier(horizon=9, volatility=ATR),
        AdaptiveBarrier(up=1.0, down=1.0, horizon=9, window=20, volatility=ATR),
        Directional(horizon=9, volatility=ATR),
        Threshold(horizon=9, threshold=1.0, volatility=ATR),
        Regression(horizon=9, volatility=ATR),
        TrendScanning(horizon=9, volatility=ATR),
    ],
    ids=lambda recipe: recipe.kind,
)
def test_every_kind_is_summed_up(make_bars, random_prices, recipe):
    bars = make_bars(random_prices(4, 400), [190])
    events = recipe.label(bars, np.arange(400))
    found = label_quality(events, recipe)
    done = events.take(events.labelled)
    side = done.touch if recipe.touches else done.label
    assert (found.kind, found.learns, found.implied_null_share) == (recipe.kind, recipe.learns, 0.5)
    assert found.up_share == pytest.approx((side == 1).sum() / (side != 0).sum())
    assert sum(found.class_share) == pytest.approx(sum(found.touch_share)) == pytest.approx(1)
    assert found.target_points[2] == pytest.approx(np.median(done.target))
    assert 0 < found.effective_events < found.labelled
    if not recipe.touches:
        assert found.touch_share == (0, 1, 0)
        assert found.holding_bars == (9, 9, 9, 9, 9)
        assert found.effective_events == pytest.approx(len(done) / 9, rel=0.1)
        assert (found.ambiguous_share, found.resolved_share) == (0, None)


def test_the_share_of_up_is_told_in_standard_errors_of_independent_events(make_bars):
    rng = np.random.default_rng(12)
    recipe = Directional(horizon=4, volatility=ATR)
    scores = []
    for _ in range(200):
        close = 1e4 + np.cumsum(rng.normal(size=400))
        found = label_quality(recipe.label(make_bars(np.column_stack([close] * 4)), np.arange(400)), recipe)
        scores.append(found.up_share_z)
    assert abs(np.mean(scores)) < 4 / np.sqrt(200)
    assert 0.6 < np.std(scores) < 1.3  # taken as independent, the overlapping labels would give about 2
    rising = 1e4 + np.cumsum(rng.normal(0.3, 1, size=400))
    assert label_quality(recipe.label(make_bars(np.column_stack([rising] * 4)), np.arange(400)), recipe).up_share_z > 3
