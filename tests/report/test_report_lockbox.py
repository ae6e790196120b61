"""The report of a run tells every look at its lockbox, and every one that was refused."""

import json
import re

import pytest

from farm.report import write_report

OPENED = 1_600_000_000 * 10**9


@pytest.fixture
def folder(make, tmp_path):
    return make.usual(tmp_path)


def a_look(make, trial="stack", **changes):
    return {
        "symbol": "ALPHA", "start": OPENED - 86_400 * 10**9 * 40, "end": OPENED - 86_400 * 10**9, "trial": trial,
        "run": "r1", "opened_at": OPENED, "reason": "", "sessions": 40, "sharpe_low": 0.41, "sharpe_high": 3.07,
        "probabilistic_sharpe": 0.9731, "metrics": make.trial(trial, "candidate", 0.173)["metrics"],
        "development_sharpe": 2.22, "development_events": 900, "training_growth": 1.6, "by": "ada on engine",
    } | changes  # fmt: skip


def text_of(folder, **lockbox):
    if lockbox:
        (folder / "lockbox.json").write_text(json.dumps(lockbox))
    html = write_report(folder).read_text(encoding="utf-8")
    html = html[: html.index('<script type="application/json"')]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_a_run_whose_lockbox_is_shut_says_nothing_of_looks(folder):
    text = text_of(folder)
    assert "Lockbox: bars" not in text


def test_a_look_is_told_with_its_time_its_person_and_its_number(make, folder):
    text = text_of(folder, openings=[a_look(make)])
    said = text[text.index("Lockbox: bars") :]
    for part in (
        "stack ALPHA 2020-08-04 to 2020-09-12", "2020-09-13 12:26 UTC by ada on engine, for the first time", "1.73",
        "0.41 to 3.07", "2.22", "97.3%",
    ):  # fmt: skip
        assert part in said
    assert "are sealed and unread" not in text


def test_another_look_says_why_it_was_taken(make, folder):
    text = text_of(folder, openings=[a_look(make), a_look(make, "linear", reason="the costs were wrong")])
    assert "again, because: the costs were wrong" in text


def test_a_look_that_was_refused_is_told_although_nothing_was_seen(folder):
    refusal = {"symbol": "ALPHA", "trial": "linear", "by": "bob on engine", "asked_at": OPENED, "said": "opened on …"}
    text = text_of(folder, refusals=[refusal])
    assert "linear on ALPHA, asked for by bob on engine at 2020-09-13 12:26 UTC opened on …" in text
    assert "It is still shut." in text


def test_a_candidate_that_never_bet_has_no_number_there(make, folder):
    metrics = a_look(make)["metrics"] | {"sharpe": None}
    look = a_look(make, metrics=metrics, sharpe_low=None, sharpe_high=None, probabilistic_sharpe=None)
    text = text_of(folder, openings=[look])
    assert "no bet was worth its cost" in text[text.index("Lockbox: bars") :]


def test_hostile_words_are_text_and_nothing_else(make, folder):
    evil = "</script><script>alert('1\")</script>"
    (folder / "lockbox.json").write_text(json.dumps({"openings": [a_look(make, reason=evil, by=evil)], "refusals": []}))
    assert "<script>alert" not in write_report(folder).read_text(encoding="utf-8")


def test_a_look_at_a_pool_tells_what_each_symbol_earned_there(make, folder):
    alone = [
        {"symbol": "ALPHA", "sessions": 40, "sharpe": -0.62, "net_return": -0.031, "trades": 17},
        {"symbol": "BETA", "sessions": 0, "sharpe": None, "net_return": None, "trades": 0},
    ]
    text = text_of(folder, openings=[a_look(make, symbol="pool", by_symbol=alone)])
    assert "alone ALPHA -0.62 -3.1% 17 40" in text.replace("\u2212", "-")
    assert "alone BETA ended before the sealed span" in text
