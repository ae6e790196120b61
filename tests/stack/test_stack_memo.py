"""What pipelines have in common is fitted once, and no bit of any of them tells."""

import numpy as np
import pytest

from farm.stack import Calibrate, Stack, run_nested, run_unnested
from farm.stack.ablation import variants
from farm.stack.memo import remembering
from tests.stack.drawn import drawn, outcomes, softmax

STACK = Stack(steps=[{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "meta_label"}])


def decided(world, steps, bases, how=run_nested):
    return how(steps, bases, world.lattice, world.plan, world.panel.events, world.market)


def everything(world):
    """The pipelines of a study: each base's, the stack's, and those of its ablation."""
    yield from (decided(world, STACK.for_one_base(), (base,)) for base in world.bases)
    yield decided(world, STACK.complete(), world.bases)
    for one in variants(dict.fromkeys(world.bases, "alike")):
        how = run_nested if one.nested else run_unnested
        yield decided(world, one.steps(STACK.complete()), one.bases, how)


def test_pipelines_side_by_side_say_to_the_bit_what_each_says_alone(world):
    alone = list(everything(world))
    with remembering():
        together = list(everything(world))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)
        np.testing.assert_array_equal(one.size, other.size)


def test_the_labels_of_a_group_are_not_remembered_for_it(world, lied_world):
    """The lied world's pipelines run after the true one's, and find nothing of those that knew another label."""
    own = world.lattice.group == 0
    alone = decided(lied_world, STACK.complete(), world.bases)
    with remembering():
        before = decided(world, STACK.complete(), world.bases)
        after = decided(lied_world, STACK.complete(), world.bases)
    np.testing.assert_array_equal(after.probability, alone.probability)
    np.testing.assert_array_equal(after.probability[own], before.probability[own])
    assert not np.array_equal(after.probability[~own], before.probability[~own], equal_nan=True)


@pytest.fixture(scope="module")
def lied_world(world, make_world):
    from tests.stack.test_stack_nested import lied_about

    return make_world(lied_about(world.panel, np.flatnonzero(world.lattice.group == 0)))


@pytest.mark.parametrize("changed", ["nothing", "step", "label", "prediction"])
def test_a_map_is_shared_where_all_that_it_learns_from_is_the_same(changed):
    rng = np.random.default_rng(0)
    said = softmax(rng.normal(size=(200, 3)))
    label = drawn(rng, said)
    with remembering():
        first = Calibrate().fit({"one": said}, outcomes(label)).maps["one"]
        if changed == "label":
            label = np.roll(label, 1)
        if changed == "prediction":
            said = said[:, ::-1]
        step = Calibrate(method="temperature") if changed == "step" else Calibrate()
        again = step.fit({"other": said}, outcomes(label)).maps["other"]
    assert (first is again) == (changed == "nothing")


def test_nothing_is_remembered_outside():
    rng = np.random.default_rng(0)
    said = softmax(rng.normal(size=(200, 3)))
    learned = outcomes(drawn(rng, said))
    first, again = (Calibrate().fit({"one": said}, learned).maps["one"] for _ in range(2))
    assert first is not again
