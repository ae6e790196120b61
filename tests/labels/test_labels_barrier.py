import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.labels import triple_barrier

RULES = ("stop_first", "gap_then_stop", "nearest")
MULTIPLES = (0.25, 0.5, 1.0, 1.5, 2.0, 8.0)

settings_of_a_recipe = st.fixed_dictionaries(
    {
        "up": st.sampled_from(MULTIPLES),
        "down": st.sampled_from(MULTIPLES),
        "max_bars": st.sampled_from((1, 2, 5, 20, 150, 400)),
        "entry": st.sampled_from(("next_open", "close")),
        "ambiguous": st.sampled_from(RULES),
    }
)
seeds = st.integers(0, 2**32 - 1)


def frame(prices):
    return pd.DataFrame(prices, columns=["open", "high", "low", "close"])


def widths(seed, n):
    """Volatilities in quarters, a few of them unusable."""
    rng = np.random.default_rng(seed + 1)
    width = rng.integers(1, 12, n) * 0.25
    bad = rng.random(n) < 0.1
    width[bad] = rng.choice([np.nan, 0.0, -1.0, np.inf], bad.sum())
    return width


def told_by_hand(prices, width, up, down, max_bars, entry, ambiguous):
    """The definition, bar by bar: rows of (position, end, label, return, touch, ambiguous)."""
    rows = []
    for i in range(len(prices) - 1):
        if not (width[i] > 0 and math.isfinite(width[i])):
            continue
        start = prices[i + 1][0] if entry == "next_open" else prices[i][3]
        upper, lower = start + up * width[i], start - down * width[i]
        found = None
        for j in range(i + 1, min(i + max_bars, len(prices) - 1) + 1):
            open_, high, low, close = prices[j]
            if high < upper and low > lower:
                if j == i + max_bars:
                    found = (j, 0, close, "time", False)
                continue
            both = high >= upper and low <= lower
            if not both:
                side = 1 if high >= upper else -1
            elif ambiguous == "stop_first":
                side = -1
            elif open_ >= upper:
                side = 1
            elif open_ <= lower or ambiguous == "gap_then_stop":
                side = -1
            else:
                side = 1 if upper - open_ < open_ - lower else -1
            exit_ = max(upper, open_) if side == 1 else min(lower, open_)
            found = (j, side, exit_, "up" if side == 1 else "down", both)
            break
        if found:
            end, label, exit_, touch, both = found
            rows.append((i, end, label, math.log(exit_ / start), touch, both))
    return rows


@given(seed=seeds, n=st.integers(2, 300), recipe=settings_of_a_recipe, threads=st.integers(1, 3))
def test_labels_are_those_of_the_definition(random_prices, seed, n, recipe, threads):
    prices, width = random_prices(seed, n), widths(seed, n)
    found = triple_barrier(frame(prices), volatility=width, threads=threads, **recipe)
    told = told_by_hand(prices, width, **recipe)
    assert found.index.tolist() == [row[0] for row in told]
    for name, k in (("end", 1), ("label", 2), ("touch", 4), ("ambiguous", 5)):
        assert found[name].tolist() == [row[k] for row in told]
    np.testing.assert_allclose(found["ret"], [row[3] for row in told], rtol=1e-14, atol=1e-16)


@given(seed=seeds, recipe=settings_of_a_recipe, power=st.integers(-8, 8))
def test_the_scale_of_prices_changes_no_label(random_prices, seed, recipe, power):
    prices, width, scale = random_prices(seed, 120), widths(seed, 120), 2.0**power
    pd.testing.assert_frame_equal(
        triple_barrier(frame(prices), volatility=width, **recipe),
        triple_barrier(frame(prices * scale), volatility=width * scale, **recipe),
    )


@given(seed=seeds, recipe=settings_of_a_recipe)
def test_mirrored_prices_mirror_the_labels_that_no_rule_decides(random_prices, seed, recipe):
    prices, width = random_prices(seed, 120), widths(seed, 120)
    mirrored = 1000.0 - prices[:, [0, 2, 1, 3]]
    recipe = {**recipe, "down": recipe["up"]}
    one = triple_barrier(frame(prices), volatility=width, **recipe)
    other = triple_barrier(frame(mirrored), volatility=width, **recipe)
    assert one.index.equals(other.index)
    pd.testing.assert_series_equal(one["end"], other["end"])
    pd.testing.assert_series_equal(one["ambiguous"], other["ambiguous"])
    clear = ~one["ambiguous"]
    assert (one["label"][clear] == -other["label"][clear]).all()


@given(seed=seeds, recipe=settings_of_a_recipe, now=st.integers(20, 100))
def test_labels_that_have_ended_do_not_know_what_follows(random_prices, seed, recipe, now):
    prices, width = random_prices(seed, 120), widths(seed, 120)
    whole = triple_barrier(frame(prices), volatility=width, **recipe)
    cut = triple_barrier(frame(prices[: now + 1]), volatility=width[: now + 1], **recipe)
    changed = prices.copy()
    changed[now + 1 :] = random_prices(seed + 1, 120)[now + 1 :]
    other = triple_barrier(frame(changed), volatility=width, **recipe)
    ended = whole[whole["end"] <= now]
    pd.testing.assert_frame_equal(cut, ended)
    pd.testing.assert_frame_equal(other[other["end"] <= now], ended)


def test_a_random_walk_meets_up_and_down_equally_often():
    rng = np.random.default_rng(3)
    steps = rng.normal(size=(400_000, 1)) * 0.02
    close = 1000 + np.cumsum(steps)
    flat = frame(np.column_stack([close] * 4))
    found = triple_barrier(flat, up=2.0, down=2.0, max_bars=200, volatility=np.full(len(close), 0.05), entry="close")
    touched = found[found["touch"] != "time"]
    # neighbouring labels share bars: count those that do not overlap
    apart = touched[touched.index.to_numpy() % 200 == 0]["label"]
    assert len(apart) > 1500
    assert abs(apart.mean()) < 3 / math.sqrt(len(apart))


def test_exit_is_at_the_open_of_a_bar_that_opened_beyond():
    prices = [[10, 10, 10, 10], [10, 10.5, 9.5, 10], [12, 12.5, 11.5, 12], [8, 8, 8, 8]]
    found = triple_barrier(frame(prices), up=1, down=1, max_bars=3, volatility=[1.0] * 4)
    assert found["end"].tolist() == [2, 3]
    np.testing.assert_allclose(np.exp(found["ret"]), [1.2, 8 / 12])


@pytest.mark.parametrize(
    ("rule", "label", "exit_"), [("stop_first", -1, 9), ("gap_then_stop", 1, 11.5), ("nearest", 1, 11.5)]
)
def test_a_bar_that_gaps_up_and_falls_through_both_barriers(rule, label, exit_):
    prices = [[10, 10, 10, 10], [10, 10, 10, 10], [11.5, 12, 8, 8]]
    found = triple_barrier(frame(prices), up=1, down=1, max_bars=2, volatility=[1.0] * 3, ambiguous=rule)
    assert found["label"][0] == label
    assert found["ambiguous"][0]
    assert math.exp(found["ret"][0]) == pytest.approx(exit_ / 10)


def test_the_lower_multiple_is_not_replaced_by_the_upper():
    prices = [[10, 10, 10, 10], [10, 10, 10, 10], [10, 10, 8.5, 9.4]]
    found = triple_barrier(frame(prices), up=3, down=1, max_bars=2, volatility=[1.0] * 3)
    assert found["label"].tolist() == [-1, -1]


def test_no_bars_give_no_labels():
    assert triple_barrier(frame(np.empty((0, 4))), up=1, down=1, max_bars=2, volatility=[]).empty
    assert triple_barrier(frame([[1, 1, 1, 1]]), up=1, down=1, max_bars=2, volatility=[1.0]).empty


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"up": 0}, "up is 0"),
        ({"down": -1}, "down is -1"),
        ({"down": math.nan}, "down is nan"),
        ({"max_bars": 0}, "max_bars is 0"),
        ({"max_bars": 1.5}, "max_bars is 1.5"),
        ({"entry": "open"}, "entry is 'open'"),
        ({"ambiguous": "never"}, "ambiguous is 'never'"),
        ({"volatility": [1.0]}, "volatility has shape"),
        ({"bars": frame([[1, 1, 1, 1], [1, 1, 2, 1], [1, 1, 1, 1]])}, "row 1 of bars"),
        ({"bars": frame([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, math.nan]])}, "row 2 of bars"),
        ({"bars": frame([[0, 1, 0, 1], [1, 1, 1, 1], [1, 1, 1, 1]])}, "row 0 of bars"),
        ({"bars": pd.DataFrame({"close": [1.0]})}, "no column open, high, low"),
    ],
)
def test_an_impossible_argument_is_named(change, message):
    given_ = {"bars": frame(np.ones((3, 4))), "up": 1, "down": 1, "max_bars": 2, "volatility": np.ones(3), **change}
    with pytest.raises(ValueError, match=message):
        triple_barrier(given_.pop("bars"), **given_)
