"""Segments and longer bars: anchored to the session, never known too early, the same wherever the data start or end."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, Bars, ExchangeCalendar, FxWeek, resample
from farm.bars.segment import place
from farm.bars.timeframe import DAY, HOUR, MINUTE
from farm.errors import BadInput

ALWAYS = AlwaysOpen()
NSE = ExchangeCalendar(name="NSE")
START = int(pd.Timestamp("2024-03-04", tz="UTC").as_unit("ns").value)  # a Monday


CALENDARS = {
    "always": ALWAYS,
    "nse": NSE,
    "nyse": ExchangeCalendar(name="NYSE"),
    "nyse_extended": ExchangeCalendar(name="NYSE", hours="extended"),
    "cme": ExchangeCalendar(name="CME Globex Equity"),
    "fx": FxWeek(),
}
LADDER = ("1min", "5min", "10min", "15min", "20min", "25min", "30min", "45min", "1h", "4h", "1d")


def utc(text: str) -> int:
    return int(pd.Timestamp(text, tz="UTC").as_unit("ns").value)


# A plain week; the weekends on which New York's clock changes; the daily halts, early close and hours of other years.
WEEKS = [utc(day) for day in ("2024-03-05", "2024-03-08", "2024-11-01", "2011-01-14", "2012-11-16", "2024-11-27")]


def bars_at(minutes: np.ndarray, calendar=ALWAYS, timeframe="1min", step=MINUTE, seed=0, start=START) -> Bars:
    """Random bars at minutes after the start that lie in sessions."""
    open_time = start + np.unique(minutes).astype(np.int64) * MINUTE
    open_time = open_time[calendar.session_of(open_time) >= 0]
    placed = place(open_time, step, calendar, HOUR)
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(rng.normal(0, 0.001, len(open_time)).cumsum())
    open_ = close * np.exp(rng.normal(0, 0.001, len(open_time)))
    high = np.maximum(open_, close) * 1.001
    low = np.minimum(open_, close) * 0.999
    volume = rng.integers(0, 1000, len(open_time)).astype(float)
    return Bars(
        "SYN",
        timeframe,
        open_time,
        placed.available_at,
        open_,
        high,
        low,
        close,
        volume,
        placed.session,
        placed.segment,
    )


def same(one: Bars, other: Bars, but: tuple[str, ...] = ()) -> bool:
    names = [f.name for f in fields(one) if f.name not in ("symbol", "timeframe", *but)]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def day_of_nse() -> Bars:
    return bars_at(np.arange(225, 600), NSE)


gappy = st.builds(
    lambda seed, keep, holes: (seed, keep, holes),
    st.integers(0, 2**31),
    st.sampled_from([1.0, 0.9, 0.4]),
    st.lists(st.tuples(st.integers(0, 3 * 1440), st.integers(1, 300)), max_size=4),
)


def gappy_bars(case, calendar, start=START) -> Bars:
    seed, keep, holes = case
    rng = np.random.default_rng(seed)
    there = rng.random(3 * 1440) < keep
    for at, length in holes:
        there[at : at + length] = False
    there[400] = True
    return bars_at(np.flatnonzero(there), calendar, seed=seed, start=start)


def test_a_gap_longer_than_the_limit_starts_a_segment():
    exactly = bars_at(np.array([0, 1, 62, 63]))  # 60 minutes are missing
    longer = bars_at(np.array([0, 1, 63, 64]))
    assert exactly.segment.tolist() == [0, 0, 0, 0]
    assert longer.segment.tolist() == [0, 0, 1, 1]


def test_nights_and_weekends_break_no_segment_but_a_lost_session_does():
    minutes = np.concatenate([day * 1440 + np.arange(225, 600) for day in (0, 1, 3, 7)])  # Friday the 8th is a holiday
    bars = bars_at(minutes, NSE)
    lost_wednesday = np.flatnonzero(np.diff(bars.segment)) + 1
    assert lost_wednesday.tolist() == [750]
    assert bars.segment[-1] == 1


def test_a_hole_is_reported_with_its_trading_time():
    open_time = START + np.array([225, 226, 1440 + 300]) * MINUTE
    placed = place(open_time, MINUTE, NSE, HOUR)
    assert placed.hole_start.tolist() == [START + 227 * MINUTE]
    assert placed.hole_end.tolist() == [open_time[2]]
    assert placed.hole_time.tolist() == [(373 + 75) * MINUTE]
    assert placed.missing_time == (373 + 75) * MINUTE


def test_a_session_of_375_minutes_makes_the_expected_bars():
    base = day_of_nse()
    counts = {timeframe: len(resample(base, timeframe, NSE)) for timeframe in ("5min", "25min", "1h", "1d")}
    assert counts == {"5min": 75, "25min": 15, "1h": 7, "1d": 1}
    hours = resample(base, "1h", NSE)
    assert (hours.open_time[0] - base.open_time[0], hours.open_time[-1] - base.open_time[0]) == (0, 6 * HOUR)
    assert hours.available_at[-1] - hours.open_time[-1] == 15 * MINUTE


def test_a_longer_bar_is_first_highest_lowest_last_and_sum():
    base = bars_at(np.arange(20))
    longer = resample(base, "5min", ALWAYS)
    for number in range(4):
        part = base.between(5 * number, 5 * number + 5)
        assert longer.open[number] == part.open[0]
        assert longer.high[number] == part.high.max()
        assert longer.low[number] == part.low.min()
        assert longer.close[number] == part.close[-1]
        assert longer.volume[number] == part.volume.sum()


def test_the_day_is_the_session():
    base = bars_at(np.arange(3 * 1440))
    days = resample(base, "1d", ALWAYS)
    np.testing.assert_array_equal(days.open_time, START + np.arange(3) * DAY)
    np.testing.assert_array_equal(days.available_at, days.open_time + DAY)


def test_a_bin_with_bars_of_two_segments_is_dropped_and_so_is_one_entered_half_way():
    base = bars_at(np.concatenate([np.arange(0, 130), np.arange(200, 480)]))  # 70 minutes lost in the third hour
    hours = resample(base, "1h", ALWAYS)
    assert ((hours.open_time - START) // HOUR).tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert hours.segment.tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert ((resample(base, "4h", ALWAYS).open_time - START) // HOUR).tolist() == [4]


def test_a_bin_that_is_not_over_is_not_emitted_until_the_clock_says_so():
    base = bars_at(np.array([0, 1, 2, 3, 4, 5, 6, 7]))
    assert len(resample(base, "5min", ALWAYS)) == 1
    assert len(resample(base, "5min", ALWAYS, known_until=START + 10 * MINUTE)) == 2


@pytest.mark.parametrize(
    ("timeframe", "says"), [("1min", "finer"), ("12min", "not a multiple"), ("2d", "longer than a session")]
)
def test_what_cannot_be_made_from_the_bars_is_refused(timeframe, says):
    base = bars_at(np.arange(0, 60, 5), timeframe="5min", step=5 * MINUTE)
    with pytest.raises(BadInput, match=says):
        resample(base, timeframe, ALWAYS)


def test_bars_of_another_calendar_are_refused():
    with pytest.raises(ValueError, match="other sessions"):
        resample(bars_at(np.arange(1440)), "5min", NSE)


def test_no_bars_make_no_bars():
    empty = bars_at(np.arange(5)).between(0, 0)
    longer = resample(empty, "5min", ALWAYS)
    assert (len(longer), longer.timeframe) == (0, "5min")


@pytest.mark.parametrize("calendar", [ALWAYS, NSE], ids=["always", "nse"])
@pytest.mark.parametrize("timeframe", ["5min", "25min", "1h", "1d"])
@given(case=gappy, cut=st.integers(0, 3 * 1440))
def test_what_is_known_at_a_time_does_not_change_with_what_comes_later(calendar, timeframe, case, cut):
    base = gappy_bars(case, calendar)
    if not len(base):
        return
    until = START + cut * MINUTE
    whole = resample(base, timeframe, calendar)
    known = base.between(0, int(np.searchsorted(base.available_at, until, side="right")))
    then = resample(known, timeframe, calendar, known_until=until)
    readable = whole.between(0, int(np.searchsorted(whole.available_at, until, side="right")))
    # What is emitted by the clock alone, at the end of the data, the whole emits only if its data reach as far.
    assert same(then.between(0, len(readable)), readable)
    assert (then.available_at[len(readable) :] > base.available_at[-1]).all()


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=CALENDARS)
@given(case=gappy, first=st.integers(1, 4000), start=st.sampled_from(WEEKS))
def test_bars_do_not_depend_on_where_the_file_starts(calendar, case, first, start):
    base = gappy_bars(case, calendar, start)
    later = base.between(min(first, len(base)), len(base))
    for timeframe in LADDER:
        whole, part = resample(base, timeframe, calendar), resample(later, timeframe, calendar)
        assert same(part, whole.between(len(whole) - len(part), len(whole)))
        missed = whole.between(0, len(whole) - len(part))
        if len(later):  # beyond what lies before the file, at most its first, partly covered bin is missed
            assert (missed.open_time <= later.open_time[0]).all()


@pytest.mark.parametrize("calendar", CALENDARS.values(), ids=CALENDARS)
@pytest.mark.parametrize("start", WEEKS)
def test_bins_of_a_whole_week_count_from_the_open_of_each_session(calendar, start):
    base = bars_at(np.arange(7 * 1440), calendar, start=start)
    inside = base.between(int(np.searchsorted(base.session, base.session[0], side="right")), len(base))
    sessions = calendar.sessions(int(inside.open_time[0]), int(inside.open_time[-1]))
    for timeframe in LADDER[1:-1]:
        longer = resample(inside, timeframe, calendar)
        offset = longer.open_time - sessions.open[np.searchsorted(sessions.date, longer.session)]
        assert (offset % (longer.available_at - longer.open_time).max() == 0).all()
        assert longer.volume.sum() == inside.volume[inside.open_time < longer.available_at[-1]].sum()
    days = resample(inside, "1d", calendar)
    np.testing.assert_array_equal(days.open_time, sessions.open[: len(days)])
    np.testing.assert_array_equal(days.available_at, sessions.close[: len(days)])


def test_four_hours_of_currencies_follow_the_clock_of_new_york():
    base = bars_at(np.arange(7 * 1440), CALENDARS["fx"], start=utc("2024-03-07"))
    longer = pd.DatetimeIndex(resample(base, "4h", CALENDARS["fx"]).frame().open_time)
    assert set(longer.tz_convert("America/New_York").hour) == {1, 5, 9, 13, 17, 21}
    assert set(longer.hour) == {22, 2, 6, 10, 14, 18} | {21, 1, 5, 9, 13, 17}


def test_a_bin_over_a_halt_holds_what_traded_on_both_sides():
    cme = CALENDARS["cme"]
    base = bars_at(np.arange(1440), cme, start=utc("2011-01-12 23:00"))
    hours = resample(base, "1h", cme)
    halted = hours.between(22, 23)  # 15:00 to 16:00 in Chicago, halted for its second quarter
    inside = (base.open_time >= halted.open_time[0]) & (base.open_time < halted.available_at[0])
    assert inside.sum() == 45
    assert halted.volume[0] == base.volume[inside].sum()
    assert hours.available_at[23] - hours.open_time[23] == 30 * MINUTE  # to the close at 16:30


@given(case=gappy)
def test_no_bar_is_readable_before_its_last_trade(case):
    for calendar in (ALWAYS, NSE, CALENDARS["cme"], CALENDARS["fx"]):
        base = gappy_bars(case, calendar)
        for timeframe in ("25min", "1h", "1d"):
            longer = resample(base, timeframe, calendar)
            for number in range(len(longer)):
                inside = (base.open_time >= longer.open_time[number]) & (base.open_time < longer.available_at[number])
                assert base.available_at[inside].max() <= longer.available_at[number]
                assert longer.close[number] == base.close[inside][-1]
                assert set(base.segment[inside]) == {longer.segment[number]}
            assert (np.diff(longer.open_time) > 0).all()
            assert (longer.open_time[1:] >= longer.available_at[:-1]).all()


def test_a_planted_look_into_the_next_bar_is_seen_by_the_law():
    base = bars_at(np.arange(40))
    whole = resample(base, "5min", ALWAYS)
    peeking = replace(whole, close=np.append(whole.close[1:], whole.close[-1]))
    known = resample(base.between(0, 20), "5min", ALWAYS)
    assert same(known, whole.between(0, 4))
    assert not same(known, peeking.between(0, 4))
