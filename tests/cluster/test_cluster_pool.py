"""A pool whose fits several workers of Ray Train make together: as good as one process, stored and resumed alike."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sklearn.metrics import log_loss

from farm.ledger import openings
from farm.store import Store
from tests.cluster.conftest import RESULT_FILES, farm_run

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(1200)]

POOLED = """
name: pooled
seed: 3
bars:
  source: synthetic
  timeframe: 5min
  years: 0.6
  markets: {SYN-A: {edge: 0.3}, SYN-B: {edge: 0.3}, SYN-C: {}}
decisions: {timeframe: 15min, events: {kind: cusum, threshold: 2}, limit: 20000}
features: {preset: small, keep: 100}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 24}
folds: {kind: cpcv, groups: 4, test_groups: 2, embargo: 1 session, lockbox: 0.1}
models:
  boosted: {uses: xgboost, params: {n_estimators: 30, max_depth: 4}}
  leafwise:
    uses: lightgbm
    params: {n_estimators: 60, max_depth: 4, subsample: 1.0}
    early_stopping: {rounds: 10, tail: 0.2}
backtest: {costs: instrument, capital: 100000}
track: null
"""

SHARED_OUT = ["pool={engine: ray_train}", "execution.workers=2"]


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    return output


def folder(home: Path) -> Path:
    return home / "runs" / "pooled" / "latest"


def losses(home: Path, model: str) -> dict[str, float]:
    """The log-loss of every split of a model."""
    rows = pq.read_table(folder(home) / "oof.parquet").to_pandas()
    rows = rows[(rows["trial"] == model) & rows["label"].notna()]
    return {
        split: log_loss(own["label"], own[["p_down", "p_flat", "p_up"]], labels=[-1, 0, 1])
        for split, own in rows.groupby("split")
    }


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The experiment run by each engine, in a home of its own."""
    place = tmp_path_factory.mktemp("pooled")
    (place / "pooled.yaml").write_text(POOLED)
    ran = {"process": ["pool={engine: process}", "execution.on=process"], "ray_train": SHARED_OUT}
    for engine, overrides in ran.items():
        finish(farm_run(place / "pooled.yaml", place / engine, *overrides))
    return {"file": place / "pooled.yaml", **{engine: place / engine for engine in ran}}


@pytest.mark.parametrize("model", ["boosted", "leafwise"])
def test_two_workers_predict_as_well_as_one_process(homes: dict[str, Path], model: str) -> None:
    alone, together = losses(homes["process"], model), losses(homes["ray_train"], model)
    assert alone.keys() == together.keys()
    mean = [sum(one.values()) / len(one) for one in (alone, together)]
    assert mean[0] == pytest.approx(mean[1], abs=1e-3)
    assert alone != together  # else nobody shared anything out


def test_equal_workers_come_to_equal_bits(homes: dict[str, Path], tmp_path: Path) -> None:
    finish(farm_run(homes["file"], tmp_path, *SHARED_OUT))
    for name in RESULT_FILES:
        assert (folder(homes["ray_train"]) / name).read_bytes() == (folder(tmp_path) / name).read_bytes(), name


def test_what_workers_fit_together_leaks_nothing_and_leaves_nothing_behind(homes: dict[str, Path]) -> None:
    summary: dict[str, Any] = json.loads((folder(homes["ray_train"]) / "summary.json").read_text())
    (study,) = summary["studies"]
    assert study["faults"] == []
    assert study["proof"]["violations"] == []
    assert summary["failed_fits"] == []
    assert not Store(str(homes["ray_train"])).keys("boosters")
    assert not list((homes["ray_train"] / "train").glob("*"))


def test_a_finished_pool_is_not_fitted_again(homes: dict[str, Path]) -> None:
    output = finish(farm_run(homes["file"], homes["ray_train"], *SHARED_OUT))
    fits = json.loads((folder(homes["ray_train"]) / "manifest.json").read_text())["fits"]
    assert fits["reused"] == fits["total"] > 0, output


def test_the_lockbox_of_fits_that_were_shared_out_is_opened_by_one_process(homes: dict[str, Path]) -> None:
    home = homes["ray_train"]
    ordered = [sys.executable, "-m", "farm.cli", "lockbox", "pooled", "--trial", "leafwise", "--home", str(home)]
    done = subprocess.run(ordered, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    (look,) = openings(str(home))
    assert (look.trial, look.symbols) == ("leafwise", ("SYN-A", "SYN-B", "SYN-C"))
