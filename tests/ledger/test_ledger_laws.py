"""The laws of the ledger, as its package's docstring numbers them."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import farm.ledger
import farm.testing.ledger
from farm.ledger import BrokenChain, Ledger, MemoryJournal, TrialEnd, TrialStart, candidates_over
from farm.testing.ledger import a_trial


@pytest.fixture
def ledger():
    return Ledger("", "study", journal=MemoryJournal())


def segments(ledger):
    return dict(ledger._journal.read(1))


def test_there_are_ten_laws_and_a_test_quotes_each():
    laws = re.findall(r"^(\d+)\. ", farm.ledger.__doc__, re.MULTILINE)
    assert laws == [str(number) for number in range(1, 11)]
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    tests += Path(farm.testing.ledger.__file__).read_text()
    for law in laws[:8] + laws[9:]:
        assert f"def test_law_{law}_" in tests
    assert '"""Law 9: tampering shows."""' in tests


def test_law_1_every_call_with_news_appends_one_segment_and_changes_none(ledger):
    ledger.start([a_trial(f"{number:02x}") for number in range(5)])
    first = segments(ledger)
    ledger.end([TrialEnd("00", "finished", "ab"), TrialEnd("01", "failed", reason="no memory")])
    assert list(first) == [1]
    assert list(segments(ledger)) == [1, 2]
    assert segments(ledger)[1] == first[1]


def test_law_2_what_was_not_started_cannot_end(ledger):
    with pytest.raises(ValueError, match="never started"):
        ledger.finish("aa")
    assert segments(ledger) == {}


def test_law_2_a_forged_end_without_a_start_is_found():
    from farm.ledger.segment import GENESIS, encode

    forged = MemoryJournal({1: encode("study", 1, GENESIS, [TrialEnd("aa", "finished")])})
    assert "never started" in Ledger("", "study", journal=forged).verify()[0]
    with pytest.raises(BrokenChain, match="never started"):
        Ledger("", "study", journal=forged).replay()


def test_law_3_writers_that_take_turns_share_a_study(ledger):
    other = pickle.loads(pickle.dumps(ledger))
    other._journal = ledger._journal
    ledger.start([a_trial("aa")])
    other.finish("aa", returns_key="ab")
    ledger.start([a_trial("bb")])
    assert list(segments(ledger)) == [1, 2, 3]
    assert ledger.verify() == []


def test_law_4_a_later_failure_does_not_take_back_a_finish(ledger):
    ledger.start([a_trial("aa")])
    ledger.finish("aa", returns_key="ab")
    ledger.fail("aa", "no memory")
    (trial,) = ledger.replay()
    assert (trial.status, trial.returns_key) == ("finished", "ab")


def test_law_4_other_returns_of_the_same_trial_stand_beside_the_first(ledger):
    ledger.start([a_trial("aa")])
    assert ledger.finish("aa", returns_key="ab")
    assert ledger.finish("aa", returns_key="cd")
    (trial,) = ledger.replay()
    assert trial.returns == ("ab", "cd")
    assert trial.returns_key == "cd"


def test_law_4_an_equal_finish_appends_nothing(ledger):
    ledger.start([a_trial("aa")])
    ledger.finish("aa", returns_key="ab")
    ledger.finish("aa", returns_key="cd")
    head = ledger.head()
    assert not ledger.finish("aa", returns_key="ab")
    assert ledger.head() == head


def test_law_5_running_the_same_experiment_again_appends_nothing(ledger):
    trials = [a_trial("aa", run="first"), a_trial("bb", run="first")]
    assert ledger.start(trials) == tuple(trials)
    head = ledger.head()
    assert ledger.start([a_trial("bb", run="second", experiment="other"), a_trial("aa", run="second")]) == ()
    assert ledger.head() == head


def test_law_5_only_new_identities_are_appended(ledger):
    ledger.start([a_trial("aa")])
    assert [start.identity for start in ledger.start([a_trial("aa"), a_trial("bb"), a_trial("bb")])] == ["bb"]


def test_law_5_a_baseline_that_becomes_a_candidate_counts_from_then_on(ledger):
    ledger.start([a_trial("aa", role="baseline")])
    assert candidates_over(ledger.replay(), 0, 100) == ()
    assert len(ledger.start([a_trial("aa", role="candidate")])) == 1
    ledger.start([a_trial("aa", role="baseline")])
    assert len(candidates_over(ledger.replay(), 0, 100)) == 1


def test_law_5_a_longer_span_is_news_and_a_shorter_one_is_not(ledger):
    ledger.start([a_trial("aa", start=10, end=20)])
    assert ledger.start([a_trial("aa", start=12, end=18)]) == ()
    assert len(ledger.start([a_trial("aa", start=15, end=30)])) == 1
    (trial,) = ledger.replay()
    assert (trial.begun.start, trial.begun.end) == (10, 30)


def test_law_5_one_identity_on_two_symbols_is_refused(ledger):
    ledger.start([a_trial("aa", symbol="NIFTY")])
    with pytest.raises(ValueError, match="let the identity digest the symbol"):
        ledger.start([a_trial("aa", symbol="FIL")])


def test_law_6_failed_killed_and_abandoned_trials_count(ledger):
    ledger.start([a_trial("aa"), a_trial("bb"), a_trial("cc"), a_trial("dd")])
    ledger.finish("aa", returns_key="ab")
    ledger.fail("bb", "no memory")
    ledger.finish("cc", "killed")
    assert [trial.status for trial in ledger.replay()] == ["finished", "failed", "killed", "started"]
    assert len(candidates_over(ledger.replay(), 0, 100)) == 4


def test_law_6_a_retried_trial_counts_once_and_may_finish(ledger):
    ledger.start([a_trial("aa")])
    ledger.fail("aa", "no memory")
    ledger.start([a_trial("aa")])
    ledger.finish("aa", returns_key="ab")
    (trial,) = ledger.replay()
    assert trial.status == "finished"
    assert [end.status for end in trial.ends] == ["failed", "finished"]


IDENTITIES = st.sampled_from(["aa", "bb", "cc"])
STARTS = st.builds(
    a_trial,
    IDENTITIES,
    role=st.sampled_from(["candidate", "baseline", "ablation", "sentinel"]),
    start=st.integers(0, 50),
    end=st.integers(50, 100),
    run=st.text(max_size=3),
)
ENDS = st.one_of(
    st.builds(TrialEnd, IDENTITIES, st.just("finished"), st.none() | st.sampled_from(["01", "02"])),
    st.builds(TrialEnd, IDENTITIES, st.sampled_from(["failed", "killed"]), reason=st.text(max_size=3)),
)


def tell(ledger, batches):
    for batch in batches:
        for record in batch:
            if isinstance(record, TrialStart):
                ledger.start([record])
            elif record.identity in {trial.identity for trial in ledger.replay()}:
                ledger.end([record])


@given(st.lists(st.lists(STARTS | ENDS, max_size=4), max_size=6))
def test_law_7_a_reader_who_starts_anew_sees_what_the_writer_saw(batches):
    ledger = Ledger("", "study", journal=MemoryJournal())
    tell(ledger, batches)
    anew = pickle.loads(pickle.dumps(ledger))
    assert anew.replay() == ledger.replay()
    assert anew.head() == ledger.head()
    assert ledger.verify([ledger.head()]) == []


@given(st.lists(st.lists(STARTS | ENDS, max_size=4), max_size=6))
def test_law_7_telling_everything_again_is_no_news(batches):
    ledger = Ledger("", "study", journal=MemoryJournal())
    for _ in range(2):  # an end before its start is told in the second round
        tell(ledger, batches)
    head, trials = ledger.head(), ledger.replay()
    tell(ledger, batches)
    assert (ledger.head(), ledger.replay()) == (head, trials)


@given(st.lists(STARTS, min_size=1, max_size=8), st.data())
def test_law_8_who_is_counted_does_not_depend_on_order_or_batches(starts, data):
    one, many = (Ledger("", "study", journal=MemoryJournal()) for _ in range(2))
    one.start(starts)
    for start in data.draw(st.permutations(starts)):
        many.start([start])
    known = sorted({start.identity for start in starts})
    ends = data.draw(st.lists(ENDS.filter(lambda end: end.identity in known), max_size=5))
    one.end(ends)
    for end in data.draw(st.permutations(ends)):
        many.end([end])

    def counted(ledger):
        return [
            (trial.identity, trial.role, trial.begun.start, trial.begun.end)
            for trial in candidates_over(ledger.replay(), 20, 60)
        ]

    assert counted(one) == counted(many)
    assert {t.identity: t.status == "finished" for t in one.replay()} == {
        t.identity: t.status == "finished" for t in many.replay()
    }


def test_law_8_the_same_run_writes_the_same_bytes_wherever_it_runs(ledger):
    other = Ledger("", "study", journal=MemoryJournal())
    for writer in (ledger, other):
        writer.start([a_trial("aa", params=json.dumps({"leaves": 15}))])
        writer.finish("aa", returns_key="ab")
    assert segments(ledger) == segments(other)


def test_spans_may_come_from_arrays(ledger):
    times = np.array([5, 9], dtype=np.int64)
    ledger.start([a_trial("aa", start=times[0], end=times[1])])
    (trial,) = ledger.replay()
    assert (trial.begun.start, trial.begun.end) == (5, 9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"role": "winner"}, "role 'winner' is not one of candidate"),
        ({"start": 7, "end": 6}, "start 7 is after end 6"),
        ({"params": "{leaves"}, "is not JSON text"),
        ({"symbol": ""}, "symbol is empty"),
    ],
)
def test_a_start_that_cannot_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        a_trial("aa", **changes)


def test_an_end_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="status 'done' is not one of finished"):
        TrialEnd("aa", "done")
    with pytest.raises(ValueError, match="a failed trial has no returns"):
        TrialEnd("aa", "failed", "ab")
