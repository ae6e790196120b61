"""The fold plan: a study's groups and splits in time, one value shared by all its timeframes and models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from farm.bars.frame import Int
from farm.errors import BadInput
from farm.folds.embargo import Embargo, TradingTime
from farm.folds.groups import assemble_paths, group_bounds
from farm.folds.purge import PurgedRows, last_exits, row_count
from farm.section import digest

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Group:
    """One group in int64 ns UTC: decisions from ``start`` up to ``stop`` (excluded).

    ``last_exit``: when the last label of its events became known. While the group is held out, later events decided up
    to ``embargo_until`` are not trained on, nor are earlier events with an exit at or after ``purge_from``.
    """

    start: int
    stop: int
    last_exit: int
    embargo_until: int
    purge_from: int
    n_events: int


@dataclass(frozen=True)
class FoldPlan:
    """Groups and splits of one study, frozen and hashable; ``splits`` names the held-out groups of each split.

    A walk forward trains on groups before the held-out one alone: on all of them, or on the last ``window`` ones.
    """

    kind: Literal["cpcv", "kfold", "walk_forward"]
    groups: tuple[Group, ...]
    splits: tuple[tuple[int, ...], ...]
    window: int = 0

    def digest(self) -> str:
        """Digest of everything the plan says."""
        return digest(asdict(self))

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "FoldPlan":
        """The plan whose ``asdict`` was stored as JSON."""
        return cls(
            kind=plain["kind"],
            groups=tuple(Group(**group) for group in plain["groups"]),
            splits=tuple(tuple(held_out) for held_out in plain["splits"]),
            window=plain["window"],
        )

    def paths(self) -> Int:
        """Split numbers, shape (n_paths, n_groups): path p takes group g from the p-th split that tests g; -1: none."""
        return assemble_paths(self.splits, len(self.groups))

    def group_of(self, decided: Int) -> Int:
        """The group of each decision (int64 ns); -1 outside the development span."""
        starts = np.array([group.start for group in self.groups], dtype=np.int64)
        group = np.searchsorted(starts, decided, side="right") - 1
        return np.where(np.asarray(decided) < self.groups[-1].stop, group, -1).astype(np.int64)

    def on(self, decided: Int, exited: Int) -> PurgedRows:
        """The plan laid over one panel's events: rows of any held-out groups, a few microseconds each.

        Parameters
        ----------
        decided, exited
            When each event was decided and its label known, int64 ns UTC, in order of ``decided``. Events outside the
            development span are in no split.

        Raises
        ------
        ValueError
            Unsorted decisions, an exit before its decision, or a label that ends after every label the plan was made
            from: its group's purge would be too short.
        """
        decided, exited = _events(decided, exited)
        edges = [group.start for group in self.groups] + [self.groups[-1].stop]
        bounds = np.searchsorted(decided, edges).astype(np.int64)
        for number, latest in enumerate(last_exits(exited, bounds, _NEVER)):
            if latest > self.groups[number].last_exit:
                raise ValueError(
                    f"a label of group {number} ends at {_utc(latest)}, after the plan's last one at "
                    f"{_utc(self.groups[number].last_exit)}; make the plan from the labels of all the study's panels"
                )
        until = [group.embargo_until for group in self.groups]
        return PurgedRows.of(
            exited,
            bounds,
            resume=np.searchsorted(decided, until, side="right").astype(np.int64),
            purge_from=np.array([group.purge_from for group in self.groups], dtype=np.int64),
            earlier_only=self.kind == "walk_forward",
            window=self.window,
        )

    def train_rows(self, decided: Int, exited: Int, held_out: Iterable[int]) -> Int:
        """Positions of the events to train on: purged and embargoed against the held-out groups, sorted.

        Any groups may be held out, also fewer than a split does: adjacent ones act as one block.
        """
        return self.on(decided, exited).train_rows(held_out)

    def train_ranges(self, decided: Int, exited: Int, held_out: Iterable[int]) -> Int:
        """The same rows as [start, stop) pairs, shape (n_ranges, 2): slices that read a mapped panel without a copy."""
        return self.on(decided, exited).train_ranges(held_out)

    def test_rows(self, decided: Int, held_out: Iterable[int]) -> Int:
        """Positions of the events decided inside the held-out groups, sorted."""
        return np.flatnonzero(np.isin(self.group_of(decided), sorted(held_out))).astype(np.int64)

    def check(self, decided: Int, exited: Int, *, min_train: int = 1) -> None:
        """Refuse a panel on which some split would train on too few events.

        Raises
        ------
        BadInput
            Naming the first such split, the events it has left, and what to change.
        """
        rows = self.on(decided, exited)
        for number, held_out in enumerate(self.splits):
            left = row_count(rows.train_ranges(held_out))
            if left < min_train:
                raise BadInput(
                    f"folds: split {number} (held-out groups {', '.join(map(str, held_out))}) keeps {left} of "
                    f"{len(decided)} events to train on, under the minimum of {min_train}; purge and embargo take the "
                    "rest: lower folds.groups, folds.embargo or labels.max_bars, or give more bars"
                )


def make_plan(
    kind: Literal["cpcv", "kfold", "walk_forward"],
    splits: tuple[tuple[int, ...], ...],
    decided: Int,
    exited: Int,
    *,
    n_groups: int,
    embargo: Embargo,
    time: TradingTime,
    window: int = 0,
    also: Sequence[tuple[Int, Int]] = (),
) -> FoldPlan:
    """A plan with ``n_groups`` groups of equal numbers of events; events decided at the same time share a group.

    ``also`` has the decisions and exits of the study's other panels: a group's last exit is the latest of all that are
    decided in it, so that its purge and embargo hold for every panel.

    Raises
    ------
    BadInput
        Too few events for the groups, or a split that would train on nothing.
    ValueError
        Events that are unsorted, end before they are decided, or reach past the end of ``time``.
    """
    decided, exited = _events(decided, exited)
    others = [_events(*one) for one in also]
    _check_span(decided, exited, time)
    if len(decided) < n_groups:
        raise BadInput(_too_few(len(decided), n_groups))
    # Same-time rows of a pool move together, to the later group.
    bounds = np.append(np.searchsorted(decided, decided[group_bounds(len(decided), n_groups)[:-1]]), len(decided))
    if (np.diff(bounds) <= 0).any():
        raise BadInput(_too_few(len(np.unique(decided)), n_groups) + " (many events share a time)")
    edges = np.append(decided[bounds[:-1]], time.clock[-1] + 1)
    latest = last_exits(exited, bounds.astype(np.int64), _NEVER)
    for when, until in others:
        _check_span(when, until, time)
        latest = np.maximum(latest, last_exits(until, np.searchsorted(when, edges).astype(np.int64), _NEVER))
    walks = kind == "walk_forward"
    groups = tuple(
        Group(
            start=int(decided[first]),
            stop=int(decided[stop]) if stop < len(decided) else int(time.clock[-1]) + 1,
            last_exit=int(last_exit),
            embargo_until=time.embargo_until(int(last_exit), embargo),
            purge_from=time.purge_from(int(decided[first]), embargo) if walks else int(decided[first]),
            n_events=int(stop - first),
        )
        for first, stop, last_exit in zip(bounds[:-1], bounds[1:], latest, strict=True)
    )
    plan = FoldPlan(kind, groups, splits, window)
    plan.check(decided, exited)
    return plan


def _too_few(n_events: int, n_groups: int) -> str:
    return (
        f"folds: {n_events} events cannot fill {n_groups} groups; lower folds.groups, or take more events "
        "(a lower event threshold, a longer span)"
    )


def _events(decided: Int, exited: Int) -> tuple[Int, Int]:
    decided = np.ascontiguousarray(decided, dtype=np.int64)
    exited = np.ascontiguousarray(exited, dtype=np.int64)
    if decided.shape != exited.shape or decided.ndim != 1:
        raise ValueError(f"decided has shape {decided.shape}, exited {exited.shape}; they must be one exit a decision")
    if (decided[1:] < decided[:-1]).any():
        row = int(np.argmax(decided[1:] < decided[:-1])) + 1
        raise ValueError(
            f"decided falls at row {row} ({_utc(decided[row])}); events must be in order of their decisions"
        )
    if (exited < decided).any():
        row = int(np.argmax(exited < decided))
        raise ValueError(f"row {row} exits at {_utc(exited[row])}, before its decision at {_utc(decided[row])}")
    return decided, exited


def _check_span(decided: Int, exited: Int, time: TradingTime) -> None:
    if len(time.clock) == 0 or len(time.clock) != len(time.session):
        raise ValueError(f"clock has {len(time.clock)} bars, session {len(time.session)}; give one session a bar")
    if (time.clock[1:] < time.clock[:-1]).any():
        raise ValueError("clock falls; it must hold the bars' availability in time order")
    if len(decided) and (decided[0] < time.clock[0] or exited.max() > time.clock[-1]):
        raise ValueError(
            f"events reach from {_utc(decided[0])} to {_utc(exited.max())}, outside the development span "
            f"{_utc(time.clock[0])} to {_utc(time.clock[-1])}; cut bars and labels at the lockbox first"
        )


def _utc(moment: int) -> str:
    return pd.Timestamp(int(moment), unit="ns", tz="UTC").isoformat()
