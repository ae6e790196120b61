"""What a set of labels is like, before anything is fitted to it."""

from dataclasses import dataclass

import numpy as np

from farm.labels.events import Events
from farm.labels.recipe import TripleBarrier
from farm.labels.uniqueness import average_uniqueness


@dataclass(frozen=True)
class LabelQuality:
    """A summary of labels; shares are of the labelled events and None where there are none.

    ``class_share`` is (down, neutral, up) by label, ``touch_share`` the same by the barrier that ended the event.
    ``up_share`` is up among the events that met a price barrier, ``implied_null_share`` what it would be if nothing
    could be predicted. ``holding_bars`` are the 0, 25, 50, 75 and 100% points of the bars watched up to the exit.
    ``effective_events`` is the sum of the labelled events' average uniqueness over the bars watched: how many
    independent labels they are worth. ``resolved_share`` is the share of the ambiguous events that finer bars decided.
    """

    events: int
    labelled: int
    unlabelled: int
    class_share: tuple[float, float, float] | None
    touch_share: tuple[float, float, float] | None
    up_share: float | None
    implied_null_share: float
    holding_bars: tuple[float, float, float, float, float] | None
    effective_events: float
    ambiguous_share: float | None
    resolved_share: float | None


def label_quality(events: Events, recipe: TripleBarrier) -> LabelQuality:
    """Summary of these events, which ``recipe`` labelled."""
    done = events.take(events.labelled)
    n, ambiguous = len(done), int(done.ambiguous.sum())
    touched = int(np.count_nonzero(done.touch))
    q = np.quantile(done.exit_row - done.row, (0, 0.25, 0.5, 0.75, 1)) if n else np.empty(0)
    return LabelQuality(
        events=len(events),
        labelled=n,
        unlabelled=len(events) - n,
        class_share=_shares(done.label),
        touch_share=_shares(done.touch),
        up_share=int(np.count_nonzero(done.touch == 1)) / touched if touched else None,
        implied_null_share=recipe.implied_null_share(),
        holding_bars=(float(q[0]), float(q[1]), float(q[2]), float(q[3]), float(q[4])) if n else None,
        effective_events=float(average_uniqueness(done.row + 1, done.exit_row).sum()),
        ambiguous_share=ambiguous / n if n else None,
        resolved_share=int(done.resolved.sum()) / ambiguous if ambiguous else None,
    )


def _shares(signs: np.ndarray[tuple[int], np.dtype[np.int8]]) -> tuple[float, float, float] | None:
    """Shares of -1, 0 and 1."""
    if len(signs) == 0:
        return None
    down, neutral, up = (int(np.count_nonzero(signs == sign)) / len(signs) for sign in (-1, 0, 1))
    return down, neutral, up
