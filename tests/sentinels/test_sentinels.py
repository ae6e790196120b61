from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit, train_base
from farm.folds import Cpcv
from farm.labels import Cusum, TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, PanelRecipe
from farm.selection import Separation
from farm.sentinels import ALARM, chance_of_shifted, prove_truncation, with_shifted_labels
from farm.stack.lattice import build_lattice

LINEAR = Model(uses="logistic")
BOOSTED = Model(uses="lightgbm", params={"n_estimators": 10, "num_leaves": 4})
RECIPE = PanelRecipe(
    Decisions(timeframe="1h", events=Cusum(threshold=0.8)),
    FeatureRecipe(preset="small", timeframes=("4h",)),
    TripleBarrier(up=1.5, down=1.5, max_bars=24),
    0.1,
)


@pytest.fixture(scope="module")
def loaded():
    """A market with an edge that is easy to find: only shifting the labels takes it away."""
    return SyntheticBars(markets={"SYN-S": {"edge": 0.5, "drift": 0.5}}, timeframe="30min", years=0.6, seed=2).read(
        "SYN-S"
    )


@pytest.fixture(scope="module")
def panel(loaded):
    return RECIPE.build(loaded.bars, loaded.instrument.calendar)


@pytest.fixture(scope="module")
def plan(panel):
    return Cpcv(groups=5, test_groups=2, embargo="1 session").plan(
        panel.events.decided_at, panel.events.exited_at, clock=panel.bars.available_at, session=panel.bars.session
    )


def chance(panel, plan, probability):
    group = plan.group_of(panel.events.decided_at)
    return chance_of_shifted(probability, panel.events, group, panel.bars.session[panel.events.row])


def out_of_fold(panel, plan, seed):
    predictions = {}
    for split in range(len(plan.splits)):
        shifted = with_shifted_labels(panel, 100 * seed + split)
        fitted = fit(shifted, plan, LINEAR, builtin(), split, seed=1, threads=1, keep=50)
        predictions[split] = (panel.events.decided_at[fitted.rows], fitted.probability)
    return build_lattice(plan, panel.events.decided_at, {"linear": predictions}).mean("linear")


def in_sample(panel):
    rows = np.flatnonzero(panel.events.labelled)
    base = train_base(panel, rows, rows[:0], BOOSTED, builtin(), seed=1, threads=1, keep=50, selection=Separation())
    return base.predict(panel.values)


def test_shifted_labels_keep_every_event_and_every_feature_value(panel):
    shifted = with_shifted_labels(panel, seed=3)
    assert shifted.events is panel.events
    assert np.array_equal(np.sort(shifted.values, axis=0), np.sort(panel.values, axis=0))
    assert not np.any(np.all(shifted.values == panel.values, axis=1))


def test_what_is_found_in_shifted_labels_out_of_fold_is_as_rare_as_its_p_value(panel, plan):
    """Twelve draws whose z would be spread half as wide again if the splits shared their shifts."""
    z = [-ndtri(chance(panel, plan, out_of_fold(panel, plan, seed))) for seed in range(12)]
    assert abs(np.mean(z)) < 1
    assert np.std(z) < 1.6
    assert max(z) < -ndtri(ALARM)


def test_a_fit_that_saw_the_rows_it_predicts_is_found_on_shifted_labels(panel, plan):
    found = [chance(panel, plan, in_sample(with_shifted_labels(panel, seed))) for seed in range(5)]
    assert max(found) < ALARM


def test_class_rates_that_differ_between_groups_are_no_skill(panel, plan):
    """A prediction that knows nothing but each group's own share of ups leans the same way all through the group."""
    group = plan.group_of(panel.events.decided_at)
    share = np.array([np.mean(panel.events.label[group == own] > 0) for own in range(5)])[group]
    assert chance(panel, plan, np.column_stack((1 - share, np.zeros(len(share)), share))) is None


def test_a_handful_of_sessions_says_nothing(panel, plan):
    few = panel.bars.session[panel.events.row] < panel.bars.session[panel.events.row][0] + 5
    probability = np.where(few[:, None], [0.2, 0.2, 0.6], np.nan)
    assert chance(panel, plan, probability) is None


def test_a_panel_of_causal_features_and_labels_stands_without_its_later_bars(loaded, panel):
    for seed in range(4):
        proof = prove_truncation(RECIPE, loaded.bars, loaded.instrument.calendar, panel, seed=seed)
        assert proof.violations == ()
        assert proof.rows_checked > len(panel) / 2


def test_a_feature_that_knows_the_future_is_named(loaded, panel):
    ahead = panel.values.copy()
    ahead[:-1, 3] = panel.values[1:, 3]
    proof = prove_truncation(RECIPE, loaded.bars, loaded.instrument.calendar, replace(panel, values=ahead), seed=1)
    assert [violation.split(" has ")[0] for violation in proof.violations] == [f"feature {panel.names[3]}"]


def test_a_label_that_changes_after_it_ended_is_told(loaded, panel):
    turned = replace(panel, events=replace(panel.events, label=-panel.events.label))
    proof = prove_truncation(RECIPE, loaded.bars, loaded.instrument.calendar, turned, seed=1)
    assert len(proof.violations) == 1
    assert "label differs" in proof.violations[0]
