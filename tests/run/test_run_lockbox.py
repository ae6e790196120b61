"""The lockbox of a finished run: one candidate, refitted as it would be deployed, looked at once."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from farm.config import Experiment
from farm.errors import BadInput
from farm.ledger import openings
from farm.run import run
from farm.run.folder import RunFolder, run_at
from farm.run.lockbox import open_sealed
from tests.sealed import looks_at_other_prices


def experiment(home: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "sealed",
        "seed": 1,
        "home": str(home),
        "bars": {"source": "synthetic", "years": 0.5, "markets": {"SYN-A": {"edge": 0.6}}},
        "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 3}},
        "features": {"preset": "small", "keep": 10},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
        "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0.2},
        "models": {"linear": {"uses": "logistic"}, "strict": {"uses": "logistic", "params": {"C": 0.01}}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("finished") / "home"
    run(experiment(home))
    return home


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "home", symlinks=True))


@pytest.fixture
def folder(home: Path) -> RunFolder:
    return run_at(str(home), "sealed")


def look(folder: RunFolder, home: Path, **given: Any) -> dict[str, Any]:
    return open_sealed(folder, str(home), **given)


def test_an_edge_that_goes_on_earns_on_the_sealed_span_too(folder: RunFolder, home: Path) -> None:
    found = look(folder, home, symbol="SYN-A", trial="stack")
    assert found["metrics"]["sharpe"] > 2
    assert found["sharpe_low"] < found["metrics"]["sharpe"] < found["sharpe_high"]
    assert found["training_growth"] > 1.5  # four groups: a fit of a pair saw about half of the rows
    assert (folder.read_json("lockbox.json") or {})["openings"] == [found]
    page = (folder.path / "report.html").read_text(encoding="utf-8")
    assert f"by {found['by']}, for the first time" in page


def test_a_second_look_needs_a_reason_and_both_stand_in_the_ledger(folder: RunFolder, home: Path) -> None:
    look(folder, home, trial="linear")
    with pytest.raises(BadInput, match="--reopen REASON"):
        look(folder, home, trial="strict")
    assert [one.trial for one in openings(str(home))] == ["linear"]
    (refused,) = (folder.read_json("lockbox.json") or {})["refusals"]
    assert (refused["trial"], refused["symbol"]) == ("strict", "SYN-A")
    assert "it was opened on" in refused["said"]
    look(folder, home, trial="strict", reopen="the costs were wrong")
    assert [(one.trial, one.reason) for one in openings(str(home))] == [
        ("linear", ""),
        ("strict", "the costs were wrong"),
    ]
    assert len((folder.read_json("lockbox.json") or {})["openings"]) == 2


def test_a_look_is_recorded_although_it_fails(folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("farm.run.lockbox.bets_on", fail)
    with pytest.raises(MemoryError):
        look(folder, home, trial="linear")
    assert len(openings(str(home))) == 1


def test_what_was_refitted_never_saw_the_sealed_span(
    folder: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other prices in the sealed span change what is earned there and nothing of what is fitted."""
    decided, first, second = looks_at_other_prices(partial(look, folder, home), monkeypatch)
    assert decided[0] == decided[1]
    assert first["metrics"]["net_return"] != second["metrics"]["net_return"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"trial": "linaer"}, "no candidate fits"),
        ({"symbol": "SYN-A"}, "several candidates fit"),
    ],
)
def test_one_candidate_must_be_named(folder: RunFolder, home: Path, named: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        look(folder, home, **named)
    assert openings(str(home)) == ()


def test_a_run_that_sealed_nothing_has_nothing_to_open(home: Path) -> None:
    open_run = run(experiment(home, folds={"kind": "cpcv", "groups": 4, "lockbox": 0})).folder
    with pytest.raises(BadInput, match="sealed nothing"):
        look(open_run, home, trial="linear")
