"""Sentinels: what must fail, or stay as it is, in every run; one that does not says that something leaks.

They are run beside the candidates, receive no verdict, and count for nothing. One that fails makes its study
INSUFFICIENT: whatever the study found then rests on a machine that finds something where nothing can be.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from farm.bars import Bars, Calendar
from farm.folds import lockbox_start
from farm.labels import CLASSES, Events
from farm.panel import Panel, PanelRecipe
from farm.pool import PooledPanel, pooled
from farm.section import digest
from farm.stats import sharpe_z

Float = NDArray[np.float64]
Int = NDArray[np.int64]

SHIFTED_LABELS = "shifted_labels"
ALARM = 0.001
"""The shifted labels' p-value below which the sentinel fails: one study in a thousand by chance."""

_FEWEST_SESSIONS = 20


def with_shifted_labels(panel: Panel, seed: int) -> Panel:
    """The panel with labels that belong to features of another time: nothing can be predicted on it.

    The rows of features are turned in a circle against the events, by a seeded number between a quarter and three
    quarters of them. So labels keep their intervals, overlaps and class rates, and the folds their purge, as they are.
    Every split needs a seed of its own: with one shift for all of them, two groups that happen to agree count in each
    other's favour twice, and what looks like skill is far more often chance than its p-value says.
    In a pool every symbol's features are turned by themselves.
    """
    if isinstance(panel, PooledPanel):
        return pooled([with_shifted_labels(one, seed) for one in panel.members])
    return replace(panel, values=np.roll(panel.values, turned_by(panel, seed), axis=0))


def turned_by(panel: Panel, seed: int) -> int:
    """By how many rows the features of one symbol's panel are turned."""
    n_rows = len(panel)
    return n_rows // 4 + int(digest([seed, SHIFTED_LABELS, panel.symbol])[:8], 16) % max(n_rows // 2, 1)


def chance_of_shifted(probability: Float, events: Events, group: Int, session: Int) -> float | None:
    """How likely predictions of shifted labels are as good as these by chance; below `ALARM` something leaks.

    Parameters
    ----------
    probability
        Mean out-of-fold prediction a row, shape (rows, classes).
    group, session
        Group and session of each row.

    The leaning of each row, up or down from the median of its symbol's rows in its group (held-out class rates say
    nothing then), is multiplied with its label, summed a session, and tested by the z of the mean under
    autocorrelation, one-sided. None where fewer than 20 sessions say anything.
    """
    lean = probability[:, CLASSES.index(1)] - probability[:, CLASSES.index(-1)]
    scored = events.labelled & np.isfinite(lean)
    side = np.zeros(len(lean))
    for part in events.apart(np.flatnonzero(scored)):
        for own in np.unique(group[part]):
            rows = part[group[part] == own]
            side[rows] = lean[rows] - np.median(lean[rows])
    sessions, at = np.unique(session[scored], return_inverse=True)
    if len(sessions) < _FEWEST_SESSIONS:
        return None
    z = sharpe_z(np.bincount(at, (side * events.label)[scored], len(sessions)))
    return None if z is None else float(ndtr(-z))


@dataclass(frozen=True)
class TruncationProof:
    """A panel made again without its later bars: how many of its rows were compared, and what was not the same."""

    rows_checked: int
    violations: tuple[str, ...]


def prove_truncation(
    recipe: PanelRecipe, base: Bars, calendar: Calendar, panel: Panel, *, seed: int, threads: int = 1
) -> TruncationProof:
    """Make the panel again without the bars after a random session; what was known by then must keep every bit.

    One session more is there, at other prices and volumes: the last decision before the cut needs a bar to enter at.

    Parameters
    ----------
    base
        The bars that the panel was made of, lockbox and all.
    """
    development = base.between(0, lockbox_start(base.session, recipe.lockbox))
    cut, stop = _cut(development, seed)
    known_by = int(development.available_at[cut - 1])
    changed = _altered(development.between(0, stop), cut)
    again = replace(recipe, lockbox=0.0).build(changed, calendar, threads=threads)
    _, here, there = np.intersect1d(
        panel.events.decided_at, again.events.decided_at, assume_unique=True, return_indices=True
    )
    decided = panel.events.decided_at[here] <= known_by
    here, there = here[decided], there[decided]
    violations = [f"the panel has other features: {again.names}"] if again.names != panel.names else []
    if not violations:
        equal = panel.values[here] == again.values[there]
        violations += [
            f"feature {panel.names[column]} has another value at {int((~equal[:, column]).sum())} of {len(here)} "
            "decisions when later bars are taken away"
            for column in np.flatnonzero(~equal.all(axis=0))
        ]
    ended = np.flatnonzero(panel.events.labelled & (panel.events.exited_at <= known_by))
    missing = len(np.setdiff1d(ended, here))
    if missing:
        violations.append(f"{missing} decisions are not made when later bars are taken away")
    same = panel.events.exited_at[here] <= known_by
    for name in ("label", "ret", "exited_at"):
        changed = getattr(panel.events, name)[here[same]] != getattr(again.events, name)[there[same]]
        if changed.any():
            violations.append(f"the labels' {name} differs at {int(changed.sum())} events that had ended")
    return TruncationProof(len(here), tuple(violations))


def _cut(bars: Bars, seed: int) -> tuple[int, int]:
    """The numbers of bars up to the end of a session, between six and nine tenths of the way, and of the next one."""
    ends = np.append(np.flatnonzero(np.diff(bars.session)) + 1, len(bars))
    low, high = np.searchsorted(ends, [0.6 * len(bars), 0.9 * len(bars)])
    chosen = int(digest([seed, "truncation", bars.symbol])[:8], 16) % max(int(high - low), 1)
    at = min(int(low) + chosen, max(len(ends) - 2, 0))
    return int(ends[at]), int(ends[min(at + 1, len(ends) - 1)])


def _altered(bars: Bars, cut: int) -> Bars:
    """The bars with half as much again on every price, and three times the volume, from position ``cut`` on."""
    later = np.arange(len(bars)) >= cut
    prices = {name: getattr(bars, name) * np.where(later, 1.5, 1.0) for name in ("open", "high", "low", "close")}
    return replace(bars, **prices, volume=bars.volume * np.where(later, 3.0, 1.0))
