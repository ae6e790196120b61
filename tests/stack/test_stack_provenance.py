"""The proof: it holds over what a run did, and names every violation that is planted."""

from dataclasses import replace

import numpy as np
import pytest

from farm.fit import to_ranges
from farm.stack import Stack, run_nested
from farm.stack.provenance import prove

SPLIT = 5  # holds out groups 1 and 3


@pytest.fixture(scope="module")
def learned_from(world):
    nested = run_nested(Stack().complete(), world.bases, world.lattice, world.plan, world.panel.events, world.market)
    return nested.learned_from


@pytest.fixture
def proof(world, learned_from):
    """Proves the world with some of its parts replaced."""

    def make(**changed):
        parts = {
            "bases": world.bases,
            "plan": world.plan,
            "events": world.panel.events,
            "lattice": world.lattice,
            "predictions": world.predictions,
            "records": world.records,
            "learned_from": learned_from,
        }
        return prove(**parts | changed)

    return make


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges])


def with_record(world, **changed):
    record = replace(world.records["stumps"][SPLIT], **changed)
    return {**world.records, "stumps": {**world.records["stumps"], SPLIT: record}}


def training_on(world, row):
    """Records in which the fit of one split also trained on this row."""
    rows = np.union1d(rows_of(world.records["stumps"][SPLIT].train), [row])
    return with_record(world, train=to_ranges(rows))


def with_cells(world, rows, other, cells):
    probability = world.lattice.probability["stumps"].copy()
    probability[rows, other] = cells
    return replace(world.lattice, probability={**world.lattice.probability, "stumps": probability})


def hull(world, group):
    inside = np.flatnonzero(world.lattice.group == group)
    return world.panel.events.decided_at[inside].min(), world.panel.events.exited_at[inside].max()


def before_and_reaching_into(world, group):
    events, (first, _) = world.panel.events, hull(world, group)
    return np.flatnonzero(events.labelled & (events.decided_at < first) & (events.exited_at >= first))[0]


def within_the_embargo_after(world, group):
    events, (_, last) = world.panel.events, hull(world, group)
    until = world.plan.groups[group].embargo_until
    assert until > last
    return np.flatnonzero(events.labelled & (events.decided_at > last) & (events.decided_at <= until))[0]


def test_the_proof_holds_over_what_was_done_and_counts_every_row(world, proof, learned_from):
    found = proof()
    assert found.violations == ()
    assert found.holds
    served = len(world.panel) * (len(world.plan.groups) - 1)
    assert found.rows_checked == served + sum(map(len, learned_from))


def test_nothing_checked_proves_nothing(proof):
    assert not proof(bases=(), learned_from=()).holds


def test_the_planted_split_holds_out_groups_one_and_three(world):
    assert world.plan.splits[SPLIT] == (1, 3)


def named(found, *parts):
    assert not found.holds
    assert any(all(part in violation for part in parts) for violation in found.violations), found.violations


def test_a_training_row_in_a_held_out_group_is_named(world, proof):
    row = np.flatnonzero((world.lattice.group == 3) & world.panel.events.labelled)[40]
    found = proof(records=training_on(world, row))
    named(found, "base stumps, split 5: a training row lies in held-out group 3 (1 rows)")
    named(found, "group 1:", "rest on the tainted fit of base stumps, split 5")
    named(found, "group 3:", "rest on the tainted fit of base stumps, split 5")


def test_a_training_row_whose_label_reaches_into_a_held_out_group_is_named(world, proof):
    found = proof(records=training_on(world, before_and_reaching_into(world, 3)))
    named(found, "base stumps, split 5: a training row overlaps an event of held-out group 3 (1 rows)")


def test_a_training_row_in_the_embargo_is_named(world, proof):
    found = proof(records=training_on(world, within_the_embargo_after(world, 1)))
    named(found, "base stumps, split 5: a training row falls into the embargo after group 1 (1 rows)")


def test_a_training_row_without_a_label_is_named(world, proof):
    group = world.lattice.group
    row = np.flatnonzero(~world.panel.events.labelled)[0]
    split = next(n for n, held_out in enumerate(world.plan.splits) if group[row] not in held_out)
    record = world.records["stumps"][split]
    lied = replace(record, train=to_ranges(np.union1d(rows_of(record.train), [row])))
    found = proof(records={**world.records, "stumps": {**world.records["stumps"], split: lied}})
    named(found, f"base stumps, split {split}: a training row has no label (1 rows)")


def test_an_early_stopping_row_in_a_held_out_group_is_named(world, proof):
    row = int(np.flatnonzero((world.lattice.group == 1) & world.panel.events.labelled)[5])
    found = proof(records=with_record(world, tail=((row, row + 1),)))
    named(found, "base stumps, split 5: an early-stopping row lies in held-out group 1 (1 rows)")


def test_a_training_row_that_reaches_into_the_early_stopping_tail_is_named(world, proof):
    rows = rows_of(world.records["stumps"][SPLIT].train)
    record = with_record(world, train=to_ranges(rows[:-20]), tail=to_ranges(rows[-20:]))
    named(proof(records=record), "base stumps, split 5: a training row reaches into the early-stopping tail")


def test_a_meta_row_of_the_group_itself_is_named(world, proof, learned_from):
    row = np.flatnonzero((world.lattice.group == 2) & world.panel.events.labelled)[3]
    lied = [np.union1d(rows, [row]) if own == 2 else rows for own, rows in enumerate(learned_from)]
    found = proof(learned_from=tuple(lied))
    named(found, "group 2: a meta row lies in held-out group 2 (1 rows)")
    named(found, "group 2: a row is predicted, against group 2, by a split that held out other groups (1 rows)")


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (before_and_reaching_into, "overlaps an event of held-out group 2"),
        (within_the_embargo_after, "falls into the embargo after group 2"),
    ],
)
def test_a_meta_row_that_is_not_purged_or_embargoed_is_named(world, proof, learned_from, plant, words):
    lied = [np.union1d(rows, [plant(world, 2)]) if own == 2 else rows for own, rows in enumerate(learned_from)]
    named(proof(learned_from=tuple(lied)), f"group 2: a meta row {words} (1 rows)")


def test_a_meta_row_from_a_split_that_did_not_hold_out_both_groups_is_named(world, proof):
    split = world.lattice.split.copy()
    row = np.flatnonzero(world.lattice.group == 0)[7]
    split[row, 3] = split[row, 1]
    found = proof(lattice=replace(world.lattice, split=split))
    named(found, "group 0: a row is predicted, against group 3, by a split that held out other groups (1 rows)")


def test_a_cell_that_holds_what_another_split_said_is_named(world, proof):
    rows = np.flatnonzero(world.lattice.group == 1)
    other_split = world.lattice.probability["stumps"][rows, 4]
    found = proof(lattice=with_cells(world, rows, 3, other_split))
    named(found, "base stumps, split 5: a row of group 1 carries a prediction that was made for another row")


def test_a_prediction_joined_to_the_wrong_row_is_named(world, proof):
    rows = np.flatnonzero(world.lattice.group == 3)
    shifted = np.roll(world.lattice.probability["stumps"][rows, 1], 1, axis=0)
    found = proof(lattice=with_cells(world, rows, 1, shifted))
    named(
        found,
        "base stumps, split 5: a row of group 3 carries a prediction that is not the last one that was made by then",
    )


def test_a_missing_record_is_named(world, proof):
    without = {split: record for split, record in world.records["stumps"].items() if split != SPLIT}
    named(
        proof(records={**world.records, "stumps": without}),
        "base stumps, split 5: there is no record of what it was trained on",
    )
    named(proof(records={"neighbours": world.records["neighbours"]}), "base stumps, split 0: there is no record")


def test_a_record_of_another_split_is_named(world, proof):
    swapped = {**world.records["stumps"], SPLIT: world.records["stumps"][2]}
    found = proof(records={**world.records, "stumps": swapped})
    named(found, "base stumps, split 5: its record is of split 2")


def test_missing_predictions_are_named(world, proof):
    without = {split: found for split, found in world.predictions["stumps"].items() if split != SPLIT}
    named(
        proof(predictions={**world.predictions, "stumps": without}),
        "base stumps, split 5: there are no predictions of it",
    )


def test_a_broken_plan_is_named_though_its_own_methods_agree_with_it(world, proof):
    """The proof places rows and intervals itself: a plan whose groups hide a label's end deceives nobody."""
    record = world.records["stumps"][SPLIT]
    _, last = hull(world, 1)
    events = world.panel.events
    behind = np.flatnonzero(events.labelled & (world.lattice.group == 2) & (events.decided_at <= last))
    assert len(behind)
    groups = tuple(
        replace(group, last_exit=group.stop - 1, embargo_until=group.stop - 1) for group in world.plan.groups
    )
    lied = with_record(world, train=to_ranges(np.union1d(rows_of(record.train), behind)))
    found = proof(plan=replace(world.plan, groups=groups), records=lied)
    named(found, "base stumps, split 5: a training row overlaps an event of held-out group 1")
