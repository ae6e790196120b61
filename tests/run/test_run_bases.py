"""A run whose bases read other bars, decide at other times and see windows: one study, one table, one proof."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from farm.config import Experiment
from farm.errors import BadInput
from farm.run import run
from farm.run.check import check
from farm.run.lockbox import open_sealed
from farm.run.needs import NEEDS

SMALL = {"preset": "small"}
BASES = {
    "clock": {"uses": "logistic"},
    "fine": {"uses": "logistic", "timeframe": "15min", "features": SMALL},
    "slow": {"uses": "logistic", "timeframe": "4h", "features": SMALL},
    "often": {"uses": "logistic", "events": {"kind": "every"}},
}


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "bases",
        "seed": 3,
        "home": str(home),
        "bars": {"source": "synthetic", "timeframe": "15min", "years": 0.35, "markets": {"SYN-B": {"edge": 0.4}}},
        "decisions": {"timeframe": "30min", "events": {"kind": "cusum", "threshold": 1.5}},
        "features": {"preset": "small", "timeframes": ["2h"]},
        "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0.15},
        "models": BASES,
        "stack": {"max_staleness": "3h"},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return home, run(experiment(home))


def study(result):
    return result.summary["studies"][0]


def test_nothing_leaked_and_coverage_says_what_each_base_reads_and_serves(ran):
    about = study(ran[1])
    assert about["proof"]["violations"] == []
    assert about["faults"] == []
    coverage = about["coverage"]
    assert {name: one["timeframe"] for name, one in coverage.items()} == {
        "clock": "30min", "fine": "15min", "slow": "4h", "often": "30min",
    }  # fmt: skip
    assert [coverage[name]["share"] for name in ("clock", "fine", "often")] == [1, 1, 1]
    assert 0.5 < coverage["slow"]["share"] < 1
    assert coverage["slow"]["age_most"] <= 3 * 3600
    assert coverage["often"]["events"] > 2 * coverage["clock"]["events"] == 2 * about["events"]


def test_every_trial_has_the_same_rows_and_no_number_where_its_base_was_silent(ran):
    oof = pq.read_table(ran[1].folder.path / "oof.parquet").to_pandas()
    rows = {trial: set(zip(one.decided_at, one.split, strict=True)) for trial, one in oof.groupby("trial")}
    assert len(set(map(frozenset, rows.values()))) == 1
    silent = oof[oof.trial == "slow"].p_up.isna()
    share = study(ran[1])["coverage"]["slow"]["share"]
    assert silent.mean() == pytest.approx(1 - share)
    assert oof[oof.trial == "stack"].p_up.isna().sum() == silent.sum()
    assert oof[oof.trial == "clock"].p_up.notna().all()


def test_a_base_with_a_panel_of_its_own_is_selected_from_its_own_features(ran):
    selection = study(ran[1])["selection"]
    assert any("@2h" in name for name in selection["clock"]["frequency"])
    assert not any("@2h" in name for name in selection["slow"]["frequency"])


def test_every_panel_is_stored_once_and_needed(ran):
    home, result = ran
    needed = result.folder.read_json(NEEDS)["panels"]
    assert len(needed) == 4
    assert len(list((home / "panels").glob("*/*"))) == 4


def test_another_pipeline_fits_no_base_again(ran):
    again = run(experiment(ran[0], stack={"steps": [{"kind": "combine"}, {"kind": "size"}], "missing": "mark"}))
    assert (again.fits["done"], again.fits["reused"]) == (0, again.fits["total"])
    served = pq.read_table(again.folder.path / "oof.parquet").to_pandas()
    assert served[served.trial == "stack"].p_up.notna().all()


def test_a_base_that_changes_leaves_the_fits_of_the_others_when_it_ends_no_label_later(ran):
    """Groups are cut by the clock; a base that adds no later label to any of them changes nothing for the others."""
    other = {**BASES, "again": {"uses": "logistic", "features": SMALL}}
    result = run(experiment(ran[0], models=other))
    assert (result.fits["done"], result.fits["total"] - result.fits["reused"]) == (6, 6)


def test_the_lockbox_of_a_stack_of_bases_is_opened_on_their_own_bars(ran):
    home, result = ran
    told = open_sealed(result.folder, str(home), trial="stack")
    assert told["sessions"] > 10
    assert told["training_growth"] > 1
    alone = open_sealed(result.folder, str(home), trial="slow", reopen="to compare")
    assert alone["sessions"] == told["sessions"]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            {"clock": BASES["clock"], "gru": {"uses": "gru", "window": 9000}},
            r"models.gru: SYN-B: no decision of it is left .*give it a window under 9000 bars",
        ),
        (
            {"clock": BASES["clock"], "daily": {"uses": "logistic", "timeframe": "1d", "features": SMALL}},
            r"models.daily: SYN-B: folds: split 0 .* keeps \d+ of \d+ events to train on, under the minimum of 60",
        ),
    ],
)
def test_a_base_with_too_little_left_stops_before_any_fit(tmp_path, models, message):
    enough = {"min_events_per_group": 60}
    with pytest.raises(BadInput, match=message):
        run(experiment(tmp_path, models=models, verdict=enough))
    assert not (tmp_path / "fits").exists()
    assert not (tmp_path / "runs").exists()
    with pytest.raises(BadInput, match=message):
        list(check(experiment(tmp_path, models=models, verdict=enough)))
