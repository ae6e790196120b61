"""Many symbols in one experiment: what differs among them, and one that is bad alone."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from farm.bars import SyntheticBars
from farm.config import Experiment
from farm.errors import BadInput
from farm.run import run
from farm.run.check import check
from farm.run.prepare import prepared_key

TWO_HOURS = {"*_h2": {"bars": {"timeframe": "2h"}, "decisions": {"timeframe": "2h", "events": {"threshold": 2}}}}


def write_bars(file: Path, name: str, *, hours: int, bad: bool = False) -> None:
    """Bars of an artificial market as a file, one every so many hours; a bad one has a high under its low."""
    market = SyntheticBars(markets={name: {}}, timeframe=f"{hours}h", years=1.5)  # type: ignore[dict-item]  # pydantic makes the market of it
    bars = market.read(name).bars
    frame = pd.DataFrame(
        {
            "time": bars.open_time // 10**9,
            **{column: getattr(bars, column) for column in ("open", "high", "low", "close", "volume")},
        }
    )
    if bad:
        frame.loc[100, "high"] = frame.loc[100, "low"] / 2
    frame.to_csv(file, index=False)


@pytest.fixture(scope="module")
def bars_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bars")
    write_bars(folder / "SYN-ONE_h1.csv", "SYN-ONE_h1", hours=1)
    write_bars(folder / "SYN-TWO_h2.csv", "SYN-TWO_h2", hours=2)
    write_bars(folder / "SYN-BAD_h1.csv", "SYN-BAD_h1", hours=1, bad=True)
    return folder


def experiment(
    home: Path, bars_folder: Path, symbols: Any, each: dict[str, Any] | None = None, **bars: Any
) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "mixed",
            "seed": 1,
            "home": str(home),
            "bars": {
                "source": "csv",
                "path": str(bars_folder / "{symbol}.csv"),
                "symbols": symbols,
                "timeframe": "1h",
                "stamp": "open",
                "time_format": "epoch_s",
                **bars,
            },
            "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 3}},
            "features": {"preset": "small", "keep": 20},
            "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
            "folds": {"kind": "cpcv", "groups": 4},
            "models": {"linear": {"uses": "logistic"}},
            "backtest": {"capital": 100000},
            "execution": {"on": "process"},
            "track": None,
            "each": TWO_HOURS if each is None else each,
        }
    )


def test_one_experiment_holds_files_of_different_timeframes(tmp_path: Path, bars_folder: Path) -> None:
    result = run(experiment(tmp_path, bars_folder, "SYN-???_h[12]", on_bad_symbol="skip"))
    studies = {study["symbol"]: study for study in result.summary["studies"]}
    assert set(studies) == {"SYN-ONE_h1", "SYN-TWO_h2"}
    assert studies["SYN-ONE_h1"]["bars"] == pytest.approx(2 * studies["SYN-TWO_h2"]["bars"], rel=0.01)


def test_a_bad_symbol_stops_the_run_before_any_fit_and_before_its_folder(tmp_path: Path, bars_folder: Path) -> None:
    with pytest.raises(BadInput, match=r"SYN-BAD_h1\.csv.*high"):
        run(experiment(tmp_path, bars_folder, "SYN-*"))
    assert not (tmp_path / "runs").exists()
    assert not list(tmp_path.rglob("fits/*/*"))


def test_a_bad_symbol_that_may_be_skipped_fails_alone_and_counts_in_the_family(
    tmp_path: Path, bars_folder: Path
) -> None:
    whole = run(experiment(tmp_path, bars_folder, "SYN-*", on_bad_symbol="skip"))
    (skipped,) = whole.summary["skipped"]
    assert skipped["symbol"] == "SYN-BAD_h1"
    assert "high" in skipped["reason"]
    assert {study["level"] for study in whole.summary["studies"]} <= {0.05 / 3, 0.05 / 2}
    page = (whole.folder.path / "report.html").read_text(encoding="utf-8")
    assert re.search(r'<th scope="row">SYN-BAD_h1</th>.*?left out: [^<]*high', page, re.DOTALL)
    told = [json.loads(line) for line in (whole.folder.path / "log.jsonl").read_text().splitlines()]
    assert [line["symbol"] for line in told if line["event"] == "skipped"] == ["SYN-BAD_h1"]


def test_nothing_is_run_when_every_symbol_is_bad(tmp_path: Path, bars_folder: Path) -> None:
    with pytest.raises(BadInput, match=r"not one of 1 symbols is left; SYN-BAD_h1: .*high"):
        run(experiment(tmp_path, bars_folder, ["SYN-BAD_h1"], on_bad_symbol="skip", each={}))


def test_another_symbol_beside_it_leaves_what_is_prepared_of_a_study(tmp_path: Path, bars_folder: Path) -> None:
    alone = experiment(tmp_path, bars_folder, ["SYN-TWO_h2"])
    beside = experiment(tmp_path, bars_folder, ["SYN-TWO_h2", "SYN-ONE_h1"])
    assert prepared_key(alone, "SYN-TWO_h2") == prepared_key(beside, "SYN-TWO_h2")
    assert prepared_key(beside, "SYN-ONE_h1") != prepared_key(beside, "SYN-TWO_h2")


def test_a_check_says_which_symbols_a_run_would_skip(tmp_path: Path, bars_folder: Path) -> None:
    lines = list(check(experiment(tmp_path, bars_folder, "SYN-*", on_bad_symbol="skip")))
    assert next(line for line in lines if "will be skipped" in line).startswith("SYN-BAD_h1: will be skipped: ")
    assert sum("decisions with" in line for line in lines) == 2


def test_what_travels_with_a_study_does_not_grow_with_the_number_of_symbols(tmp_path: Path, bars_folder: Path) -> None:
    symbols = np.char.add("SYN-X", np.arange(5000).astype(str)).tolist()
    many = experiment(tmp_path, bars_folder, [*symbols, "SYN-TWO_h2"])
    few = experiment(tmp_path, bars_folder, ["SYN-TWO_h2"])
    assert many.of("SYN-TWO_h2") == few.of("SYN-TWO_h2")
    assert len(many.of("SYN-X17").model_dump_json()) < len(few.model_dump_json()) + 100
