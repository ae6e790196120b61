"""A model's search space: its dimensions, and the constraints that every point of it must meet."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, JsonValue, model_validator

from farm.search.constraint import Constraint, holds, names_in
from farm.search.dimension import Dimension
from farm.section import Section

Point = dict[str, JsonValue]


class Space(Section):
    """What may be searched of a model: parameter -> range or choices, and ``constraints`` between parameters.

    A point that breaks a constraint is rejected, and the sampler's next one is taken: nothing is bent into shape, so
    every configuration is one that its sampler drew.

    >>> space = Space(space={"depth": {"kind": "int", "low": 1, "high": 4}}, constraints=("leaves <= 2 ** depth",))
    >>> space.at([0.9]), space.allows({"depth": 1}, fixed={"leaves": 4}), space.allows({"depth": 2}, {"leaves": 4})
    ({'depth': 4}, False, True)
    """

    space: dict[str, Dimension] = Field(min_length=1)
    constraints: tuple[Constraint, ...] = ()

    @model_validator(mode="after")
    def _constraints_about_something(self) -> "Space":
        for constraint in self.constraints:
            if not set(names_in(constraint)) & set(self.space):
                raise ValueError(
                    f"constraint {constraint!r} names none of the searched parameters {', '.join(self.space)}"
                )
        return self

    def at(self, shares: Sequence[float]) -> Point:
        """The point at a share of every dimension, in the order of the space."""
        return {
            name: dimension.at(float(share))
            for (name, dimension), share in zip(self.space.items(), shares, strict=True)
        }

    def allows(self, point: Mapping[str, Any], fixed: Mapping[str, Any]) -> bool:
        """Whether a point meets the constraints, the model's other parameters being ``fixed``."""
        values = {**fixed, **point}
        return all(holds(constraint, values) for constraint in self.constraints)


def same_point(point: Mapping[str, Any]) -> str:
    """Text that two points have in common when they are the same configuration."""
    return json.dumps(dict(point), sort_keys=True)
