"""A wrong clock, a wrong calendar: told before bars are dropped in silence or nights become holes."""

import numpy as np
import pandas as pd
import pytest

from farm.bars import ExchangeCalendar, FxWeek, Loaded, ParquetBars
from farm.bars.timeframe import MINUTE
from farm.errors import BadInput

NYSE = ExchangeCalendar(name="NYSE")
CME = ExchangeCalendar(name="CME Globex Equity")
MARCH = pd.Timestamp("2024-03-01", tz="UTC").as_unit("ns").value


def minutes_of(calendar, days: int = 24) -> pd.DatetimeIndex:
    """Every tenth open minute of some weeks of 2024, in which clocks change."""
    every = MARCH + np.arange(0, days * 24 * 60, 10) * MINUTE
    return pd.DatetimeIndex(every[calendar.session_of(every) >= 0], tz="UTC")


def table_at(times: pd.DatetimeIndex) -> pd.DataFrame:
    price = np.full(len(times), 100.0)
    return pd.DataFrame({"timestamp": times, **dict.fromkeys(("open", "high", "low", "close", "volume"), price)})


def read(folder, times: pd.DatetimeIndex, instrument: str, **given) -> Loaded:
    table_at(times).to_parquet(folder / "X.parquet")
    settings = {"path": str(folder / "{symbol}.parquet"), "symbols": ("X",), "timeframe": "10min", "stamp": "open"}
    return ParquetBars(**(settings | {"instruments": {"X": instrument}} | given)).read("X")


def test_a_zone_that_puts_bars_outside_the_session_names_the_hours_between(tmp_path):
    before_summer_time = minutes_of(NYSE, days=9)
    wall = before_summer_time.tz_convert("America/New_York").tz_localize(None)
    assert read(tmp_path, wall, "us_equity", zone="America/New_York").report.outside_session == 0
    with pytest.raises(BadInput, match=r"X\.parquet, row 1: .* is outside the sessions of us_equity") as stopped:
        read(tmp_path, wall, "us_equity", zone="Europe/Berlin")
    told = str(stopped.value)
    assert "on a clock 6:00 hours later" in told
    assert "`zone` or `stamp` is probably not the file's" in told
    assert "`outside_session: drop_anyway`" in told
    anyway = read(tmp_path, wall, "us_equity", zone="Europe/Berlin", outside_session="drop_anyway").report
    assert anyway.outside_session > anyway.bars / 5


def test_extended_hours_on_a_regular_calendar_are_dropped_and_counted(tmp_path):
    extended = minutes_of(ExchangeCalendar(name="NYSE", hours="extended"))
    report = read(tmp_path, extended, "us_etf").report
    assert report.outside_session == 0
    with pytest.raises(BadInput, match="the calendar of us_equity seems not to be this instrument's: name another by"):
        read(tmp_path, extended, "us_equity")
    regular = read(tmp_path, extended, "us_equity", outside_session="drop_anyway")
    assert regular.report.bars == len(minutes_of(NYSE))


def test_a_market_around_the_clock_does_not_fit_an_exchange(tmp_path):
    always = pd.date_range("2024-03-01", periods=24 * 144, freq="10min", tz="UTC")
    with pytest.raises(BadInput, match=r"outside the sessions of nse_equity, as are .* of 3,456 rows; the calendar of"):
        read(tmp_path, always, "nse_equity")


def test_hours_that_the_calendar_does_not_know_are_no_holes(tmp_path):
    with pytest.raises(BadInput, match=r"a hole of about 17\.5 hours in 15 of 16 sessions") as stopped:
        read(tmp_path, minutes_of(NYSE), "crypto_usd")
    told = str(stopped.value)
    assert "The calendar of crypto_usd has the market open then" in told
    assert "`instruments`" in told
    bridge = told[told.index("`max_gap: ") + len("`max_gap: ") : told.rindex("`")]
    assert read(tmp_path, minutes_of(NYSE), "crypto_usd", max_gap=bridge).report.segments == 1


def test_a_feed_that_rests_on_weekends_has_holes_and_is_taken(tmp_path):
    report = read(tmp_path, minutes_of(FxWeek()), "crypto_usd").report
    assert len(report.holes) == 4


def test_an_evening_future_on_its_own_calendar_is_whole(tmp_path):
    report = read(tmp_path, minutes_of(CME), "cme_equity_emini").report
    assert (report.segments, report.missing_time, report.short_gaps) == (1, 0, 0)
    assert report.closures == report.sessions - 1


def test_a_few_bars_of_a_morning_say_nothing_about_the_clock(tmp_path):
    morning = pd.date_range("2024-03-04 14:00", periods=9, freq="10min", tz="UTC")  # opens at 14:30
    report = read(tmp_path, morning, "us_equity").report
    assert (report.bars, report.outside_session) == (6, 3)
