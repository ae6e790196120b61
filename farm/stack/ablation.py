"""Ablation: the stack taken apart, to see what each of its parts is worth.

Every variant is a trial of role ``ablation``: it is evaluated like the stack, receives no verdict and counts in no N.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES, Events
from farm.stack.calibrate import Calibrate
from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.lattice import Lattice
from farm.stack.steps import Step

Float = NDArray[np.float64]

Kind = Literal["best_single", "homogeneous", "without", "unnested"]

PREFIX = "stack."
"""What the names of a stack's ablations begin with."""


@dataclass(frozen=True)
class Variant:
    """One way to take the stack apart: the bases that are left, and whether the pipeline stays nested."""

    name: str
    kind: Kind
    bases: tuple[str, ...]

    @property
    def nested(self) -> bool:
        """False for the variant that shows what ordinary stacking would have claimed."""
        return self.kind != "unnested"

    def steps(self, complete: Sequence[Step]) -> tuple[Step, ...]:
        """The stack's steps as this variant takes them: a choice among the bases in the place of their combination."""
        if self.kind != "best_single":
            return tuple(complete)
        others = [step for step in complete if not isinstance(step, Combine | Choose)]
        first = next(at for at, step in enumerate(others) if not isinstance(step, Calibrate))
        return (*others[:first], Choose(), *others[first:])


def variants(families: Mapping[str, str]) -> tuple[Variant, ...]:
    """The ablations of a stack whose bases are of these families.

    The single base that each group's own pipeline would choose; the stack without each base in turn, where two or more
    are left; the bases of each family alone, where a family has several and is not the whole stack; and all of them
    without nesting.

    Examples
    --------
    >>> [one.name for one in variants({"fast": "boosting", "linear": "classical"})]
    ['stack.best_single', 'stack.unnested']
    """
    bases = tuple(families)
    found = [Variant(f"{PREFIX}best_single", "best_single", bases)]
    if len(bases) > 2:
        found += [
            Variant(f"{PREFIX}without.{one}", "without", tuple(base for base in bases if base != one)) for one in bases
        ]
    for family in dict.fromkeys(families.values()):
        alike = tuple(base for base in bases if families[base] == family)
        if 1 < len(alike) < len(bases):
            found.append(Variant(f"{PREFIX}only.{family}", "homogeneous", alike))
    return (*found, Variant(f"{PREFIX}unnested", "unnested", bases))


@dataclass(frozen=True)
class Pair:
    """How alike two bases are on the rows that both predict.

    ``error_correlation`` is that of what they are wrong by, side less leaning; None where one of them is always as
    wrong. ``disagreement`` is the share of rows on which they lean to different sides (Kuncheva and Whitaker 2003,
    section 2.3).
    """

    first: str
    second: str
    error_correlation: float | None
    disagreement: float
    n_rows: int


def diversity(bases: Sequence[str], lattice: Lattice, events: Events) -> tuple[Pair, ...]:
    """How differently the bases are wrong, pair by pair; a stack can only gain where they are."""
    leaning = {}
    for base in bases:
        mean = lattice.mean(base)
        leaning[base] = mean[:, CLASSES.index(1)] - mean[:, CLASSES.index(-1)]
    return tuple(_pair(first, second, leaning, events) for first, second in combinations(bases, 2))


def _pair(first: str, second: str, leaning: Mapping[str, Float], events: Events) -> Pair:
    rows = events.labelled & np.isfinite(leaning[first]) & np.isfinite(leaning[second])
    one, other = leaning[first][rows], leaning[second][rows]
    if not rows.any():
        return Pair(first, second, None, 0.0, 0)
    errors = events.label[rows] - one, events.label[rows] - other
    known = all(np.ptp(error) > 0 for error in errors)
    return Pair(
        first,
        second,
        float(np.corrcoef(*errors)[0, 1]) if known else None,
        float(np.mean(np.sign(one) != np.sign(other))),
        int(rows.sum()),
    )
