"""The proof that nothing above the bases, nor under it, ever saw the group it is scored on.

It reads stored records, predictions and event times, and shares no code with what purges, splits, joins or nests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.fit import FitRecord
from farm.folds import FoldPlan
from farm.labels import Events
from farm.stack.lattice import Lattice, Predictions

Int = NDArray[np.int64]
Records = Mapping[str, Mapping[int, FitRecord]]


@dataclass(frozen=True)
class Proof:
    """What was checked: rows one by one, and every violation in words (none is what makes a verdict possible)."""

    rows_checked: int
    violations: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when there was something to check and nothing was violated."""
        return self.rows_checked > 0 and not self.violations


def prove(
    bases: tuple[str, ...],
    plan: FoldPlan,
    events: Events,
    lattice: Lattice,
    predictions: Predictions,
    records: Records,
    learned_from: tuple[Int, ...],
) -> Proof:
    """Check every row that pipelines above these bases learned from or served against what the bases trained on.

    For group g, a meta row x of group h must come from the split that held out both and carry that split's prediction
    for x; that split's training rows must lie in neither group, overlap no event of theirs in time and keep the
    embargo; x itself must be labelled, purged and embargoed against g. Of each fit, the training rows must be labelled
    and end before the early-stopping tail begins.

    Parameters
    ----------
    learned_from
        For each group g, the rows that its pipeline was fitted on.
    """
    at = _Placed.of(plan, events)
    violations: list[str] = []
    tainted: set[tuple[str, int]] = set()
    for base in bases:
        for number, held_out in enumerate(plan.splits):
            who = f"base {base}, split {number}"
            record = records.get(base, {}).get(number)
            faults = [f"{who}: there is no record of what it was trained on"] if record is None else []
            if record is not None:
                faults += _fit_faults(at, record, number, held_out, who)
            faults += _join_faults(at, lattice, predictions, base, number, held_out)
            if faults:
                tainted.add((base, number))
                violations += faults
    checked = 0
    for own, rows in enumerate(learned_from):
        violations += at.faults(rows, (own,), f"group {own}: a meta row")
        served = np.flatnonzero(at.group == own)
        for used, other in [(rows, own), *((served, other) for other in range(len(plan.groups)) if other != own)]:
            checked += len(used)
            violations += _wrong_split(at, lattice, used, other, own)
            violations += _tainted_rows(lattice, used, other, own, bases, tainted)
    return Proof(checked, tuple(violations))


@dataclass(frozen=True, eq=False)
class _Placed:
    """The events in their groups, placed by comparing times with the plan's stated ones, group by group."""

    plan: FoldPlan
    events: Events
    group: Int

    @classmethod
    def of(cls, plan: FoldPlan, events: Events) -> "_Placed":
        group = np.full(len(events.decided_at), -1, dtype=np.int64)
        for number, stated in enumerate(plan.groups):
            group[(events.decided_at >= stated.start) & (events.decided_at < stated.stop)] = number
        return cls(plan, events, group)

    def faults(self, rows: Int, held_out: tuple[int, ...], who: str) -> list[str]:
        """Ways in which rows that were learned from touch the held-out groups, or have nothing to teach."""
        decided, exited = self.events.decided_at[rows], self.events.exited_at[rows]
        found = list(_worded(who, {"has no label": ~self.events.labelled[rows]}))
        for own in held_out:
            inside = np.flatnonzero(self.group == own)
            if len(inside) == 0:
                continue
            first, last = self.events.decided_at[inside].min(), self.events.exited_at[inside].max()
            within = self.group[rows] == own
            wrong = {
                f"lies in held-out group {own}": within,
                f"overlaps an event of held-out group {own}": (decided <= last) & (exited >= first) & ~within,
                f"falls into the embargo after group {own}": (decided > last)
                & (decided <= self.plan.groups[own].embargo_until),
            }
            found += _worded(who, wrong)
        return found


def _fit_faults(at: _Placed, record: FitRecord, number: int, held_out: tuple[int, ...], who: str) -> list[str]:
    train, tail = _rows(record.train), _rows(record.tail)
    found = [f"{who}: its record is of split {record.split}"] if record.split != number else []
    found += at.faults(train, held_out, f"{who}: a training row")
    found += at.faults(tail, held_out, f"{who}: an early-stopping row")
    if len(tail):
        reaches = at.events.exited_at[train] >= at.events.decided_at[tail].min()
        found += _worded(f"{who}: a training row", {"reaches into the early-stopping tail": reaches})
    return found


def _rows(ranges: tuple[tuple[int, int], ...]) -> Int:
    return np.concatenate([np.arange(start, stop) for start, stop in ranges]) if ranges else np.zeros(0, dtype=np.int64)


def _join_faults(
    at: _Placed, lattice: Lattice, predictions: Predictions, base: str, number: int, held_out: tuple[int, ...]
) -> list[str]:
    """Cells of the lattice that do not hold what this split predicted at their own decision time."""
    if number not in predictions.get(base, {}):
        return [f"base {base}, split {number}: there are no predictions of it"]
    times, probability = predictions[base][number]
    order = np.argsort(times, kind="stable")
    found: list[str] = []
    for own, other in (held_out, held_out[::-1]):
        rows = np.flatnonzero(at.group == own)
        moments, cells = at.events.decided_at[rows], lattice.probability[base][rows, other]
        place = order[np.clip(np.searchsorted(times[order], moments), 0, len(order) - 1)] if len(order) else order
        if len(place) != len(rows):
            found.append(f"base {base}, split {number}: group {own} has no predictions")
            continue
        same = (times[place] == moments) & (probability[place] == cells).all(axis=1)
        who = f"base {base}, split {number}: a row of group {own}"
        found += _worded(who, {"carries a prediction that was made for another row or by another split": ~same})
    return found


def _wrong_split(at: _Placed, lattice: Lattice, rows: Int, other: int, own: int) -> list[str]:
    """Rows whose prediction is said to come from a split that did not hold out their own group and the other one."""
    held_out = np.array([*at.plan.splits, (-1, -1)])[lattice.split[rows, other]]
    both = (held_out == at.group[rows, None]).any(axis=1) & (held_out == other).any(axis=1)
    what = {f"is predicted, against group {other}, by a split that held out other groups": ~both}
    return list(_worded(f"group {own}: a row", what))


def _tainted_rows(
    lattice: Lattice, rows: Int, other: int, own: int, bases: tuple[str, ...], tainted: set[tuple[str, int]]
) -> list[str]:
    used = lattice.split[rows, other]
    return [
        f"group {own}: {int((used == number).sum())} rows rest on the tainted fit of base {base}, split {number}"
        for number in np.unique(used)
        for base in bases
        if (base, int(number)) in tainted
    ]


def _worded(who: str, wrong: Mapping[str, NDArray[np.bool_]]) -> Iterator[str]:
    for what, hit in wrong.items():
        if hit.any():
            yield f"{who} {what} ({int(hit.sum())} rows)"
