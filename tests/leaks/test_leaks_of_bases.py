"""Bases that decide at other times than the clock: what they said is read in the group they said it in, never later."""

from dataclasses import replace

import numpy as np
import pytest

from farm.fit import fit, fit_seed
from farm.folds import Cpcv
from farm.models import Model, builtin
from farm.stack import build_lattice

BASE = Model(uses="logistic")


@pytest.fixture(scope="module")
def panels(bars, recipe):
    """The clock's panel, on 1-hour bars, and that of a base on 4-hour bars."""
    calendar = bars.instrument.calendar
    return recipe.build(bars.bars, calendar), replace(
        recipe, timeframe="4h", features=recipe.features.model_copy(update={"timeframes": ()})
    ).build(bars.bars, calendar)


@pytest.fixture(scope="module")
def plan(panels):
    clock, slow = (panel.events for panel in panels)
    return Cpcv(groups=5, test_groups=2, embargo="1 session").plan(
        clock.decided_at,
        clock.exited_at,
        clock=panels[0].bars.available_at,
        session=panels[0].bars.session,
        also=[(slow.decided_at, slow.exited_at)],
    )


def joined(panels, plan, slow):
    """The lattice of the 4-hour base at the clock's rows."""
    predictions = {}
    for split in range(len(plan.splits)):
        done = fit(slow, plan, BASE, builtin(), split, seed=fit_seed(7, "slow", split), threads=1, keep=12)
        predictions[split] = (slow.events.decided_at[done.rows], done.probability)
    return build_lattice(plan, panels[0].events.decided_at, {"slow": predictions}, own={"slow": slow.events.decided_at})


@pytest.fixture(scope="module")
def lattice(panels, plan):
    return joined(panels, plan, panels[1])


def test_no_row_is_served_by_what_was_said_before_its_group_or_after_itself(panels, plan, lattice):
    clock, slow = (panel.events.decided_at for panel in panels)
    start = np.array([group.start for group in plan.groups])[lattice.group]
    age = lattice.age["slow"]
    served = age >= 0
    assert (clock[served] - age[served] >= start[served]).all()
    assert np.isin(clock[served] - age[served], slow).all()
    first = np.array([slow[(slow >= group.start)][0] for group in plan.groups])[lattice.group]
    assert np.array_equal(served, clock >= first)
    assert 0 < (~served).sum() < 40


@pytest.mark.parametrize("group", range(1, 5))
def test_the_labels_of_a_group_change_nothing_that_the_base_says_of_it(panels, plan, lattice, group):
    slow = panels[1]
    own = plan.group_of(slow.events.decided_at) == group
    label = np.where(own, np.random.default_rng(1).choice([-1, 0, 1], len(own)), slow.events.label).astype(np.int8)
    lied = joined(panels, plan, replace(slow, events=replace(slow.events, label=label)))
    rows = lattice.group == group
    assert np.array_equal(lied.probability["slow"][rows], lattice.probability["slow"][rows], equal_nan=True)
    assert not np.array_equal(lied.probability["slow"], lattice.probability["slow"], equal_nan=True)


def test_no_base_is_trained_on_what_overlaps_the_other_ones_labels_of_a_held_out_group(panels, plan):
    for events in (panel.events for panel in panels):
        for held_out in plan.splits:
            rows = plan.train_rows(events.decided_at, events.exited_at, held_out)
            for group in held_out:
                for other in (panel.events for panel in panels):
                    inside = plan.group_of(other.decided_at) == group
                    first, last = other.decided_at[inside].min(), other.exited_at[inside].max()
                    assert not ((events.decided_at[rows] <= last) & (events.exited_at[rows] >= first)).any()
