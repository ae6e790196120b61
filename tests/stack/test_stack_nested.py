"""Nesting: what serves a group never saw that group's labels, and what it learned from is purged and embargoed."""

from dataclasses import replace

import numpy as np
import pytest

from farm.stack import Calibrate, Size, Stack, run_nested, run_unnested
from farm.stack.nested import outcomes_of

STEPS = Stack().complete()


def run(how, world, steps=STEPS, bases=None):
    return how(steps, bases or world.bases, world.lattice, world.plan, world.panel.events, world.market)


def lied_about(panel, rows):
    """The panel with other labels and returns for these rows; when labels were known stays as it was."""
    rng = np.random.default_rng(3)
    hit = np.isin(np.arange(len(panel)), rows)
    events = panel.events
    label = np.where(hit, rng.choice([-1, 0, 1], len(hit)), events.label).astype(np.int8)
    ret = np.where(hit, rng.normal(0, 0.05, len(hit)), events.ret)
    return replace(panel, events=replace(events, label=label, ret=ret, target=label.astype(float)))


@pytest.fixture(scope="module")
def lied_worlds(world, make_world):
    """For each group, the world refitted from the bases up with that group's labels replaced."""
    groups = range(len(world.plan.groups))
    return [make_world(lied_about(world.panel, np.flatnonzero(world.lattice.group == group))) for group in groups]


def test_the_labels_of_a_group_change_no_bit_of_what_is_said_of_it(world, lied_worlds):
    before = run(run_nested, world)
    for group, lied in enumerate(lied_worlds):
        after = run(run_nested, lied)
        own = world.lattice.group == group
        assert own.sum() > 50
        assert np.array_equal(after.probability[own], before.probability[own], equal_nan=True)
        assert np.array_equal(after.size[own], before.size[own], equal_nan=True)
        assert not np.array_equal(after.probability[~own], before.probability[~own], equal_nan=True)


def test_ordinary_stacking_breaks_that_law(world, lied_worlds):
    before = run(run_unnested, world)
    for group, lied in enumerate(lied_worlds):
        after = run(run_unnested, lied)
        own = world.lattice.group == group
        assert not np.array_equal(after.probability[own], before.probability[own], equal_nan=True)


def test_a_pipeline_learns_from_the_labelled_rows_of_other_groups_purged_and_embargoed(world):
    nested, events = run(run_nested, world), world.panel.events
    bars, group = world.panel.bars, world.lattice.group
    for own, rows in enumerate(nested.learned_from):
        inside = np.flatnonzero(group == own)
        first, last = events.decided_at[inside].min(), events.exited_at[inside].max()
        session = bars.session[np.searchsorted(bars.available_at, last)]
        embargo_ends = bars.available_at[bars.session <= session + 1].max()
        expected = events.labelled & (group != own)
        expected &= (events.exited_at < first) | (events.decided_at > embargo_ends)
        assert np.array_equal(rows, np.flatnonzero(expected))


def test_every_row_is_served_against_every_other_group_the_unlabelled_ones_too(world):
    nested = run(run_nested, world)
    own = world.lattice.group[:, None] == np.arange(len(world.plan.groups))
    assert np.array_equal(np.isnan(nested.size), own)
    assert np.array_equal(np.isnan(nested.probability).any(axis=2), own)
    assert (~world.panel.events.labelled).any()


def test_the_bag_is_the_mean_over_other_groups_and_a_path_takes_one_of_them(world):
    nested = run(run_nested, world)
    n_others = len(world.plan.groups) - 1
    mean = nested.mean()
    np.testing.assert_allclose(mean.size, np.nansum(nested.size, axis=1) / n_others, atol=1e-12)
    np.testing.assert_allclose(mean.probability.sum(axis=1), 1)
    assert (np.abs(mean.size) <= 1).all()
    other = (world.lattice.group + 1) % len(world.plan.groups)
    along = nested.along(other)
    assert np.array_equal(along.size, nested.size[np.arange(len(other)), other])
    assert np.isin(along.size, [-1, 0, 1]).all()


def test_what_is_served_is_made_of_the_prediction_against_that_group_alone(world):
    """Without a map, F_g(p(x|h)) of a single base is p(x|h) itself."""
    nested = run(run_nested, world, (Size(),), ("stumps",))
    assert np.array_equal(nested.probability, world.lattice.probability["stumps"], equal_nan=True)


def test_labels_outside_the_training_rows_of_a_pipeline_change_nothing_of_it(world):
    """Purged, embargoed and unlabelled rows: nobody learns from them, so lies about them are not heard."""
    before = run(run_nested, world, (Calibrate(), Size()), ("stumps",))
    for own, rows in enumerate(before.learned_from):
        lied = replace(world, panel=lied_about(world.panel, np.setdiff1d(np.arange(len(world.panel)), rows)))
        after = run(run_nested, lied, (Calibrate(), Size()), ("stumps",))
        served = world.lattice.group == own
        assert np.array_equal(after.probability[served], before.probability[served], equal_nan=True)
        assert np.array_equal(after.size[served], before.size[served], equal_nan=True)


def test_weights_know_of_no_row_but_those_learned_from(world):
    rows = run(run_nested, world).learned_from[2]
    events = world.panel.events
    within, alone = outcomes_of(events, rows), outcomes_of(events.take(rows), np.arange(len(rows)))
    assert np.array_equal(within.weight, alone.weight)
    assert within.independent == alone.independent < len(rows)
    assert within.weight.mean() == pytest.approx(1)


def test_two_runs_are_bit_equal(world):
    one, two = run(run_nested, world), run(run_nested, world)
    assert np.array_equal(one.probability, two.probability, equal_nan=True)
    assert np.array_equal(one.size, two.size, equal_nan=True)
