"""A run end to end in one process: what is computed, reused, counted and recorded."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from farm.config import Experiment
from farm.errors import BadInput
from farm.ledger import all_trials, trials_on
from farm.run import run


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "small",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.2}}},
        "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 4}},
        "features": {"preset": "small", "keep": 20},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"linear": {"uses": "logistic"}, "heavy": {"uses": "logistic", "params": {"C": 0.01}}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def test_a_run_leaves_the_files_of_the_contract(tmp_path: Path) -> None:
    result = run(experiment(tmp_path))
    folder = tmp_path / "runs" / "small" / "latest"
    assert result.folder.path == folder.resolve()
    for name in (
        "experiment.yaml",
        "manifest.json",
        "oof.parquet",
        "trials.parquet",
        "returns.parquet",
        "summary.json",
    ):
        assert (folder / name).is_file(), name
    assert (folder / "report.html").stat().st_size > 1000
    oof = pq.read_table(folder / "oof.parquet")
    assert oof.column_names == [
        "symbol", "decided_at", "trial", "model", "split", "group", "label", "weight", "p_down", "p_flat", "p_up",
    ]  # fmt: skip
    frame = oof.to_pandas()
    assert set(frame.trial) == {"linear", "heavy", "stack", "majority", "momentum_sign", "random"}
    assert not frame.duplicated(["symbol", "trial", "decided_at", "split"]).any()
    assert (frame[["p_down", "p_flat", "p_up"]].sum(axis=1) - 1).abs().max() < 1e-9
    returns = pq.read_table(folder / "returns.parquet").to_pandas()
    assert (returns.net - (returns.gross - returns.cost)).abs().max() < 1e-12
    assert set(returns[returns.trial == "stack"].path) == {-1, 0, 1, 2}
    trials = pq.read_table(folder / "trials.parquet").to_pandas()
    assert dict(zip(trials.trial, trials.role, strict=True))["stack"] == "candidate"
    assert set(trials.status) == {"finished"}


def test_another_meta_learner_reuses_every_base_fit(tmp_path: Path) -> None:
    run(experiment(tmp_path))
    stack = {"steps": [{"kind": "calibrate"}, {"kind": "combine", "penalty": 0.5}]}
    again = run(experiment(tmp_path, stack=stack))
    assert again.fits["reused"] == again.fits["total"] > 0


def test_another_seed_or_parameter_refits_what_it_changes(tmp_path: Path) -> None:
    first = run(experiment(tmp_path))
    models = {"linear": {"uses": "logistic"}, "heavy": {"uses": "logistic", "params": {"C": 0.02}}}
    other = run(experiment(tmp_path, models=models))
    per_model = first.fits["total"] // 6  # two models, three baselines, and the sentinel on the first model
    assert other.fits["done"] == per_model
    assert run(experiment(tmp_path, seed=2)).fits["reused"] == 0


def test_fresh_fits_everything_again(tmp_path: Path) -> None:
    run(experiment(tmp_path))
    assert run(experiment(tmp_path), fresh=True).fits["reused"] == 0


def test_every_trial_ever_made_on_a_symbol_counts_in_a_later_verdict(tmp_path: Path) -> None:
    first = run(experiment(tmp_path))
    assert first.summary["studies"][0]["raw_trials"] == 3
    models = {"third": {"uses": "logistic", "params": {"C": 0.5}}}
    later = run(experiment(tmp_path, name="another", models=models))
    assert later.summary["studies"][0]["raw_trials"] == 4
    assert run(experiment(tmp_path)).summary["studies"][0]["raw_trials"] == 4, "the same trials again add nothing"
    assert len([trial for trial in trials_on(str(tmp_path), "SYN-A") if trial.role == "candidate"]) == 4


def test_a_failing_model_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    models = {
        "linear": {"uses": "logistic"},
        "broken": {"uses": "sklearn.linear_model.LogisticRegression", "params": {"C": -1.0}},
    }
    result = run(experiment(tmp_path, models=models))
    assert result.failed
    assert result.fits["failed"] == 6
    study = result.summary["studies"][0]
    assert [candidate["trial"] for candidate in study["candidates"]] == ["linear"]
    assert all("C" in failure["error"] for failure in result.summary["failed_fits"])
    status = {trial.begun.name: trial.status for trial in all_trials(str(tmp_path))}
    assert status["broken"] == status["stack"] == "failed"
    assert status["linear"] == "finished"
    assert study["raw_trials"] == 3, "failed trials count"


def test_a_run_whose_only_model_fails_ends_insufficient(tmp_path: Path) -> None:
    models = {"broken": {"uses": "sklearn.linear_model.LogisticRegression", "params": {"C": -1.0}}}
    result = run(experiment(tmp_path, models=models))
    assert result.failed
    assert result.summary["verdict"] == "INSUFFICIENT"


def test_bad_input_found_in_the_data_leaves_no_run_behind(tmp_path: Path) -> None:
    rare = {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 60}}
    with pytest.raises(BadInput, match="SYN-A: folds: "):
        run(experiment(tmp_path, decisions=rare))
    assert not (tmp_path / "runs").exists()


def test_a_cluster_needs_a_home_that_all_its_nodes_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FARM_HOME", raising=False)
    given = experiment(Path("relative"), execution={"on": "ray", "address": "10.0.0.1:6379"})
    with pytest.raises(BadInput, match="absolute path that all its nodes share"):
        run(given)


def test_the_log_bears_the_run_id_on_every_line(tmp_path: Path) -> None:
    result = run(experiment(tmp_path))
    lines = [json.loads(line) for line in (result.folder.path / "log.jsonl").read_text().splitlines()]
    assert {line["run"] for line in lines} == {result.folder.run_id}
    assert {"started", "chunk", "study", "finished"} <= {line["event"] for line in lines}
