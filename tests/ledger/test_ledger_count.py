import pytest

from farm.ledger import Ledger, all_trials, candidates_over, trials_on
from farm.testing.ledger import a_trial


@pytest.fixture
def home(tmp_path):
    home = str(tmp_path)
    Ledger(home, "first/NIFTY").start([a_trial("aa", start=0, end=10), a_trial("bb", role="baseline")])
    Ledger(home, "second/NIFTY").start([a_trial("aa", start=5, end=30), a_trial("cc", start=20, end=30)])
    Ledger(home, "first/FIL").start([a_trial("dd", symbol="FIL")])
    return home


def counted(trials, start, end):
    return [trial.identity for trial in candidates_over(trials, start, end)]


def test_an_empty_home_has_no_trials(tmp_path):
    assert trials_on(str(tmp_path), "NIFTY") == ()
    assert list(tmp_path.iterdir()) == []


def test_the_trials_of_all_studies_on_one_symbol_are_found(home):
    assert sorted({trial.identity for trial in trials_on(home, "NIFTY")}) == ["aa", "bb", "cc"]
    assert [trial.identity for trial in trials_on(home, "FIL")] == ["dd"]
    assert {trial.study for trial in all_trials(home)} == {"first/NIFTY", "second/NIFTY", "first/FIL"}


def test_n_is_the_distinct_candidates_that_saw_any_of_the_span(home):
    trials = trials_on(home, "NIFTY")
    assert counted(trials, 0, 100) == ["aa", "cc"]  # aa in two studies is one trial, the baseline is none
    assert counted(trials, 0, 10) == ["aa"]
    assert counted(trials, 31, 40) == []


def test_spans_that_share_one_moment_overlap(home):
    trials = trials_on(home, "NIFTY")
    assert counted(trials, 30, 30) == ["aa", "cc"]
    assert counted(trials, -5, 0) == ["aa"]
    assert counted(trials, -5, -1) == []


def test_n_does_not_depend_on_the_order_of_studies(home):
    trials = all_trials(home)
    assert counted(trials, 0, 100) == counted(tuple(reversed(trials)), 0, 100)
