"""Raw and effective number of trials of a symbol over the ledger's whole life."""

from pathlib import Path

import numpy as np
import pytest

from farm.ledger import Ledger, all_trials, life_counts
from farm.stats import effective_trials
from farm.store import Store
from farm.testing.ledger import a_trial


def finished(home: str, identity: str, sessions: np.ndarray, net: np.ndarray, study: str = "first", **fields) -> None:
    key = identity * 8
    Store(home).put_arrays("trial_returns", key, {"session": sessions, "net": net})
    ledger = Ledger(home, study)
    ledger.start([a_trial(identity, **fields)])
    ledger.finish(identity, returns_key=key)


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)


def counted(home: str) -> dict:
    return {one.symbol: one for one in life_counts(Store(home), all_trials(home))}


def test_copies_of_a_trial_count_raw_and_add_nothing_effective(home: str) -> None:
    net = np.random.default_rng(0).normal(size=300)
    for identity in ("aa", "bb", "cc"):
        finished(home, identity, np.arange(300), net)
    count = counted(home)["NIFTY"]
    assert count.raw == 3
    assert count.effective == pytest.approx(1.0, abs=0.02)


def test_trials_of_every_study_count_whatever_their_span(home: str) -> None:
    rng = np.random.default_rng(1)
    finished(home, "aa", np.arange(300), rng.normal(size=300), start=0, end=10)
    finished(home, "bb", np.arange(300, 600), rng.normal(size=300), study="second", start=1000, end=1010)
    count = counted(home)["NIFTY"]
    assert (count.raw, count.instrument) == (2, "index")
    assert count.effective == pytest.approx(2.0, abs=0.05)


def test_the_effective_number_is_that_of_the_returns_side_by_side(home: str) -> None:
    rng = np.random.default_rng(2)
    common = rng.normal(size=400)
    columns = np.column_stack([common + rng.normal(size=400) for _ in range(5)])
    for at, identity in enumerate(("aa", "bb", "cc", "dd", "ee")):
        finished(home, identity, np.arange(400), columns[:, at])
    assert counted(home)["NIFTY"].effective == pytest.approx(effective_trials(columns).value)


def test_a_trial_without_returns_counts_one(home: str) -> None:
    finished(home, "aa", np.arange(100), np.random.default_rng(3).normal(size=100))
    ledger = Ledger(home, "first")
    ledger.start([a_trial("bb"), a_trial("cc"), a_trial("dd", role="baseline")])
    ledger.fail("bb", "no memory")
    ledger.finish("cc", returns_key="dead" * 8)  # named, and no longer stored
    count = counted(home)["NIFTY"]
    assert (count.raw, count.without_returns) == (3, 2)
    assert count.effective == pytest.approx(3.0)


def test_each_symbol_counts_for_itself(home: str) -> None:
    Ledger(home, "first").start([a_trial("aa"), a_trial("bb", symbol="FIL", instrument="perp")])
    assert {symbol: count.raw for symbol, count in counted(home).items()} == {"FIL": 1, "NIFTY": 1}
