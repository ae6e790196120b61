"""What a ledger told at some moment can be told again elsewhere."""

from pathlib import Path

import pytest

from farm.errors import BadInput
from farm.ledger import BrokenChain, Ledger, copy_history, told
from farm.testing.ledger import a_trial


@pytest.fixture
def home(tmp_path: Path) -> str:
    home = str(tmp_path / "home")
    Ledger(home, "first").start([a_trial("aa"), a_trial("bb", symbol="FIL")])
    Ledger(home, "second").start([a_trial("cc")])
    Ledger(home, "third").start([a_trial("dd", symbol="FIL")])
    return home


def test_a_moment_is_its_trials_and_the_heads_that_tell_them(home: str) -> None:
    moment = told(home)
    assert [trial.identity for trial in moment.trials] == ["aa", "bb", "cc", "dd"]
    assert moment.heads == {study: Ledger(home, study).head() for study in ("first", "second", "third")}
    assert set(moment.heads_on(["NIFTY"])) == {"first", "second"}


def test_later_records_are_not_part_of_an_earlier_moment(home: str, tmp_path: Path) -> None:
    moment = told(home)
    Ledger(home, "first").start([a_trial("ee")])
    Ledger(home, "first").finish("aa", returns_key="00ab")
    to = str(tmp_path / "to")
    copied = copy_history(home, to, moment.heads)
    assert sorted(copied, key=lambda trial: trial.identity) == list(moment.trials)
    assert told(to) == moment


def test_a_copy_goes_on_as_a_ledger_of_its_own(home: str, tmp_path: Path) -> None:
    to = str(tmp_path / "to")
    copy_history(home, to, told(home).heads)
    assert Ledger(to, "first").start([a_trial("aa")]) == ()
    assert len(Ledger(to, "first").start([a_trial("ee")])) == 1
    assert Ledger(to, "first").verify() == []


def test_a_moment_that_the_ledger_has_lost_is_told(home: str, tmp_path: Path) -> None:
    heads = told(home).heads
    (Path(home) / "ledger" / "second" / "00000001.jsonl").unlink()
    with pytest.raises(BrokenChain, match=r"study 'second' .*head .* is not in the chain"):
        copy_history(home, str(tmp_path / "to"), heads)


def test_a_ledger_that_knows_the_study_is_not_written_over(home: str) -> None:
    with pytest.raises(BadInput, match="has a ledger of study 'first' already"):
        copy_history(home, home, {"first": Ledger(home, "first").head()})
