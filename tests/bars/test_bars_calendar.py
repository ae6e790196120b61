"""One definition of a session: the calendar's own days, closings, clock changes and the years it knows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, ExchangeCalendar, FxWeek
from farm.bars.timeframe import DAY, HOUR, MINUTE
from farm.errors import BadInput

NSE = ExchangeCalendar(name="NSE")
CME = ExchangeCalendar(name="CME Globex Equity")
FX = FxWeek()
EXTENDED = ExchangeCalendar(name="NYSE", hours="extended")


def ns(*texts: str, zone: str = "UTC") -> np.ndarray:
    return pd.DatetimeIndex([pd.Timestamp(text, tz=zone) for text in texts]).as_unit("ns").asi8


def day(text: str) -> int:
    return int(ns(text)[0] // DAY)


def test_a_market_that_never_closes_has_utc_days():
    times = ns("2024-02-28 23:59", "2024-02-29 00:00", "2024-03-01 00:00")
    np.testing.assert_array_equal(
        AlwaysOpen().session_of(times), [day("2024-02-28"), day("2024-02-29"), day("2024-03-01")]
    )
    assert AlwaysOpen().trading_time(times[:1], times[2:]).tolist() == [24 * HOUR + MINUTE]
    assert AlwaysOpen().sessions_per_year == 365.25


def test_mumbai_trades_from_a_quarter_past_nine_to_half_past_three():
    times = ns("2024-03-04 09:14", "2024-03-04 09:15", "2024-03-04 15:29", "2024-03-04 15:30", zone="Asia/Kolkata")
    np.testing.assert_array_equal(NSE.session_of(times), [-1, day("2024-03-04"), day("2024-03-04"), -1])
    assert 240 < NSE.sessions_per_year < 252


@pytest.mark.parametrize(
    ("open_", "close"),
    [
        ("2019-10-27 18:15", "2019-10-27 19:15"),  # Sunday evening of Diwali
        ("2020-02-01 09:15", "2020-02-01 15:30"),  # Saturday of the budget
        ("2018-11-07 17:30", "2018-11-07 18:30"),  # Diwali on a weekday
    ],
)
def test_special_sessions_are_sessions(open_, close):
    first, end = ns(open_, close, zone="Asia/Kolkata")
    sessions = NSE.sessions(first, first)
    assert (sessions.open.tolist(), sessions.close.tolist()) == ([first], [end])


def test_nights_weekends_and_holidays_are_no_trading_time():
    friday, tuesday = ns("2024-03-22 15:30", "2024-03-26 09:20", zone="Asia/Kolkata")  # Monday was a holiday
    assert NSE.trading_time(np.array([friday]), np.array([tuesday])).tolist() == [5 * MINUTE]


def test_an_early_close_ends_the_session():
    times = ns("2024-11-29 11:59", "2024-11-29 13:00", zone="America/Chicago")  # the day after Thanksgiving
    np.testing.assert_array_equal(CME.session_of(times), [day("2024-11-29"), -1])


def test_the_session_opens_on_the_evening_before_its_date():
    times = ns("2024-12-02 16:59", "2024-12-02 17:00", zone="America/Chicago")
    np.testing.assert_array_equal(CME.session_of(times), [-1, day("2024-12-03")])


@pytest.mark.parametrize(("date", "opens_at"), [("2024-11-01", 22), ("2024-11-04", 23), ("2025-03-10", 22)])
def test_the_session_moves_with_the_clock_of_the_exchange(date, opens_at):
    session = CME.sessions(*ns(f"{date} 12:00", f"{date} 12:00"))
    assert session.date.tolist() == [day(date)]
    assert session.open[0] % DAY // HOUR == opens_at


def test_years_to_come_are_known_where_rules_give_the_holidays():
    nyse = ExchangeCalendar(name="NYSE")
    times = ns("2027-11-24 15:00", "2027-11-25 15:00", "2027-11-26 15:00")  # Thanksgiving in the middle
    np.testing.assert_array_equal(nyse.session_of(times), [day("2027-11-24"), -1, day("2027-11-26")])


def test_years_without_announced_holidays_are_refused():
    with pytest.raises(BadInput, match=r"NSE: holidays are known up to 20.*asked for 2060"):
        NSE.session_of(ns("2060-01-05 05:00"))


def test_an_unknown_calendar_names_near_ones():
    with pytest.raises(ValueError, match="NYSE"):
        ExchangeCalendar(name="NYSEX")


def test_a_lunch_break_is_closed_market_inside_the_session():
    hong_kong = ExchangeCalendar(name="HKEX")
    times = ns("2024-03-04 11:59", "2024-03-04 12:00", "2024-03-04 13:00", zone="Asia/Hong_Kong")
    np.testing.assert_array_equal(hong_kong.session_of(times), [day("2024-03-04"), -1, day("2024-03-04")])
    assert hong_kong.trading_time(times[:1], times[2:]).tolist() == [MINUTE]


@pytest.mark.parametrize(
    ("date", "open_minutes", "closes_at", "halted"),
    [
        ("2011-01-13", 23 * 60 + 30 - 15, "16:30", True),  # a Thursday: trading goes on after the halt
        ("2011-01-14", 22 * 60 + 15, "15:15", False),  # a Friday: it does not
        ("2011-01-17", 17 * 60 + 30, "10:30", False),  # a holiday's early close forestalls the halt
        ("2012-11-16", 22 * 60 + 15, "15:15", False),
        ("2012-11-19", 23 * 60, "16:15", True),
        ("2015-09-18", 23 * 60, "16:15", True),
        ("2015-09-21", 22 * 60 + 45, "16:00", True),
        ("2021-06-25", 22 * 60 + 45, "16:00", True),
        ("2021-06-28", 23 * 60, "16:00", False),
        ("2027-06-28", 23 * 60, "16:00", False),
    ],
)
def test_the_equity_future_has_the_hours_of_its_time(date, open_minutes, closes_at, halted):
    noon = ns(f"{date} 10:00", zone="America/Chicago")
    sessions = CME.sessions(int(noon[0]), int(noon[0]))
    assert sessions.date.tolist() == [day(date)]
    assert sessions.close.tolist() == ns(f"{date} {closes_at}", zone="America/Chicago").tolist()
    assert CME.trading_time(sessions.open, sessions.close).tolist() == [open_minutes * MINUTE]
    in_halt = ns(f"{date} 15:14", f"{date} 15:15", f"{date} 15:29", f"{date} 15:30", zone="America/Chicago")
    if halted:
        np.testing.assert_array_equal(CME.session_of(in_halt), [day(date), -1, -1, day(date)])


def test_extended_hours_run_from_the_pre_market_to_the_post_market_and_shorten_with_the_day():
    times = ns("2024-03-11 03:59", "2024-03-11 04:00", "2024-03-11 19:59", "2024-03-11 20:00", zone="America/New_York")
    np.testing.assert_array_equal(EXTENDED.session_of(times), [-1, day("2024-03-11"), day("2024-03-11"), -1])
    short = EXTENDED.sessions(*ns("2024-11-29 15:00", "2024-11-29 15:00"))
    assert short.close.tolist() == ns("2024-11-29 17:00", zone="America/New_York").tolist()
    with pytest.raises(ValueError, match="no pre-market"):
        ExchangeCalendar(name="NSE", hours="extended")


def test_the_usual_hours_leave_no_trace_in_the_identity():
    assert NSE.model_dump() == {"kind": "exchange", "name": "NSE"}
    assert EXTENDED.model_dump()["hours"] == "extended"
    assert EXTENDED.digest() != ExchangeCalendar(name="NYSE").digest()


@pytest.mark.parametrize("sunday", ["2024-01-07", "2024-03-10", "2024-03-24", "2024-10-27", "2024-11-03", "2031-03-09"])
def test_the_week_of_currencies_opens_on_sunday_at_five_in_new_york(sunday):
    monday = pd.Timestamp(sunday) + pd.Timedelta("1D")
    friday = monday + pd.Timedelta("4D")
    opens = ns(f"{sunday} 16:59", f"{sunday} 17:00", zone="America/New_York")
    closes = ns(f"{friday:%F} 16:59", f"{friday:%F} 17:00", zone="America/New_York")
    np.testing.assert_array_equal(FX.session_of(opens), [-1, day(f"{monday:%F}")])
    np.testing.assert_array_equal(FX.session_of(closes), [day(f"{friday:%F}"), -1])
    assert FX.trading_time(opens[1:], closes[1:]).tolist() == [5 * DAY]


def test_the_days_of_currencies_change_at_five_in_new_york_without_a_stop():
    times = ns("2024-07-02 16:59", "2024-07-02 17:00", zone="America/New_York")
    np.testing.assert_array_equal(FX.session_of(times), [day("2024-07-02"), day("2024-07-03")])


def test_currencies_rest_at_christmas_and_new_year():
    times = ns("2030-12-24 21:59", "2030-12-24 22:00", "2030-12-25 22:00", "2031-01-01 12:00")
    np.testing.assert_array_equal(FX.session_of(times), [day("2030-12-24"), -1, day("2030-12-26"), -1])
    assert 258 < FX.sessions_per_year < 260


def test_a_feed_states_its_own_week():
    feed = FxWeek(zone="UTC", opens="20:00", closes="24:00")
    times = ns("2024-03-10 20:00", "2024-03-14 20:00", "2024-03-15 23:59", "2024-03-16 00:00")
    np.testing.assert_array_equal(feed.session_of(times), [day("2024-03-11"), day("2024-03-15"), day("2024-03-15"), -1])
    with pytest.raises(ValueError, match="opens"):
        FxWeek(opens="25:00")


@pytest.mark.parametrize("name", ["CME Globex Equity", "NYSE", "CMEGlobex_Metals"])
def test_thanksgiving_of_years_to_come_is_short_or_closed(name):
    calendar = ExchangeCalendar(name=name)
    for thanksgiving in ("2027-11-25", "2030-11-28", "2035-11-22"):
        evening, week_before = ns(f"{thanksgiving} 20:00", f"{thanksgiving} 20:00")
        assert calendar.session_of(np.array([evening]))[0] == -1
        assert calendar.session_of(np.array([week_before - 7 * DAY]))[0] > 0


def test_no_times_have_no_sessions():
    empty = np.zeros(0, dtype=np.int64)
    assert len(NSE.session_of(empty)) == len(NSE.trading_time(empty, empty)) == 0


@pytest.mark.parametrize("month", ["2024-10-20", "2012-11-01", "2015-09-01"])  # clock changes, and changes of hours
@given(minutes=st.lists(st.integers(0, 40 * 24 * 60), min_size=2, max_size=40))
def test_trading_time_adds_up_and_counts_only_open_minutes(month, minutes):
    start = int(ns(month)[0])
    times = start + np.sort(np.array(minutes)) * MINUTE
    for calendar in (AlwaysOpen(), NSE, CME, FX, EXTENDED):
        parts = calendar.trading_time(times[:-1], times[1:])
        assert parts.sum() == calendar.trading_time(times[:1], times[-1:])[0]
        every = np.arange(times[0], times[-1], MINUTE)
        assert parts.sum() == MINUTE * (calendar.session_of(every) >= 0).sum()


YEARS_TO_COME = range(2027, 2036)


@pytest.mark.parametrize(
    "calendar", [CME, FX, EXTENDED, ExchangeCalendar(name="NYSE")], ids=["cme", "fx", "ext", "nyse"]
)
@pytest.mark.parametrize("year", YEARS_TO_COME)
def test_sessions_of_years_to_come_follow_one_another(calendar, year):
    sessions = calendar.sessions(*map(int, ns(f"{year}-01-01", f"{year}-12-31 23:59")))
    assert (np.diff(sessions.date) > 0).all()
    assert (sessions.open < sessions.close).all()
    assert (sessions.open[1:] >= sessions.close[:-1]).all()
    assert 248 <= len(sessions) <= 262
    weekday = (sessions.date + 3) % 7
    assert weekday.max() <= 4


@pytest.mark.parametrize(
    ("name", "closed"),
    [
        # New Year's Day, Good Friday, Independence Day and Christmas, those two observed on the nearest weekday.
        ("NYSE", ["2027-01-01", "2027-03-26", "2027-07-05", "2027-12-24"]),
        ("NYSE", ["2029-01-01", "2029-03-30", "2029-07-04", "2029-12-25"]),
        ("NYSE", ["2030-01-01", "2030-04-19", "2030-07-04", "2030-12-25"]),
        ("CME Globex Equity", ["2027-01-01", "2029-01-01", "2029-12-25", "2030-12-25"]),
    ],
)
def test_holidays_of_years_to_come_have_no_session(name, closed):
    calendar = ExchangeCalendar(name=name)
    dates = calendar.sessions(*map(int, ns("2026-12-20", "2031-01-05"))).date
    assert not np.isin([day(text) for text in closed], dates).any()


@pytest.mark.parametrize("year", YEARS_TO_COME)
def test_clocks_of_years_to_come_change_on_the_second_sunday_of_march_and_the_first_of_november(year):
    march = pd.Timestamp(f"{year}-03-01")
    november = pd.Timestamp(f"{year}-11-01")
    spring = march + pd.Timedelta(days=(6 - march.weekday()) % 7 + 7)
    autumn = november + pd.Timedelta(days=(6 - november.weekday()) % 7)
    for sunday, before, after in ((spring, (14.5, 23), (13.5, 22)), (autumn, (13.5, 22), (14.5, 23))):
        friday, monday = sunday - pd.Timedelta("2D"), sunday + pd.Timedelta("1D")
        for date, (regular, globex) in ((friday, before), (monday, after)):
            opens = [
                calendar.sessions(*map(int, ns(f"{date:%F} 16:00", f"{date:%F} 16:00"))).open[0] % DAY / HOUR
                for calendar in (ExchangeCalendar(name="NYSE"), CME)
            ]
            assert opens == [regular, globex]


@given(minutes=st.lists(st.integers(0, 40 * 24 * 60), min_size=1, max_size=40))
def test_a_market_reopens_at_the_first_open_minute(minutes):
    start = int(ns("2015-03-01")[0])
    times = start + np.array(minutes) * MINUTE
    every = np.arange(start, start + 60 * DAY, MINUTE)
    for calendar in (NSE, CME, FX):
        sessions = calendar.sessions(start, int(every[-1]))
        opened = every[sessions.of(every) >= 0]
        np.testing.assert_array_equal(sessions.reopening(times), opened[np.searchsorted(opened, times)])
