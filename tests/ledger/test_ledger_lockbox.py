"""Law 10: a lockbox is opened once; every look is recorded before it is taken."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.ledger import Ledger, LockboxOpening, MemoryJournal, SecondWriter, open_lockbox, openings
from farm.ledger.record import from_json, to_json
from farm.testing.ledger import a_trial

DAY = 86_400 * 10**9


def look(trial: str = "boosted", **changes: object) -> LockboxOpening:
    fields = {"symbol": "NIFTY", "start": 100, "end": 199, "trial": trial, "run": "r1", "opened_at": 20_000 * DAY}
    return LockboxOpening(**{**fields, **changes})


def test_law_10_a_look_is_recorded_with_its_time_its_run_and_its_trial(tmp_path: Path) -> None:
    home = str(tmp_path)
    open_lockbox(home, "real/NIFTY", look())
    assert openings(home) == (look(),)
    line = (tmp_path / "ledger" / "real%2FNIFTY" / "00000001.jsonl").read_text().splitlines()[1]
    recorded = json.loads(line)
    assert (recorded["record"], recorded["trial"], recorded["run"]) == ("lockbox", "boosted", "r1")
    assert recorded["opened_at"] == 20_000 * DAY
    assert Ledger(home, "real/NIFTY").verify() == []


def test_law_10_a_second_look_without_a_reason_is_refused_and_not_recorded(tmp_path: Path) -> None:
    home = str(tmp_path)
    open_lockbox(home, "real/NIFTY", look())
    head = Ledger(home, "real/NIFTY").head()
    for reason in ("", "  "):
        with pytest.raises(BadInput, match=r"opened on 2024-10-04 for boosted of run r1; .*--reopen REASON"):
            open_lockbox(home, "real/NIFTY", look("stack", run="r2", reason=reason))
    assert Ledger(home, "real/NIFTY").head() == head


def test_law_10_a_second_look_with_a_reason_is_recorded_with_it(tmp_path: Path) -> None:
    home = str(tmp_path)
    open_lockbox(home, "real/NIFTY", look())
    again = look("stack", opened_at=20_001 * DAY, reason="a cost was wrong")
    open_lockbox(home, "real/NIFTY", again)
    assert openings(home) == (look(), again)
    with pytest.raises(BadInput, match="and 1 more times"):
        open_lockbox(home, "real/NIFTY", look("third"))


@given(start=st.integers(0, 300), length=st.integers(0, 300))
def test_law_10_another_study_may_not_look_at_any_moment_of_an_opened_span(tmp_path_factory, start, length) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    open_lockbox(home, "real/NIFTY", look())
    other = look(start=start, end=start + length)
    if start <= 199 and start + length >= 100:
        with pytest.raises(BadInput, match="was opened on"):
            open_lockbox(home, "another/NIFTY", other)
    else:
        open_lockbox(home, "another/NIFTY", other)


def test_law_10_other_symbols_have_lockboxes_of_their_own(tmp_path: Path) -> None:
    open_lockbox(str(tmp_path), "real/NIFTY", look())
    open_lockbox(str(tmp_path), "real/FIL", look(symbol="FIL"))
    assert [one.symbol for one in openings(str(tmp_path))] == ["FIL", "NIFTY"]


POOL = {"symbol": "pool", "pool": ("DAX", "NIFTY")}


def test_law_10_who_has_looked_at_a_pool_has_looked_at_each_of_its_symbols(tmp_path: Path) -> None:
    home = str(tmp_path)
    open_lockbox(home, "real/pool", look(**POOL))
    assert openings(home) == (look(**POOL),)
    with pytest.raises(
        BadInput, match="lockbox of NIFTY: with those of a pool of 2 symbols it was opened on 2024-10-04"
    ):
        open_lockbox(home, "real/NIFTY", look("stack"))
    with pytest.raises(BadInput, match="lockbox of pool: it was opened"):
        open_lockbox(home, "real/pool", look("stack", **POOL))
    open_lockbox(home, "real/NIFTY", look(start=200, end=300))
    open_lockbox(home, "real/FIL", look(symbol="FIL"))


def test_law_10_who_has_looked_at_a_symbol_has_looked_at_every_pool_that_has_it(tmp_path: Path) -> None:
    home = str(tmp_path)
    open_lockbox(home, "real/NIFTY", look())
    with pytest.raises(BadInput, match="lockbox of pool: that of NIFTY was opened on 2024-10-04 for boosted of run r1"):
        open_lockbox(home, "real/pool", look(**POOL))
    again = look(reason="all at once", opened_at=20_001 * DAY, **POOL)
    open_lockbox(home, "real/pool", again)
    assert openings(home) == (look(), again)
    other = look(symbol="pool", pool=("DAX", "FIL", "NIFTY"))
    with pytest.raises(BadInput, match=r"that of NIFTY was opened .* and 1 more times"):
        open_lockbox(home, "other/pool", other)
    assert Ledger(home, "real/pool").verify() == []


def test_a_look_that_was_recorded_before_there_were_pools_is_still_one() -> None:
    recorded = to_json(look())
    del recorded["pool"]
    assert from_json(recorded) == look()


def test_law_10_a_reason_to_reopen_what_was_never_open_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="never opened"):
        open_lockbox(str(tmp_path), "real/NIFTY", look(reason="again"))
    assert openings(str(tmp_path)) == ()


def test_law_10_of_two_that_open_at_once_one_is_refused() -> None:
    journal = MemoryJournal()
    first, second = (Ledger("", "study", journal=journal) for _ in range(2))
    second.head()
    first.note_opening(look())
    second._catch_up = lambda: None  # what `second` has read is what was there before
    with pytest.raises(SecondWriter, match="another run of this study"):
        second.note_opening(look("stack"))
    assert first.openings() == (look(),)


def test_an_opening_is_no_trial_and_changes_no_count(tmp_path: Path) -> None:
    ledger = Ledger(str(tmp_path), "real/NIFTY")
    ledger.start([a_trial("aa")])
    before = ledger.replay()
    open_lockbox(str(tmp_path), "real/NIFTY", look())
    ledger.finish("aa", returns_key="00ab")
    assert [trial.identity for trial in ledger.replay()] == [trial.identity for trial in before]
    assert ledger.openings() == (look(),)
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"start": 200}, "start 200 is after end 199"), ({"trial": ""}, "trial is empty"), ({"run": ""}, "run is empty")],
)
def test_an_opening_that_cannot_be_is_refused(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        look(**changes)
