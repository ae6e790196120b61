"""A space holds its values within their ranges, and no point that breaks a constraint leaves it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from farm.errors import BadInput
from farm.search import Space
from farm.search.constraint import holds
from farm.search.dimension import Choice, FloatRange, IntRange

shares = st.floats(0, 1)


@given(low=st.floats(1e-6, 1e3), width=st.floats(1e-3, 1e3), share=shares, log=st.booleans())
def test_a_real_number_lies_in_its_range_and_can_be_typed_in_again(
    low: float, width: float, share: float, log: bool
) -> None:
    dimension = FloatRange(low=low, high=low + width, log=log)
    value = dimension.at(share)
    assert low <= value <= low + width
    assert value in (low, low + width, float(f"{value:.6g}"))


@given(low=st.integers(1, 50), width=st.integers(1, 500), share=shares, log=st.booleans())
def test_a_whole_number_lies_in_its_range_and_both_ends_are_reached(
    low: int, width: int, share: float, log: bool
) -> None:
    dimension = IntRange(low=low, high=low + width, log=log)
    value = dimension.at(share)
    assert isinstance(value, int)
    assert low <= value <= low + width
    assert (dimension.at(0.0), dimension.at(1.0)) == (low, low + width)


@given(shares)
def test_log_spreads_a_range_evenly_over_its_magnitudes(share: float) -> None:
    value = FloatRange(low=1e-3, high=1e3, log=True).at(share)
    assert math.log10(value) == pytest.approx(6 * share - 3, abs=1e-5)


def test_every_choice_has_an_equal_share() -> None:
    choice = Choice(of=("a", "b", "c", "d"))
    found = [choice.at(i / 1000) for i in range(1000)]
    assert {one: found.count(one) for one in "abcd"} == dict.fromkeys("abcd", 250)


def test_levels_include_both_ends_and_never_repeat() -> None:
    assert FloatRange(low=1.0, high=100.0, log=True).levels(3) == [1.0, 10.0, 100.0]
    assert IntRange(low=1, high=4).levels(10) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "float", "low": 2.0, "high": 1.0}, "below high"),
        ({"kind": "int", "low": 0, "high": 8, "log": True}, "begins above 0"),
        ({"kind": "choice", "of": []}, "at least 1 item"),
        ({"kind": "float", "low": 1.0, "high": 2.0, "step": 0.5}, "unknown key 'step'"),
    ],
)
def test_a_dimension_that_is_none_says_what_is_wrong(wrong: dict, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Space(space={"x": wrong})


@given(leaves=st.integers(2, 300), depth=st.integers(1, 9))
def test_leaves_beyond_two_to_the_depth_are_refused(leaves: int, depth: int) -> None:
    space = Space(
        space={"num_leaves": {"kind": "int", "low": 2, "high": 300}},
        constraints=("num_leaves <= 2 ** max_depth",),
    )
    assert space.allows({"num_leaves": leaves}, {"max_depth": depth}) == (leaves <= 2**depth)


@pytest.mark.parametrize(
    "constraint",
    [
        "__import__('os').remove('x') < 1",
        "a.b < 1",
        "a[0] < 1",
        "a",
        "a < 1 and b < 2",
        "lambda: 1 < 2",
        "a < 'b'",
        "(",
    ],
)
def test_a_constraint_is_arithmetic_and_nothing_else(constraint: str) -> None:
    with pytest.raises(ValidationError, match="write numbers, names of parameters"):
        Space(space={"a": {"kind": "int", "low": 1, "high": 3}}, constraints=(constraint,))


def test_a_chain_of_comparisons_means_what_it_says() -> None:
    assert holds("1 < a <= b + 1", {"a": 3, "b": 2})
    assert not holds("1 < a <= b + 1", {"a": 4, "b": 2})
    assert holds("-a < 0", {"a": 2})


def test_a_constraint_on_a_parameter_without_a_value_names_it() -> None:
    with pytest.raises(BadInput, match="max_depth has no value; give the model a number"):
        holds("num_leaves <= 2 ** max_depth", {"num_leaves": 3})
    with pytest.raises(BadInput, match="max_depth is None"):
        holds("num_leaves <= 2 ** max_depth", {"num_leaves": 3, "max_depth": None})
    with pytest.raises(BadInput, match="exponent is 1000"):
        holds("num_leaves <= 2 ** max_depth", {"num_leaves": 3, "max_depth": 1000})


def test_a_constraint_about_nothing_that_is_searched_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="names none of the searched parameters a"):
        Space(space={"a": {"kind": "int", "low": 1, "high": 3}}, constraints=("b < 2",))
