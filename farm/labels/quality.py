"""What a set of labels is like, before anything is fitted to it."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.labels.events import Events
from farm.labels.kinds import LabelKind
from farm.labels.uniqueness import average_uniqueness

Quartiles = tuple[float, float, float, float, float]
"""The 0, 25, 50, 75 and 100% points."""


@dataclass(frozen=True)
class LabelQuality:
    """A summary of labels; shares are of the labelled events and None where there are none.

    ``class_share`` is (down, neutral, up) by label, ``touch_share`` the same by the barrier that ended the event; of a
    kind without price barriers all end by time. ``up_share`` is up among the events that took a side: that met a price
    barrier, or, of a kind without, that are not neutral. ``implied_null_share`` is what it would be if nothing could
    be predicted, ``up_share_z`` how many standard errors lie between them, of as many independent events as those that
    took a side are worth. ``holding_bars`` are quartiles of the bars watched up to the exit, ``target_points`` those of
    the target. ``effective_events`` is the sum of the labelled events' average uniqueness over the bars watched: how
    many independent labels they are worth. ``resolved_share`` is the share of the ambiguous events that finer bars
    decided.
    """

    kind: str
    learns: Literal["class", "number"]
    events: int
    labelled: int
    unlabelled: int
    class_share: tuple[float, float, float] | None
    touch_share: tuple[float, float, float] | None
    up_share: float | None
    implied_null_share: float
    up_share_z: float | None
    holding_bars: Quartiles | None
    target_points: Quartiles | None
    effective_events: float
    ambiguous_share: float | None
    resolved_share: float | None


def label_quality(events: Events, recipe: LabelKind) -> LabelQuality:
    """Summary of these events, which ``recipe`` labelled."""
    done = events.take(events.labelled)
    n, ambiguous = len(done), int(done.ambiguous.sum())
    side = done.touch if recipe.touches else done.label
    sided, up = int(np.count_nonzero(side)), int(np.count_nonzero(side == 1))
    up_share, null = up / sided if sided else None, recipe.implied_null_share()
    worth = _worth(done.take(side != 0))
    return LabelQuality(
        kind=recipe.kind,
        learns=recipe.learns,
        events=len(events),
        labelled=n,
        unlabelled=len(events) - n,
        class_share=_shares(done.label),
        touch_share=_shares(done.touch),
        up_share=up_share,
        implied_null_share=null,
        up_share_z=None if up_share is None else (up_share - null) / math.sqrt(null * (1 - null) / worth),
        holding_bars=_quartiles(done.exit_row - done.row),
        target_points=_quartiles(done.target),
        effective_events=_worth(done),
        ambiguous_share=ambiguous / n if n else None,
        resolved_share=int(done.resolved.sum()) / ambiguous if ambiguous else None,
    )


def _worth(events: Events) -> float:
    """How many independent events these are worth."""
    return float(average_uniqueness(events.row + 1, events.exit_row).sum())


def _quartiles(values: NDArray[np.int64] | NDArray[np.float64]) -> Quartiles | None:
    if len(values) == 0:
        return None
    lowest, lower, middle, upper, highest = (float(q) for q in np.quantile(values, (0, 0.25, 0.5, 0.75, 1)))
    return lowest, lower, middle, upper, highest


def _shares(signs: NDArray[np.int8]) -> tuple[float, float, float] | None:
    """Shares of -1, 0 and 1."""
    if len(signs) == 0:
        return None
    down, neutral, up = (int(np.count_nonzero(signs == sign)) / len(signs) for sign in (-1, 0, 1))
    return down, neutral, up
