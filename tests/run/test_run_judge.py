"""What a run's summary says of the money: one bar later, by regime, and what the account was asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from farm.backtest import Account
from farm.config import Experiment
from farm.run import run


def summary(home: Path, **backtest: Any) -> dict[str, dict[str, Any]]:
    """The trials of a small run's only study, by name."""
    experiment = Experiment.model_validate(
        {
            "name": "money",
            "seed": 1,
            "home": str(home),
            "bars": {"source": "synthetic", "years": 0.5, "markets": {"SYN-A": {"edge": 0.5}}},
            "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 3}},
            "features": {"preset": "small", "keep": 10},
            "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
            "folds": {"kind": "cpcv", "groups": 4},
            "models": {"linear": {"uses": "logistic"}},
            "backtest": {"capital": 100000, **backtest},
            "execution": {"on": "process"},
            "track": None,
        }
    )
    folder = run(experiment).folder.path
    (study,) = json.loads((folder / "summary.json").read_text())["studies"]
    return {trial["trial"]: trial for trial in (*study["candidates"], *study["others"])}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def trials(home: Path) -> dict[str, dict[str, Any]]:
    return summary(home)


def test_every_trial_has_its_returns_by_regime(trials: dict[str, dict[str, Any]]) -> None:
    for trial in trials.values():
        assert {row["by"] for row in trial["by_regime"]} == {"volatility", "trend"}
        for by in ("volatility", "trend"):
            rows = [row for row in trial["by_regime"] if row["by"] == by]
            assert sum(row["net_return"] for row in rows) == pytest.approx(trial["metrics"]["net_return"], abs=1e-12)
            assert all(row["low"] <= row["sharpe"] <= row["high"] for row in rows if row["sharpe"] is not None)
    assert {row["regime"] for row in trials["linear"]["by_regime"]} >= {"volatility low", "volatility high"}


def test_the_row_of_one_bar_later_is_the_metrics_of_a_slower_account(
    home: Path, trials: dict[str, dict[str, Any]]
) -> None:
    slower = summary(home, latency=1)
    for name, trial in trials.items():
        assert trial["one_bar_later"] == slower[name]["metrics"], name
    assert trials["linear"]["one_bar_later"]["net_return"] != trials["linear"]["metrics"]["net_return"]


def test_all_that_a_backtest_may_be_asked_for_works_together(home: Path) -> None:
    trials = summary(
        home,
        flatten="session_end",
        impact={"kind": "square_root", "coefficient": 1},
        costs={
            "commission": {"kind": "bps", "value": 0.5},
            "slippage": {
                "kind": "by_volatility",
                "low": {"kind": "bps", "value": 0.5},
                "high": {"kind": "bps", "value": 1.0},
            },
        },
    )
    assert trials["linear"]["orders"]["taken"] > 0
    assert trials["buy_and_hold"]["metrics"]["trades"] == 1


def test_what_is_not_asked_for_leaves_an_account_its_identity() -> None:
    plain = Account(capital=100_000)
    assert plain.model_dump() == {"costs": "instrument", "capital": 100_000.0}
    assert Account(capital=100_000, latency=1).digest() != plain.digest()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"latency": -1}, "greater than or equal to 0"),
        ({"flatten": "noon"}, "session_end"),
        ({"impact": {"kind": "square_root", "coefficient": 0}}, "greater than 0"),
        ({"impact": {"kind": "linear", "coefficient": 1}}, "square_root"),
    ],
)
def test_what_no_account_can_do_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Account.model_validate({"capital": 1, **wrong})
