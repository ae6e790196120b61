"""The verdict reads headline series and never paths, which share their data."""

import numpy as np
import pytest

import farm.evidence
from farm.calibrate.pipeline import judge_market
from farm.config import Experiment
from farm.evidence import History, Thresholds, gather_evidence
from farm.run import run
from farm.stats import probability_of_backtest_overfitting
from farm.study import StudyRecipe

EXPERIMENT = {
    "name": "headlines",
    "seed": 3,
    "bars": {"source": "synthetic", "markets": {"SYN-V": {"edge": 0.5}}, "timeframe": "1h", "years": 0.4},
    "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.2}},
    "features": {"preset": "small"},
    "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
    "folds": {"kind": "cpcv", "groups": 4, "test_groups": 2},
    "models": {
        "neighbours": {"uses": "sklearn.neighbors.KNeighborsClassifier"},
        "boosted": {"uses": "lightgbm", "params": {"n_estimators": 8, "num_leaves": 4}},
    },
    "backtest": {"capital": 100000, "costs": {"commission": {"kind": "bps", "value": 0.1},
                                              "slippage": {"kind": "bps", "value": 0}}},
    "verdict": {"pbo_trials": 2, "pbo_blocks": 4, "max_certifiable_sharpe": 100},
}  # fmt: skip


@pytest.fixture
def experiment():
    return Experiment.model_validate(EXPERIMENT)


def test_pbo_and_effective_trials_are_given_the_headline_series_of_candidates(experiment, monkeypatch):
    studies, matrices = [], []
    run, pbo, effective = (
        StudyRecipe.run,
        farm.evidence.probability_of_backtest_overfitting,
        farm.evidence.effective_trials,
    )

    def spied_run(self, *given):
        studies.append(run(self, *given))
        return studies[-1]

    def spied_pbo(returns, **given):
        matrices.append(returns)
        return pbo(returns, **given)

    def spied_effective(returns):
        matrices.append(returns)
        return effective(returns)

    monkeypatch.setattr(StudyRecipe, "run", spied_run)
    monkeypatch.setattr(farm.evidence, "probability_of_backtest_overfitting", spied_pbo)
    monkeypatch.setattr(farm.evidence, "effective_trials", spied_effective)
    judge_market(experiment)
    (study,) = studies
    headlines = [trial.headline.net for trial in study.trials if trial.role == "candidate"]
    assert len(headlines) == 3
    assert len(matrices) == 2
    for matrix in matrices:
        moving = [series for series in headlines if np.ptp(series) > 0 or matrix.shape[1] == len(headlines)]
        assert np.array_equal(matrix, np.column_stack(moving))


def test_a_trial_that_failed_counts_as_much_as_one_that_ended(tmp_path):
    changes = {
        "home": str(tmp_path),
        "models": {
            "linear": {"uses": "logistic"},
            "broken": {"uses": "sklearn.linear_model.LogisticRegression", "params": {"C": -1.0}},
        },
        "execution": {"on": "process", "max_failed_fits": 6},
        "track": None,
    }
    summary = run(Experiment.model_validate(EXPERIMENT | changes)).summary
    (study,) = summary["studies"]
    assert {one["trial"] for one in summary["failed_fits"]} == {"broken"}
    assert study["raw_trials"] == 3  # the one that ended, the broken one, and the stack that needed both


def test_paths_in_the_place_of_trials_would_make_pbo_look_far_too_good():
    """Paths of null strategies are noisy copies of one another: which strategy is best then seems to last."""
    rng = np.random.default_rng(0)
    wrong, right = [], []
    for _ in range(12):
        strategies = rng.normal(0, 0.01, (512, 10))
        right.append(probability_of_backtest_overfitting(strategies, n_blocks=8).pbo)
        # The misuse: the paths of each strategy one after another, so that both halves hold the same luck.
        paths = np.concatenate([strategies + rng.normal(0, 0.002, strategies.shape) for _ in range(8)])
        wrong.append(probability_of_backtest_overfitting(paths, n_blocks=8).pbo)
    assert np.mean(right) > 0.35
    assert np.mean(wrong) < 0.1
    evidence = gather_evidence(
        "X", {f"s{k}": strategies[:, k] for k in range(10)}, History(np.zeros((512, 0))), sessions_per_year=252,
        smallest_group=100, faults=(), thresholds=Thresholds(pbo_blocks=8), n_studies=1, seed=0,
    )  # fmt: skip
    assert evidence.overfitting.pbo == right[-1]
