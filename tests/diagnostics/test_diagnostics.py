"""Diagnostics of a study: what is planted in a panel is named, and what is honest is left in peace."""

import json
from dataclasses import replace

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.diagnostics import diagnose, feature_budget, pairs_across
from farm.features import FeatureRecipe
from farm.folds import Cpcv, TradingTime
from farm.folds.embargo import parse_embargo
from farm.labels import Cusum, TripleBarrier
from farm.panel import Decisions, PanelRecipe

SESSION = parse_embargo("1 session")


@pytest.fixture(scope="module")
def panel():
    """About 4,000 events of half a year, with five columns of which the first two are honest."""
    loaded = SyntheticBars(markets={"SYN-D": {}}, timeframe="5min", years=0.5, seed=3).read("SYN-D")
    made = PanelRecipe(
        Decisions(timeframe="5min", events=Cusum(threshold=2.0)),
        FeatureRecipe(preset="small"),
        TripleBarrier(up=1.5, down=1.5, max_bars=24),
        0.0,
    ).build(loaded.bars, loaded.instrument.calendar)
    rng = np.random.default_rng(0)
    n = len(made)
    noise = rng.normal(size=(n, 5))
    noise[:, 2] = np.cumsum(noise[:, 2])
    noise[n // 3 :, 3] += 1.0
    noise[:, 4] = 0.1
    return replace(made, values=noise, names=("honest", "plain", "wandering", "broken", "flat"))


@pytest.fixture(scope="module")
def found(panel):
    return diagnose(panel, SESSION)


def test_every_feature_is_read_for_what_it_is(found):
    reading = {one.name: one.reading for one in found.features}
    assert reading == {
        "honest": "stationary",
        "plain": "stationary",
        "wandering": "unit root",
        "broken": "slow or shifting",
        "flat": "constant",
    }


def test_a_break_is_dated_and_only_where_there_is_one(panel, found):
    dated = {one.name: one.break_at for one in found.features}
    assert dated["honest"] is dated["plain"] is dated["flat"] is None
    there = panel.events.decided_at[len(panel) // 3].astype("datetime64[ns]")
    assert abs(np.datetime64(dated["broken"]) - there) < np.timedelta64(5, "D")


def test_what_is_found_is_said_and_what_is_not_is_not(found):
    said = "\n".join(found.warnings)
    assert "wandering" in said
    assert "broken (20" in said
    assert "honest" not in said
    assert "labels on the two sides" not in said


def test_labels_that_outlast_the_embargo_are_warned_of(panel):
    n = len(panel)
    slow = np.sign(np.repeat(np.random.default_rng(1).normal(size=n // 1000 + 1), 1000)[:n]).astype(np.int8)
    sticky = replace(panel, events=replace(panel.events, label=slow))
    found = diagnose(sticky, SESSION)
    assert found.embargo.label_autocorrelation > 0.5
    assert "lengthen folds.embargo" in found.warnings[0]


def test_a_feature_that_outlasts_the_embargo_is_counted(found):
    carried = {one.name: one.autocorrelation for one in found.features}
    assert carried["wandering"] > 0.9
    assert abs(carried["honest"]) < 0.1
    assert carried["flat"] is None
    assert found.embargo.features_above == 2  # a break correlates too
    assert "2 of 5 features" in found.warnings[0]


@pytest.mark.parametrize("length", ["0", "1 session", "2 sessions", "30 bars", "0.01"])
def test_pairs_are_the_nearest_that_the_embargo_leaves_on_both_sides_of_a_split(panel, length):
    events, bars = panel.events, panel.bars
    embargo = parse_embargo(length)
    time = TradingTime(bars.available_at, bars.session)
    first, second = pairs_across(panel, embargo)
    labelled = np.flatnonzero(events.labelled)
    assert len(first) > 0.9 * len(labelled)
    for at in np.linspace(0, len(first) - 1, 40).astype(int):
        until = time.embargo_until(int(events.exited_at[first[at]]), embargo)
        assert second[at] == labelled[np.argmax(events.decided_at[labelled] > until)]
        assert events.decided_at[second[at]] > until


def test_shares_of_regimes_add_up_to_one(found):
    assert set(found.regimes) == {"volatility", "trend"}
    for shares in found.regimes.values():
        assert sum(shares.values()) == pytest.approx(1)


def test_diagnostics_are_json_with_the_documented_keys_and_equal_every_time(panel, found):
    plain = found.plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert json.dumps(plain) == json.dumps(diagnose(panel, SESSION).plain())
    assert set(plain) == {"tested_rows", "every", "features", "embargo", "regimes", "warnings"}
    assert set(plain["features"][0]) == {
        "name", "reading", "adf", "adf_p", "adf_bound", "kpss", "kpss_p", "kpss_bound", "break_p", "break_at",
        "autocorrelation",
    }  # fmt: skip
    assert plain["tested_rows"] <= 2000
    assert plain["tested_rows"] == -(-len(panel) // plain["every"])


def test_a_handful_of_rows_is_not_tested(panel):
    few = replace(panel, values=panel.values[:40], events=panel.events.take(slice(40)))
    found = diagnose(few, SESSION)
    assert {one.reading for one in found.features} == {"too few rows"}
    json.dumps(found.plain(), allow_nan=False)


def test_features_are_held_against_what_the_smallest_train_set_is_worth(panel):
    events, bars = panel.events, panel.bars
    plan = Cpcv(groups=5).plan(events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session)
    enough = feature_budget(panel, plan, keep=50)
    assert (enough.candidates, enough.kept, enough.warning) == (5, 5, None)
    assert enough.effective_events < min(
        len(plan.train_rows(events.decided_at, events.exited_at, held_out)) for held_out in plan.splits
    )
    wide = replace(panel, values=np.zeros((len(panel), 2000)), names=tuple(map(str, range(2000))))
    warned = feature_budget(wide, plan, keep=1000)
    assert warned.effective_events == enough.effective_events
    advised = int(enough.effective_events / 10)
    assert f"features.keep: {advised}," in warned.warning
    assert feature_budget(wide, plan, keep=advised).warning is None
