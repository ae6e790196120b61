"""A base's own panel: its bars, decisions, windows and labels, and nothing from after a decision."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import resample
from farm.errors import BadInput
from farm.features import FeatureRecipe
from farm.labels import Cusum, Every, TripleBarrier
from farm.labels.volatility import Atr
from farm.panel import Decisions, Panel

SMALL = FeatureRecipe(preset="small")
CLOCK = Decisions(timeframe="1h", events=Cusum(threshold=1.0))


@pytest.fixture(scope="module")
def build(loaded, recipe):
    def make(base=loaded.bars, **changed):
        parts = {"decisions": CLOCK, "features": SMALL, **changed}
        return recipe(**parts).build(base, loaded.instrument.calendar)

    return make


def test_a_longer_base_decides_at_the_closes_of_its_own_bars_and_learns_the_clocks_labels(build, loaded, recipe):
    slow = build(timeframe="4h")
    own = resample(loaded.bars, "4h", loaded.instrument.calendar)
    assert np.isin(slow.events.decided_at, own.available_at).all()
    assert len(slow) > 0.9 * (len(own) - 60)
    every = build(decisions=Decisions(timeframe="1h", events=Every()))
    at = np.searchsorted(every.events.decided_at, slow.events.decided_at)
    assert np.array_equal(every.events.decided_at[at], slow.events.decided_at)
    for name in ("exited_at", "label", "entry_price", "exit_price", "volatility", "row", "exit_row"):
        assert np.array_equal(getattr(every.events, name)[at], getattr(slow.events, name)), name
    assert slow.bars.timeframe == "1h"


def test_a_base_with_labels_of_its_own_decides_when_the_clock_does_and_learns_them(build, recipe):
    clock, own = build(), build(learns=TripleBarrier(up=1.0, down=1.0, max_bars=3, volatility=Atr(window=7)))
    assert np.array_equal(own.events.decided_at, clock.events.decided_at)
    assert np.array_equal(own.values, clock.values)
    assert (own.events.exit_row - own.events.row <= 4).all()
    assert (own.events.label != clock.events.label).mean() > 0.1
    alone = recipe(decisions=CLOCK, features=SMALL, learns=TripleBarrier(up=1.0, down=1.0, max_bars=3))
    assert alone.digest() != recipe(decisions=CLOCK, features=SMALL).digest()


def test_a_longer_bases_features_are_those_of_its_own_bars(build, loaded):
    slow = build(timeframe="4h")
    own = resample(loaded.bars, "4h", loaded.instrument.calendar)
    table = SMALL.table(own, {})
    rows = np.searchsorted(own.available_at, slow.events.decided_at)
    assert np.array_equal(slow.values, table.values[rows])


def test_a_longer_base_is_thinned_by_its_own_events(build):
    every, thinned = build(timeframe="4h"), build(timeframe="4h", events=Cusum(threshold=1.0))
    assert 20 < len(thinned) < 0.8 * len(every)
    assert np.isin(thinned.events.decided_at, every.events.decided_at).all()


def test_a_finer_base_decides_with_the_clock_on_its_last_bar_available_then(build, loaded):
    fine, clock = build(timeframe="30min"), build()
    assert np.array_equal(fine.events.decided_at[-len(clock) :], clock.events.decided_at)  # the first need less history
    assert len(fine) - len(clock) == clock.dropped["incomplete features"] - fine.dropped["incomplete features"]
    rows = np.searchsorted(loaded.bars.available_at, fine.events.decided_at, side="right") - 1
    assert np.array_equal(fine.values, SMALL.table(loaded.bars, {}).values[rows])
    assert not np.array_equal(fine.values[-len(clock) :], clock.values)


def test_a_base_on_the_clock_may_decide_more_often_than_the_clock(build):
    clock, often = build(), build(events=Every())
    assert len(often) > 2 * len(clock)
    assert np.isin(clock.events.decided_at, often.events.decided_at).all()


@pytest.mark.parametrize("timeframe", [None, "30min", "4h"])
def test_a_window_ends_with_the_decisions_own_row_and_stays_in_its_segment(build, holed, loaded, timeframe):
    panel, without = build(holed, timeframe=timeframe, window=20), build(holed, timeframe=timeframe)
    own = resample(holed, timeframe or "1h", loaded.instrument.calendar)
    assert panel.history.shape == (len(own), len(panel.names))
    assert np.array_equal(panel.history[panel.history_row], panel.values)
    for row in panel.history_row:
        assert np.isfinite(panel.history[row - 19 : row + 1]).all()
        assert own.segment[row - 19] == own.segment[row]
    assert (own.available_at[panel.history_row] <= panel.events.decided_at).all()
    lost = np.setdiff1d(without.events.decided_at, panel.events.decided_at)
    assert panel.dropped["incomplete window"] == len(lost) > 0
    assert np.isin(panel.events.decided_at, without.events.decided_at).all()


@given(window=st.integers(2, 60))
def test_exactly_the_events_with_a_whole_window_are_kept(build, holed, loaded, window):
    panel, without = build(holed, window=window), build(holed)
    own = resample(holed, "1h", loaded.instrument.calendar)
    table = SMALL.table(own, {})
    rows = np.searchsorted(own.available_at, without.events.decided_at)
    whole = [
        row >= window - 1
        and table.valid[row - window + 1 : row + 1].all()
        and own.segment[row - window + 1] == own.segment[row]
        for row in rows
    ]
    assert np.array_equal(panel.events.decided_at, without.events.decided_at[whole])


def test_a_window_longer_than_every_segment_leaves_nothing_and_counts_what_it_lost(build):
    panel = build(window=5000)
    assert len(panel) == 0
    assert panel.dropped["incomplete window"] > 100


def test_a_panel_with_windows_is_read_back_as_it_was_stored(build):
    panel = build(timeframe="30min", window=8)
    again = Panel.of(panel.arrays(), panel.text())
    assert np.array_equal(again.history_row, panel.history_row)
    assert np.array_equal(again.history, panel.history, equal_nan=True)
    assert again.nbytes == panel.nbytes > panel.values.nbytes
    assert Panel.of(build().arrays(), build().text()).history is None


@pytest.mark.parametrize("base", [{"timeframe": "4h"}, {"timeframe": "30min"}, {"window": 12}])
def test_nothing_of_a_base_knows_what_came_after_its_decision(build, loaded, base):
    bars, start = loaded.bars, int(0.63 * len(loaded.bars))
    later = bars.close[start - 1] * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.03, len(bars) - start)))
    tail = {"open": later, "close": later * 1.01, "high": later * 1.02, "low": later * 0.98, "volume": later}
    changed = replace(bars, **{name: np.concatenate((getattr(bars, name)[:start], new)) for name, new in tail.items()})
    one, two = build(**base), build(changed, **base)
    known = bars.available_at[start - 1]
    rows, others = one.events.decided_at <= known, two.events.decided_at <= known
    assert rows.sum() > 30
    assert np.array_equal(one.events.decided_at[rows], two.events.decided_at[others])
    assert np.array_equal(one.values[rows], two.values[others])
    if one.history is not None:
        last = one.history_row[rows].max()
        assert np.array_equal(one.history[: last + 1], two.history[: last + 1], equal_nan=True)


def test_too_many_decisions_of_a_base_name_a_threshold_that_fits(build):
    tight = Decisions(timeframe="1h", events=Cusum(threshold=1.0), limit=400)
    with pytest.raises(BadInput, match=r"decisions are more than decisions.limit = 400; its model with events: "):
        build(decisions=tight, timeframe="30min", events=Every())
    with pytest.raises(BadInput, match=r"its model with events: \{kind: cusum, threshold: "):
        build(decisions=tight, timeframe="4h", events=Every())


def test_equal_recipes_have_one_digest_and_other_ones_another(recipe):
    digests = [
        recipe(**changed).digest()
        for changed in ({}, {"timeframe": "4h"}, {"events": Every()}, {"window": 5}, {"features": SMALL}, {})
    ]
    assert digests[0] == digests[-1]
    assert len(set(digests)) == 5
