"""The page of all runs of a home is written again at the end of every run."""

import json
from pathlib import Path
from typing import Any

from farm.config import Experiment
from farm.run import run


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "first",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "timeframe": "1h", "years": 1, "markets": {"SYN-A": {}}},
        "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.5}},
        "features": {"preset": "small"},
        "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
        "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0},
        "models": {"bayes": {"uses": "sklearn.naive_bayes.GaussianNB"}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def test_after_each_run_the_index_lists_it_and_links_to_its_report(tmp_path: Path) -> None:
    index = tmp_path / "runs" / "index.html"
    first = run(experiment(tmp_path)).folder
    assert f'href="first/{first.run_id}/report.html"' in index.read_text(encoding="utf-8")
    second = run(experiment(tmp_path, name="second")).folder
    html = index.read_text(encoding="utf-8")
    assert "2 runs of 2 experiments" in html
    assert f'href="second/{second.run_id}/report.html"' in html


def test_a_damaged_folder_of_another_run_does_not_end_this_one(tmp_path: Path) -> None:
    damaged = tmp_path / "runs" / "other" / "20260101T000000-dddddd"
    damaged.mkdir(parents=True)
    (damaged / "manifest.json").write_text("{")
    result = run(experiment(tmp_path))
    assert result.folder.manifest()["status"] == "done"
    said = [json.loads(line) for line in (result.folder.path / "log.jsonl").read_text().splitlines()]
    (problem,) = [line for line in said if line["event"] == "index not written"]
    assert "JSONDecodeError" in problem["error"]
    assert not (tmp_path / "runs" / "index.html").exists()
