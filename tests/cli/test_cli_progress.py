"""Progress: lines in a log, a bar in a terminal."""

import re
from io import StringIO

import pytest
from rich.console import Console

from farm.run.progress import Counts, Steps, Watch


def test_a_log_gets_one_line_a_phase_with_what_was_reused_and_failed(capsys: pytest.CaptureFixture[str]) -> None:
    with Steps("fits", total=10, reused=4) as steps:
        steps.advance(5)
        steps.advance(1, failed=1)
    line = capsys.readouterr().err
    assert line.startswith("fits: 10/10, 4 reused, 1 failed, ")
    assert line.endswith(" s\n")
    assert line.count("\n") == 1


def test_a_long_phase_tells_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 12.0, 20.0])  # at the start, at each step, at the end
    monkeypatch.setattr("farm.run.progress.time.monotonic", lambda: next(clock))
    with Steps("fits", total=60) as steps:
        steps.advance(20)
        steps.advance(1)
    assert capsys.readouterr().err.splitlines() == ["fits: 20/60, 2.0/s, 20 s left", "fits: 21/60, 20.0 s"]


def test_the_time_left_is_told_by_what_steps_were_expected_to_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 20.0, 20.0, 40.0])
    monkeypatch.setattr("farm.run.progress.time.monotonic", lambda: next(clock))
    with Steps("fits", total=60, expected=80.0) as steps:
        steps.advance(10, expected=0.1)
        steps.advance(1, expected=39.9)  # one long fit; by their number 89 s would be left
        steps.advance(49, expected=40.0)
    lines = ["fits: 10/60, 1.0/s, time left unknown", "fits: 11/60, 0.6/s, 20 s left", "fits: 60/60, 40.0 s"]
    assert capsys.readouterr().err.splitlines() == lines


def test_a_phase_that_breaks_does_not_claim_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps("fits", total=2)
    steps.advance()
    steps.__exit__(RuntimeError, RuntimeError(), None)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_with_reused_and_failed() -> None:
    screen = StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    with Steps("fits", total=10, reused=4, console=console) as steps:
        steps.advance(6, failed=2)
    shown = screen.getvalue()
    assert "10/10" in shown
    assert "4 reused" in shown
    assert "2 failed" in shown
    assert re.search(r"[0-9.]+/s", shown)


def test_the_log_hears_the_same_counts_as_often_as_lines_are_written_and_the_dashboard_every_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([0.0, 2.0, 8.0, 10.0])
    monkeypatch.setattr("farm.run.progress.time.monotonic", lambda: next(clock))
    told: dict[str, list[dict[str, float]]] = {"watch": [], "log": []}

    def into(name: str) -> Watch:
        def hear(phase: str, counts: dict[str, float]) -> None:
            assert phase == "fits"
            told[name].append(counts)

        return hear

    with Steps("fits", 40, reused=10, watch=into("watch"), log=into("log"), cores=lambda: 2) as steps:
        steps.advance(10, failed=1, cpu_seconds=3.0)
        steps.advance(6, cpu_seconds=5.0)
    assert [counts["queued"] for counts in told["watch"]] == [30, 20, 14, 14]
    assert told["log"] == told["watch"][2:]
    half = told["log"][0]
    assert (half["done"], half["reused"], half["failed"], half["rate"]) == (15, 10, 1, 2.0)
    assert (half["efficiency"], half["seconds_left"]) == (0.5, 7.0)


def test_what_is_not_known_yet_is_not_told() -> None:
    counts = Counts(total=10, done=3, reused=2, failed=1, cpu_seconds=0.0, seconds=0.0)
    assert (counts.queued, counts.rate, counts.seconds_left, counts.efficiency) == (4, 0.0, None, None)
    assert "seconds_left" not in counts.plain()
