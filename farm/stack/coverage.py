"""How much of the clock each base covers: for which rows it has a prediction, and how old that is."""

from dataclasses import dataclass

import numpy as np

from farm.bars.timeframe import SECOND
from farm.stack.lattice import Lattice


@dataclass(frozen=True)
class Coverage:
    """One base at the clock's rows: ``share`` of them with a prediction, and its age there in seconds.

    The ages are None where there is no prediction at all.
    """

    base: str
    rows: int
    share: float
    age_median: float | None
    age_95: float | None
    age_most: float | None


def coverage_of(lattice: Lattice) -> list[Coverage]:
    """The coverage of every base of a lattice, in its order."""
    return [_one(base, lattice.age[base]) for base in lattice.bases]


def _one(base: str, age: np.ndarray) -> Coverage:
    known = age[age >= 0] / SECOND
    if len(known) == 0:
        return Coverage(base, len(age), 0.0, None, None, None)
    median, high = np.quantile(known, [0.5, 0.95])
    return Coverage(base, len(age), len(known) / len(age), float(median), float(high), float(known.max()))
