"""The lockbox of a pool: one candidate, refitted on all its symbols, looked at once on what is sealed of each."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.cli import main
from farm.errors import BadInput
from farm.ledger import Ledger, all_trials, openings
from farm.run import run
from farm.run.driver import RunResult
from farm.run.folder import RunFolder, run_at
from farm.run.lockbox import open_sealed
from tests.pool.made import experiment
from tests.sealed import looks_at_other_prices


@pytest.fixture
def home(pool_run: RunResult, tmp_path: Path) -> str:
    return str(shutil.copytree(pool_run.folder.path.parents[2], tmp_path / "home", symlinks=True))


@pytest.fixture
def folder(home: str) -> RunFolder:
    return run_at(home, "pooled")


def test_a_look_at_a_pool_is_one_at_all_its_symbols_and_its_headline_their_mean(folder: RunFolder, home: str) -> None:
    found = open_sealed(folder, home, trial="stack")
    assert (found["symbol"], found["pool"]) == ("pool", ["SYN-A", "SYN-B"])
    assert [one["symbol"] for one in found["by_symbol"]] == ["SYN-A", "SYN-B"]
    earned = [one["net_return"] for one in found["by_symbol"]]
    assert earned[0] != earned[1]
    assert found["metrics"]["net_return"] == pytest.approx(np.mean(earned))
    assert found["metrics"]["trades"] == sum(one["trades"] for one in found["by_symbol"]) > 0
    assert found["training_growth"] > 1.5  # four groups: a fit of a pair saw about half of the rows
    assert found["start"] >= max(trial.begun.end for trial in all_trials(home))
    assert (folder.read_json("lockbox.json") or {})["openings"] == [found]
    (look,) = Ledger(home, "pooled/pool").openings()
    assert look.symbols == ("SYN-A", "SYN-B")
    assert "by " + found["by"] in (folder.path / "report.html").read_text(encoding="utf-8")


def test_the_command_tells_of_every_symbol(
    folder: RunFolder, home: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_HOME", home)
    with pytest.raises(SystemExit) as ended:
        main(["lockbox", "pooled", "--symbol", "pool", "--trial", "stack"])
    assert ended.value.code in (0, None)
    headline, *apart = capsys.readouterr().out.splitlines()
    assert headline.startswith("pool, stack: ")
    assert [line.strip().partition(":")[0] for line in apart] == ["SYN-A", "SYN-B"]
    assert all("net return" in line for line in apart)


def test_a_second_look_at_a_pool_needs_a_reason(folder: RunFolder, home: str) -> None:
    open_sealed(folder, home, trial="linear")
    with pytest.raises(BadInput, match=r"lockbox of pool: it was opened .*--reopen REASON"):
        open_sealed(folder, home, trial="boosted")
    assert [one.trial for one in openings(home)] == ["linear"]
    open_sealed(folder, home, trial="boosted", reopen="the costs were wrong")
    assert [one.reason for one in openings(home)] == ["", "the costs were wrong"]


def test_who_has_looked_at_a_pool_has_looked_at_its_symbols_and_the_other_way_round(
    folder: RunFolder, home: str, tmp_path: Path
) -> None:
    alone = run(experiment(home, ("SYN-B",), pool=None, name="alone")).folder
    shutil.copytree(home, tmp_path / "other", symlinks=True)
    open_sealed(folder, home, trial="linear")
    with pytest.raises(BadInput, match="lockbox of SYN-B: with those of a pool of 2 symbols it was opened"):
        open_sealed(alone, home, trial="linear")

    other = str(tmp_path / "other")
    open_sealed(run_at(other, "alone"), other, trial="linear")
    with pytest.raises(BadInput, match="lockbox of pool: that of SYN-B was opened"):
        open_sealed(run_at(other, "pooled"), other, trial="linear")
    assert [one.symbol for one in openings(other)] == ["SYN-B"]


def test_the_lockbox_of_a_pool_of_one_symbol_is_that_of_the_symbol(tmp_path: Path) -> None:
    told = []
    for name, pool in (("apart", None), ("together", {})):
        result = run(experiment(tmp_path / name, ("SYN-A",), pool=pool))
        told.append(open_sealed(result.folder, str(tmp_path / name), trial="stack"))
    apart, together = told
    for key in ("start", "end", "sessions", "metrics", "sharpe_low", "development_sharpe", "training_growth"):
        assert apart[key] == together[key], key


def test_what_is_refitted_on_a_pool_never_saw_what_is_sealed_of_any_symbol(
    folder: RunFolder, home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other prices in the sealed span change what is earned there and nothing of what is fitted."""
    decided, first, second = looks_at_other_prices(partial(open_sealed, folder, home), monkeypatch)
    assert decided[0] == decided[1]
    assert len(decided[0]) == 2
    assert first["metrics"]["net_return"] != second["metrics"]["net_return"]


def test_a_symbol_that_ended_before_counts_nothing_in_the_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = SyntheticBars.read

    def ended(source: SyntheticBars, symbol: str) -> Any:
        loaded = read(source, symbol)
        if symbol == "SYN-A":
            return loaded
        return replace(loaded, bars=loaded.bars.between(0, len(loaded.bars) * 6 // 10))

    monkeypatch.setattr(SyntheticBars, "read", ended)
    result = run(experiment(tmp_path))
    found = open_sealed(result.folder, str(tmp_path), trial="linear")
    alive, gone = found["by_symbol"]
    assert (gone["sessions"], gone["sharpe"], gone["trades"]) == (0, None, 0)
    assert found["sessions"] == alive["sessions"] > 0
    assert found["metrics"]["net_return"] == pytest.approx(alive["net_return"] / 2)
    assert found["metrics"]["sharpe"] == pytest.approx(alive["sharpe"])
