"""Fitting steps one above another inside the rows of one pipeline, none of them on what was fitted on its own rows.

Blocks of the rows play the part that groups play for a study (DESIGN section 5), one level down for every step that
decides: what step 3 learns from in block b was said by a step 2 that was fitted without b, on what a step 1 fitted
without b and c said of c. Fits are kept by the set of blocks they left out, so n blocks cost at most 2^n fits a step.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.inputs import Outcomes, Probabilities
from farm.stack.meta_label import MetaLabel
from farm.stack.said import Learned, Said, learn
from farm.stack.steps import MapStep

Int = NDArray[np.int64]
Stage = tuple["MapStep | MetaLabel", ...]

_BLOCKS = 3  # and one more for every level that learns from held-out rows


def stages_of(steps: Sequence[MapStep | MetaLabel]) -> tuple[Stage, ...]:
    """The steps in stages: every stage learns from rows that the stages before it were not fitted on.

    The maps up to and with the combination are one stage, whose steps learn one after another from the same rows: they
    are few numbers on many rows. Whatever decides above them is a stage of its own.
    """
    first = next((k for k, step in enumerate(steps) if isinstance(step, Choose | MetaLabel)), len(steps))
    combined = next((k + 1 for k, step in enumerate(steps) if isinstance(step, Combine)), first)
    together = min(first, combined)
    return (tuple(steps[:together]), *((step,) for step in steps[together:]))


def n_blocks(stages: Sequence[Stage]) -> int:
    """Blocks that the rows are cut into, so that the deepest fits are still made on a good half of them."""
    return _BLOCKS + len(stages)


class Inner:
    """The stages of one pipeline, fitted with and without blocks of its rows.

    Parameters
    ----------
    stages
        As `stages_of` gives them.
    inputs, outcomes
        Rows in the order of their decisions, with their market.
    """

    def __init__(self, stages: Sequence[Stage], inputs: Probabilities, outcomes: Outcomes) -> None:
        self._stages = tuple(stages)
        self._first = Said.at_first(inputs, outcomes.known())
        self._outcomes = outcomes
        rows = np.arange(len(outcomes.label))
        self._blocks = np.array_split(rows, min(n_blocks(stages), max(len(rows), 1)))
        self._kept: dict[tuple[int, frozenset[int]], tuple[Learned, ...]] = {}

    def fitted(self) -> tuple[Learned, ...]:
        """Every step, fitted on all rows."""
        return tuple(part for stage in range(len(self._stages)) for part in self._fitted(stage, frozenset()))

    def held_out(self) -> tuple[Int, Said]:
        """Rows, and what the whole of the stages says of them without having learned from them."""
        return self._held_out(len(self._stages), frozenset())

    def _fitted(self, stage: int, without: frozenset[int]) -> tuple[Learned, ...]:
        if (stage, without) not in self._kept:
            rows, said = self._held_out(stage, without)
            self._kept[stage, without] = _learned(self._stages[stage], said, self._outcomes.take(rows))
        return self._kept[stage, without]

    def _held_out(self, stage: int, without: frozenset[int]) -> tuple[Int, Said]:
        """What stages before this one say of the rows outside these blocks, fitted without each row's own block too."""
        outside = self._outside(without)
        if not any(self._stages[:stage]):
            return outside, self._first.take(outside)
        found = []
        for block, inside in enumerate(self._blocks):
            own = outside[slice(*np.searchsorted(outside, [inside[0], inside[-1] + 1]))]
            one_more = without | {block}
            if block not in without and len(own) and len(self._outside(one_more)):
                found.append((own, self._said(stage, own, one_more)))
        if not found:
            nobody = np.zeros(0, dtype=np.int64)
            return nobody, self._said(stage, nobody, without)
        return np.concatenate([rows for rows, _ in found]), Said.joined([said for _, said in found])

    def _said(self, stage: int, rows: Int, without: frozenset[int]) -> Said:
        """What the stages before this one, fitted without these blocks, say of the rows."""
        said = self._first.take(rows)
        for before in range(stage):
            for part in self._fitted(before, without):
                said = part.then(said)
        return said

    def _outside(self, without: frozenset[int]) -> Int:
        """Rows whose events overlap no event of these blocks."""
        start, end = self._outcomes.start, self._outcomes.end
        apart = np.ones(len(start), dtype=bool)
        for block in without:
            inside = self._blocks[block]
            apart &= (end < start[inside[0]]) | (start > end[inside].max())
        return np.flatnonzero(apart)


def _learned(stage: Stage, said: Said, outcomes: Outcomes) -> tuple[Learned, ...]:
    parts: list[Learned] = []
    for step in stage:
        said = parts[-1].then(said) if parts else said
        parts.append(learn(step, said, outcomes))
    return tuple(parts)
