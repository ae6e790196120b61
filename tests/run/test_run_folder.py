"""A run's folder, on disk and on an object store: made, found again, listed."""

import json
import os
import platform
import uuid
from pathlib import Path
from typing import Any

import pytest

from farm.config import Experiment
from farm.errors import BadInput
from farm.run import find_run, list_runs
from farm.run.environment import code_version, environment
from farm.run.folder import RunFolder, all_runs, open_run, run_at

VALUES: dict[str, Any] = {
    "name": "small",
    "seed": 1,
    "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {}}},
    "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 4}},
    "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
    "folds": {"kind": "cpcv", "groups": 4},
    "models": {"linear": {"uses": "logistic"}},
    "backtest": {"capital": 100000},
}


@pytest.fixture(params=["local", "object store"])
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    return str(tmp_path / "home") if request.param == "local" else f"memory://{uuid.uuid4().hex}/home"


def experiment(home: str, **changes: Any) -> Experiment:
    return Experiment.model_validate({**VALUES, "home": home, **changes})


def killed(folder: RunFolder) -> None:
    folder.update_manifest(process=2**22 + 1)  # above the highest process number that Linux gives by default


def test_a_run_that_was_stopped_is_opened_again(home: str) -> None:
    first = open_run(experiment(home))
    killed(first)
    again = open_run(experiment(home))
    assert again == first
    manifest = again.manifest()
    assert (manifest["starts"], manifest["process"]) == (2, os.getpid())
    assert manifest["run_id"] == first.run_id


def test_a_run_that_is_done_or_of_another_experiment_is_left_alone(home: str) -> None:
    first = open_run(experiment(home))
    killed(first)
    other = open_run(experiment(home, seed=2))
    assert other != first
    first.update_manifest(status="done")
    assert open_run(experiment(home)) not in (first, other)


def test_runs_that_begin_in_one_second_have_folders_of_their_own(home: str) -> None:
    folders = []
    for _ in range(3):
        folders.append(open_run(experiment(home)))
        folders[-1].update_manifest(status="done")
    assert len({folder.run_id for folder in folders}) == 3
    assert {folder.manifest()["run_id"] for folder in folders} == {folder.run_id for folder in folders}


def test_the_latest_run_is_found_by_the_experiments_name(home: str) -> None:
    first = open_run(experiment(home))
    first.update_manifest(status="done")
    second = open_run(experiment(home))
    for name in ("small", second.run_id):
        assert run_at(home, name).run_id == second.run_id
    assert run_at(home, first.run_id) == first
    assert json.loads((find_run(home, "small") / "manifest.json").read_text())["run_id"] == second.run_id
    assert run_at(home, str(second.path)).manifest() == second.manifest()


def test_a_run_that_is_not_there_is_told_with_what_is(home: str) -> None:
    with pytest.raises(BadInput, match="has no runs"):
        find_run(home, "small")
    open_run(experiment(home))
    with pytest.raises(BadInput, match="did you mean 'small'"):
        find_run(home, "smal")


def test_what_is_written_is_there_for_another_machine(home: str, tmp_path: Path, monkeypatch) -> None:
    folder = open_run(experiment(home))
    folder.write("experiment.yaml", "name: small\n")
    (folder.path / "oof.parquet").write_bytes(b"rows")
    folder.keep("oof.parquet", "never-written")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "other machine"))
    there = run_at(home, "small").fetch()
    assert (there / "experiment.yaml").read_text() == "name: small\n"
    assert (there / "oof.parquet").read_bytes() == b"rows"
    assert "never-written" not in {path.name for path in there.iterdir()}


def test_runs_are_listed_with_their_status_and_verdict(home: str) -> None:
    assert list_runs(home) == []
    folder = open_run(experiment(home))
    killed(folder)
    done = open_run(experiment(home, name="other"))
    done.write_json("summary.json", {"verdict": "PASS", "passed": [{"symbol": "SYN-A", "trial": "linear"}]})
    done.update_manifest(status="done", fits={"total": 6, "reused": 2})
    rows = {row["name"]: row for row in list_runs(home)}
    assert [folder.run_id for folder in all_runs(home)] == [rows["other"]["run_id"], rows["small"]["run_id"]]
    assert (rows["small"]["status"], rows["small"]["verdict"]) == ("stopped", None)
    assert (rows["other"]["status"], rows["other"]["verdict"], rows["other"]["fits"]) == ("done", "PASS", 6)
    assert rows["other"]["passed"] == ["SYN-A/linear"]
    assert rows["other"]["folder"] == done.place


def test_latest_is_a_link_where_there_are_links(tmp_path: Path) -> None:
    folder = open_run(experiment(str(tmp_path)))
    latest = tmp_path / "runs" / "small" / "latest"
    assert latest.is_symlink()
    assert latest.resolve() == folder.path


def test_a_manifest_says_what_the_run_is_made_with() -> None:
    made = environment()
    assert made["host"] == platform.node()
    assert {"numpy", "pandas", "lightgbm", "ray"} <= set(made["libraries"])
    assert not {"pytest", "ruff", "moto"} & set(made["libraries"])
    assert made["cpu"]
    assert {"farm/fit.py", "farm/stats", "farm/store"} <= set(code_version()["source"])
