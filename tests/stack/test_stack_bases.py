"""Bases on four timeframes meet at the clock: as of when they spoke, in the group, no older than allowed; proved."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit, fit_seed, to_ranges
from farm.folds import Cpcv, FoldPlan
from farm.labels import Cusum, TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, Panel, PanelRecipe
from farm.stack import Lattice, Stack, build_lattice, run_nested
from farm.stack.coverage import coverage_of
from farm.stack.lattice import asof
from farm.stack.provenance import prove
from farm.stack.steps import Market

HOUR = 3_600_000_000_000
MAX_AGE = 3 * HOUR
BASES = {"clock": None, "fine": "15min", "slow": "2h", "slower": "4h"}
SPLIT = 5  # holds out groups 1 and 3
STEPS = Stack(
    steps=[{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "meta_label", "features": ["rsi_14"]}, {"kind": "size"}]
)


@dataclass(frozen=True, eq=False)
class Meeting:
    """Four bases, their panels, their fits on every split, and what a pipeline above them learned from."""

    panels: dict[str, Panel]
    plan: FoldPlan
    predictions: dict
    records: dict
    lattice: Lattice
    learned_from: tuple
    size: np.ndarray

    @property
    def events(self):
        return self.panels["clock"].events

    @property
    def own(self):
        return {name: panel.events for name, panel in self.panels.items()}

    def proof(self, **changed):
        parts = {
            "bases": tuple(BASES),
            "plan": self.plan,
            "events": self.events,
            "lattice": self.lattice,
            "predictions": self.predictions,
            "records": self.records,
            "learned_from": self.learned_from,
            "own": self.own,
            "max_age": MAX_AGE,
        }
        return prove(**parts | changed)


@pytest.fixture(scope="module")
def meeting():
    loaded = SyntheticBars(markets={"SYN-M": {"edge": 0.5}}, timeframe="15min", years=0.35, seed=5).read("SYN-M")
    panels = {
        name: PanelRecipe(
            Decisions(timeframe="30min", events=Cusum(threshold=1.5)),
            FeatureRecipe(preset="small", include=("rsi_14",)),
            TripleBarrier(up=1.5, down=1.5, max_bars=24),
            0.0,
            timeframe=timeframe,
        ).build(loaded.bars, loaded.instrument.calendar)
        for name, timeframe in BASES.items()
    }
    clock = panels["clock"]
    plan = Cpcv(groups=5, test_groups=2, embargo="1 session").plan(
        clock.events.decided_at,
        clock.events.exited_at,
        clock=clock.bars.available_at,
        session=clock.bars.session,
        also=[(panel.events.decided_at, panel.events.exited_at) for panel in panels.values()],
    )
    predictions, records = {}, {}
    for name, panel in panels.items():
        predictions[name], records[name] = {}, {}
        for split in range(len(plan.splits)):
            seed = fit_seed(7, name, split)
            done = fit(panel, plan, Model(uses="logistic"), builtin(), split, seed=seed, threads=1, keep=50)
            predictions[name][split] = (panel.events.decided_at[done.rows], done.probability)
            records[name][split] = done.record
    own = {name: panel.events.decided_at for name, panel in panels.items()}
    lattice = build_lattice(plan, clock.events.decided_at, predictions, own=own, max_age=MAX_AGE)
    market = Market(
        volatility=clock.events.volatility / clock.bars.close[clock.events.row],
        cost=np.full(len(clock), 1e-4),
        columns={"rsi_14": clock.values[:, clock.names.index("rsi_14")]},
        start=clock.events.row,
        end=clock.events.exit_row,
    )
    nested = run_nested(STEPS.complete(), tuple(BASES), lattice, plan, clock.events, market)
    return Meeting(panels, plan, predictions, records, lattice, nested.learned_from, nested.mean().size)


# ---- The join


def test_every_cell_is_the_last_prediction_of_its_split_in_its_group_and_no_older_than_allowed(meeting):
    lattice, plan, moments = meeting.lattice, meeting.plan, meeting.events.decided_at
    rng, served, absent = np.random.default_rng(0), 0, 0
    for row in rng.choice(len(moments), 150, replace=False):
        group, other = int(lattice.group[row]), int((lattice.group[row] + rng.integers(1, 5)) % 5)
        split = plan.splits.index(tuple(sorted((group, other))))
        for base in BASES:
            times, probability = meeting.predictions[base][split]
            due = (times <= moments[row]) & (times >= plan.groups[group].start) & (times >= moments[row] - MAX_AGE)
            if due.any():
                served += 1
                assert np.array_equal(lattice.probability[base][row, other], probability[due][-1])
                assert lattice.age[base][row] == moments[row] - times[due][-1]
            else:
                absent += 1
                assert np.isnan(lattice.probability[base][row, other]).all()
                assert lattice.age[base][row] == -1
    assert served > 500
    assert absent > 5


def test_bases_that_decide_with_the_clock_are_never_stale(meeting):
    assert (meeting.lattice.age["clock"] == 0).all()
    assert (meeting.lattice.age["fine"] == 0).all()
    assert meeting.lattice.age["slow"].max() == pytest.approx(1.5 * HOUR)
    assert 2 * HOUR < meeting.lattice.age["slower"].max() <= MAX_AGE


@given(
    times=st.lists(st.integers(0, 60), unique=True).map(sorted),
    moments=st.lists(st.integers(0, 60), min_size=1, unique=True).map(sorted),
    edges=st.lists(st.integers(0, 60), max_size=3).map(sorted),
    max_age=st.none() | st.integers(0, 20),
)
def test_the_join_is_what_a_search_through_all_times_finds(times, moments, edges, max_age):
    start = np.array([max([edge for edge in edges if edge <= moment], default=0) for moment in moments])
    found = asof(np.array(moments), np.array(times, dtype=np.int64), start, max_age)
    for moment, begin, place in zip(moments, start, found, strict=True):
        due = [t for t in times if begin <= t <= moment and (max_age is None or moment - t <= max_age)]
        assert place == (times.index(due[-1]) if due else -1)


def test_coverage_counts_rows_with_a_prediction_and_how_old_they_are(meeting):
    coverage = {one.base: one for one in coverage_of(meeting.lattice)}
    assert coverage["clock"].share == 1
    assert coverage["clock"].age_most == 0
    slower, age = coverage["slower"], meeting.lattice.age["slower"]
    assert slower.share == np.mean(age >= 0) < 1
    assert slower.age_median == pytest.approx(np.median(age[age >= 0]) / 1e9)
    nothing = replace(meeting.lattice, age={**meeting.lattice.age, "slow": np.full(len(age), -1)})
    assert {one.base: one.age_median for one in coverage_of(nothing)}["slow"] is None


def test_a_row_without_all_its_bases_is_not_bet(meeting):
    lacking = meeting.lattice.age["slower"] < 0
    assert lacking.sum() > 20
    assert (meeting.size[lacking] == 0).all()


# ---- The folds


def test_a_group_ends_with_the_last_label_of_any_base(meeting):
    for number, group in enumerate(meeting.plan.groups):
        last = [
            events.exited_at[meeting.plan.group_of(events.decided_at) == number].max()
            for events in meeting.own.values()
        ]
        assert group.last_exit == max(last)
    clocks = [group.n_events for group in meeting.plan.groups]
    assert max(clocks) - min(clocks) <= 1


def test_no_fit_learned_from_an_event_that_overlaps_one_of_any_base_in_a_held_out_group(meeting):
    for base, splits in meeting.records.items():
        events = meeting.own[base]
        for split, record in splits.items():
            rows = np.concatenate([np.arange(*pair) for pair in record.train])
            for group in meeting.plan.splits[split]:
                for other in meeting.own.values():
                    inside = meeting.plan.group_of(other.decided_at) == group
                    first, last = other.decided_at[inside].min(), other.exited_at[inside].max()
                    assert not ((events.decided_at[rows] <= last) & (events.exited_at[rows] >= first)).any()


# ---- The proof


def named(found, *parts):
    assert not found.holds
    assert any(all(part in violation for part in parts) for violation in found.violations), found.violations


def test_the_proof_holds_over_four_bases_on_four_timeframes(meeting):
    found = meeting.proof()
    assert found.violations == ()
    assert found.rows_checked == len(meeting.events) * 4 + sum(map(len, meeting.learned_from))


def trained_also_on(meeting, base, row):
    record = meeting.records[base][SPLIT]
    rows = np.union1d(np.concatenate([np.arange(*pair) for pair in record.train]), [row])
    lied = replace(record, train=to_ranges(rows))
    return {**meeting.records, base: {**meeting.records[base], SPLIT: lied}}


def with_cells(meeting, base, rows, cells, other=1):
    probability = meeting.lattice.probability[base].copy()
    probability[rows, other] = cells
    return replace(meeting.lattice, probability={**meeting.lattice.probability, base: probability})


def said_at(meeting, base, moment, split=SPLIT):
    """The prediction of a split that was the last one at a moment, and the one that followed it."""
    times, probability = meeting.predictions[base][split]
    at = int(np.searchsorted(times, moment, side="right")) - 1
    return probability[at], probability[at + 1]


def row_of_group_three(meeting, base, nth=30):
    """A clock's row in group 3 at which the base has a prediction."""
    return np.flatnonzero((meeting.lattice.group == 3) & (meeting.lattice.age[base] >= 0))[nth]


def test_a_base_trained_inside_a_held_out_group_is_named(meeting):
    own = meeting.own["slow"]
    row = np.flatnonzero((meeting.plan.group_of(own.decided_at) == 3) & own.labelled)[10]
    named(
        meeting.proof(records=trained_also_on(meeting, "slow", row)),
        "base slow, split 5: a training row lies in held-out group 3 (1 rows)",
    )


def test_a_base_whose_label_reaches_into_a_held_out_group_is_named(meeting):
    own, start = meeting.own["slower"], meeting.plan.groups[3].start
    (row, *_) = np.flatnonzero(own.labelled & (own.decided_at < start) & (own.exited_at >= start))
    named(
        meeting.proof(records=trained_also_on(meeting, "slower", row)),
        "base slower, split 5: a training row overlaps an event of held-out group 3",
    )


def test_a_base_trained_in_the_embargo_is_named(meeting):
    own, group = meeting.own["fine"], meeting.plan.groups[1]
    (row, *_) = np.flatnonzero(
        own.labelled & (own.decided_at > group.last_exit) & (own.decided_at <= group.embargo_until)
    )
    named(
        meeting.proof(records=trained_also_on(meeting, "fine", row)),
        "base fine, split 5: a training row falls into the embargo after group 1",
    )


def test_records_by_the_rows_of_another_panel_are_named(meeting):
    records = {**meeting.records, "slower": meeting.records["clock"]}
    named(meeting.proof(records=records), "base slower", "a training row is not of its own panel")


def test_a_prediction_from_after_the_decision_is_named(meeting):
    row = row_of_group_three(meeting, "slow")
    _, following = said_at(meeting, "slow", meeting.events.decided_at[row])
    found = meeting.proof(lattice=with_cells(meeting, "slow", row, following))
    named(found, "base slow, split 5: a row of group 3 carries a prediction that was made after its decision (1 rows)")
    named(found, "group 3:", "rest on the tainted fit of base slow, split 5")


def test_a_prediction_from_another_group_is_named(meeting):
    first = np.flatnonzero(meeting.lattice.group == 3)[0]
    times, probability = meeting.predictions["slower"][SPLIT]
    in_group_one = probability[meeting.plan.group_of(times) == 1][-1]
    found = meeting.proof(lattice=with_cells(meeting, "slower", first, in_group_one))
    named(found, "base slower, split 5: a row of group 3 carries a prediction that was made in another group")


def test_a_prediction_that_is_too_old_is_named(meeting):
    late = np.flatnonzero((meeting.lattice.group == 3) & (meeting.lattice.age["slower"] < 0))
    moments = meeting.events.decided_at
    row = next(row for row in late if moments[row] > meeting.plan.groups[3].start + 8 * HOUR)
    stale, _ = said_at(meeting, "slower", moments[row])
    found = meeting.proof(lattice=with_cells(meeting, "slower", row, stale))
    named(found, "base slower, split 5: a row of group 3 carries a prediction that is older than allowed")


def test_a_prediction_of_another_split_is_named(meeting):
    row = row_of_group_three(meeting, "slow")
    split = meeting.plan.splits.index((3, 4))
    foreign, _ = said_at(meeting, "slow", meeting.events.decided_at[row], split)
    found = meeting.proof(lattice=with_cells(meeting, "slow", row, foreign))
    named(
        found, "base slow, split 5: a row of group 3 carries a prediction that was made for another row or by another"
    )


def test_a_prediction_that_a_later_one_had_replaced_is_named(meeting):
    row = row_of_group_three(meeting, "slow")
    before, _ = said_at(meeting, "slow", meeting.events.decided_at[row] - 2 * HOUR)
    found = meeting.proof(lattice=with_cells(meeting, "slow", row, before))
    named(found, "base slow, split 5: a row of group 3 carries a prediction that is not the last one")


def test_a_prediction_that_was_left_out_is_named(meeting):
    row = row_of_group_three(meeting, "slow")
    found = meeting.proof(lattice=with_cells(meeting, "slow", row, np.nan))
    named(found, "base slow, split 5: a row of group 3 carries no prediction, though there is one that is due")


def test_a_prediction_at_no_decision_of_the_base_is_named(meeting):
    times, probability = meeting.predictions["slow"][SPLIT]
    moved = {**meeting.predictions["slow"], SPLIT: (times + HOUR // 2, probability)}
    found = meeting.proof(predictions={**meeting.predictions, "slow": moved})
    named(found, "base slow, split 5: a prediction was made at a time at which the base does not decide")


def test_a_meta_row_that_an_other_bases_label_reaches_is_named(meeting):
    events, group = meeting.events, meeting.plan.groups[2]
    clocks_last = events.exited_at[meeting.lattice.group == 2].max()
    late = replace(meeting.own["slower"], exited_at=meeting.own["slower"].exited_at + 48 * HOUR)
    found = meeting.proof(own={**meeting.own, "slower": late})
    assert clocks_last <= group.last_exit
    named(found, "group 2: a meta row overlaps an event of held-out group 2")
