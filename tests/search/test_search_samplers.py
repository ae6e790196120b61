"""What samplers that do not adapt draw: different points that the constraints allow, the same for the same seed."""

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.search import Grid, QuasiRandom, Random, Space
from farm.search.space import same_point

TREES = Space(
    space={
        "learning_rate": {"kind": "float", "low": 0.01, "high": 0.3, "log": True},
        "num_leaves": {"kind": "int", "low": 2, "high": 63, "log": True},
        "max_depth": {"kind": "int", "low": 1, "high": 6},
        "criterion": {"kind": "choice", "of": ["gini", "entropy"]},
    },
    constraints=("num_leaves <= 2 ** max_depth",),
)
samplers = st.sampled_from([QuasiRandom(), QuasiRandom(sequence="halton"), Random()])


@given(sampler=samplers, count=st.integers(1, 40), seed=st.integers(0, 2**31 - 1))
def test_points_are_different_allowed_and_as_many_as_asked_for(sampler: Any, count: int, seed: int) -> None:
    points = sampler.points(TREES, count, {}, seed)
    assert len({same_point(point) for point in points}) == len(points) == count
    assert all(point["num_leaves"] <= 2 ** point["max_depth"] for point in points)


@given(sampler=samplers, count=st.integers(1, 30), more=st.integers(0, 30), seed=st.integers(0, 1000))
def test_a_longer_search_begins_with_the_shorter_one(sampler: Any, count: int, more: int, seed: int) -> None:
    assert sampler.points(TREES, count + more, {}, seed)[:count] == sampler.points(TREES, count, {}, seed)


@given(samplers)
def test_another_seed_draws_other_points(sampler: Any) -> None:
    assert sampler.points(TREES, 4, {}, 1) != sampler.points(TREES, 4, {}, 2)


@given(st.integers(0, 2**31 - 1))
def test_sobol_points_fill_every_part_of_the_space_equally(seed: int) -> None:
    square = Space(space={name: {"kind": "float", "low": 0.0, "high": 1.0} for name in "ab"})
    points = QuasiRandom().points(square, 16, {}, seed)
    cells = Counter((int(4 * min(point["a"], 0.999)), int(4 * min(point["b"], 0.999))) for point in points)
    assert set(cells.values()) == {1}
    assert len(cells) == 16


@given(sampler=samplers)
def test_a_space_with_fewer_points_than_asked_for_gives_them_all_once(sampler: Any) -> None:
    small = Space(space={"a": {"kind": "int", "low": 1, "high": 3}, "b": {"kind": "choice", "of": [True, False]}})
    points = sampler.points(small, 20, {}, 5)
    assert {same_point(point) for point in points} == {
        same_point({"a": a, "b": b}) for a, b in itertools.product((1, 2, 3), (True, False))
    }


def test_a_grid_holds_every_combination_that_is_allowed() -> None:
    points = Grid(levels=3).points(TREES, None, {}, 0)
    rates, leaves, depths = (TREES.space[name].levels(3) for name in ("learning_rate", "num_leaves", "max_depth"))
    wanted = [
        {"learning_rate": rate, "num_leaves": leaf, "max_depth": depth, "criterion": criterion}
        for rate, leaf, depth, criterion in itertools.product(rates, leaves, depths, ("gini", "entropy"))
        if leaf <= 2**depth
    ]
    assert points == wanted


def test_a_grid_beyond_the_budget_is_refused_rather_than_cut() -> None:
    with pytest.raises(BadInput, match=r"search\.budget\.trials is 5; lower search\.sampler\.levels"):
        Grid(levels=3).points(TREES, 5, {}, 0)


def test_parameters_that_are_not_searched_count_in_the_constraints() -> None:
    only_leaves = Space(space={"num_leaves": TREES.space["num_leaves"]}, constraints=TREES.constraints)
    points = QuasiRandom().points(only_leaves, 3, {"max_depth": 2}, 0)
    assert sorted(point["num_leaves"] for point in points) == [2, 3, 4]
