"""Sentinels of a run: they count for nothing, keep silent on an honest machine, and their alarm settles the verdict."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.config import Experiment
from farm.features import FeatureRecipe
from farm.folds import FoldPlan
from farm.ledger import all_trials, candidates_over
from farm.models import installed
from farm.run import run
from farm.run.plan import cheapest_model
from farm.sentinels import SHIFTED_LABELS

NEIGHBOUR = {"uses": "sklearn.neighbors.KNeighborsClassifier", "params": {"n_neighbors": 1}}


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "guarded",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.4, "markets": {"SYN-A": {"edge": 0.2}}},
        "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 4}},
        "features": {"preset": "small", "keep": 20},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"neighbour": NEIGHBOUR},
        "stack": None,
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def study_of(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "runs/guarded/latest/summary.json").read_text())["studies"][0]
    return found


def alarms(study: dict[str, Any]) -> list[str]:
    return [fault for fault in study["faults"] if fault.startswith("sentinel")]


def test_an_honest_run_raises_no_alarm_and_counts_no_sentinel(tmp_path: Path) -> None:
    run(experiment(tmp_path))
    study = study_of(tmp_path)
    assert alarms(study) == []
    assert study["sentinels"]["shifted_labels"]["p"] > 0.001
    assert study["sentinels"]["truncation"]["rows_checked"] > 100
    assert study["raw_trials"] == 1
    trials = all_trials(str(tmp_path))
    assert {trial.begun.name: trial.status for trial in trials if trial.begun.role == "sentinel"} == {
        SHIFTED_LABELS: "finished"
    }
    assert SHIFTED_LABELS not in {trial.begun.name for trial in candidates_over(trials, 0, 2**62)}
    assert "failed to fit" not in (tmp_path / "runs/guarded/latest/report.html").read_text()


def test_folds_that_train_on_what_they_test_set_off_the_shifted_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(plan: FoldPlan, decided: Any, exited: Any, held_out: Any) -> Any:
        return np.arange(len(decided))

    monkeypatch.setattr(FoldPlan, "train_rows", everything)
    run(experiment(tmp_path))
    study = study_of(tmp_path)
    assert study["sentinels"]["shifted_labels"]["p"] < 0.001
    assert any("labels of another time are predicted" in alarm for alarm in alarms(study))
    assert {one["verdict"] for one in study["candidates"]} == {"INSUFFICIENT"}


def test_a_feature_that_reads_a_later_bar_is_named_and_settles_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = FeatureRecipe.table

    def ahead(recipe: FeatureRecipe, bars: Any, *others: Any, **settings: Any) -> Any:
        table = honest(recipe, bars, *others, **settings)
        values = table.values.copy()
        values[:-1, 0] = values[1:, 0]
        return replace(table, values=values)

    monkeypatch.setattr(FeatureRecipe, "table", ahead)
    run(experiment(tmp_path, decisions={"timeframe": "15min", "limit": 20000}))
    study = study_of(tmp_path)
    first = Experiment.model_validate(experiment(tmp_path).model_dump()).features.names[0]
    assert any(f"feature {first} has another value" in alarm for alarm in alarms(study))
    assert {one["verdict"] for one in study["candidates"]} == {"INSUFFICIENT"}


def test_the_shifted_labels_are_tried_on_the_cheapest_candidate(tmp_path: Path) -> None:
    models = {"boosted": {"uses": "lightgbm"}, "linear": {"uses": "logistic", "params": {"C": 0.5}}}
    assert cheapest_model(experiment(tmp_path, models=models), installed()).params == {"C": 0.5}


def test_where_no_candidate_decides_on_the_clock_they_are_tried_on_a_logistic_regression(tmp_path: Path) -> None:
    models = {"slow": {"uses": "lightgbm", "timeframe": "1h"}}
    assert cheapest_model(experiment(tmp_path, models=models), installed()).uses == "logistic"
