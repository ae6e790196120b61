import math
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from farm.labels import Atr, Events, Ewma, TripleBarrier, triple_barrier

seeds = st.integers(0, 2**32 - 1)
entries = st.sampled_from(("next_open", "close"))
rules = st.sampled_from(("stop_first", "gap_then_stop", "nearest"))
ATR = {"kind": "atr", "window": 3}
FLAT = [10, 10, 10, 10]


def every(bars):
    return np.arange(len(bars))


def same(one: Events, other: Events):
    for field in fields(Events):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def steady(ranges: float = 1.0, n: int = 5):
    """Bars that end at 10 with a true range of ``ranges``: an ATR of just that."""
    return [[10, 10 + ranges / 2, 10 - ranges / 2, 10]] * n


@given(seed=seeds, entry=entries, rule=rules, max_bars=st.sampled_from((1, 4, 30)), starts=st.sets(st.integers(1, 119)))
def test_every_segment_is_labelled_as_if_it_were_alone(make_bars, random_prices, seed, entry, rule, max_bars, starts):
    prices = random_prices(seed, 120)
    bars = make_bars(prices, sorted(starts))
    recipe = TripleBarrier(up=2.0, down=1.5, max_bars=max_bars, volatility=ATR, entry=entry, ambiguous=rule)
    events = recipe.label(bars, every(bars))
    bounds = bars.segment_bounds()
    done = {}
    for first, last in pairwise(bounds):
        part = bars.between(first, last)
        table = triple_barrier(
            part.frame(),
            up=2.0,
            down=1.5,
            max_bars=max_bars,
            volatility=recipe.volatility.of(part),
            entry=entry,
            ambiguous=rule,
        )
        for i, row in zip(table.index, table.itertuples(), strict=True):
            done[first + i] = (first + row.end, row.label, row.ret, row.touch, row.ambiguous)
        inside = (events.row >= first) & (events.row < last)
        assert (events.exit_row[inside] < last).all()
        assert (events.row[inside] < last - 1).all()
        cut = inside & ~events.labelled
        assert (events.exit_row[cut] == last - 1).all()
        np.testing.assert_array_equal(events.exit_price[cut], bars.close[events.exit_row[cut]])
    names = {1: "up", 0: "time", -1: "down"}
    found = {
        int(e.row[0]): (e.exit_row[0], e.label[0], e.ret[0], names[int(e.touch[0])], e.ambiguous[0])
        for e in (events.take([k]) for k in np.flatnonzero(events.labelled))
    }
    assert found == done


@given(seed=seeds, entry=entries)
def test_an_event_says_when_it_was_decided_entered_and_known(make_bars, random_prices, seed, entry):
    bars = make_bars(random_prices(seed, 80), [33, 50])
    events = TripleBarrier(up=2.0, down=2.0, max_bars=9, volatility=ATR, entry=entry).label(bars, every(bars))
    np.testing.assert_array_equal(events.decided_at, bars.available_at[events.row])
    np.testing.assert_array_equal(events.exited_at, bars.available_at[events.exit_row])
    assert (events.decided_at <= events.entered_at).all()
    assert (events.entered_at < events.exited_at).all()
    if entry == "next_open":
        np.testing.assert_array_equal(events.entered_at, bars.open_time[events.row + 1])
        np.testing.assert_array_equal(events.entry_price, bars.open[events.entry_row])
    else:
        np.testing.assert_array_equal(events.entry_price, bars.close[events.entry_row])
    np.testing.assert_allclose(events.ret, np.log(events.exit_price / events.entry_price), atol=1e-15)
    np.testing.assert_array_equal(events.volatility, Atr(window=3).of(bars)[events.row])


@given(seed=seeds, entry=entries, rule=rules, now=st.integers(20, 100))
def test_labels_that_have_ended_do_not_know_later_bars(make_bars, random_prices, seed, entry, rule, now):
    recipe = TripleBarrier(up=1.5, down=2.0, max_bars=20, entry=entry, ambiguous=rule, volatility=Ewma(span=5))
    prices = random_prices(seed, 120)
    later = prices.copy()
    later[now + 1 :] = random_prices(seed + 1, 120)[now + 1 :]
    known = []
    for bars in (make_bars(prices), make_bars(prices[: now + 1]), make_bars(later)):
        events = recipe.label(bars, every(bars))
        known.append(events.take(events.labelled & (events.exited_at <= bars.available_at[now])))
    same(known[0], known[1])
    same(known[0], known[2])


@given(seed=seeds, rule=rules)
def test_only_the_rows_asked_for_and_each_as_among_all(make_bars, random_prices, seed, rule):
    bars = make_bars(random_prices(seed, 150), [70])
    recipe = TripleBarrier(up=1.0, down=1.0, max_bars=12, volatility=ATR, ambiguous=rule)
    chosen = np.flatnonzero(np.random.default_rng(seed).random(150) < 0.3)
    whole = recipe.label(bars, every(bars))
    same(recipe.label(bars, chosen), whole.take(np.isin(whole.row, chosen)))


def test_an_event_cut_off_by_a_hole_stays_without_a_label(make_bars):
    bars = make_bars([*steady(n=6), *steady(n=6)], [6])
    events = TripleBarrier(up=5.0, down=5.0, max_bars=4, volatility=ATR).label(bars, every(bars))
    # an ATR of 3 bars is first known at bar 3; the last bar of a segment has no entry
    assert events.row.tolist() == [3, 4, 9, 10]
    assert not events.labelled.any()
    assert np.isnan(events.target).all()
    assert events.exit_row.tolist() == [5, 5, 11, 11]
    assert (events.label == 0).all()


def timed_out(make_bars, close, timeout):
    bars = make_bars([*steady(n=4), FLAT, [10, max(10, close), min(10, close), close]])
    return TripleBarrier(up=3.0, down=3.0, max_bars=2, volatility=ATR, timeout=timeout).label(bars, np.array([3]))


@pytest.mark.parametrize(("close", "sign"), [(10.5, 1), (9.5, -1)])
def test_three_ways_to_learn_from_a_timeout(make_bars, close, sign):
    neutral, by_sign, regression = (timed_out(make_bars, close, way) for way in ("neutral", "sign", "regression"))
    assert (neutral.label, neutral.target, neutral.touch) == (0, 0.0, 0)
    assert (by_sign.label, by_sign.target, by_sign.touch) == (sign, sign, 0)
    assert regression.label == 0
    assert regression.target == pytest.approx(math.log(close / 10) * 10 / 1.0)
    assert neutral.ret == by_sign.ret == regression.ret


def test_a_timeout_without_a_return_has_no_sign(make_bars):
    event = timed_out(make_bars, 10.0, "sign")
    assert not event.labelled
    assert np.isnan(event.target)
    assert timed_out(make_bars, 10.0, "neutral").labelled


def test_regression_targets_are_returns_in_units_of_volatility(make_bars, random_prices):
    bars = make_bars(random_prices(8, 100))
    events = TripleBarrier(up=2.0, down=2.0, max_bars=9, timeout="regression", volatility=ATR).label(bars, every(bars))
    done = events.take(events.labelled)
    np.testing.assert_allclose(done.target, done.ret / (done.volatility / done.entry_price))
    assert {-1, 0, 1} == set(done.label.tolist())


def with_a_wild_bar(make_bars):
    return make_bars([*steady(n=5), [10, 12, 8, 10]], minutes=5)


def finer_bars(make_bars, *wild):
    """Five minutes a bar, the last bar's path given."""
    return make_bars([FLAT] * 25 + [[o, max(o, c), min(o, c), c] for o, c in wild])


def resolved(make_bars, finer, rule="stop_first"):
    recipe = TripleBarrier(up=1.0, down=1.0, max_bars=1, volatility=ATR, ambiguous=rule)
    return recipe.label(with_a_wild_bar(make_bars), np.array([4]), finer)


def test_an_ambiguous_bar_is_followed_through_finer_bars(make_bars):
    plain = resolved(make_bars, None)
    assert (plain.label, plain.ambiguous, plain.resolved) == (-1, True, False)
    up = resolved(make_bars, finer_bars(make_bars, (10, 10.5), (10.5, 12), (12, 8), (8, 9), (9, 10)))
    assert (up.label, up.target, up.touch, up.exit_price, up.resolved) == (1, 1.0, 1, 11.0, True)
    assert up.ret == pytest.approx(math.log(1.1))
    assert up.exited_at == plain.exited_at  # known only when the bar has closed
    down = resolved(make_bars, finer_bars(make_bars, (10, 9.5), (9.5, 8), (8, 12), (12, 11), (11, 10)), "nearest")
    assert (down.label, down.exit_price, down.resolved) == (-1, 9.0, True)


def test_a_finer_bar_that_opened_beyond_a_barrier_exits_there(make_bars):
    event = resolved(make_bars, finer_bars(make_bars, (10, 10.5), (11.5, 12), (12, 8), (8, 9), (9, 10)))
    assert (event.label, event.exit_price) == (1, 11.5)


@pytest.mark.parametrize(("rule", "label"), [("stop_first", -1), ("gap_then_stop", -1), ("nearest", 1)])
def test_a_true_tie_is_left_to_the_rule(make_bars, rule, label):
    tie = make_bars([FLAT] * 25 + [[10.5, 12, 8, 10]] + [FLAT] * 4)
    event = resolved(make_bars, tie, rule)
    assert (event.label, event.ambiguous, event.resolved) == (label, True, False)


def test_missing_finer_bars_leave_the_coarse_answer(make_bars):
    same(resolved(make_bars, make_bars([FLAT] * 25)), resolved(make_bars, None))
    same(resolved(make_bars, make_bars([FLAT] * 30)), resolved(make_bars, None))


@given(seed=seeds, rule=rules)
def test_finer_bars_change_only_ambiguous_events(make_bars, random_prices, seed, rule):
    fine = random_prices(seed, 600, gap=0.0)
    groups = fine.reshape(-1, 5, 4)
    coarse = np.column_stack([groups[:, 0, 0], groups[:, :, 1].max(1), groups[:, :, 2].min(1), groups[:, -1, 3]])
    bars, finer = make_bars(coarse, minutes=5), make_bars(fine)
    recipe = TripleBarrier(up=0.5, down=0.5, max_bars=6, volatility=ATR, ambiguous=rule)
    plain, followed = recipe.label(bars, every(bars)), recipe.label(bars, every(bars), finer)
    clear = ~plain.ambiguous
    same(plain.take(clear), followed.take(clear))
    np.testing.assert_array_equal(plain.ambiguous, followed.ambiguous)
    np.testing.assert_array_equal(plain.exit_row, followed.exit_row)
    # each is decided by the first finer bar that reaches a barrier, unless that one reaches both
    for k in np.flatnonzero(plain.ambiguous):
        upper = plain.entry_price[k] + 0.5 * plain.volatility[k]
        lower = plain.entry_price[k] - 0.5 * plain.volatility[k]
        inside = fine[5 * plain.exit_row[k] : 5 * plain.exit_row[k] + 5]
        first_up = np.flatnonzero(inside[:, 1] >= upper)[0]
        first_down = np.flatnonzero(inside[:, 2] <= lower)[0]
        assert followed.resolved[k] == (first_up != first_down)
        if followed.resolved[k]:
            assert followed.label[k] == (1 if first_up < first_down else -1)


def test_the_last_finer_bar_counts(make_bars):
    rise = finer_bars(make_bars, (10, 10), (10, 10), (10, 10), (10, 10), (10, 12))
    event = resolved(make_bars, rise)
    assert (event.label, event.resolved) == (1, True)


def test_finer_bars_of_another_symbol_are_refused(make_bars):
    with pytest.raises(ValueError, match="finer bars are of 'OTHER'"):
        resolved(make_bars, make_bars([FLAT] * 30, symbol="OTHER"))


@pytest.mark.parametrize("rows", [[3, 3], [4, 3], [-1, 3], [3, 999]])
def test_impossible_rows_are_refused(make_bars, rows):
    with pytest.raises(ValueError, match="rows must ascend strictly within 0 … 9"):
        TripleBarrier(up=1.0, down=1.0, max_bars=2).label(make_bars(steady(n=10)), np.array(rows))


def test_no_bars_and_no_rows_give_no_events(make_bars):
    recipe = TripleBarrier(up=1.0, down=1.0, max_bars=2)
    assert len(recipe.label(make_bars([]), np.array([], dtype=int))) == 0
    assert len(recipe.label(make_bars(steady(n=50)), np.array([], dtype=int))) == 0
    assert len(recipe.label(make_bars(steady(n=5)), np.arange(5))) == 0  # the ATR is not known yet


def test_unequal_barriers_tilt_the_classes():
    assert TripleBarrier(up=2.0, down=2.0, max_bars=9).implied_null_share() == 0.5
    assert 1 - TripleBarrier(up=3.0, down=2.1, max_bars=9).implied_null_share() == pytest.approx(0.588, abs=5e-4)


def test_the_implied_share_is_what_a_random_walk_shows():
    rng = np.random.default_rng(9)
    close = 1000 + np.cumsum(rng.normal(size=600_000)) * 0.01
    flat = pd.DataFrame(np.column_stack([close] * 4), columns=["open", "high", "low", "close"])
    found = triple_barrier(flat, up=3.0, down=2.0, max_bars=400, volatility=np.full(len(close), 0.05), entry="close")
    apart = found[(found.index.to_numpy() % 400 == 0) & (found["touch"] != "time")]["label"]
    share, expected = (apart == 1).mean(), TripleBarrier(up=3.0, down=2.0, max_bars=9).implied_null_share()
    assert abs(share - expected) < 3 * math.sqrt(expected * (1 - expected) / len(apart))


def test_a_section_as_a_person_writes_it():
    written = {
        "kind": "triple_barrier",
        "up": 2.0,
        "down": 2.0,
        "max_bars": 50,
        "volatility": {"kind": "ewma", "span": 20},
    }
    recipe = TypeAdapter(TripleBarrier).validate_python(written)
    assert recipe.volatility == Ewma(span=20)
    assert recipe.entry == "next_open"
    assert recipe.digest() == TripleBarrier(**written).digest()
    for wrong in ({"up": 0}, {"max_bars": 0}, {"timeout": "drop"}, {"volatility": {"kind": "garch"}}, {"stop": 1}):
        with pytest.raises(ValidationError):
            TripleBarrier(**{**written, **wrong})


def test_events_need_arrays_of_one_length(make_bars):
    events = TripleBarrier(up=1.0, down=1.0, max_bars=2, volatility=ATR).label(make_bars(steady(n=9)), np.arange(9))
    columns = {field.name: getattr(events, field.name) for field in fields(Events)}
    with pytest.raises(ValueError, match="label has 1 values, row has 5"):
        Events(**{**columns, "label": events.label[:1]})
