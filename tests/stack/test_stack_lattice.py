"""The pair lattice: joined on (decision time, split), whatever order the rows come in; what does not fit is named."""

import numpy as np
import pytest

from farm.errors import BadInput
from farm.folds import KFold
from farm.stack import build_lattice


def joined(world, predictions):
    return build_lattice(world.plan, world.panel.events.decided_at, predictions)


def altered(world, base, split, change):
    """The predictions with those of one split changed by a function of (times, probabilities)."""
    by_split = {**world.predictions[base], split: change(*world.predictions[base][split])}
    return {**world.predictions, base: by_split}


def test_every_row_has_the_prediction_of_the_split_that_held_out_its_group_and_the_other(world):
    lattice, plan = world.lattice, world.plan
    rng = np.random.default_rng(0)
    for row in rng.choice(len(world.panel), 60, replace=False):
        for other in range(len(plan.groups)):
            own = int(lattice.group[row])
            if other == own:
                assert np.isnan(lattice.probability["stumps"][row, other]).all()
                assert lattice.split[row, other] == -1
                continue
            split = plan.splits.index(tuple(sorted((own, other))))
            times, probability = world.predictions["stumps"][split]
            (at,) = np.flatnonzero(times == world.panel.events.decided_at[row])
            assert lattice.split[row, other] == split
            assert np.array_equal(lattice.probability["stumps"][row, other], probability[at])


def test_the_mean_is_over_the_other_groups(world):
    probability = world.lattice.probability["neighbours"]
    expected = np.nansum(probability, axis=1) / (len(world.plan.groups) - 1)
    np.testing.assert_allclose(world.lattice.mean("neighbours"), expected, rtol=1e-12)


def test_the_order_of_rows_and_splits_does_not_matter(world):
    rng = np.random.default_rng(1)
    shuffled = {}
    for base, by_split in world.predictions.items():
        shuffled[base] = {}
        for split in rng.permutation(list(by_split)):
            times, probability = by_split[split]
            order = rng.permutation(len(times))
            shuffled[base][int(split)] = (times[order], probability[order])
    again = joined(world, shuffled)
    for base in world.bases:
        assert np.array_equal(again.probability[base], world.lattice.probability[base], equal_nan=True)
    assert np.array_equal(again.split, world.lattice.split)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, p: (t[1:], p[1:]), "stumps, split 4: a row of the held-out groups has no prediction: 1 of them"),
        (lambda t, p: (np.append(t, t[-1]), np.vstack((p, p[-1:]))), "stumps, split 4: a row is predicted twice"),
        (
            lambda t, p: (np.append(t[:-1], t[-1] + 1), p),
            "stumps, split 4: a prediction is for a time that is no decision",
        ),
        (lambda t, p: (t, np.where(np.arange(len(p))[:, None] == 3, np.nan, p)), "stumps, split 4: .*is not finite"),
        (lambda t, p: (t, p[1:]), "stumps, split 4: probabilities have shape"),
        (lambda t, p: (t, p[:, :2]), "stumps, split 4: probabilities have shape"),
    ],
)
def test_what_does_not_fit_is_named(world, change, message):
    with pytest.raises(ValueError, match=message):
        joined(world, altered(world, "stumps", 4, change))


def test_a_row_of_a_group_that_the_split_did_not_hold_out_is_named(world):
    outside = np.flatnonzero(~np.isin(world.lattice.group, world.plan.splits[4]))[0]
    time = world.panel.events.decided_at[outside]

    def moved(times, probability):
        return np.append(times[1:], time), probability

    with pytest.raises(ValueError, match=r"outside the held-out groups \(1, 2\).*first decided at 20"):
        joined(world, altered(world, "stumps", 4, moved))


def test_a_split_without_predictions_is_named(world):
    without = {split: found for split, found in world.predictions["stumps"].items() if split != 6}
    with pytest.raises(ValueError, match="base stumps has no predictions of split 6"):
        joined(world, {"stumps": without})


def test_a_plan_without_pairs_is_refused_with_what_to_choose(world):
    events, bars = world.panel.events, world.panel.bars
    plan = KFold(groups=5).plan(events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session)
    with pytest.raises(BadInput, match="cpcv with test_groups 2"):
        build_lattice(plan, events.decided_at, world.predictions)
