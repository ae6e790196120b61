"""Short gaps filled with marked, flat bars: inside sessions only, never across a hole, and nobody decides on them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import Activity, AlwaysOpen, Bars, CsvBars, ExchangeCalendar, resample
from farm.bars.gaps import FillForward
from farm.bars.segment import place
from farm.bars.timeframe import HOUR, MINUTE

CME = ExchangeCalendar(name="CME Globex Equity")
START = int(pd.Timestamp("2015-03-05 00:00", tz="UTC").as_unit("ns").value)  # a year with a halt from 15:15 to 15:30
LENGTH = 2 * 1440
CALENDARS = pytest.mark.parametrize("calendar", [AlwaysOpen(), CME], ids=["always", "cme"])

holes = st.lists(st.tuples(st.integers(0, LENGTH), st.integers(1, 90)), min_size=1, max_size=12)


def bars_with(holes: list[tuple[int, int]], calendar=CME) -> Bars:
    there = np.ones(LENGTH, dtype=bool)
    for at, length in holes:
        there[at : at + length] = False
    there[[0, -1]] = True
    open_time = START + np.flatnonzero(there) * MINUTE
    open_time = open_time[calendar.session_of(open_time) >= 0]
    placed = place(open_time, MINUTE, calendar, HOUR)
    price = 100.0 + np.arange(len(open_time)) % 7
    columns = (price, price + 1, price - 1, price + 0.5, price)
    return Bars("SYN", "1min", open_time, placed.available_at, *columns, placed.session, placed.segment)


@CALENDARS
@given(holes=holes, longest=st.integers(1, 60))
def test_every_short_gap_and_no_other_minute_is_filled(calendar, holes, longest):
    bars = bars_with(holes, calendar)
    filled = FillForward(kind="forward", max=f"{longest}min").fill(bars, calendar)
    minutes = np.arange(bars.open_time[0], bars.open_time[-1] + 1, MINUTE)
    absent = minutes[(calendar.session_of(minutes) >= 0) & ~np.isin(minutes, bars.open_time)]
    last = np.searchsorted(bars.open_time, absent) - 1
    gap = calendar.trading_time(bars.available_at[last], bars.open_time[last + 1]) // MINUTE
    inside = (bars.session[last] == bars.session[last + 1]) & (bars.segment[last] == bars.segment[last + 1])
    expected = absent[inside & (gap <= longest)]
    np.testing.assert_array_equal(filled.open_time[filled.filled], expected)
    assert (np.diff(filled.open_time) > 0).all()


@given(holes=holes)
def test_bars_of_the_file_stay_as_they_are_and_filled_ones_are_flat_at_the_last_close(holes):
    bars = bars_with(holes)
    filled = FillForward(kind="forward", max="30min").fill(bars, CME)
    for name in ("open_time", "available_at", "open", "high", "low", "close", "volume", "session", "segment"):
        np.testing.assert_array_equal(getattr(filled, name)[~filled.filled], getattr(bars, name))
    at = np.flatnonzero(filled.filled)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(filled, name)[at], filled.close[at - 1])
    assert (filled.volume[at] == 0).all()
    np.testing.assert_array_equal(filled.session[at], filled.session[at - 1])
    np.testing.assert_array_equal(filled.segment[at], filled.segment[at - 1])


@given(holes=holes, cut=st.integers(1, LENGTH))
def test_what_is_known_at_a_bar_of_the_file_does_not_change_with_what_comes_later(holes, cut):
    bars, fill = bars_with(holes), FillForward(kind="forward", max="30min")
    known = fill.fill(bars.between(0, min(cut, len(bars))), CME)
    whole = fill.fill(bars, CME).between(0, len(known))
    np.testing.assert_array_equal(known.open_time, whole.open_time)
    np.testing.assert_array_equal(known.close, whole.close)


def test_a_halt_is_no_gap():
    bars = bars_with([(60, 1)])
    filled = FillForward(kind="forward", max="20min").fill(bars, CME)
    assert filled.filled.sum() == 1


def test_a_longer_bar_is_filled_where_all_of_it_is():
    bars = bars_with([(7, 10)], AlwaysOpen())  # minutes 7 to 16 are away
    filled = FillForward(kind="forward", max="10min").fill(bars, AlwaysOpen())
    longer = resample(filled, "5min", AlwaysOpen())
    assert np.flatnonzero(longer.filled).tolist() == [2]
    made = Activity(kind="volume", size=1.0).make(filled, AlwaysOpen())
    assert not made.filled.any()


@CALENDARS
@given(holes=holes, timeframe=st.sampled_from(["2min", "5min", "30min", "1h", "1d"]))
def test_a_longer_bar_is_made_of_its_real_parts_alone(calendar, holes, timeframe):
    """Filling first changes no longer bar that has a trade; the others are flat at the close before, and marked."""
    bars = bars_with(holes, calendar)
    left = resample(bars, timeframe, calendar)
    filled = resample(FillForward(kind="forward", max="45min").fill(bars, calendar), timeframe, calendar)
    for name in ("open_time", "available_at", "open", "high", "low", "close", "volume", "session", "segment"):
        np.testing.assert_array_equal(getattr(filled, name)[~filled.filled], getattr(left, name))
    at = np.flatnonzero(filled.filled)
    for name in ("open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(filled, name)[at], filled.close[at - 1])
    assert (filled.volume[at] == 0).all()


def test_a_longer_bar_whose_first_minute_is_filled_opens_with_its_first_trade():
    bars = bars_with([(5, 2)], AlwaysOpen())  # minutes 5 and 6 are away, minute 4 closed at 104.5
    filled = FillForward(kind="forward", max="5min").fill(bars, AlwaysOpen())
    longer = resample(filled, "5min", AlwaysOpen())
    assert filled.open[5] == filled.close[4] == 104.5
    assert (longer.open[1], longer.high[1], longer.low[1]) == (bars.open[5], 107, 99)
    assert not longer.filled[1]


def test_bars_without_marks_keep_their_shape_and_have_none():
    bars = bars_with([])
    assert bars.filled.dtype == np.bool_
    assert not bars.filled.any()
    assert len(bars.between(3, 9).filled) == 6
    assert bars.frame().filled.sum() == 0


def read(tmp_path, table, **given):
    table.to_csv(tmp_path / "SYN.csv", index=False)
    settings = {"path": str(tmp_path / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    return CsvBars(**(settings | given)).read("SYN")


def test_a_file_with_a_gap_of_three_minutes_is_filled_marked_and_counted(tmp_path, table):
    table = table.drop(index=[10, 11, 12])
    left = read(tmp_path, table)
    filled = read(tmp_path, table, gaps={"kind": "forward", "max": "5min"})
    assert (left.report.bars, left.report.filled, len(left.bars)) == (27, 0, 27)
    assert (filled.report.bars, filled.report.filled, len(filled.bars)) == (27, 3, 30)
    assert np.flatnonzero(filled.bars.filled).tolist() == [10, 11, 12]
    assert filled.report.missing_time == left.report.missing_time == 3 * MINUTE
    assert filled.report.fingerprint != left.report.fingerprint


def test_bars_without_a_gap_keep_their_identity(tmp_path, table):
    fingerprints = {read(tmp_path, table, gaps=gaps).report.fingerprint for gaps in ({"kind": "none"}, FORWARD)}
    assert len(fingerprints) == 1


def test_marks_are_part_of_the_identity():
    from farm.bars import instrument_for
    from farm.bars.fingerprint import fingerprint

    bars = bars_with([])
    marked = replace(bars, filled=np.arange(len(bars)) == 4)
    assert fingerprint(bars, instrument_for("SYN", None)) != fingerprint(marked, instrument_for("SYN", None))


FORWARD = {"kind": "forward", "max": "5min"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"timeframe": "1d", "gaps": FORWARD}, "cannot be filled with bars of 1d"),
        ({"timeframe": "activity", "gaps": FORWARD}, "cannot be filled with bars of activity"),
        ({"timeframe": "1min", "gaps": FORWARD, "max_gap": "3min"}, "one of more than max_gap: 3min is a hole"),
    ],
)
def test_gaps_that_cannot_be_filled_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        CsvBars(path="x", symbols=("SYN",), stamp="close", **given)
