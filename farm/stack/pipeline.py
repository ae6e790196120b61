"""One pipeline F above the bases: fitted on the rows it is given, applied to rows it never saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from farm.labels import CLASSES
from farm.section import Section
from farm.stack.steps import (
    Calibrate,
    Combine,
    LogisticMap,
    Market,
    Outcomes,
    Probabilities,
    Size,
    SizeByExpectedReturn,
    Step,
)

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_BLOCKS = 4  # inner blocks that a bet is learned on; each costs one more fit of the maps


class Stack(Section):
    """What stands above the base models, and how it is kept from seeing what it is scored on.

    ``nesting: pairs`` is the leak-free lattice of DESIGN section 5; ``none`` is ordinary out-of-fold stacking, kept to
    show what it does wrong: its trial is an ablation and receives no verdict.
    """

    nesting: Literal["pairs", "none"] = "pairs"
    steps: tuple[Step, ...] = (Calibrate(), Combine())

    @model_validator(mode="after")
    def _in_an_order_that_works(self) -> "Stack":
        kinds = [step.kind for step in self.steps]
        if kinds.count("combine") != 1:
            raise ValueError(
                f"a stack combines its bases exactly once; found steps {kinds}; write one step of kind combine"
            )
        if "size" in kinds and kinds.index("size") != len(kinds) - 1:
            raise ValueError(f"size turns the final prediction into a bet, so it is the last step; found {kinds}")
        if "calibrate" in kinds[kinds.index("combine") :]:
            raise ValueError(f"calibrate works on each base, so it stands before combine; found {kinds}")
        return self

    def complete(self) -> tuple[Step, ...]:
        """The steps with the bet at their end."""
        return self.steps if self.steps[-1].kind == "size" else (*self.steps, Size())

    def for_one_base(self) -> tuple[Step, ...]:
        """The same pipeline for a single base: there is nothing to combine."""
        return tuple(step for step in self.complete() if step.kind != "combine")


@dataclass(frozen=True, eq=False)
class Decision:
    """What a fitted pipeline says of each row: ``probability`` (rows, classes) and signed ``size`` in [-1, 1]."""

    probability: Float
    size: Float


@dataclass(frozen=True, eq=False)
class FittedPipeline:
    """A pipeline that has learned."""

    maps: tuple[LogisticMap, ...]
    size: SizeByExpectedReturn

    def apply(self, inputs: Probabilities, market: Market) -> Decision:
        """Predict and bet on rows that the pipeline was not fitted on."""
        probability = _through(self.maps, inputs)
        return Decision(probability, self.size.apply(probability, market))


def fit_pipeline(steps: Sequence[Step], inputs: Probabilities, outcomes: Outcomes) -> FittedPipeline:
    """The pipeline after its steps were fitted in order, each on the output of those before it.

    The last one, the bet, is fitted on what maps of other, purged blocks of the same rows say.

    Raises
    ------
    ValueError
        No row to learn from, no step ``size`` at the end, or several bases that nothing combined.
    """
    if len(outcomes.label) == 0:
        raise ValueError("a pipeline has no labelled row to learn from; give the groups more events")
    if not steps or not isinstance(steps[-1], Size):
        raise ValueError("a pipeline ends with a step of kind size")
    maps = _fit_maps(steps[:-1], inputs, outcomes)
    rows, probability = _held_out(steps[:-1], inputs, outcomes)
    return FittedPipeline(maps, steps[-1].fit(probability, outcomes.take(rows)))


def _fit_maps(steps: Sequence[Step], inputs: Probabilities, outcomes: Outcomes) -> tuple[LogisticMap, ...]:
    maps: list[LogisticMap] = []
    now = dict(inputs)
    for step in steps:
        if isinstance(step, Size):
            raise ValueError("a pipeline has one step of kind size, at its end")
        maps.append(step.fit(now, outcomes))
        now = maps[-1].apply(now)
    return tuple(maps)


def _held_out(steps: Sequence[Step], inputs: Probabilities, outcomes: Outcomes) -> tuple[Int, Float]:
    """Rows and what maps fitted on the other blocks say of them: what a bet may be sized by.

    The output of maps on rows that they were fitted on always seems to predict, also when it is made of noise.
    """
    n = len(outcomes.label)
    if not steps:
        return np.arange(n), _only(inputs)
    rows, said = [], []
    for block in np.array_split(np.arange(n), min(_BLOCKS, n)):
        first, last = outcomes.start[block[0]], outcomes.end[block].max()
        others = np.flatnonzero((outcomes.end < first) | (outcomes.start > last))
        if len(others):
            maps = _fit_maps(steps, {base: p[others] for base, p in inputs.items()}, outcomes.take(others))
            rows.append(block)
            said.append(_through(maps, {base: p[block] for base, p in inputs.items()}))
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, len(CLASSES)))
    return np.concatenate(rows), np.concatenate(said)


def _through(maps: Sequence[LogisticMap], inputs: Probabilities) -> Float:
    now = dict(inputs)
    for fitted in maps:
        now = fitted.apply(now)
    return _only(now)


def _only(inputs: Probabilities) -> Float:
    if len(inputs) != 1:
        raise ValueError(f"a bet needs one prediction, not {len(inputs)} ({', '.join(inputs)}); combine them first")
    return next(iter(inputs.values()))
