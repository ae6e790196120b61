"""One MLflow parent run an experiment run, one child a candidate; sent from the driver when everything is known."""

import logging
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farm.config import Experiment

_ARTIFACTS = ("summary.json", "manifest.json", "experiment.yaml", "report.html")


def publish(
    experiment: Experiment, folder: Path, summary: Mapping[str, Any], manifest: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Send a finished run to MLflow; where it went, or why it could not. Tracking never stops or loses a run.

    Returns None where MLflow is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError:
        return None
    for name in ("alembic", "mlflow", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    uri = (experiment.track.uri if experiment.track else None) or f"sqlite:///{experiment.where}/mlflow.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own deprecations, which nobody here can act on
        try:
            client = MlflowClient(tracking_uri=uri)
            found = client.get_experiment_by_name(experiment.name)
            place = f"{experiment.where}/mlartifacts/{experiment.name}"
            parent_of = found.experiment_id if found else client.create_experiment(experiment.name, place)
            return _send(client, parent_of, folder, summary, manifest, uri)
        except (MlflowException, OSError) as error:
            return {"uri": uri, "error": f"{type(error).__name__}: {error}"}


def _send(
    client: Any, experiment_id: str, folder: Path, summary: Mapping[str, Any], manifest: Mapping[str, Any], uri: str
) -> dict[str, Any]:
    tags = {
        "farm.run_id": manifest["run_id"],
        "farm.verdict": summary["verdict"],
        "farm.experiment_digest": summary["experiment_digest"],
        "farm.code": str(manifest["code"]),
        "farm.ledger_heads": str(manifest["ledger_heads"]),
    }
    parent = client.create_run(experiment_id, run_name=manifest["run_id"], tags=tags)
    children = []
    for study in summary["studies"]:
        for candidate in study["candidates"]:
            children.append(_send_candidate(client, experiment_id, parent.info.run_id, study, candidate))
    for name in _ARTIFACTS:
        if (folder / name).is_file():
            client.log_artifact(parent.info.run_id, str(folder / name))
    client.set_terminated(parent.info.run_id)
    return {"uri": uri, "parent": parent.info.run_id, "children": children}


def _send_candidate(
    client: Any, experiment_id: str, parent: str, study: Mapping[str, Any], candidate: Mapping[str, Any]
) -> str:
    from mlflow.entities import Metric, Param, RunTag

    name = f"{study['symbol']}/{candidate['trial']}"
    child = client.create_run(experiment_id, run_name=name, tags={"mlflow.parentRunId": parent})
    numbers = {
        **candidate["evidence"],
        **{f"score.{key}": value for key, value in candidate["scores"].items()},
        **candidate["metrics"],
        "raw_trials": study["raw_trials"],
        "effective_trials": study["effective_trials"],
        "pbo": study["overfitting"]["pbo"],
    }
    metrics = [Metric(key, float(value), 0, 0) for key, value in numbers.items() if value is not None]
    tags = [
        RunTag("farm.verdict", candidate["verdict"]),
        RunTag("farm.reasons", "; ".join(candidate["reasons"])[:5000]),
        RunTag("farm.symbol", study["symbol"]),
        RunTag("farm.trial", candidate["trial"]),
    ]
    params = [Param("symbol", study["symbol"]), Param("trial", candidate["trial"]), Param("role", candidate["role"])]
    client.log_batch(child.info.run_id, metrics=metrics, params=params, tags=tags)
    client.set_terminated(child.info.run_id)
    return str(child.info.run_id)
