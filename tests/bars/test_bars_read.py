"""What a file may hold, what happens to what it may not hold, and what is said about it."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import CsvBars, ParquetBars
from farm.errors import BadInput


def read_csv(folder: Path, table: pd.DataFrame | str, **given):
    path = folder / "SYN.csv"
    if isinstance(table, str):
        path.write_text(table)
    else:
        table.to_csv(path, index=False)
    settings = {"path": str(folder / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    return CsvBars(**(settings | given)).read("SYN")


def read_parquet(folder: Path, table: pd.DataFrame, **given):
    table.to_parquet(folder / "SYN.parquet")
    settings = {"path": str(folder / "{symbol}.parquet"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    return ParquetBars(**(settings | given)).read("SYN")


READERS = pytest.mark.parametrize("read", [read_csv, read_parquet])


@READERS
def test_sound_bars_come_out_as_they_are(tmp_path, table, read):
    loaded = read(tmp_path, table)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(loaded.bars, name), table[name])
    assert (loaded.bars.available_at - loaded.bars.open_time == 60 * 10**9).all()
    assert pd.to_datetime(loaded.bars.open_time[0], utc=True) == table.timestamp[0]
    report = loaded.report
    assert (report.rows, report.bars, report.outside_session, report.quarantined, report.segments) == (30, 30, 0, (), 1)


def test_csv_and_parquet_of_the_same_bars_have_the_same_fingerprint(tmp_path, table):
    one, other = read_csv(tmp_path, table).report, read_parquet(tmp_path, table).report
    assert one.fingerprint == other.fingerprint


@READERS
def test_a_stamp_at_the_close_is_the_bar_that_ended_then(tmp_path, table, read):
    opened = read(tmp_path, table).bars
    closed = read(tmp_path, table.assign(timestamp=table.timestamp + pd.Timedelta("1min")), stamp="close").bars
    np.testing.assert_array_equal(opened.open_time, closed.open_time)


def test_the_stamp_is_never_guessed():
    with pytest.raises(ValueError, match="stamp"):
        CsvBars(path="x", symbols=("SYN",), timeframe="1min")


@READERS
def test_chicago_time_lands_in_utc_with_all_bars(tmp_path, table, read):
    chicago = table.assign(timestamp=table.timestamp.dt.tz_convert("America/Chicago").dt.tz_localize(None))
    bars = read(tmp_path, chicago, zone="America/Chicago").bars
    np.testing.assert_array_equal(bars.open_time, read(tmp_path, table).bars.open_time)


@READERS
def test_extra_columns_are_listed_and_names_are_read_without_case(tmp_path, table, read):
    other = table.rename(columns={"timestamp": "Date", "open": "Open", "volume": "VOLUME"}).assign(trades=1)
    loaded = read(tmp_path, other)
    assert loaded.report.extra_columns == ("trades",)
    assert len(loaded.bars) == 30


@READERS
def test_named_columns_win_over_guessed_ones(tmp_path, table, read):
    other = table.assign(settle=table.close, close=table.high)
    bars = read(tmp_path, other, columns={"close": "settle"}).bars
    np.testing.assert_array_equal(bars.close, table.close)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@READERS
def test_times_that_count_from_1970_need_their_unit(tmp_path, table, read, unit):
    counted = table.assign(timestamp=table.timestamp.dt.as_unit(unit).astype("int64"))
    bars = read(tmp_path, counted, time_format=f"epoch_{unit}").bars
    np.testing.assert_array_equal(bars.open_time, read(tmp_path, table).bars.open_time)
    with pytest.raises(BadInput, match="time"):
        read(tmp_path, counted)


def test_a_pattern_reads_other_ways_to_write_a_time(tmp_path, table):
    written = table.assign(timestamp=table.timestamp.dt.strftime("%d/%m/%Y %H:%M"))
    bars = read_csv(tmp_path, written, zone="UTC", time_format="%d/%m/%Y %H:%M").bars
    assert pd.to_datetime(bars.open_time[0], utc=True) == table.timestamp[0]


def test_compressed_text_other_delimiters_and_empty_lines_are_read(tmp_path, table):
    text = table.to_csv(index=False, sep=";") + "\n\n"
    with gzip.open(tmp_path / "SYN.csv.gz", "wt") as file:
        file.write(text)
    settings = {"path": str(tmp_path / "{symbol}.csv.gz"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    report = CsvBars(**settings, delimiter=";").read("SYN").report
    assert (report.rows, report.bars) == (30, 30)


# One defect a line: what is done to the sixth row, and what the message must say.
ROW_DEFECTS = [
    ("high below low", {"high": 1.0}, "high 1 is below low"),
    ("high below close", {"high": 100.0, "close": 100.4, "open": 99.9, "low": 99.0}, "at least the open and the close"),
    ("low above open", {"low": 100.0, "open": 99.0, "close": 100.1, "high": 101.0}, "at most the open and the close"),
    ("negative price", {"low": -1.0}, "above 0"),
    ("zero price", {"low": 0.0}, "above 0"),
    ("missing price", {"close": np.nan}, "missing or not finite"),
    ("infinite price", {"high": np.inf}, "missing or not finite"),
    ("negative volume", {"volume": -1.0}, "volume -1"),
    ("missing volume", {"volume": np.nan}, "volume nan"),
    ("missing time", {"timestamp": pd.NaT}, "not a time"),
    ("off the minute", {"timestamp": pd.Timestamp("2024-03-04 09:05:30", tz="UTC")}, "not on the 1min grid"),
    ("before 1970", {"timestamp": pd.Timestamp("1960-01-01", tz="UTC")}, "not between 1970 and 2261"),
]


@pytest.mark.parametrize(("change", "says"), [case[1:] for case in ROW_DEFECTS], ids=[case[0] for case in ROW_DEFECTS])
@READERS
def test_a_bad_row_stops_or_is_dropped_and_listed(tmp_path, table, read, change, says):
    for column, value in change.items():
        table.loc[5, column] = value
    with pytest.raises(BadInput, match=says) as stopped:
        read(tmp_path, table)
    message = str(stopped.value)
    assert "row 6" in message
    assert ("line 7" in message) == (read is read_csv)
    assert "1 of 30 rows" in message
    assert "on_bad_rows: quarantine" in message
    report = read(tmp_path, table, on_bad_rows="quarantine").report
    assert [bad.row for bad in report.quarantined] == [6]
    assert says in report.quarantined[0].rule
    assert report.bars == 29


@READERS
def test_five_bad_rows_are_five_listed_and_five_fewer(tmp_path, table, read):
    table.loc[[3, 7, 8, 20, 29], "high"] = 1.0
    report = read(tmp_path, table, on_bad_rows="quarantine").report
    assert [bad.row for bad in report.quarantined] == [4, 8, 9, 21, 30]
    assert report.bars == report.rows - 5


@READERS
def test_nothing_is_repaired(tmp_path, table, read):
    table.loc[4, ["high", "low"]] = table.loc[4, ["low", "high"]].to_numpy()
    loaded = read(tmp_path, table, on_bad_rows="quarantine")
    np.testing.assert_array_equal(loaded.bars.high, table.high.drop(4))


def test_text_in_a_price_names_the_line(tmp_path, table):
    text = table.astype({"close": object})
    text.loc[2, "close"] = "n/a"
    with pytest.raises(BadInput, match=r"row 3 \(line 4\): close 'n/a' is not a number"):
        read_csv(tmp_path, text)
    assert read_csv(tmp_path, text, on_bad_rows="quarantine").report.bars == 29


def test_text_prices_in_parquet_are_refused(tmp_path, table):
    with pytest.raises(BadInput, match=r"column close .* must be numbers"):
        read_parquet(tmp_path, table.astype({"close": str}))


def test_an_exact_copy_may_be_dropped_but_another_bar_of_the_same_time_may_not(tmp_path, table):
    copied = pd.concat([table[:5], table[4:]], ignore_index=True)
    with pytest.raises(BadInput, match="exact copy"):
        read_parquet(tmp_path, copied)
    assert read_parquet(tmp_path, copied, on_bad_rows="quarantine").report.bars == 30
    copied.loc[5, "volume"] = 77.0
    for mode in ("stop", "quarantine"):
        with pytest.raises(BadInput, match="row 6: a second, different bar"):
            read_parquet(tmp_path, copied, on_bad_rows=mode)


@pytest.mark.parametrize("mode", ["stop", "quarantine"])
def test_unsorted_times_stop_in_either_mode(tmp_path, table, mode):
    with pytest.raises(BadInput, match=r"row 11: time .* comes after .* 1 go back"):
        read_parquet(tmp_path, pd.concat([table[10:20], table[:10]]), on_bad_rows=mode)


@READERS
def test_a_file_of_another_timeframe_is_refused(tmp_path, table, read):
    table["timestamp"] = pd.date_range("2024-03-04", periods=30, freq="5min", tz="UTC")
    with pytest.raises(BadInput, match="most common step is 300 s"):
        read(tmp_path, table)
    with pytest.raises(BadInput, match="most common step is 300 s"):
        read(tmp_path, table, timeframe="1h", on_bad_rows="quarantine")
    assert read(tmp_path, table, timeframe="5min").report.bars == 30


@READERS
def test_times_without_a_zone_are_refused_and_two_zones_too(tmp_path, table, read):
    naive = table.assign(timestamp=table.timestamp.dt.tz_localize(None))
    with pytest.raises(BadInput, match="carry no zone"):
        read(tmp_path, naive)
    assert read(tmp_path, naive, zone="UTC").report.bars == 30
    with pytest.raises(BadInput, match="zone of their own"):
        read(tmp_path, table, zone="Asia/Kolkata")


def test_some_times_with_and_some_without_a_zone_are_refused(tmp_path, table):
    text = table.timestamp.astype(str)
    text[3] = "2024-03-04 09:03:00"
    with pytest.raises(BadInput, match="some of its times carry a zone"):
        read_csv(tmp_path, table.assign(timestamp=text))


@pytest.mark.parametrize(
    ("start", "says"), [("2024-11-03 00:50", "comes twice"), ("2024-03-10 01:50", "does not exist")]
)
@READERS
def test_hours_that_the_clock_skips_or_repeats_are_bad_rows(tmp_path, table, read, start, says):
    table["timestamp"] = pd.date_range(start, periods=30, freq="1min")
    with pytest.raises(BadInput, match=rf"row 11.*{says}.*20 of 30"):
        read(tmp_path, table, zone="America/New_York")
    report = read(tmp_path, table, zone="America/New_York", on_bad_rows="quarantine").report
    assert (report.bars, len(report.quarantined)) == (10, 20)


def test_an_unknown_zone_or_format_is_refused_at_once():
    given = {"path": "x", "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    with pytest.raises(ValueError, match="Asia/Kolkata"):
        CsvBars(**given, zone="Mumbai")
    with pytest.raises(ValueError, match="epoch_ms"):
        CsvBars(**given, time_format="millis")


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close", "volume"])
@READERS
def test_a_missing_column_is_named_with_those_there_are(tmp_path, table, read, column):
    role = "time" if column == "timestamp" else column
    with pytest.raises(BadInput, match=rf"no column is the {role} .*the file has .*columns: {{{role}: NAME}}"):
        read(tmp_path, table.rename(columns={column: "other"}))


@READERS
def test_two_columns_for_one_role_ask_for_a_choice(tmp_path, table, read):
    with pytest.raises(BadInput, match="timestamp, date could each be the time"):
        read(tmp_path, table.assign(date=table.timestamp))


@pytest.mark.parametrize("content", ["", "timestamp,open,high,low,close,volume\n"])
def test_an_empty_csv_is_refused(tmp_path, content):
    with pytest.raises(BadInput, match=r"SYN\.csv: (the file is empty|no bar left of 0 rows)"):
        read_csv(tmp_path, content)


def test_an_empty_parquet_is_refused(tmp_path, table):
    with pytest.raises(BadInput, match="no bar left of 0 rows"):
        read_parquet(tmp_path, table[:0])


def test_a_truncated_parquet_is_refused(tmp_path, table):
    table.to_parquet(tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    source = ParquetBars(path=str(tmp_path / "SYN"), symbols=("SYN",), timeframe="1min", stamp="open")
    for length in (0, 3, len(whole) // 2, len(whole) - 1):
        (tmp_path / "SYN").write_bytes(whole[:length])
        with pytest.raises(BadInput, match="SYN: not a whole Parquet file"):
            source.read("SYN")


def test_truncated_csv_is_refused(tmp_path, table):
    text = table.to_csv(index=False)
    with pytest.raises(BadInput, match="row 30"):
        read_csv(tmp_path, text[: text.rindex(",")])
    packed = gzip.compress(text.encode())
    (tmp_path / "SYN.csv.gz").write_bytes(packed[: len(packed) // 2])
    source = CsvBars(path=str(tmp_path / "{symbol}.csv.gz"), symbols=("SYN",), timeframe="1min", stamp="open")
    with pytest.raises(BadInput, match="not a whole CSV"):
        source.read("SYN")


@pytest.mark.parametrize("row", [0, 20])
def test_a_row_with_more_fields_than_the_header_is_refused(tmp_path, table, row):
    lines = table.to_csv(index=False).splitlines()
    lines[row + 1] += ",9"
    with pytest.raises(BadInput, match=r"more fields|Expected 6 fields in line 22, saw 7"):
        read_csv(tmp_path, "\n".join(lines), on_bad_rows="quarantine")


@pytest.mark.parametrize("bad", [b"timestamp,open\n1,2,3\n", b"\xff\xfe\x00\x01\x02", b"\x00" * 40])
def test_what_is_not_csv_is_refused(tmp_path, bad):
    (tmp_path / "SYN.csv").write_bytes(bad)
    source = CsvBars(path=str(tmp_path / "SYN.csv"), symbols=("SYN",), timeframe="1min", stamp="open")
    with pytest.raises(BadInput, match=r"SYN\.csv"):
        source.read("SYN")


@pytest.mark.parametrize("source", [CsvBars, ParquetBars])
def test_a_missing_file_is_named(tmp_path, source):
    bars = source(path=str(tmp_path / "{symbol}.x"), symbols=("SYN",), timeframe="1min", stamp="open")
    with pytest.raises(BadInput, match=r"SYN\.x: no such file"):
        bars.read("SYN")


def test_the_home_folder_is_expanded(monkeypatch, tmp_path, table):
    monkeypatch.setenv("HOME", str(tmp_path))
    table.to_parquet(tmp_path / "SYN.parquet")
    bars = ParquetBars(path="~/{symbol}.parquet", symbols=("SYN",), timeframe="1min", stamp="open")
    assert bars.read("SYN").report.bars == 30


def test_sections_refuse_what_cannot_be_meant():
    given = {"timeframe": "1min", "stamp": "open"}
    with pytest.raises(ValueError, match="come twice"):
        ParquetBars(path="{symbol}", symbols=("A", "A"), **given)
    with pytest.raises(ValueError, match="one file for 2 symbols"):
        ParquetBars(path="x", symbols=("A", "B"), **given)
    with pytest.raises(ValueError, match="not among the symbols"):
        ParquetBars(path="x", symbols=("A",), instruments={"B": "synthetic"}, **given)


@READERS
def test_bars_outside_the_sessions_are_counted_or_stop(tmp_path, table, read):
    table["timestamp"] = pd.date_range("2024-03-04 03:35", periods=30, freq="1min", tz="UTC")  # NSE opens at 03:45
    nse = {"instruments": {"SYN": "nse_equity"}}
    report = read(tmp_path, table, **nse).report
    assert (report.rows, report.bars, report.outside_session) == (30, 20, 10)
    with pytest.raises(BadInput, match=r"row 1\b.*outside the sessions of nse_equity.*10 of 30 rows"):
        read(tmp_path, table, outside_session="stop", **nse)
    table["timestamp"] = pd.date_range("2024-03-03 03:45", periods=30, freq="1min", tz="UTC")  # a Sunday
    with pytest.raises(BadInput, match="no bar left of 30 rows, 30 outside"):
        read(tmp_path, table, **nse)


def test_daily_bars_of_an_open_market_are_days_of_utc(tmp_path, table):
    table["timestamp"] = pd.date_range("2024-03-04", periods=30, freq="1D", tz="UTC")
    assert read_parquet(tmp_path, table, timeframe="1d").report.sessions == 30


def test_a_file_without_one_good_row_says_what_was_wrong_with_the_first(tmp_path, table):
    with pytest.raises(BadInput, match=r"30 bad \(row 1: .*above 0"):
        read_parquet(tmp_path, table.assign(low=0.0), on_bad_rows="quarantine")


@pytest.mark.parametrize("kind", ["float32", "int64"])
def test_other_kinds_of_numbers_are_read_at_their_value(tmp_path, table, kind):
    table[["open", "high", "low", "close"]] = np.array([100, 101, 99, 100])
    bars = read_parquet(tmp_path, table.astype(dict.fromkeys(("open", "high", "low", "close", "volume"), kind))).bars
    assert (bars.high.dtype, set(bars.high)) == (np.dtype("float64"), {101.0})
    np.testing.assert_array_equal(bars.volume, table.volume)


@given(st.sampled_from(["UTC", "Asia/Kolkata", "America/Chicago", "Australia/Lord_Howe"]), st.integers(0, 500_000))
def test_any_clock_is_read_back_to_the_same_instants(tmp_path_factory, zone, start):
    folder = tmp_path_factory.mktemp("clock")
    time = pd.date_range(pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(minutes=start), periods=30, freq="1min")
    bars = pd.DataFrame({"time": time, "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.0, "volume": 0})
    wall = bars.assign(time=time.tz_convert(zone).tz_localize(None))
    if _once(wall.time, zone):
        np.testing.assert_array_equal(read_csv(folder, wall, zone=zone).bars.open_time, time.as_unit("ns").asi8)
    offset = bars.assign(time=time.tz_convert(zone).map(str))
    np.testing.assert_array_equal(read_csv(folder, offset).bars.open_time, time.as_unit("ns").asi8)


def _once(wall: pd.Series, zone: str) -> bool:
    return not wall.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").isna().any()


def daily(first="2024-11-25", days=10) -> pd.DataFrame:
    """Ten weekdays of New York around Thanksgiving and its short Friday."""
    time = pd.date_range(first, periods=days, freq="B", tz="UTC")
    price = np.linspace(100, 110, days)
    return pd.DataFrame({"timestamp": time, "open": price, "high": price, "low": price, "close": price, "volume": 1.0})


@READERS
def test_a_daily_bar_is_its_session_by_date(tmp_path, read):
    given = {"timeframe": "1d", "instruments": {"SYN": "us_equity"}}
    loaded = read(tmp_path, daily(), **given)
    assert (loaded.report.bars, loaded.report.outside_session, loaded.report.segments) == (9, 1, 1)  # Thanksgiving
    short = list(pd.to_datetime(loaded.bars.session, unit="D").strftime("%F")).index("2024-11-29")
    assert pd.to_datetime(loaded.bars.open_time[short], utc=True) == pd.Timestamp("2024-11-29 14:30", tz="UTC")
    assert pd.to_datetime(loaded.bars.available_at[short], utc=True) == pd.Timestamp("2024-11-29 18:00", tz="UTC")


@READERS
def test_daily_bars_are_stamped_by_date_and_nothing_else(tmp_path, read):
    given = {"timeframe": "1d", "instruments": {"SYN": "us_equity"}}
    with pytest.raises(BadInput, match="declare `stamp: open`"):
        read(tmp_path, daily(), stamp="close", **given)
    at_the_close = daily().assign(timestamp=daily().timestamp + pd.Timedelta("21h"))
    with pytest.raises(BadInput, match="not on the 1d grid"):
        read(tmp_path, at_the_close, **given)
    with pytest.raises(BadInput, match="longer than a session"):
        read(tmp_path, daily(), timeframe="2d")


@READERS
def test_a_lost_day_is_a_hole_of_its_session(tmp_path, read):
    given = {"timeframe": "1d", "instruments": {"SYN": "us_equity"}}
    report = read(tmp_path, daily().drop(index=[6]), **given).report
    assert [hole.trading_time for hole in report.holes] == [390 * 60 * 10**9]


def test_a_daily_bar_of_a_week_longer_than_its_days_is_not_known_early(tmp_path):
    given = {"timeframe": "1d", "instruments": {"SYN": "fx_usd_utc4h"}}
    bars = read_csv(tmp_path, daily("2024-03-04", 5), **given).bars
    assert pd.to_datetime(bars.available_at[-1], utc=True) == pd.Timestamp("2024-03-09 00:00", tz="UTC")
