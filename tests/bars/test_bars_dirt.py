"""Files as people have them: foreign lines, shifted fields, files loaded twice or glued in the wrong order."""

import pandas as pd
import pytest

from farm.bars import CsvBars
from farm.errors import BadInput

HEADER = "id,date,time,open,high,low,close,volume"


def read(folder, lines: list[str], **given):
    (folder / "SYN.csv").write_text("\n".join(lines) + "\n")
    settings = {"path": str(folder / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    return CsvBars(**(settings | {"zone": "UTC", "columns": {"time": "date"}} | given)).read("SYN")


def row(minute: int, price: float = 100.0) -> str:
    return f"SYN,2024-03-04 09:{minute:02d},,{price},{price + 1},{price - 1},{price},{minute + 1}"


SOUND = [HEADER, *(row(minute, 100 + minute / 10) for minute in range(30))]


def test_lines_of_another_file_are_named_and_may_be_dropped(tmp_path):
    robots = ["User-agent: *,robots.txt,,,,,,", "Disallow: /wp-admin/,robots.txt,,,,,,"]
    dirty = [*SOUND[:11], *robots, *SOUND[11:]]
    with pytest.raises(BadInput, match=r"row 11 \(line 12\): date 'robots\.txt' is not a time") as stopped:
        read(tmp_path, dirty)
    assert "it looks like a line of another file" in str(stopped.value)
    assert "2 of 32 rows" in str(stopped.value)
    report = read(tmp_path, dirty, on_bad_rows="quarantine").report
    assert (report.bars, [bad.row for bad in report.quarantined]) == (30, [11, 12])


def test_fields_shifted_by_one_are_named_with_the_column_that_holds_the_time(tmp_path):
    shifted = [f"SYN,SYN_July.zip,2024-03-04 10:{minute:02d},100,101,99,100,7" for minute in range(5)]
    with pytest.raises(BadInput, match=r"row 31 \(line 32\): date 'SYN_July\.zip' is not a time") as stopped:
        read(tmp_path, [*SOUND, *shifted])
    assert "column time holds its time: the fields look shifted by one" in str(stopped.value)


def test_every_cause_is_told_once(tmp_path):
    shifted = "SYN,SYN_July.zip,2024-03-04 10:00,100,101,99,100,7"
    robots = "Allow: /,robots.txt,,,,,,"
    with pytest.raises(BadInput) as stopped:
        read(tmp_path, [*SOUND, robots, robots, shifted, shifted])
    told = str(stopped.value)
    assert told.count("line of another file") == told.count("shifted by one") == 1
    assert "row 31 (line 32)" in told
    assert "row 33 (line 34)" in told


def test_a_file_loaded_twice_is_told_by_its_copies(tmp_path):
    with pytest.raises(BadInput, match=r"row 31 \(line 32\): .* comes after .* 1 go back\. 30 rows are exact copies"):
        read(tmp_path, [*SOUND, *SOUND[1:]])


def test_files_appended_out_of_order_are_told_by_their_stretches(tmp_path):
    with pytest.raises(
        BadInput, match=r"1 go back\. It holds 2 stretches that do not overlap, .*put the file in order"
    ):
        read(tmp_path, [HEADER, *SOUND[16:], *SOUND[1:16]])


def test_a_clock_that_goes_back_says_neither(tmp_path):
    back = [row(minute, 300.0) for minute in range(20, 40)]
    with pytest.raises(BadInput, match=r"1 go back\. Glued files and wrong clocks look like this"):
        read(tmp_path, [*SOUND, *back])


def test_a_day_without_trades_is_named_and_may_be_dropped(tmp_path):
    days = pd.date_range("2024-03-04", periods=15, freq="B")
    lines = ["date,open,high,low,close,volume", *(f"{day:%F},14,14.5,13.5,14,5" for day in days)]
    lines[7] = f"{days[6]:%F},0,0,0,0,0"
    given = {"timeframe": "1d", "columns": {}, "instruments": {"SYN": "us_equity"}}
    with pytest.raises(BadInput, match=r"row 7 .*close 0, a day without trades: prices must be above 0.*quarantine"):
        read(tmp_path, lines, **given)
    assert read(tmp_path, lines, on_bad_rows="quarantine", **given).report.bars == 14
