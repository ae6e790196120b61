"""A panel: cut at the lockbox first, never across a hole, never ahead of its time, never more than was asked for."""

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.folds import lockbox_start
from farm.labels import Cusum, Every
from farm.panel import Decisions, Panel


def altered(bars, start, rng):
    """Other prices and volumes from bar ``start`` on."""
    n = len(bars) - start
    price = bars.close[start - 1] * np.exp(np.cumsum(rng.normal(0, 0.03, n)))
    tail = {"open": price, "close": price * 1.01, "high": price * 1.02, "low": price * 0.98, "volume": price}
    return replace(bars, **{name: np.concatenate((getattr(bars, name)[:start], new)) for name, new in tail.items()})


def same_bits(one, other):
    return all(np.array_equal(value.view(np.uint8), other[name].view(np.uint8)) for name, value in one.items())


def test_rows_events_and_names_fit_together(loaded, recipe):
    panel = recipe().build(loaded.bars, loaded.instrument.calendar)
    assert panel.values.shape == (len(panel.events), len(panel.names))
    assert panel.values.flags.c_contiguous
    assert np.isfinite(panel.values).all()
    assert len(panel) > 200
    assert (np.diff(panel.events.decided_at) > 0).all()
    assert np.array_equal(panel.events.decided_at, panel.bars.available_at[panel.events.row])
    left = panel.dropped["sampled"] - panel.dropped["incomplete features"] - panel.dropped["no next bar"]
    assert left == len(panel)


def test_the_lockbox_is_cut_before_anything_is_computed(loaded, recipe):
    sealed = recipe(lockbox=0.2)
    start = lockbox_start(loaded.bars.session, 0.2)
    before = sealed.build(loaded.bars, loaded.instrument.calendar)
    after = sealed.build(altered(loaded.bars, start, np.random.default_rng(0)), loaded.instrument.calendar)
    assert same_bits(before.arrays(), after.arrays())
    assert before.dropped == after.dropped
    assert before.events.exited_at.max() <= loaded.bars.available_at[start - 1]
    assert before.bars.available_at[-1] <= loaded.bars.available_at[start - 1]


def test_the_lockbox_test_can_fail(loaded, recipe):
    sealed = recipe(lockbox=0.2)
    start = lockbox_start(loaded.bars.session, 0.2)
    before = sealed.build(loaded.bars, loaded.instrument.calendar)
    after = sealed.build(altered(loaded.bars, start - 3, np.random.default_rng(0)), loaded.instrument.calendar)
    assert not same_bits(before.arrays(), after.arrays())


def test_nothing_crosses_a_hole(loaded, holed, recipe):
    panel = recipe().build(holed, loaded.instrument.calendar)
    events, segment = panel.events, panel.bars.segment
    assert np.array_equal(segment[events.row], segment[events.entry_row])
    assert np.array_equal(segment[events.row], segment[events.exit_row])
    second = int(np.searchsorted(holed.segment, 1))
    alone = recipe().build(holed.between(second, len(holed)), loaded.instrument.calendar)
    behind = np.isin(events.decided_at, alone.events.decided_at)
    assert 100 < behind.sum() == (segment[events.row] == 1).sum()
    np.testing.assert_allclose(panel.values[behind], alone.values, rtol=1e-9, atol=1e-9)
    for name in ("decided_at", "entered_at", "exited_at", "label", "labelled", "ret", "entry_price", "exit_price"):
        assert np.array_equal(getattr(events, name)[behind], getattr(alone.events, name)), name


def test_an_event_cut_off_by_a_hole_stays_without_a_label(loaded, holed, recipe):
    panel = recipe(decisions=Decisions(timeframe="1h", events=Every())).build(holed, loaded.instrument.calendar)
    cut = ~panel.events.labelled
    assert 2 <= cut.sum() < 40
    last_bars = np.append(np.flatnonzero(np.diff(panel.bars.segment)), len(panel.bars) - 1)
    assert np.isin(panel.events.exit_row[cut], last_bars).all()


@given(at=st.floats(0.3, 0.95), cut=st.booleans(), seed=st.integers(0, 99))
def test_what_was_decided_by_a_moment_does_not_know_what_came_after(loaded, recipe, at, cut, seed):
    base = loaded.bars
    start = int(at * len(base))
    moment = base.available_at[start - 1]
    changed = base.between(0, start) if cut else altered(base, start, np.random.default_rng(seed))
    whole = recipe().build(base, loaded.instrument.calendar)
    other = recipe().build(changed, loaded.instrument.calendar)
    # A decision at the last bar has no next bar yet, so a cut takes its row away.
    limit = base.available_at[start - 3] if cut else moment
    rows, others = whole.events.decided_at <= limit, other.events.decided_at <= limit
    assert rows.sum() > 20
    assert np.array_equal(whole.events.decided_at[rows], other.events.decided_at[others])
    assert np.array_equal(whole.values[rows].view(np.int64), other.values[others].view(np.int64))
    ended = rows & (whole.events.exited_at <= moment)
    ended_too = others & np.isin(other.events.decided_at, whole.events.decided_at[ended])
    for field in fields(whole.events):
        one, two = getattr(whole.events, field.name)[ended], getattr(other.events, field.name)[ended_too]
        assert np.array_equal(one, two), field.name


@pytest.mark.parametrize(
    ("events", "limit"), [(Every(), 300), (Every(), 1900), (Every(), 2200), (Cusum(threshold=0.5), 40)]
)
def test_too_many_decisions_are_refused_with_a_threshold_that_fits(loaded, recipe, events, limit):
    with pytest.raises(BadInput, match=f"limit = {limit}") as refused:
        recipe(decisions=Decisions(timeframe="1h", events=events, limit=limit)).build(
            loaded.bars, loaded.instrument.calendar
        )
    threshold = float(re.search(r"threshold: ([0-9.e-]+)}", str(refused.value))[1])
    fitting = Decisions(timeframe="1h", events=Cusum(threshold=threshold), limit=limit)
    panel = recipe(decisions=fitting).build(loaded.bars, loaded.instrument.calendar)
    assert limit / 2 < len(panel) <= limit


def test_a_stored_panel_is_the_same_panel(loaded, recipe):
    panel = recipe().build(loaded.bars, loaded.instrument.calendar)
    again = Panel.of(panel.arrays(), panel.text())
    assert same_bits(panel.arrays(), again.arrays())
    assert (again.symbol, again.names, again.dropped) == (panel.symbol, panel.names, panel.dropped)
    assert again.values is panel.values
    assert again.bars.timeframe == "1h"


def test_the_digest_knows_every_part_of_the_recipe(recipe):
    digests = [
        recipe().digest_parts(),
        recipe(lockbox=0.1).digest_parts(),
        recipe(decisions=Decisions(timeframe="1h")).digest_parts(),
        recipe(labels=recipe().labels.model_copy(update={"max_bars": 9})).digest_parts(),
        recipe(features=recipe().features.model_copy(update={"exclude": ("body",)})).digest_parts(),
    ]
    assert len({str(sorted(parts.items())) for parts in digests}) == len(digests)


@pytest.fixture(scope="module")
def partly_filled(loaded):
    """The half-hour bars with one bar in twelve filled: flat at the last close, without volume."""
    bars = loaded.bars
    filled = np.zeros(len(bars), dtype=bool)
    filled[7::12] = True
    last = np.concatenate(([bars.open[0]], bars.close[:-1]))
    columns = {name: np.where(filled, last, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    return replace(bars, **columns, volume=np.where(filled, 0.0, bars.volume), filled=filled)


def test_nobody_decides_on_a_filled_bar_and_labels_begin_where_an_order_fills(recipe, partly_filled, loaded):
    half_hours = Decisions(timeframe="30min", events=Every(), limit=50_000)
    panel = recipe(decisions=half_hours).build(partly_filled, loaded.instrument.calendar)
    bars, events = panel.bars, panel.events
    assert bars.filled.sum() > 100
    assert not bars.filled[events.row].any()
    assert not bars.filled[events.entry_row].any()
    assert np.array_equal(events.entry_price, bars.open[events.entry_row])
    waited = events.entry_row - events.row
    assert set(np.unique(waited)) == {1, 2}
    assert bars.filled[events.row[waited == 2] + 1].all()
    assert np.array_equal(events.decided_at, bars.available_at[events.row])
