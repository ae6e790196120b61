"""Inside one pipeline: what a step learns from in a block was said by steps that never saw that block's labels."""

from dataclasses import replace

import numpy as np
import pytest

from farm.stack import Stack
from farm.stack.inner import Inner, n_blocks, stages_of
from tests.stack.drawn import drawn, outcomes, softmax

ROWS, LENGTH = 300, 3
DEEP = Stack(
    steps=[
        {"kind": "calibrate"},
        {"kind": "combine"},
        {"kind": "calibrate", "method": "temperature"},
        {"kind": "meta_label", "features": ["weather"]},
    ]
).steps


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(0)
    truth = softmax(rng.normal(size=(ROWS, 3)))
    inputs = {name: softmax(np.log(truth) + 0.5 * rng.normal(size=(ROWS, 3))) for name in ("a", "b")}
    return inputs, outcomes(drawn(rng, truth), columns={"weather": rng.normal(size=ROWS)}, length=LENGTH)


def lied_about(learned, rows):
    label, move = learned.label.copy(), learned.move.copy()
    label[rows] = -label[rows]
    move[rows] = -2 * move[rows] + 1
    return replace(learned, label=label, move=move)


def test_steps_up_to_the_combination_are_one_stage_and_all_above_are_their_own():
    assert [len(stage) for stage in stages_of(DEEP)] == [2, 1, 1]
    assert [len(stage) for stage in stages_of(Stack().steps)] == [2]
    assert [len(stage) for stage in stages_of([])] == [0]


@pytest.mark.parametrize("n_stages", [1, 2, 3])
def test_labels_of_a_block_change_nothing_of_what_is_said_of_it_and_of_its_neighbours(world, n_stages):
    inputs, learned = world
    stages = stages_of(DEEP)[:n_stages]
    rows, before = Inner(stages, inputs, learned).held_out()
    assert np.array_equal(rows, np.arange(ROWS))
    for block in np.array_split(np.arange(ROWS), n_blocks(stages))[:: n_stages + 1]:
        _, after = Inner(stages, inputs, lied_about(learned, block)).held_out()
        assert np.array_equal(after.bet().wins[block], before.bet().wins[block])
        assert np.array_equal(after.prediction()[block], before.prediction()[block])
        elsewhere = np.setdiff1d(rows, block)
        assert not np.array_equal(after.prediction()[elsewhere], before.prediction()[elsewhere])


def test_rows_whose_events_reach_into_a_block_teach_nothing_about_it(world):
    inputs, learned = world
    stages = stages_of(DEEP)[:1]
    _, before = Inner(stages, inputs, learned).held_out()
    block = np.array_split(np.arange(ROWS), n_blocks(stages))[1]
    reaching = np.r_[block[0] - LENGTH : block[0], block[-1] + 1 : block[-1] + 1 + LENGTH]
    _, after = Inner(stages, inputs, lied_about(learned, reaching)).held_out()
    assert np.array_equal(after.prediction()[block], before.prediction()[block])


def test_what_is_served_is_fitted_on_every_row(world):
    """Unlike what is learned from: each block's labels count in the steps that go out."""
    inputs, learned = world
    parts = Inner(stages_of(DEEP)[:1], inputs, learned).fitted()
    for block in np.array_split(np.arange(ROWS), 4):
        other = Inner(stages_of(DEEP)[:1], inputs, lied_about(learned, block)).fitted()
        assert not np.array_equal(
            other[0].fitted.apply(inputs)["a"], parts[0].fitted.apply(inputs)["a"], equal_nan=True
        )
