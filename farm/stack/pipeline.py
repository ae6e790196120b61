"""One pipeline F above the bases: fitted on the rows it is given, applied to rows it never saw."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import field_validator, model_validator

from farm.labels import CLASSES
from farm.section import Section
from farm.stack.calibrate import FEWEST_FOR_ISOTONIC, Calibrate
from farm.stack.choose import Choose
from farm.stack.combine import Combine
from farm.stack.inner import Inner, n_blocks, stages_of
from farm.stack.inputs import Bool, Market, Outcomes, Probabilities, present
from farm.stack.meta_label import MetaLabel
from farm.stack.order import require_order
from farm.stack.said import Learned, Said
from farm.stack.size import Size, Sized
from farm.stack.steps import MapStep, Step
from farm.stack.threshold import Cut, Threshold

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Missing = Literal["abstain", "mark"]

_BARS = re.compile(r"([0-9]+) *bars?")
_LOST_TO_PURGING = 1.25


class Stack(Section):
    """What stands above the base models, and how it is kept from seeing what it is scored on.

    ``nesting: pairs`` is the leak-free lattice of DESIGN section 5; ``none`` is ordinary out-of-fold stacking, kept to
    show what it does wrong: its trial is an ablation and receives no verdict.

    A base on another timeframe may have no prediction for a row. Then ``missing: abstain`` does not bet on the row nor
    learn from it; ``mark`` puts the class shares of the rows learned from in its place and says so to the combination.
    Where no base has a prediction nothing is bet either way. ``max_staleness`` is how old a prediction may be when it
    is read, as a duration (``30min``) or in bars of the study (``12 bars``); without it, as old as its group.

    ``ablation`` takes the stack apart (`farm.stack.ablation`): what each part is worth, in trials that get no verdict.

    Examples
    --------
    >>> stack = Stack(steps=[{"kind": "combine", "uses": "vote"}, {"kind": "meta_label", "features": ["rsi_14"]}])
    >>> [step.kind for step in stack.complete()], stack.reads()
    (['combine', 'meta_label', 'size'], ('rsi_14',))
    """

    nesting: Literal["pairs", "none"] = "pairs"
    missing: Missing = "abstain"
    max_staleness: str | None = None
    ablation: bool = False
    steps: tuple[Step, ...] = (Calibrate(), Combine())

    @field_validator("max_staleness")
    @classmethod
    def _a_length_of_time(cls, text: str | None) -> str | None:
        _staleness(text, bar=1)
        return text

    @model_validator(mode="after")
    def _in_an_order_that_works(self) -> "Stack":
        require_order(self.steps)
        return self

    def complete(self) -> tuple[Step, ...]:
        """The steps with the bet at their end."""
        return self.steps if self.steps[-1].kind == "size" else (*self.steps, Size())

    def for_one_base(self) -> tuple[Step, ...]:
        """The same pipeline for a single base: nothing to combine or choose from, and its own side is the primary."""
        kept: list[Step] = []
        for step in self.complete():
            again = isinstance(step, Calibrate) and any(isinstance(one, Calibrate) for one in kept)
            if not isinstance(step, Combine | Choose) and not again:
                kept.append(step.model_copy(update={"primary": None}) if isinstance(step, MetaLabel) else step)
        return tuple(kept)

    def reads(self) -> tuple[str, ...]:
        """Names of the panel features that steps ask for, each once."""
        return tuple(
            dict.fromkeys(name for step in self.steps if isinstance(step, MetaLabel) for name in step.features)
        )

    def primaries(self) -> tuple[str, ...]:
        """Names of the models or rules that a meta-label takes its side from; they belong to the stack's bases."""
        return tuple(step.primary for step in self.steps if isinstance(step, MetaLabel) and step.primary is not None)

    def seeded(self, seed: int) -> "Stack":
        """The stack with this seed in every step that draws and has none of its own."""
        steps = tuple(
            step.model_copy(update={"seed": seed})
            if isinstance(step, Combine) and step.uses == "mlp" and step.seed is None
            else step
            for step in self.steps
        )
        return self.model_copy(update={"steps": steps})

    def max_age(self, bar: int) -> int | None:
        """How old a prediction may be when it is read, in nanoseconds; ``bar`` is the length of the study's bars."""
        return _staleness(self.max_staleness, bar)

    def min_rows(self) -> int:
        """Labelled rows outside a group without which a pipeline's steps cannot be fitted; 1 where any number will do.

        An isotonic map needs its rows in every inner fit too: what remains after the blocks that are held out, with a
        fifth taken off for purging.
        """
        if not any(isinstance(step, Calibrate) and step.method == "isotonic" for step in self.steps):
            return 1
        stages = stages_of([step for step in self.steps if not isinstance(step, Threshold | Size)])
        share = 1 - len(stages) / n_blocks(stages)
        return math.ceil(_LOST_TO_PURGING * FEWEST_FOR_ISOTONIC / share)


def _staleness(text: str | None, bar: int) -> int | None:
    if text is None:
        return None
    if match := _BARS.fullmatch(text.strip()):
        return int(match[1]) * bar
    refused = ValueError(f"max_staleness {text!r} is no length of time; write one such as 30min, 2h or '12 bars'")
    if text.strip().isdigit():
        raise refused
    try:
        found = pd.Timedelta(text)
    except ValueError:
        raise refused from None
    if pd.isna(found) or found < pd.Timedelta(0):
        raise refused
    return int(found.value)


@dataclass(frozen=True, eq=False)
class Decision:
    """What a fitted pipeline says of each row: ``probability`` (rows, classes) and signed ``size`` in [-1, 1].

    A row on which it abstains has probability NaN and size 0.
    """

    probability: Float
    size: Float


@dataclass(frozen=True, eq=False)
class FittedPipeline:
    """A pipeline that has learned: its steps in order, what it leaves out, how it bets, and what it does with gaps."""

    parts: tuple[Learned, ...]
    cut: Cut | None
    size: Sized
    missing: Missing

    def apply(self, inputs: Probabilities, market: Market) -> Decision:
        """Predict and bet on rows that the pipeline was not fitted on.

        A row's prediction is the same bit for bit alone and in company. So is its size, unless the bets that are open
        are averaged: then it also depends on the rows before it that are handed over here.
        """
        rows = np.flatnonzero(_answered(inputs, self.missing))
        probability = np.full((len(market.cost), len(CLASSES)), np.nan)
        size = np.zeros(len(market.cost))
        said = Said.at_first(inputs, market).take(rows)
        for part in self.parts:
            said = part.then(said)
        proposal = said.bet() if self.cut is None else self.cut.apply(said.bet())
        probability[rows], size[rows] = said.prediction(), self.size.apply(proposal, said.market)
        return Decision(probability, size)


def fit_pipeline(
    steps: Sequence[MapStep | Step],
    inputs: Probabilities,
    outcomes: Outcomes,
    market: Market,
    missing: Missing = "abstain",
) -> FittedPipeline:
    """The pipeline after its steps were fitted in order, each on the output of those before it.

    The maps up to the combination learn from the same rows. Whatever decides above them (to choose, to calibrate the
    combination, to meta-label, to leave out, to size) learns from what the steps below, fitted on other, purged blocks
    of the rows, say of each block: the output of a step on rows that it was fitted on always seems to predict, also
    when it is made of noise.

    Parameters
    ----------
    steps
        The last one a size, at most a threshold before it; `Stack.complete` gives them. Maps may be of any kind that
        has ``fit(inputs, outcomes)``.
    inputs
        Predictions by base, shape (rows, classes); a row of NaN where a base has none.
    market
        What was known of the same rows.

    Raises
    ------
    ValueError
        No row to learn from, no step ``size`` at the end, or several bases that nothing combined.
    """
    if len(outcomes.label) == 0:
        raise ValueError("a pipeline has no labelled row to learn from; give the groups more events")
    maps, threshold, size = _parted(steps)
    rows = np.flatnonzero(_answered(inputs, missing))
    if len(rows) == 0:
        raise ValueError("a pipeline has no row for which its bases have predictions; let them be older, or mark them")
    inner = Inner(stages_of(maps), {name: p[rows] for name, p in inputs.items()}, outcomes.at(market).take(rows))
    parts = inner.fitted()
    own, said = inner.held_out()
    learned, bet = outcomes.at(market).take(rows[own]), said.bet()
    cut = None if threshold is None else threshold.fit(bet, learned)
    return FittedPipeline(parts, cut, size.fit(bet, learned), missing)


def _parted(steps: Sequence[MapStep | Step]) -> tuple[list[MapStep | MetaLabel], Threshold | None, Size]:
    """The steps that say something, the one that leaves bets out, and the one that sizes them."""
    if not steps or not isinstance(steps[-1], Size):
        raise ValueError("a pipeline ends with a step of kind size")
    before = steps[-2] if len(steps) > 1 else None
    threshold = before if isinstance(before, Threshold) else None
    others = steps[: len(steps) - (1 if threshold is None else 2)]
    maps = [step for step in others if not isinstance(step, Size | Threshold)]
    if len(maps) < len(others):
        raise ValueError("a pipeline has one step of kind size, at its end, and at most one threshold before it")
    return maps, threshold, steps[-1]


def _answered(inputs: Probabilities, missing: Missing) -> Bool:
    """Rows on which the pipeline says anything."""
    there = np.stack([present(p) for p in inputs.values()])
    return np.asarray(there.all(axis=0) if missing == "abstain" else there.any(axis=0))
