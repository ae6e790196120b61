"""Whole experiments on artificial markets: cells, what is kept, and what a candidate is worth."""

import json

import numpy as np
import pytest

from farm.calibrate import calibrate_pipeline, grid
from farm.calibrate.markets import NOTHING, MarketCell, with_edge
from farm.calibrate.oracle import synthetic
from farm.calibrate.own import chance_on_independent_returns
from farm.calibrate.pipeline import judge_market
from farm.calibrate.table import pipeline_table
from farm.config import Experiment
from farm.evidence import Thresholds
from farm.stats import expected_maximum_sharpe


@pytest.fixture
def experiment(tmp_path):
    """A small one: an hour a bar, four groups, two models and their stack, next to no costs."""
    return Experiment.model_validate(
        {
            "name": "small", "seed": 0, "home": str(tmp_path), "track": None,
            "bars": {"source": "synthetic", "markets": {"SYN": {}}, "timeframe": "1h", "years": 2},
            "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.5}},
            "features": {"preset": "small"},
            "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
            "folds": {"kind": "cpcv", "groups": 4, "test_groups": 2},
            "models": {
                "bayes": {"uses": "sklearn.naive_bayes.GaussianNB"},
                "boosted": {"uses": "lightgbm", "params": {"n_estimators": 20, "num_leaves": 8}},
            },
            "stack": {"steps": [{"kind": "combine"}]},
            "backtest": {"capital": 100000, "costs": {"commission": {"kind": "bps", "value": 0.1},
                                                      "slippage": {"kind": "bps", "value": 0}}},
            "execution": {"on": "process"},
        }
    )  # fmt: skip


def test_cells_are_experiments_on_their_markets(experiment):
    drawn = {cell.name: cell.experiment(experiment, edge=0.0, seed=5) for cell in NOTHING}
    assert len(drawn) == len(NOTHING) == 5
    assert {len(one.bars.symbols) for one in drawn.values()} == {1, 3}
    assert {one.seed for one in drawn.values()} == {one.bars.seed for one in drawn.values()} == {5}
    # of two models, the first three are all of them
    assert len({one.results_digest() for one in drawn.values()}) == 4


def test_finished_markets_are_read_back(experiment, monkeypatch):
    cells = [(MarketCell(name="nothing"), 2)]
    (first,) = calibrate_pipeline(cells, experiment)
    monkeypatch.setattr(grid, "run_studies", lambda *_, **__: pytest.fail("it was run again"))
    (again,) = calibrate_pipeline(cells, experiment)
    assert again == first
    assert (first.passed.runs, first.oracle, first.chance) == (2, None, None)
    json.dumps(first.plain())
    assert pipeline_table([first]).row_count == 1


def test_other_rules_judge_the_same_returns(experiment, monkeypatch):
    cells = [(with_edge(3), 2)]
    monkeypatch.setattr(grid, "_edge", lambda *_: 0.9)
    (first,) = calibrate_pipeline(cells, experiment)
    monkeypatch.setattr(grid, "run_studies", lambda *_, **__: pytest.fail("it was run again"))
    unattainable = experiment.model_copy(update={"verdict": Thresholds(alpha=1e-12)})
    (strict,) = calibrate_pipeline(cells, unattainable)
    assert (first.passed.count, strict.passed.count) == (2, 0)
    assert (strict.best_sharpe, strict.own_sharpe) == (first.best_sharpe, first.own_sharpe)


def test_a_cell_of_few_takes_the_first_models_and_may_trade_for_nothing(experiment):
    free = next(cell for cell in NOTHING if cell.account and cell.models)
    drawn = free.model_copy(update={"models": 1}).experiment(experiment, edge=0.0, seed=1)
    assert list(drawn.models) == ["bayes"]
    costs = drawn.backtest.costs_of(synthetic(drawn).read("SYN").instrument)
    assert (costs.commission.value, costs.slippage.value) == (0, 0)


def test_an_edge_is_worth_something_on_bars_that_nobody_saw(experiment):
    drawn = with_edge(3).experiment(experiment, edge=0.9, seed=1)
    found = judge_market(drawn, measure_worth=True)
    assert set(found.worth) == {"SYN"}
    worth = found.worth["SYN"]
    assert worth.candidate in {"boosted", "bayes", "stack"}
    assert worth.own_sharpe is not None
    assert worth.own_sharpe > 1
    assert 0 < worth.chance <= 1
    assert judge_market(drawn, measure_worth=True) == found


def test_independent_returns_at_the_bar_pass_half_the_time():
    needed = expected_maximum_sharpe(20, exact=True) + 1.645
    sharpe = needed / np.sqrt(504 - 1 - needed**2 / 2) * np.sqrt(252)
    chance = chance_on_independent_returns(
        float(sharpe), sessions=504, sessions_per_year=252, n_trials=20, thresholds=Thresholds(), seed=3
    )
    assert chance == pytest.approx(0.5, abs=0.1)
