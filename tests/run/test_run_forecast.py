"""Before anything is spent, the plan says what this span and number of trials can certify."""

import pytest

from farm.config import Experiment
from farm.run.forecast import forecast
from farm.stats import certifiable_sharpe


def sweep(years: float, models: int) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "sweep", "seed": 0, "track": None, "execution": {"on": "process"},
            "bars": {"source": "synthetic", "markets": {"SYN": {}}, "timeframe": "1h", "years": years},
            "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.5}},
            "features": {"preset": "small"},
            "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
            "folds": {"kind": "cpcv", "groups": 4, "test_groups": 2, "lockbox": 0},
            "models": {f"bayes_{n}": {"uses": "sklearn.naive_bayes.GaussianNB"} for n in range(models)},
            "stack": None,
            "backtest": {"capital": 100000},
        }
    )  # fmt: skip


def cannot(found: dict) -> list[str]:
    return [said for said in found["warnings"] if "certify" in said]


def test_a_sweep_that_cannot_succeed_is_told_so_with_the_sharpe_it_would_need(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    found = forecast(sweep(years=0.5, models=3))
    (study,) = found["studies"]
    expected = certifiable_sharpe(study["sessions"], 365.25, 3)
    assert study["certifiable_sharpe"] == pytest.approx(expected, rel=0.01)
    assert study["certifiable_sharpe"] > 4
    (said,) = cannot(found)
    assert f"an annual Sharpe ratio of {study['certifiable_sharpe']:.1f} or more" in said
    assert "INSUFFICIENT" in said


def test_a_longer_span_can_succeed_and_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("FARM_HOME", str(tmp_path))
    found = forecast(sweep(years=2, models=3))
    assert cannot(found) == []
    assert 0 < found["studies"][0]["certifiable_sharpe"] < 4
