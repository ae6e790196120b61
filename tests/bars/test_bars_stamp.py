"""What a row's time says of bars without a common length: months, and bars that a vendor closed by what was traded."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import ExchangeCalendar, Loaded, ParquetBars, resample
from farm.bars.sessions import OUTSIDE
from farm.bars.stamp import spans
from farm.bars.timeframe import DAY, MINUTE
from farm.errors import BadInput

CME = ExchangeCalendar(name="CME Globex Equity")


def ns(*texts: str, zone: str = "UTC") -> np.ndarray:
    return pd.DatetimeIndex([pd.Timestamp(text, tz=zone) for text in texts]).as_unit("ns").asi8


def table_at(times: pd.DatetimeIndex) -> pd.DataFrame:
    price = 100.0 + np.arange(len(times))
    return pd.DataFrame(
        {"timestamp": times, "open": price, "high": price + 1, "low": price - 1, "close": price, "volume": price}
    )


def read(folder, table: pd.DataFrame, instrument: str = "synthetic", **given) -> Loaded:
    table.to_parquet(folder / "X.parquet")
    settings = {"path": str(folder / "{symbol}.parquet"), "symbols": ("X",), "instruments": {"X": instrument}}
    return ParquetBars(**(settings | given)).read("X")


@pytest.mark.parametrize(
    ("stamp", "first", "frequency"),
    [("close", "2023-01-31", "ME"), ("close", "2023-02-01", "MS"), ("open", "2023-01-01", "MS")],
    ids=["last day", "instant after", "first day"],
)
def test_a_month_runs_from_its_first_session_to_its_last_however_it_is_stamped(tmp_path, stamp, first, frequency):
    table = table_at(pd.date_range(first, periods=14, freq=frequency, tz="UTC"))
    always = read(tmp_path, table, timeframe="1mo", stamp=stamp)
    assert always.bars.open_time[:2].tolist() == ns("2023-01-01", "2023-02-01").tolist()
    assert always.bars.available_at[:2].tolist() == ns("2023-02-01", "2023-03-01").tolist()
    assert (always.report.segments, always.report.missing_time) == (1, 0)
    shares = read(tmp_path, table, "us_equity", timeframe="1mo", stamp=stamp)
    assert shares.bars.open_time[0] == ns("2023-01-03 09:30", zone="America/New_York")[0]
    assert shares.bars.available_at[0] == ns("2023-01-31 16:00", zone="America/New_York")[0]
    assert (shares.report.segments, shares.report.missing_time) == (1, 0)


def test_a_lost_month_is_a_hole_and_a_second_bar_of_a_month_is_refused(tmp_path):
    table = table_at(pd.date_range("2023-01-31", periods=14, freq="ME", tz="UTC"))
    report = read(tmp_path, table.drop(index=5), timeframe="1mo", stamp="close").report
    assert [hole.trading_time // DAY for hole in report.holes] == [30]
    table.loc[5, "timestamp"] = pd.Timestamp("2023-07-15", tz="UTC")
    with pytest.raises(BadInput, match=r"row 7: .* is a second bar of the span"):
        read(tmp_path, table, timeframe="1mo", stamp="close")


def test_bars_without_a_length_make_no_bars_of_the_clock(tmp_path):
    table = table_at(pd.date_range("2023-01-31", periods=14, freq="ME", tz="UTC"))
    bars = read(tmp_path, table, timeframe="1mo", stamp="close").bars
    assert resample(bars, "1mo", CME) is bars
    with pytest.raises(BadInput, match="bars of 1mo have no common length"):
        resample(bars, "1d", CME)


def test_weeks_are_longer_than_a_session(tmp_path):
    table = table_at(pd.date_range("2023-01-02", periods=14, freq="7D", tz="UTC"))
    with pytest.raises(BadInput, match="longer than a session; the longest are 1d and 1mo"):
        read(tmp_path, table, timeframe="7d", stamp="open")


START = int(ns("2015-03-02 17:00", zone="America/Chicago")[0])


@given(
    minutes=st.lists(st.integers(1, 5 * 1440), min_size=2, max_size=60, unique=True),
    extra=st.integers(1, 5 * 1440),
)
def test_a_bar_by_activity_is_known_from_its_stamp_on_and_began_with_the_one_before(minutes, extra):
    close = START + np.sort(np.array(minutes)) * MINUTE
    found = spans(close, "activity", "close", CME, "file", "CME")
    inside = CME.session_of(close - 1) != OUTSIDE
    kept = found.open_time[inside]
    assert (kept < close[inside]).all()
    np.testing.assert_array_equal(CME.session_of(kept), CME.session_of(close[inside] - 1))
    before = close[np.flatnonzero(inside)[1:] - 1] if inside.any() else close[:0]
    assert (kept[1:] >= before).all()
    # A later row changes nothing before it.
    longer = spans(np.append(close, close[-1] + extra * MINUTE), "activity", "close", CME, "file", "CME")
    np.testing.assert_array_equal(longer.open_time[:-1], found.open_time)


def test_a_bar_by_activity_opens_after_the_halt_and_with_its_session_at_the_earliest():
    stamps = ns("2015-03-03 15:10", "2015-03-03 15:40", "2015-03-03 18:30", zone="America/Chicago")
    found = spans(stamps, "activity", "close", CME, "file", "CME")
    expected = ns("2015-03-02 17:00", "2015-03-03 15:10", "2015-03-03 17:00", zone="America/Chicago")
    np.testing.assert_array_equal(found.open_time, expected)
    assert found.began is not None
    assert found.began[2] == stamps[1]  # it counts since the last bar, though its session opened later


def test_a_session_without_a_bar_is_a_hole_and_a_night_in_a_bar_is_none(tmp_path):
    times = pd.DatetimeIndex(
        [f"2015-03-{day:02d} {clock}" for day in (3, 4, 6) for clock in ("09:00:01.250", "11:30:00", "15:00:07")]
    )
    table = table_at(times.tz_localize("America/Chicago"))
    loaded = read(tmp_path, table, "cme_equity_emini", timeframe="activity", stamp="close")
    report = loaded.report
    assert (report.bars, report.sessions, report.segments, len(report.holes)) == (9, 3, 2, 1)
    np.testing.assert_array_equal(loaded.bars.available_at, times.tz_localize("America/Chicago").as_unit("ns").asi8)
    assert loaded.bars.segment.tolist() == [0] * 6 + [1] * 3


def test_bars_by_activity_stamped_at_their_open_are_refused(tmp_path):
    table = table_at(pd.date_range("2015-03-03 15:00", periods=14, freq="37min", tz="UTC"))
    with pytest.raises(BadInput, match="do not say when they closed"):
        read(tmp_path, table, "cme_equity_emini", timeframe="activity", stamp="open")
    with pytest.raises(ValueError, match="closed by what was traded already"):
        read(tmp_path, table, timeframe="activity", stamp="close", activity={"kind": "volume", "size": 5})


def test_a_length_that_is_none_names_what_could_be_meant():
    with pytest.raises(ValueError, match="or 1mo for months, or activity for bars"):
        ParquetBars(path="x", symbols=("X",), timeframe="monthly", stamp="close")
