"""Selection in a run: part of a fit's key and of a trial's identity, and told in the summary with the diagnostics."""

import json
from pathlib import Path
from typing import Any

import pytest

from farm.config import Experiment
from farm.models import installed
from farm.run import run
from farm.run.check import check
from farm.run.forecast import forecast
from farm.run.plan import StudyPlan, plan_study
from farm.run.prepare import PanelSpec, prepare_study


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "chosen",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.2}}},
        "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 4}},
        "features": {"preset": "small", "keep": 4},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"linear": {"uses": "logistic"}},
        "stack": None,
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def planned(chosen: Experiment) -> StudyPlan:
    return plan_study(chosen, prepare_study(PanelSpec(chosen, "SYN-A")), installed())


def keys(plan: StudyPlan, model: str) -> set[str]:
    return {chunk.key for chunk in plan.chunks if chunk.name == model}


def identity(plan: StudyPlan, model: str) -> str:
    return next(trial.identity for trial in plan.trials if trial.name == model)


@pytest.mark.parametrize(
    "changed", [{"kind": "mdi"}, {"kind": "separation", "max_correlation": 0.9}, {"kind": "sfi", "folds": 3}]
)
def test_another_selection_is_another_fit_and_another_trial(tmp_path: Path, changed: dict[str, Any]) -> None:
    one, other = planned(experiment(tmp_path)), planned(experiment(tmp_path, selection=changed))
    assert one.prepared.values_digest == other.prepared.values_digest
    assert keys(one, "linear").isdisjoint(keys(other, "linear"))
    assert identity(one, "linear") != identity(other, "linear")


def test_a_costly_selection_makes_smaller_chunks(tmp_path: Path) -> None:
    cheap = planned(experiment(tmp_path))
    costly = planned(experiment(tmp_path, selection={"kind": "mda"}, folds={"kind": "cpcv", "groups": 10}))
    assert max(len(chunk.splits) for chunk in cheap.chunks if chunk.name == "linear") == 6
    assert max(len(chunk.splits) for chunk in costly.chunks if chunk.name == "linear") < 45


def test_the_summary_says_what_was_kept_how_alike_it_was_and_what_the_features_are_like(tmp_path: Path) -> None:
    result = run(experiment(tmp_path, selection={"kind": "mdi", "trees": 20}))
    summary = json.loads((tmp_path / "runs" / "chosen" / "latest" / "summary.json").read_text())
    assert summary["studies"][0]["selection"] == result.summary["studies"][0]["selection"]
    study = summary["studies"][0]
    assert set(study["selection"]) == {"linear"}
    told = study["selection"]["linear"]
    assert sum(told["frequency"].values()) == pytest.approx(4)
    assert len(told["frequency"]) == study["features"]
    assert told["low"] <= told["stability"] <= told["high"]
    assert {one["name"] for one in study["diagnostics"]["features"]} == set(told["frequency"])
    assert study["diagnostics"]["embargo"]["length"] == "1 session"
    assert study["budget"]["kept"] == 4


def test_a_model_that_keeps_everything_has_no_stability_to_tell(tmp_path: Path) -> None:
    study = run(experiment(tmp_path, features={"preset": "small", "keep": 50})).summary["studies"][0]
    assert study["selection"]["linear"]["stability"] is None
    assert set(study["selection"]["linear"]["frequency"].values()) == {1.0}


def test_features_over_the_budget_are_warned_of_before_any_fit(tmp_path: Path) -> None:
    greedy = experiment(
        tmp_path,
        decisions={"timeframe": "5min", "events": {"kind": "cusum", "threshold": 9}},
        features={"preset": "core", "keep": 50},
    )
    warnings = [line for line in check(greedy) if "warning: " in line]
    assert len(warnings) == 1
    assert "features are kept where the train events of a split are worth" in warnings[0]
    assert any("set features.keep" in said for said in forecast(greedy)["warnings"])
    assert not any("warning" in line for line in check(experiment(tmp_path)))
