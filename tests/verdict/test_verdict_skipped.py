"""Symbols that were left out of a run count in the family all the same."""

from dataclasses import replace

from farm.evidence import Thresholds
from farm.verdict import decide
from tests.verdict.test_verdict_rules import evidence, returns_of


def test_a_skipped_study_counts_as_one_that_could_not_be_judged() -> None:
    found = [evidence({"model": returns_of(z, seed=at)}, symbol=f"S{at}") for at, z in enumerate((1.0, 2.2, 4.0))]
    unjudged = replace(found[0], symbol="LOST", candidates={})
    whole = decide([*found, unjudged, replace(unjudged, symbol="TOO")], Thresholds())
    assert decide(found, Thresholds(), n_skipped=2) == {one.symbol: whole[one.symbol] for one in found}


def test_what_passes_alone_may_fail_beside_many_that_were_left_out() -> None:
    found = [evidence({"model": returns_of(2.8)})]
    assert decide(found, Thresholds())["X"].candidates["model"].ruling == "PASS"
    assert decide(found, Thresholds(), n_skipped=20)["X"].candidates["model"].ruling == "FAIL"
