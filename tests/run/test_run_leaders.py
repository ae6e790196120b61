"""The best candidates so far, as the dashboards hear of them."""

from types import SimpleNamespace
from typing import Any

from farm.run.leaders import Leaders


def study(symbol: str, **deflated: float | None) -> Any:
    candidates = {name: SimpleNamespace(deflated=one, sharpe=1.5) for name, one in deflated.items()}
    return SimpleNamespace(symbol=symbol, candidates=candidates)


def shown_of(most: int, *studies: Any) -> list[tuple[str, str, float]]:
    shown: list[tuple[str, str, float]] = []

    def show(phase: str, counts: dict[str, float], **about: str) -> None:
        assert phase == "best"
        shown.append((about["symbol"], about["trial"], counts["deflated"]))

    leaders = Leaders(show, most=most)
    for one in studies:
        leaders.judged(one)
    return shown


def test_the_best_candidate_of_each_study_is_shown() -> None:
    assert shown_of(5, study("A", low=0.1, high=0.9, unknown=None), study("B", only=0.2)) == [
        ("A", "high", 0.9),
        ("B", "only", 0.2),
    ]


def test_a_study_that_could_not_be_judged_shows_nothing() -> None:
    assert shown_of(5, study("A", unknown=None), study("B")) == []


def test_of_very_many_studies_only_those_are_shown_that_are_among_the_best_so_far() -> None:
    studies = [study(f"S{at}", one=value) for at, value in enumerate((0.5, 0.3, 0.2, 0.4, 0.35))]
    assert [symbol for symbol, _, _ in shown_of(2, *studies)] == ["S0", "S1", "S3"]
