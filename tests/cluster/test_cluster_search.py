"""A search is the same in one process, on Ray Tune, and after its driver was killed in the middle of it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farm.ledger import all_trials

Results = Callable[[Path], dict[str, bytes]]
Start = Callable[..., subprocess.Popen[str]]

SPACE = "{linear: {space: {C: {kind: float, low: 0.0001, high: 10, log: true}}}}"
LINEAR = ("models.boosted.uses=logistic", "models.boosted.params={C: 0.5}", "models.boosted.early_stopping=null")
TWENTY = f"search={{objective: log_loss, budget: {{trials: 20}}, models: {SPACE}}}"
TPE = f"search={{objective: log_loss, sampler: {{kind: tpe, batch: 3}}, budget: {{trials: 9}}, models: {SPACE}}}"


def finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=290)
    assert process.returncode == 0, output


def configurations(home: Path) -> list[str]:
    """Identities of the configurations that the ledger knows, those of both symbols."""
    return [
        trial.identity
        for trial in all_trials(str(home))
        if trial.begun.name.startswith("linear.") and trial.role == "candidate"
    ]


def events(home: Path) -> list[dict[str, Any]]:
    logs = sorted(home.glob("runs/small/2*/log.jsonl"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def kill_after(process: subprocess.Popen[str], home: Path, fits: int) -> None:
    """Kill a driver, and all that it started, when so many more chunks are stored; or see it finish first."""
    known = set(home.glob("fits/*/*.arrow"))
    deadline = time.monotonic() + 200
    while len(set(home.glob("fits/*/*.arrow")) - known) < fits and process.poll() is None:
        assert time.monotonic() < deadline, "no fit was stored"
        time.sleep(0.02)
    assert process.poll() is None, "it was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def computed_twice(home: Path) -> set[str]:
    made = [event["key"] for event in events(home) if event["event"] == "chunk" and event["outcome"] == "stored"]
    return {key for key in made if made.count(key) > 1}


@pytest.mark.parametrize("search", [TWENTY, TPE], ids=["by default", "tpe"])
@pytest.mark.slow
def test_a_search_whose_driver_is_killed_makes_every_trial_once(
    search: str, tmp_path: Path, start: Start, results: Results
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(start(whole, "execution.on=process", search, *LINEAR))
    kill_after(start(broken, "execution.on=process", search, *LINEAR), broken, fits=7)
    finish(start(broken, "execution.on=process", search, *LINEAR))
    asked = 20 if search is TWENTY else 9
    assert len(configurations(broken)) == len(set(configurations(broken))) == 2 * asked
    assert not computed_twice(broken)
    assert results(broken) == results(whole)


@pytest.mark.ray
@pytest.mark.slow
def test_on_ray_tune_a_search_is_byte_for_byte_that_of_one_process(
    tmp_path: Path, start: Start, results: Results
) -> None:
    alone, tuned = tmp_path / "alone", tmp_path / "tuned"
    finish(start(alone, "execution.on=process", TPE, *LINEAR))
    finish(start(tuned, "execution.workers=2", TPE, *LINEAR))
    assert results(tuned) == results(alone)
    assert sorted(configurations(tuned)) == sorted(configurations(alone))
