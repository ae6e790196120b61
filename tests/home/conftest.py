"""A real S3-compatible server, an experiment that runs in seconds, and homes on both."""

import logging
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from farm.cli import main
from farm.config import Experiment

TINY: dict[str, Any] = {
    "name": "tiny",
    "seed": 7,
    "bars": {"source": "synthetic", "years": 0.3, "markets": {"SYN-A": {"edge": 0.2}}},
    "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 3}},
    "features": {"preset": "small", "keep": 10},
    "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
    "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0.1},
    "models": {"linear": {"uses": "logistic"}, "strict": {"uses": "logistic", "params": {"C": 0.01}}},
    "backtest": {"capital": 100000},
    "execution": {"on": "process"},
    "track": None,
}


class S3Server:
    """An S3 server on a port of its own; what it stores outlives a stop, as a real one's does."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def stop(self) -> None:
        self._server.stop()

    def start_again(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        # fsspec remembers its clients, so there is one address for all tests.
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "farm")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "farm")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        boto3.client("s3").create_bucket(Bucket="farm")
        yield server
    server.stop()


@pytest.fixture
def s3_home(s3_server: S3Server) -> str:
    """The URI of an empty home."""
    return f"s3://farm/{uuid.uuid4().hex}"


@pytest.fixture
def tiny() -> Callable[..., Experiment]:
    """The small experiment in a home, with these values in place of its own."""

    def experiment(home: str | Path, **changes: Any) -> Experiment:
        return Experiment.model_validate({**TINY, "home": str(home), **changes})

    return experiment


@pytest.fixture
def farm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """Runs ``farm`` with these arguments: exit code, and what it said on both streams."""
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert isinstance(end.value.code, int)
        return (end.value.code, *capsys.readouterr())

    return command
