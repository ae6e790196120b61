"""A search from experiment to verdict in one process: counted, chosen as by brute force, and resumed."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from farm.config import Experiment
from farm.errors import BadInput
from farm.ledger import all_trials
from farm.models import installed
from farm.run import run
from farm.run.budget import Spending, rounds_of
from farm.run.panels import open_panel
from farm.run.plan import plan_study
from farm.run.prepare import stored_study
from farm.run.work import read_chunks
from farm.search import Budget, Rows, loss
from farm.stack import build_lattice
from farm.stack.nested import outcomes_of
from farm.store import Store
from farm.study import market_of

C = {"C": {"kind": "float", "low": 0.0001, "high": 10.0, "log": True}}
SEARCH = {"objective": "log_loss", "budget": {"trials": 6}, "models": {"linear": {"space": C}}}


def experiment(home: Path, search: dict[str, Any], **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "searched",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.2}}},
        "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 6}},
        "features": {"preset": "small", "keep": 20},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"linear": {"uses": "logistic"}, "other": {"uses": "logistic", "params": {"C": 0.01}}},
        "search": {**SEARCH, **search},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def configurations(home: Path) -> dict[str, str]:
    """Every configuration in the ledger with its status."""
    return {
        trial.begun.name: trial.status
        for trial in all_trials(str(home))
        if trial.begun.name.rpartition(".")[2].isdigit() and trial.role == "candidate"
    }


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    home = tmp_path_factory.mktemp("home")
    return home, run(experiment(home, {}))


def test_a_label_recipe_is_searched_like_a_parameter(tmp_path: Path) -> None:
    space = {"labels.max_bars": {"kind": "choice", "of": [6, 72]}}
    labels = {"objective": "net_return", "sampler": {"kind": "grid"}, "models": {"linear": {"space": space}}}
    result = run(experiment(tmp_path, labels))
    (study,) = result.summary["studies"]
    assert configurations(tmp_path) == {"linear.1": "finished", "linear.2": "finished"}
    assert study["raw_trials"] == 2 + 3
    assert study["proof"]["violations"] == []
    assert study["proof"]["rows_checked"] > 0
    chosen = [group for one in study["search"]["linear"]["configurations"] for group in one["chosen_by"]]
    assert sorted(chosen) == [0, 1, 2, 3]
    learned = [trial.begun.params for trial in all_trials(str(tmp_path)) if trial.begun.name.startswith("linear.")]
    assert [json.loads(params)["labels"]["max_bars"] for params in learned] == [6, 72]


def test_every_configuration_is_a_trial_and_only_what_was_picked_gets_a_verdict(searched: tuple[Path, Any]) -> None:
    home, result = searched
    study = result.summary["studies"][0]
    assert configurations(home) == {f"linear.{number}": "finished" for number in range(1, 7)}
    assert [candidate["trial"] for candidate in study["candidates"]] == ["linear", "other", "stack"]
    assert study["raw_trials"] == 6 + 3
    assert study["proof"]["violations"] == []
    assert result.fits["failed"] == 0


def test_the_report_takes_what_was_searched_for_no_candidate_that_lost_its_result(searched: tuple[Path, Any]) -> None:
    _, result = searched
    page = (result.folder.path / "report.html").read_text()
    assert "<dt>Candidates</dt><dd>3<small>beside 4 baselines" in page
    assert "searches tried 6 configurations, which count as trials" in page
    assert "failed to fit" not in page


def test_configurations_have_a_headline_series_and_no_paths(searched: tuple[Path, Any]) -> None:
    _, result = searched
    returns = pq.read_table(result.folder.path / "returns.parquet").to_pandas()
    assert set(returns[returns.trial == "linear.3"].path) == {-1}
    assert set(returns[returns.trial == "linear"].path) == {-1, 0, 1, 2}
    assert "linear.3" not in set(pq.read_table(result.folder.path / "oof.parquet")["trial"].to_pylist())


def test_the_nested_choice_is_that_of_brute_force_over_the_stored_predictions(searched: tuple[Path, Any]) -> None:
    home, result = searched
    wanted = experiment(home, {})
    prepared = stored_study(wanted, "SYN-A")
    if prepared is None:  # synthetic bars are no file: what the run stored is found by planning again
        from farm.run.prepare import PanelSpec, prepare_study

        prepared = prepare_study(PanelSpec(wanted, "SYN-A"))
    store = Store(str(home))
    plan = plan_study(wanted, prepared, installed())
    names = plan.searched["linear"].complete
    predictions, _ = read_chunks(store, [chunk for chunk in plan.chunks if set(chunk.names) & set(names)])
    panel = open_panel(store, prepared.panel_key)
    events, folds = panel.events, prepared.plan
    lattice = build_lattice(folds, events.decided_at, predictions)
    market = market_of(panel, wanted.backtest, prepared.instrument)
    chosen = {}
    for group in range(len(folds.groups)):
        rows = [
            row
            for row in range(len(events.decided_at))
            if events.labelled[row]
            and lattice.group[row] != group
            and row in set(folds.train_rows(events.decided_at, events.exited_at, (group,)).tolist())
        ]
        at = np.array(rows)
        known = Rows.of(outcomes_of(events, at).at(market.take(at)))
        losses = {name: loss("log_loss", lattice.probability[name][at, group], known) for name in names}
        chosen[group] = min(names, key=lambda name: (losses[name], names.index(name)))
    said = result.summary["studies"][0]["search"]["linear"]["configurations"]
    assert {group: one["trial"] for one in said for group in one["chosen_by"]} == chosen
    oof = pq.read_table(result.folder.path / "oof.parquet").to_pandas()
    mine = oof[oof.trial == "linear"]
    for group, name in chosen.items():
        rows = np.flatnonzero(lattice.group == group)
        others = [other for other in range(len(folds.groups)) if other != group]
        cells = np.array([lattice.probability[name][row, other] for row, other in itertools.product(rows, others)])
        here = mine[mine.group == group]
        assert np.allclose(np.sort(here.p_up.to_numpy()), np.sort(cells[:, 2]), rtol=0, atol=0)


def test_a_longer_search_reuses_what_a_shorter_one_fitted(searched: tuple[Path, Any]) -> None:
    home, first = searched
    longer = run(experiment(home, {"budget": {"trials": 8}}, name="longer"))
    new = longer.fits["done"]
    assert new <= first.fits["total"]
    assert set(configurations(home)) == {f"linear.{number}" for number in range(1, 9)}
    assert longer.summary["studies"][0]["search"]["linear"]["made"] == 8


@pytest.mark.parametrize(
    ("search", "made", "complete"),
    [
        ({"sampler": {"kind": "tpe", "batch": 3}}, 6, 6),
        ({"sampler": {"kind": "halving", "rungs": 2}}, 6, 3),
        ({"sampler": {"kind": "tpe", "batch": 2}, "nested": "strict", "budget": {"trials": 2}}, 8, 4),
    ],
    ids=["tpe", "halving", "strict"],
)
def test_a_search_that_adapts_counts_all_that_it_tried(
    search: dict[str, Any], made: int, complete: int, tmp_path: Path
) -> None:
    result = run(experiment(tmp_path, search))
    study = result.summary["studies"][0]
    said = study["search"]["linear"]
    assert (said["made"], said["complete"]) == (made, complete)
    assert said["looked_at_every_group"] == (search.get("nested") != "strict")
    assert study["raw_trials"] == made + 3
    assert study["proof"]["violations"] == []
    statuses = list(configurations(tmp_path).values())
    assert len(statuses) == made
    assert statuses.count("finished") == complete
    again = run(experiment(tmp_path, search))
    assert again.fits["reused"] == again.fits["total"]
    assert again.summary == result.summary


def test_a_spent_budget_judges_what_is_complete_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = iter([None])
    monkeypatch.setattr(Spending, "spent", lambda self: next(spent, "search.budget.minutes = 1 was spent"))
    search = {"budget": {"trials": 10, "minutes": 1}}
    first = run(experiment(tmp_path, search))
    said = first.summary["studies"][0]["search"]["linear"]
    assert first.summary["search_stopped"] == "search.budget.minutes = 1 was spent"
    assert 0 < said["complete"] < said["made"] == 10
    assert sorted(set(configurations(tmp_path).values())) == ["finished", "killed"]
    assert first.summary["studies"][0]["raw_trials"] == 10 + 3, "what was announced counts"
    monkeypatch.undo()
    second = run(experiment(tmp_path, search))
    assert second.summary["search_stopped"] is None
    assert second.summary["studies"][0]["search"]["linear"]["complete"] == 10
    assert second.fits["reused"] == first.fits["done"]


def test_a_configuration_that_cannot_be_fitted_is_left_out_and_counted(tmp_path: Path) -> None:
    models = {"linear": {"uses": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 200}}}
    space = {"C": {"kind": "choice", "of": [0.1, -1.0, 0.01]}}
    search = {"budget": {"trials": 3}, "models": {"linear": {"space": space}}}
    result = run(experiment(tmp_path, search, models=models, execution={"on": "process", "max_failed_fits": 6}))
    study = result.summary["studies"][0]
    said = study["search"]["linear"]
    assert [one["aside"] for one in said["configurations"] if one["params"]["C"] < 0] == ["a fit failed"]
    assert said["complete"] == 2
    assert study["raw_trials"] == 3 + 1
    assert [candidate["trial"] for candidate in study["candidates"]] == ["linear"]


def test_chunks_go_out_in_turn_for_every_study(searched: tuple[Path, Any]) -> None:
    class Chunk:
        def __init__(self, symbol: str, number: int) -> None:
            self.symbol, self.number, self.round = symbol, number, number // 2

    chunks: Any = [Chunk(symbol, number) for symbol in "AB" for number in range(4)]
    timed = experiment(searched[0], {"budget": {"trials": 4, "minutes": 1}}).search
    assert [[(one.symbol, one.number) for one in part] for part in rounds_of(chunks, timed)] == [
        [("A", 0), ("B", 0), ("A", 1), ("B", 1)],
        [("A", 2), ("B", 2), ("A", 3), ("B", 3)],
    ]
    assert rounds_of(chunks, None) == [chunks]


def test_a_budget_says_which_part_of_it_is_spent() -> None:
    moment = [0.0]
    spending = Spending(Budget(minutes=1, cpu_hours=1), lambda: moment[0])
    assert spending.spent() is None
    spending.add(3600)
    assert "cpu_hours = 1" in str(spending.spent())
    moment[0] = 60.0
    assert "minutes = 1" in str(spending.spent())


def test_what_cannot_be_searched_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"search\.models\.liner: no such model; did you mean 'linear'"):
        experiment(tmp_path, {"models": {"liner": {"space": C}}})
    with pytest.raises(ValidationError, match=r"models\.linear\.1 has the name of a configuration of linear"):
        experiment(tmp_path, {}, models={"linear": {"uses": "logistic"}, "linear.1": {"uses": "logistic"}})
    with pytest.raises(ValidationError, match=r"stack\.nesting is none; leave one out"):
        experiment(tmp_path, {}, stack={"nesting": "none"})
    wrong = {"models": {"linear": {"space": {"depth": {"kind": "int", "low": 1, "high": 3}}}}}
    with pytest.raises(BadInput, match="no parameter 'depth'"):
        run(experiment(tmp_path, wrong))
    assert not list(tmp_path.glob("runs/*"))
