"""A real MLflow server: one parent a run and a child a candidate; killed, it gets the same record when it is back."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.config import Experiment
from farm.run import run
from farm.run.folder import read_manifest
from farm.run.tracking import deliver_pending

pytest.importorskip("mlflow", reason="tracking needs the extra `track`")


def experiment(home: Path, uri: str | None) -> Experiment:
    values: dict[str, Any] = {
        "name": "tracked",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.6}}},
        "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 3}},
        "features": {"preset": "small", "keep": 10},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"linear": {"uses": "logistic", "params": {"C": 0.5}}, "other": {"uses": "logistic"}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": {"uri": uri},
    }
    return Experiment.model_validate(values)


class Server:
    """An MLflow server of this test's own, that can be killed and started again on the same port and store."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = f"sqlite:///{self._folder}/server.db"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port),
             "--workers", "1", "--backend-store-uri", store,
             "--artifacts-destination", str(self._folder / "artifacts")],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.2)
        raise TimeoutError("the MLflow server did not start")

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server(tmp_path)
    yield one
    one.kill()


def records(uri: str, name: str) -> list[Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(name)
    return [] if found is None else list(client.search_runs([found.experiment_id]))


def test_a_run_is_one_parent_with_its_files_and_a_child_for_each_candidate(tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    result = run(experiment(tmp_path / "home", None))
    tracked = result.folder.manifest()["tracking"]
    assert tracked["status"] == "delivered"
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/home/mlflow.db")
    parent = client.get_run(tracked["parent"])
    assert parent.data.tags["farm.verdict"] == result.summary["verdict"]
    assert json.loads(parent.data.tags["farm.ledger_heads"]) == result.folder.manifest()["ledger_heads"]
    assert parent.data.params["folds.groups"] == "4"
    names = {one.path for one in client.list_artifacts(tracked["parent"])}
    assert names == {"summary.json", "manifest.json", "experiment.yaml", "report.html", "environment.txt"}
    children = {
        child.data.params["trial"]: child for child in records(f"sqlite:///{tmp_path}/home/mlflow.db", "tracked")
        if child.info.run_id != tracked["parent"]
    }  # fmt: skip
    assert set(children) == {"linear", "other", "stack"}
    assert children["linear"].data.params["params.C"] == "0.5"
    (study,) = result.summary["studies"]
    evidence = {one["trial"]: one["evidence"] for one in study["candidates"]}
    for name in ("sharpe", "sharpe_low", "sharpe_high"):
        assert children["linear"].data.metrics[name] == pytest.approx(evidence["linear"][name])


def test_a_server_that_is_down_costs_nothing_and_has_the_whole_record_once_it_is_back(
    tmp_path: Path, server: Server
) -> None:
    result = run(experiment(tmp_path / "home", server.uri))
    tracked = result.folder.manifest()["tracking"]
    assert tracked["status"] == "pending"
    assert result.folder.manifest()["status"] == "done"
    server.start()
    _half_a_delivery(server.uri, result.folder.run_id)
    assert [found["status"] for _, found in deliver_pending(str(tmp_path / "home"))] == ["delivered"]
    assert list(deliver_pending(str(tmp_path / "home"))) == []
    found = records(server.uri, "tracked")
    (parent,) = [one for one in found if "mlflow.parentRunId" not in one.data.tags]
    children = [one for one in found if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(found) == 4
    assert {one.data.params["trial"] for one in children} == {"linear", "other", "stack"}
    assert all(one.info.status == "FINISHED" for one in found)
    assert (read_manifest(result.folder.path) or {})["tracking"]["parent"] == parent.info.run_id


def test_a_server_that_never_answers_holds_a_run_only_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run(experiment(tmp_path / "home", f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert result.folder.manifest()["status"] == "done"
    tracked = result.folder.manifest()["tracking"]
    assert tracked["status"] == "pending"
    assert "timed out" in tracked["error"].lower()


def _half_a_delivery(uri: str, run_id: str) -> None:
    """What a server that died in the middle holds: a parent without its last tag, and a child."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    place = client.create_experiment("tracked")
    parent = client.create_run(place, run_name=run_id, tags={"farm.run_id": run_id}).info.run_id
    client.create_run(place, run_name="half", tags={"mlflow.parentRunId": parent})
