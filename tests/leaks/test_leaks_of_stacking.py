"""Pure noise under drifting class rates: ordinary stacking finds skill in it, nested stacking does not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from farm.folds import Cpcv
from farm.labels import Events
from farm.stack import Calibrate, Combine, Market, Size, build_lattice, run_nested, run_unnested

ROWS, GROUPS, WATCHED = 1500, 6, 12
STEPS = (Calibrate(), Combine(), Size())


def noise(seed):
    """Features that know nothing, labels whose up rate swings slowly, each overlapping the twelve that follow."""
    rng = np.random.default_rng(seed)
    rate = 0.5 + 0.35 * np.sin(2 * np.pi * (np.arange(ROWS) / ROWS * 1.5 + rng.random()))
    label = np.where(rng.random(ROWS) < rate, 1, -1).astype(np.int8)
    row = np.arange(ROWS)
    exit_row = np.minimum(row + WATCHED, ROWS + WATCHED - 1)
    zeros, ones = np.zeros(ROWS), np.ones(ROWS)
    events = Events(
        row=row, decided_at=row + 1, entered_at=row + 1, exited_at=exit_row + 1, entry_row=row + 1, exit_row=exit_row,
        entry_price=100 * ones, exit_price=100 * ones, volatility=ones, label=label, labelled=ones > 0,
        target=label.astype(float), ret=0.01 * label, touch=label, ambiguous=zeros > 0, resolved=zeros > 0,
    )  # fmt: skip
    return rng.normal(size=(ROWS, 3)), events


def pooled_auc(how, seed):
    features, events = noise(seed)
    clock = np.arange(1, ROWS + WATCHED + 1)
    plan = Cpcv(groups=GROUPS, test_groups=2, embargo="12 bars", lockbox=0).plan(
        events.decided_at, events.exited_at, clock=clock, session=clock // 100
    )
    predictions = {}
    for split, held_out in enumerate(plan.splits):
        train = plan.train_rows(events.decided_at, events.exited_at, held_out)
        test = plan.test_rows(events.decided_at, held_out)
        up = KNeighborsClassifier(75).fit(features[train], events.label[train]).predict_proba(features[test])[:, 1]
        predictions[split] = (events.decided_at[test], np.column_stack((1 - up, np.zeros(len(up)), up)))
    lattice = build_lattice(plan, events.decided_at, {"neighbours": predictions})
    market = Market(np.full(ROWS, 0.01), np.zeros(ROWS))
    mean = how(STEPS, ("neighbours",), lattice, plan, events, market).mean().probability
    return roc_auc_score(events.label, mean[:, 2] - mean[:, 0])


@pytest.fixture(scope="module")
def areas():
    return {how: [pooled_auc(how, seed) for seed in range(5)] for how in (run_nested, run_unnested)}


def test_ordinary_stacking_finds_what_is_not_there(areas):
    assert np.mean(areas[run_unnested]) > 0.6


def test_nested_stacking_stays_at_or_below_chance(areas):
    """Below a half is the known anti-correlation of held-out class rates, not a leak."""
    assert np.mean(areas[run_nested]) < 0.53


def test_nesting_is_what_makes_the_difference_for_every_seed(areas):
    assert (np.array(areas[run_unnested]) > np.array(areas[run_nested]) + 0.05).all()
