"""A tiny experiment from plan to report, through the command line alone."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Farm = Callable[..., Any]

RAISES = """\
from sklearn.base import BaseEstimator, ClassifierMixin


class Raises(ClassifierMixin, BaseEstimator):
    def fit(self, X, y, sample_weight=None):
        raise RuntimeError("planted in fit")

    def predict_proba(self, X):
        raise AssertionError("never fitted")
"""


def manifest_of(home: Path, name: str = "tiny") -> Any:
    return json.loads((home / "runs" / name / "latest" / "manifest.json").read_text())


def test_plan_says_what_would_run_and_writes_nothing(farm: Farm, tiny: str, home: Path) -> None:
    ended = farm("plan", tiny, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["fits"] == 5 * 6  # one model, three baselines and the sentinel on the six pairs of four groups
    assert found["stored"] == 0
    study = found["studies"][0]
    assert (study["symbol"], study["candidates"]) == ("SYN-A", 1)
    assert study["events"] > 300
    assert study["smallest_train"] < study["events"] / 2
    assert not home.exists()


def test_plan_is_a_table_of_80_columns_with_nothing_cut(farm: Farm, tiny: str, home: Path) -> None:
    name = "SYN50_index_1m_somewhere_2012_2021"
    ended = farm("plan", tiny, "--set", f"bars.markets={{{name}: {{}}}}")
    assert ended.code == 0
    assert max(map(len, ended.out.splitlines())) <= 80
    headings = ["study", "events", "features", "fits", "candidates", "seconds", "Sharpe"]
    assert headings == next(line.split() for line in ended.out.splitlines() if "events" in line)
    first_column = re.findall(r"^ (\S+) ", ended.out, re.MULTILINE)
    assert name in "".join(first_column)
    assert "…" not in ended.out
    assert not home.exists()


def test_check_says_what_the_data_hold_and_writes_nothing(farm: Farm, tiny: str, home: Path) -> None:
    ended = farm("check", tiny)
    assert ended.code == 0
    assert "tiny.yaml: the experiment tiny is well formed" in ended.out
    assert re.search(r"SYN-A: 31,\d\d\d of 31,\d\d\d rows are bars of synthetic", ended.out)
    assert not home.exists()


def test_check_warns_of_a_planted_leak(farm: Farm, tiny: str) -> None:
    leaking = ["--set", "bars.markets={SYN-A: {leak: 3}}", "--set", "features.preset=core"]
    assert "probably knows the future" in farm("check", tiny, *leaking).out


def test_run_ends_in_a_verdict_and_again_reuses_every_fit(farm: Farm, tiny: str, home: Path) -> None:
    first = farm("run", tiny)
    assert first.code == 0
    assert max(map(len, (line for line in first.out.splitlines() if "report:" not in line))) <= 80
    assert "fits: 30 done, 0 reused, 0 failed" in first.out
    assert re.search(r"^verdict: (PASS|FAIL|INSUFFICIENT)$", first.out, re.MULTILINE)
    report = Path(re.search(r"^report: (.*)$", first.out, re.MULTILINE)[1])
    assert report.is_file()
    assert report.parent.parent == home / "runs" / "tiny"
    assert re.search(r"^fits: 30/30, \d+\.\d s, efficiency \d\.\d\d$", first.err, re.MULTILINE)
    assert "\x1b" not in first.out + first.err

    again = farm("run", tiny)
    assert again.code == 0
    assert "fits: 0 done, 30 reused, 0 failed" in again.out
    assert "fits: 30/30, 30 reused, " in again.err
    summaries = [path.read_bytes() for path in sorted(home.glob("runs/tiny/2*/summary.json"))]
    assert len(summaries) == 2
    assert summaries[0] == summaries[1]

    assert "30 stored already" in " ".join(farm("plan", tiny).out.split())
    listed = json.loads(farm("runs", "--json").out)
    assert [(one["name"], one["status"], one["fits"], one["reused"]) for one in listed] == [
        ("tiny", "done", 30, 0),
        ("tiny", "done", 30, 30),
    ]
    told = farm("runs").out
    assert all(one["run_id"] in told for one in listed)
    for run in ("tiny", listed[0]["run_id"], listed[0]["folder"]):
        ended = farm("report", run)
        assert ended.code == 0
        assert Path(ended.out.strip()).is_file()


def test_each_reason_is_told_once(farm: Farm, tiny: str) -> None:
    told = " ".join(farm("run", tiny, "--set", "models.other={uses: logistic, params: {C: 0.01}}").out.split())
    assert told.count("more history or fewer trials") == 1


def test_require_pass_ends_with_3_when_nothing_passes(farm: Farm, tiny: str) -> None:
    ended = farm("run", tiny, "--require-pass")
    assert ended.code == 3
    assert "verdict: INSUFFICIENT" in ended.out


def test_a_model_that_fails_is_recorded_and_the_others_survive(
    farm: Farm, tiny: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.parent / "cli_planted.py").write_text(RAISES)
    monkeypatch.syspath_prepend(str(home.parent))
    ended = farm("run", tiny, "--set", "models.broken={uses: cli_planted.Raises}")
    assert ended.code == 1
    assert "SYN-A, broken: 6 fits failed: RuntimeError: planted in fit" in " ".join(ended.out.split())
    assert "fits: 30 done, 0 reused, 6 failed" in ended.out

    folder = home / "runs" / "tiny" / "latest"
    summary = json.loads((folder / "summary.json").read_text())
    assert [one["trial"] for one in summary["failed_fits"]] == ["broken"] * 6
    assert "linear" in {one["trial"] for one in summary["studies"][0]["candidates"]}
    manifest = manifest_of(home)
    assert manifest["status"] == "failed"
    assert "planted in fit" in manifest["failures"][0]["trace"]
    assert (folder / "report.html").is_file()

    allowed = farm(
        "run", tiny, "--set", "models.broken={uses: cli_planted.Raises}", "--set", "execution.max_failed_fits=6"
    )
    assert allowed.code == 0
    assert "fits: 0 done, 30 reused, 6 failed" in allowed.out


def test_an_interrupted_run_says_how_to_go_on_and_goes_on(
    farm: Farm, tiny: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as now:
        now.setattr("farm.run.driver._judge", interrupted)
        ended = farm("run", tiny)
    assert ended.code == 130
    assert "the same command goes on from there" in ended.err
    assert "Traceback" not in ended.err
    manifest = manifest_of(home)
    assert manifest["status"] == "running"

    ended = farm("run", tiny)
    assert ended.code == 0
    assert "fits: 0 done, 30 reused, 0 failed" in ended.out
    assert manifest_of(home)["run_id"] == manifest["run_id"]
    assert manifest_of(home)["starts"] == 2


def test_a_run_whose_process_is_gone_is_listed_as_stopped(farm: Farm, tiny: str, home: Path) -> None:
    farm("run", tiny)
    path = home / "runs" / "tiny" / "latest" / "manifest.json"
    path.write_text(json.dumps({**manifest_of(home), "status": "running", "process": 2**22 + 1}))
    assert [one["status"] for one in json.loads(farm("runs", "--json").out)] == ["stopped"]


def test_a_home_without_runs_is_said_to_have_none(farm: Farm, home: Path) -> None:
    ended = farm("runs")
    assert (ended.code, ended.out) == (0, f"no runs in {home}\n")
    ended = farm("report", "tiny")
    assert ended.code == 2
    assert f"no run 'tiny': {home} has no runs" in ended.err


def test_an_unknown_run_names_the_nearest(farm: Farm, home: Path) -> None:
    (home / "runs" / "quickstart").mkdir(parents=True)
    ended = farm("report", "quikstart")
    assert ended.code == 2
    assert "did you mean 'quickstart'" in ended.err
