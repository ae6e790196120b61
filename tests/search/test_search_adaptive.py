"""Searches that adapt: the same answers give the same search, whoever answers first; what is dropped is counted."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.search import Conductor, Configuration, Halving, Question, Space, Tpe

SPACE = Space(
    space={
        "rate": {"kind": "float", "low": 0.001, "high": 1.0, "log": True},
        "depth": {"kind": "int", "low": 1, "high": 8},
        "leaves": {"kind": "int", "low": 2, "high": 64, "log": True},
        "kind": {"kind": "choice", "of": ["a", "b"]},
    },
    constraints=("leaves <= 2 ** depth",),
)
adaptive = st.sampled_from([Tpe(batch=3, startup=4), Halving(rungs=3)])


def badness(point: Any) -> float:
    return abs(math.log10(point["rate"]) + 1.5) + abs(point["depth"] - 3) / 10 + (point["kind"] == "b")


def searched(
    section: Tpe | Halving, count: int, order: Callable[[list[Question]], Question], *, seed: int = 1, stop: int = 999
) -> tuple[Configuration, ...]:
    """What a search comes to when its open questions are answered in some order."""
    search = section.begin(SPACE, count, {}, seed, range(15))
    handed = [0]
    conductor = Conductor({"s": search}, lambda *_: None, lambda: "enough" if handed[0] >= stop else None)
    waiting: list[Question] = []
    while not conductor.over:
        while (question := conductor.next()) is not None:
            handed[0] += 1
            waiting.append(question)
        if waiting:
            chosen = order(waiting)
            waiting.remove(chosen)
            conductor.answer(chosen, badness(chosen.asked.point))
    return search.tried()


@given(section=adaptive, count=st.integers(4, 12), seed=st.integers(0, 100), chance=st.randoms())
@settings(max_examples=6)
def test_the_order_in_which_answers_come_changes_nothing(
    section: Tpe | Halving, count: int, seed: int, chance: Any
) -> None:
    first = searched(section, count, lambda waiting: waiting[0], seed=seed)
    assert searched(section, count, chance.choice, seed=seed) == first
    assert [one.number for one in first] == list(range(1, count + 1))


@given(section=adaptive, seed=st.integers(0, 100))
@settings(max_examples=6)
def test_every_configuration_is_allowed_and_none_is_tried_twice(section: Tpe | Halving, seed: int) -> None:
    tried = searched(section, 20, lambda waiting: waiting[0], seed=seed)
    assert all(one.point["leaves"] <= 2 ** one.point["depth"] for one in tried)
    assert len({tuple(one.point.items()) for one in tried}) == len(tried) == 20


def test_tpe_tries_more_where_it_did_well() -> None:
    tried = searched(Tpe(batch=2, startup=10), 60, lambda waiting: waiting[0])
    early = np.mean([badness(one.point) for one in tried[:10]])
    late = np.mean([badness(one.point) for one in tried[-20:]])
    assert late < 0.7 * early


def test_tpe_asks_no_more_before_its_whole_batch_was_told() -> None:
    search = Tpe(batch=4).begin(SPACE, 10, {}, 1, range(3))
    assert [len(search.ask()), search.tell([1.0] * 4), len(search.ask())] == [4, None, 4]
    search.tell([1.0] * 4)
    assert len(search.ask()) == 2, "the last batch is what is left"


def test_halving_drops_the_worse_half_after_each_rung_and_counts_it() -> None:
    tried = searched(Halving(rungs=3), 12, lambda waiting: waiting[0])
    by_splits = sorted(len(one.splits) for one in tried)
    assert by_splits == [4] * 6 + [8] * 3 + [15] * 3
    assert [one.state for one in tried].count("pruned") == 9
    worst_kept = max(badness(one.point) for one in tried if len(one.splits) > 4)
    assert worst_kept <= min(badness(one.point) for one in tried if len(one.splits) == 4)


def test_every_rung_goes_on_with_the_splits_of_the_one_before() -> None:
    search = Halving(rungs=3).begin(SPACE, 4, {}, 1, range(15))
    asked = []
    while batch := search.ask():
        asked.append(batch[0].splits)
        search.tell([float(one.number) for one in batch])
    assert [len(splits) for splits in asked] == [4, 8, 15]
    assert asked[2][:8] == asked[1]
    assert asked[1][:4] == asked[0]
    assert sorted(asked[2]) == list(range(15))


def test_equal_losses_keep_the_earlier_trial() -> None:
    search = Halving(rungs=2).begin(SPACE, 4, {}, 1, range(4))
    search.tell([1.0] * len(search.ask()))
    assert [one.number for one in search.ask()] == [1, 2]


@pytest.mark.parametrize("section", [Tpe(batch=4), Halving(rungs=2)])
def test_a_configuration_that_cannot_be_fitted_is_counted_as_failed_and_not_asked_again(section: Any) -> None:
    search = section.begin(SPACE, 4, {}, 1, range(4))
    search.tell([math.inf, *[1.0] * (len(search.ask()) - 1)])
    again = search.ask()
    assert 1 not in [one.number for one in again]
    assert {one.number: one.state for one in search.tried()}[1] == "failed"


def test_what_a_spent_budget_leaves_unanswered_is_abandoned_and_stays_counted() -> None:
    tried = searched(Tpe(batch=4), 20, lambda waiting: waiting[0], stop=6)
    assert len(tried) == 8, "a batch that was begun is counted whole"
    assert [one.state for one in tried] == ["finished"] * 6 + ["abandoned"] * 2


def test_more_rungs_than_splits_can_fill_are_refused() -> None:
    with pytest.raises(BadInput, match="at most 3 rungs"):
        Halving(rungs=4).begin(SPACE, 4, {}, 1, range(6))


@given(st.lists(st.integers(2, 9), min_size=2, max_size=4), st.randoms())
@settings(max_examples=20)
def test_no_search_runs_ahead_of_another_that_waits(counts: list[int], chance: Any) -> None:
    searches = {f"s{at}": Tpe(batch=10).begin(SPACE, count, {}, at, range(3)) for at, count in enumerate(counts)}
    begun: list[str] = []
    conductor = Conductor(searches, lambda name, _: begun.append(name), lambda: None)
    handed = dict.fromkeys(searches, 0)
    while (question := conductor.next()) is not None:
        handed[question.search] += 1
        behind = [handed[f"s{at}"] for at, count in enumerate(counts) if handed[f"s{at}"] < count]
        assert all(handed[question.search] <= other + 1 for other in behind)
    assert handed == {f"s{at}": count for at, count in enumerate(counts)}
    assert sorted(begun) == sorted(searches), "each batch is announced once"
