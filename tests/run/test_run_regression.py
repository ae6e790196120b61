"""Labels that are numbers: regressors learn them, and the pipeline above bets on the chances of their signs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from farm.config import Experiment
from farm.errors import BadInput
from farm.models import installed
from farm.run import run
from farm.run.beforehand import check_before_work

RIDGE = {"uses": "sklearn.linear_model.Ridge"}
STUMPS = {"uses": "sklearn.ensemble.RandomForestRegressor", "params": {"n_estimators": 10, "max_depth": 3}}
NUMBERS = {"kind": "regression", "horizon": 12}
TIMEOUTS = {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24, "timeout": "regression"}


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "numbers",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.5, "markets": {"SYN-A": {"edge": 0.5}}},
        "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 3}},
        "features": {"preset": "small", "keep": 20},
        "labels": NUMBERS,
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"line": RIDGE, "stumps": STUMPS},
        "stack": {"steps": [{"kind": "calibrate"}, {"kind": "combine", "uses": "ridge"}]},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def test_regressors_are_stacked_and_judged_like_any_base(tmp_path: Path) -> None:
    run(experiment(tmp_path))
    place = tmp_path / "runs/numbers/latest"
    study = json.loads((place / "summary.json").read_text())["studies"][0]
    auc = {one["trial"]: one["scores"]["auc"] for one in study["candidates"]}
    assert auc.keys() == {"line", "stumps", "stack"}
    assert min(auc.values()) > 0.52
    rows = pq.read_table(place / "oof.parquet").to_pandas()
    said = rows[rows["trial"] == "line"][["p_down", "p_flat", "p_up"]].to_numpy()
    np.testing.assert_allclose(said.sum(axis=1), 1)


@pytest.mark.parametrize(("labels", "key"), [(NUMBERS, "labels.kind"), (TIMEOUTS, "labels.timeout")])
def test_a_classifier_is_refused_where_labels_are_numbers(tmp_path: Path, labels: dict[str, Any], key: str) -> None:
    mixed = experiment(tmp_path, labels=labels, models={"line": RIDGE, "boosted": {"uses": "logistic"}})
    with pytest.raises(BadInput, match=rf"models\.boosted: logistic predicts classes, and with {key}"):
        check_before_work(mixed, installed())
