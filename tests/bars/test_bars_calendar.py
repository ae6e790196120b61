"""One definition of a session: the calendar's own days, closings, clock changes and the years it knows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, ExchangeCalendar
from farm.bars.timeframe import DAY, HOUR, MINUTE
from farm.errors import BadInput

NSE = ExchangeCalendar(name="NSE")
CME = ExchangeCalendar(name="CME Globex Equity")


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


def test_a_lunch_break_is_refused_rather_than_taken_for_trading():
    with pytest.raises(BadInput, match="lunch break"):
        ExchangeCalendar(name="HKEX").session_of(ns("2024-03-04 03:00"))


def test_no_times_have_no_sessions():
    empty = np.zeros(0, dtype=np.int64)
    assert len(NSE.session_of(empty)) == len(NSE.trading_time(empty, empty)) == 0


@given(st.lists(st.integers(0, 40 * 24 * 60), min_size=2, max_size=40))
def test_trading_time_adds_up_and_counts_only_open_minutes(minutes):
    start = int(ns("2024-10-20")[0])
    times = start + np.sort(np.array(minutes)) * MINUTE
    for calendar in (AlwaysOpen(), NSE, CME):
        parts = calendar.trading_time(times[:-1], times[1:])
        assert parts.sum() == calendar.trading_time(times[:1], times[-1:])[0]
        every = np.arange(times[0], times[-1], MINUTE)
        assert parts.sum() == MINUTE * (calendar.session_of(every) >= 0).sum()
