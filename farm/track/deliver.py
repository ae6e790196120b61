"""Delivery of a run's account to MLflow: whole or not at all, within a time, and again later when it failed.

A parent run that lacks its ``farm.delivered`` tag is half a delivery, left by a server or a driver that died: the next
attempt removes it and begins anew, so a run is never there twice.
"""

import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from farm.track.account import CandidateAccount, RunAccount, account_of, environment_snapshot

_LONGEST_ATTEMPT = 60.0
_DELIVERED = "farm.delivered"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    # A server that does not answer must not hold a finished run; what is undelivered is delivered later.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def deliver(folder: Path, uri: str | None, home: str) -> dict[str, Any]:
    """Send a finished run to MLflow, one parent run and a child a candidate; tracking never stops or loses a run.

    Parameters
    ----------
    folder
        The run's folder, with its manifest and summary.
    uri
        The tracking server or store; None for a SQLite file in ``home``.

    Returns
    -------
    dict
        ``status`` delivered, with the ids of ``parent`` and ``children``; or pending, with the ``error`` that stood in
        the way: the same call delivers it later. A run that was delivered before is not sent again.
    """
    if uri is None and "://" in home:
        return _pending(uri, f"the home {home} holds no SQLite file; set track.uri to a tracking server")
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError:
        return _pending(uri, "MLflow is not installed: pip install 'ohlcv-farm[track]'")
    with _silence():
        try:
            client = MlflowClient(tracking_uri=uri or f"sqlite:///{home}/mlflow.db")
            # A server keeps artifacts itself; only beside our own SQLite file do we say where.
            place = f"{home}/mlartifacts" if uri is None else None
            sent = _send(client, account_of(folder), place, time.monotonic() + _LONGEST_ATTEMPT)
        except (MlflowException, OSError) as error:
            return _pending(uri, f"{type(error).__name__}: {error}")
    return {"status": "delivered", "uri": uri, **sent}


def _pending(uri: str | None, error: str) -> dict[str, Any]:
    return {"status": "pending", "uri": uri, "error": error[:2000]}


def _send(client: Any, run: RunAccount, place: str | None, deadline: float) -> dict[str, Any]:
    found = client.get_experiment_by_name(run.experiment)
    experiment = found.experiment_id if found else _new_experiment(client, run.experiment, place)
    for earlier in client.search_runs([experiment], f"tags.`farm.run_id` = '{run.run_id}'"):
        children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{earlier.info.run_id}'")
        if _DELIVERED in earlier.data.tags:
            return {"parent": earlier.info.run_id, "children": sorted(child.info.run_id for child in children)}
        for half in (*children, earlier):
            client.delete_run(half.info.run_id)
    parent = client.create_run(experiment, run_name=run.run_id, tags=dict(run.tags)).info.run_id
    _log(client, parent, run.params, {}, {})
    children = []
    for candidate in run.candidates:
        _in_time(deadline)
        children.append(_send_candidate(client, experiment, parent, candidate))
    for path in run.files:
        _in_time(deadline)
        client.log_artifact(parent, str(path))
    client.log_text(parent, environment_snapshot(), "environment.txt")
    client.set_tag(parent, _DELIVERED, "yes")
    client.set_terminated(parent)
    return {"parent": parent, "children": children}


def _new_experiment(client: Any, name: str, place: str | None) -> str:
    return str(client.create_experiment(name, None if place is None else f"{place}/{name}"))


def _send_candidate(client: Any, experiment: str, parent: str, candidate: CandidateAccount) -> str:
    child = client.create_run(experiment, run_name=candidate.name, tags={"mlflow.parentRunId": parent}).info.run_id
    _log(client, child, candidate.params, candidate.metrics, candidate.tags)
    client.set_terminated(child)
    return str(child)


def _log(client: Any, run: str, params: Any, metrics: Any, tags: Any) -> None:
    from mlflow.entities import Metric, Param, RunTag

    client.log_batch(
        run,
        metrics=[Metric(key, value, 0, 0) for key, value in metrics.items()],
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )


def _in_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"the tracking server took more than {_LONGEST_ATTEMPT:g} s")


@contextmanager
def _silence() -> Iterator[None]:
    for name in ("alembic", "mlflow", "mlflow.store.db.utils"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own deprecations, which nobody here can act on
        yield
