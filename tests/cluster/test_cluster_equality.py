"""Where a run happens, and how often it is stopped, changes nothing in what it finds."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Results = Callable[[Path], dict[str, bytes]]
Start = Callable[..., subprocess.Popen[str]]


def finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate(timeout=280)
    assert process.returncode == 0, output


@pytest.mark.ray
def test_in_process_and_on_one_or_two_ray_workers_the_files_are_equal_byte_for_byte(
    tmp_path: Path, start: Start, results: Results
) -> None:
    homes = {}
    for name, overrides in {
        "process": ["execution.on=process"],
        "one": ["execution.workers=1"],
        "two": ["execution.workers=2"],
        "again": ["execution.on=process"],
    }.items():
        homes[name] = tmp_path / name
        finish(start(homes[name], *overrides))
    expected = results(homes["process"])
    for name in ("one", "two", "again"):
        assert results(homes[name]) == expected, name


def test_a_second_run_reuses_every_fit_and_finds_the_same(tmp_path: Path, start: Start, results: Results) -> None:
    finish(start(tmp_path / "home", "execution.on=process"))
    first = results(tmp_path / "home")
    finish(start(tmp_path / "home", "execution.on=process"))
    manifest = json.loads((tmp_path / "home/runs/small/latest/manifest.json").read_text())
    assert manifest["fits"]["reused"] == manifest["fits"]["total"] > 0
    assert results(tmp_path / "home") == first


@pytest.mark.parametrize("on", ["process", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])])
def test_a_driver_killed_at_three_random_moments_goes_on_where_it_stopped(
    on: str, tmp_path: Path, start: Start, results: Results
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    finish(start(whole, "execution.on=process"))
    moments = random.Random(11)
    stored: list[tuple[int, set[str]]] = []
    for _ in range(3):
        process = start(broken, f"execution.on={on}")
        _wait_for_a_fit(broken, process, extra=moments.uniform(0.0, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        stored.append((len(_events(broken)), {path.stem for path in broken.glob("fits/*/*.arrow")}))
    finish(start(broken, f"execution.on={on}"))
    assert results(broken) == results(whole)
    events = _events(broken)
    assert sum(event["event"] == "started" for event in events) > 1, "some start was killed after it had begun"
    for before, have in stored:
        computed_again = {event["key"] for event in events[before:] if event["event"] == "chunk"} & have
        assert not computed_again, "a stored fit was computed twice"


def _events(home: Path) -> list[dict[str, Any]]:
    """What all starts have logged so far, in order."""
    logs = sorted(home.glob("runs/small/2*/log.jsonl"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def _wait_for_a_fit(home: Path, process: subprocess.Popen[str], extra: float) -> None:
    known = set(home.glob("fits/*/*.arrow"))
    deadline = time.monotonic() + 120
    while set(home.glob("fits/*/*.arrow")) <= known and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(extra)
