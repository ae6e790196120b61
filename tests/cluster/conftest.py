"""A small experiment, and runs of it in processes of their own: what is compared or killed is a whole driver."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

RESULT_FILES = ("oof.parquet", "trials.parquet", "returns.parquet", "summary.json")

SMALL = """
name: small
seed: 3
bars:
  source: synthetic
  years: 0.4
  markets: {SYN-A: {edge: 0.2}, SYN-B: {}}
decisions: {timeframe: 5min, events: {kind: cusum, threshold: 4}, limit: 20000}
features: {preset: core, timeframes: [1h], keep: 20}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 24}
folds: {kind: cpcv, groups: 5, test_groups: 2, embargo: 1 session, lockbox: 0.1}
models:
  boosted: {uses: lightgbm, params: {num_leaves: 8, n_estimators: 40}, early_stopping: {rounds: 10, tail: 0.2}}
  linear: {uses: logistic}
backtest: {costs: instrument, capital: 100000}
track: null
"""

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def experiment_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def farm_run(file: Path, home: Path, *overrides: str) -> subprocess.Popen[str]:
    """``farm run`` on a file in a home, with overrides, as a process of its own."""
    options = [part for override in overrides for part in ("--set", override)]
    return subprocess.Popen(
        [sys.executable, "-m", "farm.cli", "run", str(file), *options],
        env={**os.environ, "FARM_HOME": str(home), "RAY_AUTH_MODE": "token"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def start(experiment_file: Path) -> Start:
    """Start the small experiment in a home."""
    return partial(farm_run, experiment_file)


@pytest.fixture
def results() -> Callable[[Path], dict[str, bytes]]:
    """The bytes of the result files of a home's latest run."""

    def read(home: Path) -> dict[str, bytes]:
        folder = home / "runs" / "small" / "latest"
        return {name: (folder / name).read_bytes() for name in RESULT_FILES}

    return read
