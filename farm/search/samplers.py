"""Samplers that do not adapt: the points they draw follow from space and seed alone, so they are only more models."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from farm.errors import BadInput
from farm.search.space import Point, Space, same_point
from farm.section import Section

_TRIES = 64  # points drawn for one that is wanted, before a space counts as used up


class QuasiRandom(Section):
    """Points that fill the space evenly: a Sobol' or Halton sequence, scrambled by the seed.

    More of them continue the sequence: a search of 40 trials begins with the 20 of a search of 20. Sources: Sobol'
    (1967); Owen (1995) for the scrambling; Bergstra and Bengio (2012) for why a grid wastes trials.

    >>> from farm.search.space import Space
    >>> space = Space(space={"C": {"kind": "float", "low": 0.01, "high": 100.0, "log": True}})
    >>> points = QuasiRandom().points(space, 4, {}, seed=1)
    >>> sorted(point["C"] // 0.1 > 0 for point in points), points == QuasiRandom().points(space, 8, {}, seed=1)[:4]
    ([False, True, True, True], True)
    """

    kind: Literal["quasi_random"] = "quasi_random"
    sequence: Literal["sobol", "halton"] = "sobol"

    def points(self, space: Space, count: int, fixed: Mapping[str, Any], seed: int) -> list[Point]:
        """The first ``count`` different points that the constraints allow; fewer where the space has no more."""
        return first_allowed(self._shares(len(space.space), count, seed), space, count, fixed)

    def _shares(self, dimensions: int, count: int, seed: int) -> Iterator[Any]:
        from scipy.stats import qmc

        made = (qmc.Sobol if self.sequence == "sobol" else qmc.Halton)(dimensions, scramble=True, rng=seed)
        drawn = 0
        while drawn < _TRIES * count:
            block = max(1, drawn)  # Sobol' points are balanced in powers of two, so the sequence doubles
            yield from made.random(block) if self.sequence == "halton" else made.random_base2(block.bit_length() - 1)
            drawn += block


class Random(Section):
    """Points drawn at random, each independent of the others."""

    kind: Literal["random"] = "random"

    def points(self, space: Space, count: int, fixed: Mapping[str, Any], seed: int) -> list[Point]:
        """The first ``count`` different points that the constraints allow; fewer where the space has no more."""
        generator = np.random.default_rng(seed)
        shares = (generator.random(len(space.space)) for _ in range(_TRIES * count))
        return first_allowed(shares, space, count, fixed)


class Grid(Section):
    """Every combination of ``levels`` values a range and of all choices, the last parameter changing fastest."""

    kind: Literal["grid"] = "grid"
    levels: int = Field(default=3, ge=1)

    def points(self, space: Space, count: int | None, fixed: Mapping[str, Any], seed: int) -> list[Point]:  # noqa: ARG002  # a grid has no chance in it
        """All combinations that the constraints allow.

        Raises
        ------
        BadInput
            They are more than ``count``: a part of a grid would leave whole corners out.
        """
        combined = itertools.product(*(dimension.levels(self.levels) for dimension in space.space.values()))
        points = [dict(zip(space.space, values, strict=True)) for values in combined]
        allowed = [point for point in points if space.allows(point, fixed)]
        if count is not None and len(allowed) > count:
            raise BadInput(
                f"search: the grid of {', '.join(space.space)} with {self.levels} levels has {len(allowed)} points, "
                f"and search.budget.trials is {count}; lower search.sampler.levels, search fewer parameters or allow "
                "more trials"
            )
        return allowed


def first_allowed(shares: Iterator[Any], space: Space, count: int, fixed: Mapping[str, Any]) -> list[Point]:
    """The first different points at these shares that the constraints allow, at most ``count``."""
    points: dict[str, Point] = {}
    for share in shares:
        if len(points) == count:
            break
        point = space.at(share)
        if space.allows(point, fixed):
            points.setdefault(same_point(point), point)
    return list(points.values())
