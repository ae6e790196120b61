"""The fold plan of a pool: common times, and no fit that knows another symbol's test rows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import instrument_for
from farm.errors import BadInput
from farm.folds import Cpcv
from farm.labels import sample_weights
from farm.pool import before, common_lockbox, plan_pool, pooled
from farm.run.panels import StoredPanel
from farm.run.pool import PreparedMember, describe_pool
from tests.pool.made import FOLDS, MINUTE, experiment, tiny_panel


@st.composite
def pools(draw):
    """Two to four symbols with their own decisions and label lengths on one clock."""
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    members = []
    for symbol in "ABCD"[: draw(st.integers(2, 4))]:
        moments = np.flatnonzero(rng.random(180) < draw(st.floats(0.3, 1.0)))
        members.append(tiny_panel(symbol, moments, rng.integers(1, 12, len(moments)), rng))
    return pooled(members)


@given(pools())
def test_a_row_that_is_open_while_another_symbol_is_tested_is_purged(pool):
    plan, events = plan_pool(pool, FOLDS), pool.events
    for held_out in plan.splits:
        train = plan.train_rows(events.decided_at, events.exited_at, held_out)
        group = plan.group_of(events.decided_at)
        for one in held_out:
            tested = group == one
            first, last = events.decided_at[tested].min(), events.exited_at[tested].max()
            assert not ((events.decided_at[train] <= last) & (events.exited_at[train] >= first)).any()


@given(pools())
def test_rows_of_one_moment_share_a_group_and_groups_have_equal_numbers_of_decisions(pool):
    plan = plan_pool(pool, FOLDS)
    group, decided = plan.group_of(pool.events.decided_at), pool.events.decided_at
    same = np.diff(decided) == 0
    assert (np.diff(group)[same] == 0).all()
    counts, most_at_once = np.bincount(group), np.unique(decided, return_counts=True)[1].max()
    assert counts.max() - counts.min() <= 2 * most_at_once


def test_an_embargo_ends_with_the_longest_session_of_the_pool():
    rng = np.random.default_rng(3)
    one, other = (tiny_panel(name, np.arange(0, 180), np.ones(180, dtype=int), rng) for name in "AB")
    twice_as_long = replace(other, bars=replace(other.bars, session=other.bars.session // 2 * 2))
    bars = [one.bars, twice_as_long.bars]
    until = []
    for group in plan_pool(pooled([one, twice_as_long]), FOLDS).groups:
        of_exit = max(int(each.session[np.searchsorted(each.available_at, group.last_exit)]) for each in bars)
        ends = max(int(each.available_at[each.session <= of_exit + 1].max()) for each in bars)
        assert group.embargo_until == ends
        until.append(group.embargo_until)
    alone = [group.embargo_until for group in plan_pool(pooled([one]), FOLDS).groups]
    assert any(pooled_until > own for pooled_until, own in zip(until, alone, strict=True))


def test_an_embargo_of_bars_counts_moments_not_the_bars_of_every_symbol():
    rng = np.random.default_rng(3)
    one = [tiny_panel(name, np.arange(0, 180), np.ones(180, dtype=int), rng) for name in "ABCD"]
    folds = Cpcv(groups=4, test_groups=2, embargo="6 bars")
    for group in plan_pool(pooled(one), folds).groups[:-1]:
        assert group.embargo_until == group.last_exit + 6 * 30 * MINUTE


@given(pools())
def test_the_weights_of_every_symbol_add_up_to_the_same(pool):
    rows = np.flatnonzero(np.random.default_rng(0).random(len(pool)) < 0.7)
    weight = sample_weights(pool.events, rows)
    totals = np.bincount(pool.member[rows], weight)
    np.testing.assert_allclose(totals, len(rows) / len(totals))


@given(pools())
def test_a_symbols_weights_among_each_other_are_its_own(pool):
    rows = np.arange(len(pool))
    weight = sample_weights(pool.events, rows)
    for number, member in enumerate(pool.members):
        own = sample_weights(member.events, np.arange(len(member)))
        ratio = weight[pool.rows_of(number)] / own
        np.testing.assert_allclose(ratio, ratio[0])


@given(pools())
def test_the_rows_of_a_pool_are_those_of_its_symbols_in_the_order_of_time(pool):
    assert (np.diff(pool.events.decided_at) >= 0).all()
    for number, member in enumerate(pool.members):
        own = pool.rows_of(number)
        assert np.array_equal(pool.values[own], member.values)
        assert np.array_equal(pool.events.exited_at[own], member.events.exited_at)
        assert np.array_equal(pool.place[own], np.arange(len(member)))
        assert np.array_equal(pool.sessions()[own], member.sessions())


def test_a_pool_has_its_symbols_once_in_order_and_one_set_of_features():
    rng = np.random.default_rng(0)
    one, other = (tiny_panel(name, np.arange(10), np.ones(10, dtype=int), rng) for name in "AB")
    with pytest.raises(ValueError, match="in the order of their names, found B, A"):
        pooled([other, one])
    object.__setattr__(other, "names", ("one", "three"))
    with pytest.raises(ValueError, match="B has other features"):
        pooled([one, other])


def test_the_lockbox_begins_at_one_time_for_all():
    """A ends early, B is long: nine tenths of all bars lie before the day on which B's 80th of 100 sessions is."""
    early = np.arange(100), np.full(100, 10)
    late = np.arange(50, 150), np.full(100, 10)
    sealed = common_lockbox([early, late], 0.1)
    assert sealed == 130
    assert common_lockbox([early, late], 0.0) is None
    with pytest.raises(BadInput, match="lockbox"):
        common_lockbox([(np.array([0]), np.array([50]))], 0.2)


def test_what_reaches_the_common_lockbox_is_left_out_of_a_panel():
    rng = np.random.default_rng(1)
    panel = tiny_panel("A", np.arange(0, 190), rng.integers(1, 20, 190), rng)
    assert before(panel, None) is panel
    assert before(panel, 99) is panel
    kept = before(panel, 8)  # 12 bars a session
    assert len(kept.bars) == 96
    assert kept.events.exit_row.max() < 96
    assert kept.dropped["behind the pool's lockbox"] == len(panel) - len(kept) > 0
    assert np.shares_memory(kept.values, panel.values)


def test_a_symbol_that_lies_wholly_behind_the_lockbox_of_all_is_refused_by_name(tmp_path):
    rng = np.random.default_rng(1)
    whole = tiny_panel("A", np.arange(0, 190), np.ones(190, dtype=int), rng)
    late = tiny_panel("B", np.arange(185, 195), np.ones(10, dtype=int), rng)
    stored = StoredPanel("k", "v", "30min", None, 10, 2, 160, {})
    sessions = {"A": (tuple(range(17)), (12,) * 17), "B": ((15, 16), (12, 12))}
    syn = instrument_for("SYN", None)
    members = [PreparedMember(one.symbol, syn, stored, sessions[one.symbol], {}) for one in (whole, late)]
    folds = {"kind": "cpcv", "groups": 4, "lockbox": 0.15}
    with pytest.raises(BadInput, match=r"all of B lies behind the pool's lockbox.* on 1970-01-16; leave"):
        describe_pool(experiment(tmp_path, folds=folds), members, [whole, late])
