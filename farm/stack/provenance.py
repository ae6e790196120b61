"""The proof that nothing above the bases, nor under it, ever saw the group it is scored on.

It reads stored records, predictions and event times, and shares no code with what purges, splits, joins or nests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.fit import FitRecord
from farm.folds import FoldPlan
from farm.labels import Events
from farm.stack.lattice import Lattice, Predictions

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Records = Mapping[str, Mapping[int, FitRecord]]
Spans = Mapping[int, tuple[int, int]]


@dataclass(frozen=True)
class Proof:
    """What was checked: rows one by one, and every violation in words (none is what makes a verdict possible)."""

    rows_checked: int
    violations: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """True when there was something to check and nothing was violated."""
        return self.rows_checked > 0 and not self.violations

    @classmethod
    def of(cls, proofs: Sequence["Proof"]) -> "Proof":
        """Several proofs as one: all rows that they checked, and every violation once."""
        violations = dict.fromkeys(violation for proof in proofs for violation in proof.violations)
        return cls(sum(proof.rows_checked for proof in proofs), tuple(violations))


def prove(
    bases: tuple[str, ...],
    plan: FoldPlan,
    events: Events,
    lattice: Lattice,
    predictions: Predictions,
    records: Records,
    learned_from: tuple[Int, ...],
    *,
    own: Mapping[str, Events] | None = None,
    max_age: int | None = None,
    spans: Spans | None = None,
) -> Proof:
    """Check every row that pipelines above these bases learned from or served against what the bases trained on.

    For group g, a meta row x of group h must come from the split that held out both and carry that split's prediction
    for x: the last one that the base made by then, in the same group, no older than allowed. That split's training rows
    must lie in neither group, overlap no event of theirs in time, of whatever base, and keep the embargo; x itself must
    be labelled, purged and embargoed against g. Of each fit, the training rows must be labelled and end before the
    early-stopping tail begins.

    Parameters
    ----------
    events
        Those of the clock: the lattice's rows.
    learned_from
        For each group g, the rows that its pipeline was fitted on.
    own
        Events of the bases that decide at other times than the clock.
    max_age
        How long before a row its prediction may have been made, ns.
    spans
        First decision and last exit of each group over more events than these, such as those of a pool's other symbols.
    """
    spans = group_spans(plan, [events, *(own or {}).values()]) if spans is None else spans
    at = _Placed.of(plan, events, spans)
    violations: list[str] = []
    tainted: set[tuple[str, int]] = set()
    for base in bases:
        at_base = _Placed.of(plan, (own or {}).get(base, events), spans)
        for number, held_out in enumerate(plan.splits):
            who = f"base {base}, split {number}"
            record = records.get(base, {}).get(number)
            faults = [f"{who}: there is no record of what it was trained on"] if record is None else []
            if record is not None:
                faults += _fit_faults(at_base, record, number, held_out, who)
            if number not in predictions.get(base, {}):
                faults.append(f"{who}: there are no predictions of it")
            else:
                said = _Said.of(at_base, *predictions[base][number])
                faults += said.faults(held_out, who)
                for group, other in (held_out, held_out[::-1]):
                    faults += _join_faults(at, lattice.probability[base], said, group, other, max_age, who)
            if faults:
                tainted.add((base, number))
                violations += faults
    checked = 0
    for group, rows in enumerate(learned_from):
        violations += at.faults(rows, (group,), f"group {group}: a meta row")
        served = np.flatnonzero(at.group == group)
        for used, other in [(rows, group), *((served, other) for other in range(len(plan.groups)) if other != group)]:
            checked += len(used)
            violations += _wrong_split(at, lattice, used, other, group)
            violations += _tainted_rows(lattice, used, other, group, bases, tainted)
    return Proof(checked, tuple(violations))


def _group_of(plan: FoldPlan, moments: Int) -> Int:
    """The group of each moment, by comparing it with the plan's stated times, group by group; -1 outside."""
    group = np.full(len(moments), -1, dtype=np.int64)
    for number, stated in enumerate(plan.groups):
        group[(moments >= stated.start) & (moments < stated.stop)] = number
    return group


def group_spans(plan: FoldPlan, panels: Sequence[Events]) -> Spans:
    """First decision and last exit of the events of each group, whatever panel they are of."""
    decided = np.concatenate([events.decided_at for events in panels])
    exited = np.concatenate([events.exited_at for events in panels])
    group = _group_of(plan, decided)
    inside = {number: group == number for number in range(len(plan.groups))}
    return {number: (decided[rows].min(), exited[rows].max()) for number, rows in inside.items() if rows.any()}


@dataclass(frozen=True, eq=False)
class _Placed:
    """The events of one panel in their groups; ``spans`` are those of the groups over all panels."""

    plan: FoldPlan
    events: Events
    group: Int
    spans: Spans

    @classmethod
    def of(cls, plan: FoldPlan, events: Events, spans: Spans) -> "_Placed":
        return cls(plan, events, _group_of(plan, events.decided_at), spans)

    def faults(self, rows: Int, held_out: tuple[int, ...], who: str) -> list[str]:
        """Ways in which rows that were learned from touch the held-out groups, or have nothing to teach."""
        if len(rows) and rows.max() >= len(self.group):
            return [f"{who} is not of its own panel ({int((rows >= len(self.group)).sum())} rows)"]
        decided, exited = self.events.decided_at[rows], self.events.exited_at[rows]
        found = list(_worded(who, {"has no label": ~self.events.labelled[rows]}))
        for group in (one for one in held_out if one in self.spans):
            first, last = self.spans[group]
            within = self.group[rows] == group
            wrong = {
                f"lies in held-out group {group}": within,
                f"overlaps an event of held-out group {group}": (decided <= last) & (exited >= first) & ~within,
                f"falls into the embargo after group {group}": (decided > last)
                & (decided <= self.plan.groups[group].embargo_until),
            }
            found += _worded(who, wrong)
        return found


def _fit_faults(at: _Placed, record: FitRecord, number: int, held_out: tuple[int, ...], who: str) -> list[str]:
    train, tail = _rows(record.train), _rows(record.tail)
    found = [f"{who}: its record is of split {record.split}"] if record.split != number else []
    found += at.faults(train, held_out, f"{who}: a training row")
    found += at.faults(tail, held_out, f"{who}: an early-stopping row")
    if len(tail) and max(train.max(initial=0), tail.max()) < len(at.group):
        reaches = at.events.exited_at[train] >= at.events.decided_at[tail].min()
        found += _worded(f"{who}: a training row", {"reaches into the early-stopping tail": reaches})
    return found


def _rows(ranges: tuple[tuple[int, int], ...]) -> Int:
    return np.concatenate([np.arange(start, stop) for start, stop in ranges]) if ranges else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Said:
    """What one split of one base said, in the order of its decisions."""

    at: _Placed
    times: Int
    probability: Float
    group: Int

    @classmethod
    def of(cls, at: _Placed, times: Int, probability: Float) -> "_Said":
        order = np.argsort(times, kind="stable")
        return cls(at, times[order], probability[order], _group_of(at.plan, times[order]))

    def faults(self, held_out: tuple[int, ...], who: str) -> list[str]:
        """Predictions that were not due: at no decision of the base, or outside the held-out groups."""
        wrong = {
            "was made at a time at which the base does not decide": ~np.isin(self.times, self.at.events.decided_at),
            "was made outside the held-out groups": ~np.isin(self.group, held_out),
        }
        return [
            *_worded(f"{who}: a prediction", wrong),
            *(
                f"{who}: group {group} has no predictions"
                for group in held_out
                if (self.at.group == group).any() and not (self.group == group).any()
            ),
        ]


def _join_faults(
    at: _Placed, cells: Float, said: _Said, group: int, other: int, max_age: int | None, who: str
) -> list[str]:
    """Rows of a group whose cell is not the last prediction that the split's base had made there by then."""
    rows = np.flatnonzero(at.group == group)
    served = np.flatnonzero(said.group == group)
    if len(served) == 0 or len(rows) == 0:
        return []
    moments, found = at.events.decided_at[rows], cells[rows, other]
    last = np.searchsorted(said.times[served], moments, side="right") - 1
    place = served[np.maximum(last, 0)]
    due = last >= 0
    if max_age is not None:
        due &= moments - said.times[place] <= max_age
    expected = np.where(due[:, None], said.probability[place], np.nan)
    same = ((expected == found) | (np.isnan(expected) & np.isnan(found))).all(axis=1)
    wrong: dict[str, int] = {}
    for row in np.flatnonzero(~same):
        what = _why(said, group, moments[row], found[row], max_age)
        wrong[what] = wrong.get(what, 0) + 1
    return [f"{who}: a row of group {group} {what} ({count} rows)" for what, count in wrong.items()]


def _why(said: _Said, group: int, moment: int, cell: Float, max_age: int | None) -> str:
    """What is wrong with a cell that does not hold what is due at that moment."""
    if np.isnan(cell).any():
        return "carries no prediction, though there is one that is due"
    alike = np.flatnonzero((said.probability == cell).all(axis=1))
    if len(alike) == 0:
        return "carries a prediction that was made for another row or by another split"
    made = said.times[alike]
    if (made > moment).all():
        return "carries a prediction that was made after its decision"
    latest = alike[made <= moment][-1]
    if said.group[latest] != group:
        return "carries a prediction that was made in another group"
    if max_age is not None and moment - said.times[latest] > max_age:
        return "carries a prediction that is older than allowed"
    return "carries a prediction that is not the last one that was made by then"


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
