"""The fold plan in time: groups, purge by hulls, embargo in sessions, other timeframes, pools, and messages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from farm.errors import BadInput
from farm.folds import CombinatorialPurgedCV, Cpcv, Folds, KFold, WalkForward, WalkForwardFolds
from farm.folds.purge import positions

MINUTE = 60_000_000_000
DAY = 24 * 60 * MINUTE


def sessions(n_sessions, bars_a_session, timeframe=5 * MINUTE):
    """A clock with a night after every session: availability of each bar, and its session's number."""
    session = np.repeat(np.arange(n_sessions), bars_a_session)
    bar = np.tile(np.arange(bars_a_session), n_sessions)
    return session * DAY + 9 * 60 * MINUTE + (bar + 1) * timeframe, session


def every_bar(clock, horizon):
    """An event at every bar, its label known ``horizon`` bars later."""
    return clock, clock[np.minimum(np.arange(len(clock)) + horizon, len(clock) - 1)]


@st.composite
def events(draw):
    """Events on a random part of the bars, with labels of any length, and their clock."""
    clock, session = sessions(draw(st.integers(3, 12)), draw(st.integers(2, 9)))
    n_bars = len(clock)
    at = np.flatnonzero(draw(st.lists(st.booleans(), min_size=n_bars, max_size=n_bars)))
    length = np.array(draw(st.lists(st.integers(0, 12), min_size=len(at), max_size=len(at))), dtype=int)
    return clock[at], clock[np.minimum(at + length, n_bars - 1)], clock, session


def planned(folds, drawn):
    """The plan, or None where the events cannot fill it."""
    decided, exited, clock, session = drawn
    try:
        return folds.plan(decided, exited, clock=clock, session=session)
    except BadInput:
        return None


@given(events(), st.integers(2, 6), st.integers(1, 2), st.sampled_from(["0", "1 bar", "4 bars", "1 session", 0.1]))
def test_the_plan_trains_on_exactly_what_the_definition_leaves(drawn, groups, test_groups, embargo):
    if test_groups >= groups:
        test_groups = 1
    plan = planned(Cpcv(groups=groups, test_groups=test_groups, embargo=embargo), drawn)
    if plan is None:
        return
    decided, exited, clock, session = drawn
    group = plan.group_of(decided)
    for held_out in plan.splits:
        train = []
        for event in range(len(decided)):
            dropped = group[event] in held_out
            for block in held_out:
                inside = group == block
                hull_start, hull_end = decided[inside].min(), exited[inside].max()
                dropped |= decided[event] <= hull_end and exited[event] >= hull_start
                dropped |= hull_end < decided[event] <= embargo_end(hull_end, embargo, clock, session)
            if not dropped:
                train.append(event)
        assert plan.train_rows(decided, exited, held_out).tolist() == train
        assert positions(plan.train_ranges(decided, exited, held_out)).tolist() == train
        assert plan.test_rows(decided, held_out).tolist() == np.flatnonzero(np.isin(group, held_out)).tolist()


def embargo_end(moment, embargo, clock, session):
    """The definition of the embargo, read off the list of bars."""
    bar = next(i for i in range(len(clock)) if clock[i] >= moment)
    if embargo == "1 session":
        return max(clock[session <= session[bar] + 1])
    n_bars = {"0": 0, "1 bar": 1, "4 bars": 4}.get(embargo, len(clock) // 10)
    return clock[min(bar + n_bars, len(clock) - 1)] if n_bars else moment


@given(
    st.integers(12, 60).flatmap(lambda n: st.lists(st.integers(0, 9), min_size=n, max_size=n)),
    st.integers(2, 5),
    st.integers(0, 4),
)
def test_plan_and_row_splitters_agree_on_an_event_a_bar(lengths, groups, embargo):
    n_rows = len(lengths)
    ends = np.minimum(np.arange(n_rows) + lengths, n_rows - 1)
    clock = np.arange(n_rows) * 5 * MINUTE
    drawn = (clock, clock[ends], clock, np.zeros(n_rows, dtype=int))
    for folds, splitter in (
        (
            Cpcv(groups=groups + 1, embargo=f"{embargo} bars"),
            CombinatorialPurgedCV(groups + 1, 2, label_end=ends, embargo=embargo),
        ),
        (
            KFold(groups=groups, embargo=f"{embargo} bars"),
            CombinatorialPurgedCV(groups, 1, label_end=ends, embargo=embargo),
        ),
        (
            WalkForwardFolds(groups=groups, embargo=f"{embargo} bars"),
            WalkForward(groups - 1, label_end=ends, embargo=embargo),
        ),
        (
            WalkForwardFolds(groups=groups, embargo=f"{embargo} bars", expanding=False),
            WalkForward(groups - 1, label_end=ends, embargo=embargo, expanding=False),
        ),
    ):
        plan = planned(folds, drawn)
        if plan is None:
            with pytest.raises(ValueError, match="no row left"):
                next(splitter.split(ends))
            continue
        assert plan.splits == splitter.test_groups
        for held_out, (train, test) in zip(plan.splits, splitter.split(ends), strict=True):
            assert np.array_equal(plan.train_rows(clock, clock[ends], held_out), train)
            assert np.array_equal(plan.test_rows(clock, held_out), test)


def test_groups_hold_equal_numbers_of_events_and_the_hull_of_their_labels():
    clock, session = sessions(4, 6)
    decided, exited = every_bar(clock, 2)
    plan = KFold(groups=4, embargo="1 session").plan(decided, exited, clock=clock, session=session)
    first, last = plan.groups[0], plan.groups[-1]
    assert [group.n_events for group in plan.groups] == [6, 6, 6, 6]
    assert (first.start, first.stop) == (clock[0], clock[6])
    assert first.last_exit == clock[7]  # in session 1, so the embargo lasts to the end of session 2
    assert first.embargo_until == clock[17]
    assert last.stop == clock[-1] + 1
    assert plan.train_rows(decided, exited, (0,)).tolist() == list(range(18, 24))


def test_an_embargo_of_sessions_spans_nights_and_one_of_bars_counts_bars():
    clock, session = sessions(6, 4)
    decided, exited = every_bar(clock, 0)

    def first_after(embargo):
        plan = KFold(groups=6, embargo=embargo).plan(decided, exited, clock=clock, session=session)
        return plan.train_rows(decided, exited, (0,))[0]

    assert [first_after(e) for e in ("0", "1 bar", "6 bars", "1 session", "2 sessions", 0.25)] == [4, 5, 10, 8, 12, 10]


def test_walk_forward_keeps_the_embargo_before_its_test():
    clock, session = sessions(6, 4)
    decided, exited = every_bar(clock, 0)
    plan = WalkForwardFolds(groups=3, embargo="1 session").plan(decided, exited, clock=clock, session=session)
    assert plan.splits == ((1,), (2,))
    assert plan.train_rows(decided, exited, (1,)).tolist() == list(range(4))
    assert plan.train_rows(decided, exited, (2,)).tolist() == list(range(12))
    assert plan.paths().tolist() == [[-1, 0, 1]]
    # One nanosecond after the end of session 0 belongs to session 1, which the embargo before session 2 covers.
    assert plan.groups[1].purge_from == clock[3] + 1
    plan = WalkForwardFolds(groups=3, embargo="2 bars").plan(decided, exited, clock=clock, session=session)
    assert plan.groups[1].purge_from == clock[5] + 1


def test_one_group_may_be_held_out_of_a_plan_of_pairs():
    clock, session = sessions(6, 4)
    decided, exited = every_bar(clock, 1)
    plan = Cpcv(groups=6, embargo="0").plan(decided, exited, clock=clock, session=session)
    assert plan.train_rows(decided, exited, (2,)).tolist() == [*range(7), *range(13, 24)]
    assert plan.paths().shape == (5, 6)


def test_another_timeframe_of_the_study_uses_the_same_hulls():
    clock, session = sessions(6, 12)
    decided, exited = every_bar(clock, 3)
    plan = KFold(groups=6, embargo="0").plan(decided, exited, clock=clock, session=session)
    slow = clock[2::3]  # its own labels end at once, yet the study's labels of group 2 end inside group 3
    rows = plan.train_rows(slow, slow, (2,))
    first_behind = slow[rows][slow[rows] > plan.groups[2].stop][0]
    assert first_behind > plan.groups[2].last_exit
    with pytest.raises(ValueError, match=r"a label of group 0 ends at .* after the plan's last one"):
        plan.train_rows(slow, np.minimum(slow + DAY, clock[-1]), (2,))


def test_events_outside_the_development_span_are_in_no_split():
    clock, session = sessions(8, 6)
    decided, exited = every_bar(clock, 1)
    inside = slice(6, 36)
    plan = KFold(groups=3, embargo="0").plan(
        decided[inside], np.minimum(exited[inside], clock[35]), clock=clock[inside], session=session[inside]
    )
    assert set(plan.group_of(decided)[[*range(6), *range(36, 48)]]) == {-1}
    exited = np.where(np.arange(48) < 36, np.minimum(exited, clock[35]), exited)
    assert plan.train_rows(decided, exited, (1,)).tolist() == [*range(6, 15), *range(27, 36)]


def test_same_time_rows_of_a_pool_share_a_group():
    clock, session = sessions(4, 5)
    decided = np.sort(np.concatenate([clock, clock, clock[::2]]))
    exited = np.minimum(decided + np.arange(len(decided)) % 3 * 5 * MINUTE, clock[-1])
    plan = KFold(groups=3, embargo="0").plan(decided, exited, clock=clock, session=session)
    group = plan.group_of(decided)
    assert all(len(set(group[decided == moment])) == 1 for moment in clock)
    assert [g.n_events for g in plan.groups] == np.bincount(group).tolist()
    assert [g.last_exit for g in plan.groups] == [exited[group == number].max() for number in range(3)]


def test_sessions_of_a_pool_may_interleave():
    # One market's session 0 closes after the other's session 1: the latest end so far counts.
    clock, session = np.array([10, 20, 30, 40, 50, 60, 70, 80]), np.array([0, 0, 1, 1, 0, 2, 2, 2])
    plan = KFold(groups=4, embargo="1 session").plan(clock, clock, clock=clock, session=session)
    assert plan.groups[0].embargo_until == 50


def test_a_plan_is_a_value():
    clock, session = sessions(4, 6)
    decided, exited = every_bar(clock, 1)

    def make(**change):
        return Cpcv(groups=4, **{"embargo": "0", **change}).plan(decided, exited, clock=clock, session=session)

    assert make() == make()
    assert hash(make()) == hash(make())
    assert make().digest() == make().digest()
    assert make().digest() != make(embargo="1 bar").digest()
    assert make().digest() != make(test_groups=1).digest()


def test_a_plan_says_which_split_keeps_too_few_events():
    clock, session = sessions(4, 6)
    decided, exited = every_bar(clock, 1)
    plan = Cpcv(groups=4, embargo="3 bars").plan(decided, exited, clock=clock, session=session)
    plan.check(decided, exited, min_train=2)
    with pytest.raises(
        BadInput, match=r"split 1 \(held-out groups 0, 2\) keeps 3 of 24 .*folds\.groups, folds\.embargo or labels"
    ):
        plan.check(decided, exited, min_train=5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"decided": slice(0, 3)}, "3 events cannot fill 4 groups; lower folds.groups"),
        ({"horizon": 30}, "split 0 .* keeps 0 of 24 events"),
        ({"clock": slice(0, 20)}, "outside the development span .* cut bars and labels at the lockbox first"),
        ({"reverse": True}, "decided falls at row 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_the_remedy(change, message):
    clock, session = sessions(4, 6)
    decided, exited = every_bar(clock, change.get("horizon", 1))
    if change.get("reverse"):
        decided, exited = decided[::-1], exited[::-1]
    events, bars = change.get("decided", slice(None)), change.get("clock", slice(None))
    with pytest.raises(ValueError, match=message):
        Cpcv(groups=4, embargo="0").plan(decided[events], exited[events], clock=clock[bars], session=session[bars])


def test_an_exit_before_its_decision_is_refused():
    clock, session = sessions(4, 6)
    with pytest.raises(ValueError, match=r"row 0 exits at .* before its decision"):
        Cpcv(groups=4).plan(clock, clock - 1, clock=clock, session=session)


def test_sections_are_read_by_kind_and_written_back_as_they_were_given():
    read = TypeAdapter(Folds).validate_python
    folds = read({"kind": "cpcv", "groups": 8, "test_groups": 2, "embargo": "1 session", "lockbox": 0.1})
    assert isinstance(folds, Cpcv)
    assert read(folds.model_dump(mode="json")) == folds
    assert folds.model_dump(mode="json")["embargo"] == "1 session"
    fine = read({"kind": "kfold", "groups": 5, "embargo": 0.0123456789})
    assert read(fine.model_dump(mode="json")) == fine
    assert isinstance(read({"kind": "kfold", "groups": 5, "embargo": "30 bars"}), KFold)
    assert isinstance(read({"kind": "walk_forward", "groups": 5, "embargo": 0.02}), WalkForwardFolds)
    assert "embargo" in TypeAdapter(Folds).json_schema()["$defs"]["Cpcv"]["properties"]


@pytest.mark.parametrize(
    ("section", "given", "message"),
    [
        (Cpcv, {"embargo": "3 weeks"}, "embargo '3 weeks' is not a length of trading time; write '1 session'"),
        (Cpcv, {"embargo": 30}, "embargo 30 has no unit; write '30 bars' or '30 sessions'"),
        (Cpcv, {"embargo": -0.1}, "embargo -0.1 is not a length"),
        (Cpcv, {"embargo": True}, "embargo True is not a length"),
        (Cpcv, {"embargo": "nan"}, "embargo 'nan' is not a length"),
        (Cpcv, {"test_groups": 4}, "n_test_groups is 4 with n_groups 4"),
        (Cpcv, {"lockbox": 0.5}, "less than 0.5"),
        (Cpcv, {"grups": 3}, "grups"),
        (WalkForwardFolds, {"train_groups": 4}, "train_groups is 4 of 4 groups"),
    ],
)
def test_a_wrong_section_is_refused_by_name(section, given, message):
    with pytest.raises(ValidationError, match=message):
        section(**{"groups": 4, **given})
