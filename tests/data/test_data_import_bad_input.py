"""Whatever is wrong with a vendor's file, an import ends with exit code 2, one line that helps, and nothing written.

A row of the table breaks the sound file of its layout and says what the message must hold; ``{file}`` is that file.
"""

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Lines = list[str]
Change = Callable[[Lines], Lines]
SMALL = ("binance", "databento", "histdata", "lean", "mt5", "ninjatrader", "yfinance")
UNALIKE = [(one, two) for one in SMALL for two in SMALL if one != two and {one, two} != {"ninjatrader", "histdata"}]
SEPARATOR = {"histdata": ";", "ninjatrader": ";", "mt5": "\t"}
HEADER = {"databento": 1, "mt5": 1, "yfinance": 1}
OPEN = {"databento": 4, "mt5": 2}
VOLUME = {"binance": 5, "databento": 8, "mt5": 6}


def field(row: int, at: int, value: str, layout: str) -> Change:
    def change(lines: Lines) -> Lines:
        between = SEPARATOR.get(layout, ",")
        fields = lines[row].split(between)
        fields[at] = value
        return [*lines[:row], between.join(fields), *lines[row + 1 :]]

    return change


def wider(rows: Lines, layout: str) -> Lines:
    return [f"x{SEPARATOR.get(layout, ',')}{row}" for row in rows]


def shifted(layout: str) -> Change:
    header = HEADER.get(layout, 0)
    return lambda lines: [*lines[:header], *wider(lines[header:], layout)]


def shifted_within(layout: str) -> Change:
    """The columns of each row one to the right, the last one lost: as many fields as before."""
    between, header = SEPARATOR.get(layout, ","), HEADER.get(layout, 0)
    return lambda lines: [
        *lines[:header], *(f"{layout}.csv{between}{line.rpartition(between)[0]}" for line in lines[header:])
    ]  # fmt: skip


@pytest.fixture
def case(farm: Any, vendors: Any, bars: Any, folder: Path) -> Callable[..., tuple[str, str]]:
    """Writes the file of a layout, broken by a change, imports it, and gives its name and the one line that is said."""

    def run(layout: str, change: Change | None, *options: str, name: str | None = None) -> tuple[str, str]:
        table = bars("2024-03-04", 12, "1D") if layout == "yfinance" else bars("2024-03-08 14:30", 30)
        given = name or ("20240308_trade.zip" if layout == "lean" else "given.csv")
        lines = vendors.lines(layout, table)
        vendors.write(change(lines) if change else lines, given)
        return given, refused(layout, given, *vendors.needs[layout], *options)

    def refused(layout: str, given: str, *options: str) -> str:
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        ended = farm("data", "import", layout, given, "--symbol", "SYN-X", "--to", "bars", *options)
        assert ended.code == 2
        assert ended.out == ""
        assert ended.err.startswith("farm: ")
        assert ended.err.count("\n") == 1, ended.err
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
        assert not (folder / "bars").exists()
        return str(ended.err)

    run.refused = refused  # type: ignore[attr-defined]  # hung on a function
    return run


@pytest.mark.parametrize("layout", SMALL)
def test_a_missing_file(layout: str, case: Any, vendors: Any) -> None:
    assert "nowhere.csv: no such file" in case.refused(layout, "nowhere.csv", *vendors.needs[layout])


@pytest.mark.parametrize("layout", SMALL)
@pytest.mark.parametrize(("content", "told"), [(b"", "the file is empty"), (b"\n\n", "there is nothing in it")])
def test_an_empty_file(layout: str, content: bytes, told: str, case: Any, vendors: Any, folder: Path) -> None:
    (folder / "given.csv").write_bytes(content)
    assert f"given.csv: {told}" in case.refused(layout, "given.csv", *vendors.needs[layout])


@pytest.mark.parametrize(("layout", "other"), UNALIKE)
def test_the_wrong_layout_names_the_line_and_the_one_that_fits(
    layout: str, other: str, case: Any, vendors: Any, bars: Any
) -> None:
    table = bars("2024-03-04", 12, "1D") if other == "yfinance" else bars("2024-03-08 14:30", 30)
    vendors.write(vendors.lines(other, table), "20240308.csv")
    told = case.refused(layout, "20240308.csv", *vendors.needs[layout])
    assert f"20240308.csv, line 1: '{vendors.lines(other, table)[0][:20].encode('unicode_escape').decode()}" in told
    assert f"is not {layout}, which has " in told
    assert "This looks like " in told
    assert other in told.rpartition("This looks like ")[2]


@pytest.mark.parametrize("layout", SMALL)
def test_a_file_of_no_layout(layout: str, case: Any, vendors: Any, folder: Path) -> None:
    (folder / "given.csv").write_text("User-agent: *,robots.txt,,,,,,\nDisallow: /wp-admin/,robots.txt,,,,,,\n")
    told = case.refused(layout, "given.csv", *vendors.needs[layout])
    assert "given.csv, line 1: 'User-agent: *,robots.txt,,,,,,' is not" in told
    assert "No other layout that Farm knows fits" in told


@pytest.mark.parametrize("layout", SMALL)
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_truncated_zip(layout: str, kept: float, case: Any, vendors: Any, bars: Any, folder: Path) -> None:
    whole = folder / vendors.write(vendors.lines(layout, bars("2024-03-04", 500)), "20240304.zip")
    content = whole.read_bytes()
    whole.write_bytes(content[: int(len(content) * kept)])
    assert "20240304.zip: not a whole zip file" in case.refused(layout, "20240304.zip", *vendors.needs[layout])


@pytest.mark.parametrize("layout", SMALL)
@pytest.mark.parametrize("whole", [bytes(range(256)) * 40, bytes(1000)])
def test_a_file_that_is_no_text(layout: str, whole: bytes, case: Any, vendors: Any, folder: Path) -> None:
    (folder / "given.csv").write_bytes(whole)
    assert "given.csv" in case.refused(layout, "given.csv", *vendors.needs[layout])


@pytest.mark.parametrize("row", [1, 20])
def test_bytes_that_are_no_text_in_a_row(row: int, case: Any, vendors: Any, bars: Any, folder: Path) -> None:
    vendors.write(vendors.lines("histdata", bars("2024-03-08 14:30", 5000)), "given.csv")
    lines = (folder / "given.csv").read_bytes().splitlines(keepends=True)
    lines[row * 200] = b"\xff\xfe;" + lines[row * 200]
    (folder / "given.csv").write_bytes(b"".join(lines))
    assert "given.csv: cannot be read to its end" in case.refused("histdata", "given.csv")


def test_a_zip_with_a_broken_member(case: Any, vendors: Any, bars: Any, folder: Path) -> None:
    whole = folder / vendors.write(vendors.lines("binance", bars("2024-03-04", 500)), "given.zip")
    content = bytearray(whole.read_bytes())
    content[2000] ^= 0xFF
    whole.write_bytes(bytes(content))
    told = case.refused("binance", "given.zip", "--timeframe", "1min")
    assert "given.zip:given.csv: cannot be read to its end" in told


def test_a_zip_without_a_table(case: Any, folder: Path) -> None:
    with zipfile.ZipFile(folder / "given.zip", "w") as archive:
        archive.writestr("readme.pdf", "x")
    told = case.refused("binance", "given.zip", "--timeframe", "1min")
    assert "given.zip: no CSV or text in the zip; it holds readme.pdf" in told


@pytest.mark.parametrize("layout", SMALL)
def test_a_row_twice(layout: str, case: Any) -> None:
    at = 7 + HEADER.get(layout, 0)
    given, told = case(layout, lambda lines: [*lines[: at + 1], lines[at], *lines[at + 1 :]])
    assert f"row 9 (line {9 + HEADER.get(layout, 0)}): is an exact copy of the row before" in told
    assert given in told


@pytest.mark.parametrize("layout", SMALL)
def test_a_time_twice_with_other_values(layout: str, case: Any) -> None:
    at = 7 + HEADER.get(layout, 0)

    def change(lines: Lines) -> Lines:
        again = field(at, VOLUME.get(layout, -1), "5000", layout)(lines)[at]
        return [*lines[: at + 1], again, *lines[at + 1 :]]

    _, told = case(layout, change)
    assert f"row 9 (line {9 + HEADER.get(layout, 0)}): a second, different bar of " in told


@pytest.mark.parametrize("layout", SMALL)
def test_rows_out_of_order(layout: str, case: Any) -> None:
    header = HEADER.get(layout, 0)
    _, told = case(layout, lambda lines: [*lines[:header], *reversed(lines[header:])])
    assert f"row 2 (line {2 + header}): time " in told
    assert "comes after" in told


@pytest.mark.parametrize("layout", SMALL)
def test_a_price_that_is_no_number(layout: str, case: Any) -> None:
    row = 4 + HEADER.get(layout, 0)
    _, told = case(layout, field(row, OPEN.get(layout, 1), "1O15", layout))
    assert f"row 5 (line {row + 1}): open '1O15' is not a number" in told


@pytest.mark.parametrize("layout", SMALL)
def test_a_high_below_the_low(layout: str, case: Any) -> None:
    row = 4 + HEADER.get(layout, 0)
    _, told = case(layout, field(row, OPEN.get(layout, 1) + 1, "1", layout))
    assert f"row 5 (line {row + 1}): high " in told
    assert "is below low" in told


@pytest.mark.parametrize("layout", SMALL)
def test_a_time_that_is_none(layout: str, case: Any) -> None:
    row = 4 + HEADER.get(layout, 0)
    _, told = case(layout, field(row, 0, "yesterday", layout))
    assert f"row 5 (line {row + 1}): time 'yesterday" in told


@pytest.mark.parametrize("layout", SMALL)
@pytest.mark.parametrize("shift", [shifted, shifted_within])
def test_columns_shifted_by_one(layout: str, shift: Callable[[str], Change], case: Any) -> None:
    _, told = case(layout, shift(layout))
    assert f"line {1 + HEADER.get(layout, 0)}: " in told
    assert f"is not {layout}, which has " in told


@pytest.mark.parametrize("layout", SMALL)
def test_columns_shifted_from_some_row_on(layout: str, case: Any) -> None:
    row = 10 + HEADER.get(layout, 0)
    _, told = case(layout, lambda lines: [*lines[:row], *wider(lines[row:], layout)])
    assert f"line {row + 1}: " in told
    assert "fields where there should be" in told


@pytest.mark.parametrize("layout", SMALL)
def test_an_unknown_zone(layout: str, case: Any) -> None:
    _, told = case(layout, None, "--zone", "Mars/Olympus")
    assert "--zone Mars/Olympus: time zone 'Mars/Olympus' is not known" in told


@pytest.mark.parametrize("layout", ["binance", "databento"])
def test_a_zone_for_times_that_need_none(layout: str, case: Any) -> None:
    _, told = case(layout, None, "--zone", "America/New_York")
    assert "need no zone; leave --zone America/New_York out" in told


def test_a_broker_s_clock_is_never_guessed(case: Any, vendors: Any, bars: Any) -> None:
    vendors.write(vendors.lines("mt5", bars("2024-03-08 14:30")), "given.csv")
    told = case.refused("mt5", "given.csv", "--timeframe", "1min")
    assert "on a clock that mt5 files do not name; give it by --zone" in told


@pytest.mark.parametrize("layout", ["binance", "databento", "lean", "mt5"])
def test_a_length_of_bars_is_never_guessed(layout: str, case: Any, vendors: Any, bars: Any) -> None:
    vendors.write(vendors.lines(layout, bars("2024-03-08 14:30")), "20240308.csv")
    assert "does not say how long its bars are; give --timeframe" in case.refused(layout, "20240308.csv")


@pytest.mark.parametrize("layout", [one for one in SMALL if one != "yfinance"])
def test_another_length_of_bars_than_declared(layout: str, case: Any) -> None:
    _, told = case(layout, None, "--timeframe", "5min")
    assert "its most common step is 60 s, but `timeframe: 5min` was declared" in told


def test_days_declared_as_minutes(case: Any) -> None:
    _, told = case("yfinance", None, "--timeframe", "1min")
    assert "its times are dates (yyyy-MM-dd), so its bars are days; declare --timeframe 1d, found 1min" in told


@pytest.mark.parametrize("layout", ["binance", "databento", "histdata", "lean", "mt5", "yfinance"])
def test_a_stamp_that_the_vendor_does_not_use(layout: str, case: Any) -> None:
    _, told = case(layout, None, "--stamp", "close")
    assert f"--stamp close: {layout} files are stamped at the bar's open" in told


def test_two_units_of_time_in_one_file(case: Any) -> None:
    def change(lines: Lines) -> Lines:
        return [line if at < 20 else f"{line[:13]}000{line[13:]}" for at, line in enumerate(lines)]

    _, told = case("binance", change)
    assert "given.csv, line 21: time 17" in told
    assert "is microseconds since 1970 (16 digits), but the file began with milliseconds since 1970 (13 digits)" in told


def test_two_ways_of_writing_prices_in_one_file(case: Any, vendors: Any, bars: Any) -> None:
    table = bars("2024-03-08 14:30")
    lines = vendors.lines("databento", table)[:11] + vendors.lines("databento", table, pretty=True)[11:]
    stamps = [line.split(",")[0] for line in vendors.lines("databento", table)]
    lines = [",".join([at, *line.split(",")[1:]]) for at, line in zip(stamps, lines, strict=True)]
    vendors.write(lines, "given.csv")
    told = case.refused("databento", "given.csv", *vendors.needs["databento"])
    assert "given.csv, line 12: open " in told
    assert "is written with a decimal point, unlike the rows before" in told


def test_a_choice_of_prices_that_was_not_made(case: Any, vendors: Any, bars: Any) -> None:
    vendors.write(vendors.lines("yfinance", bars("2024-03-04", 12, "1D"), factor=0.5), "given.csv")
    assert "choose by --prices quoted or --prices adjusted" in case.refused("yfinance", "given.csv")


@pytest.mark.parametrize("layout", SMALL)
def test_a_choice_of_prices_that_there_is_not(layout: str, case: Any) -> None:
    _, told = case(layout, None, "--prices", "adjusted")
    assert "it has no adjusted close" in told


def test_an_adjusted_close_that_is_none(case: Any, vendors: Any, bars: Any) -> None:
    lines = vendors.lines("yfinance", bars("2024-03-04", 12, "1D"), factor=0.5)
    vendors.write(field(3, 5, "-1", "yfinance")(lines), "given.csv")
    told = case.refused("yfinance", "given.csv", "--prices", "adjusted")
    assert "row 3 (line 4): adjusted close '-1' does not go with close" in told


def test_a_table_of_several_tickers_is_explained(case: Any, folder: Path) -> None:
    (folder / "given.csv").write_text("Price,Close,High\nTicker,AAPL,AAPL\nDate,,\n2024-03-04,1,2\n")
    told = case.refused("yfinance", "given.csv")
    assert "multi_level_index=False" in told


def test_a_symbol_that_is_not_in_the_file(case: Any, vendors: Any, bars: Any) -> None:
    vendors.write(vendors.lines("databento", bars("2024-03-08 14:30"), symbols=("ESH4", "NQH4")), "given.csv")
    told = case.refused("databento", "given.csv", "--timeframe", "1min")
    assert "no row of SYN-X; there are ESH4, NQH4" in told
    assert "--vendor-symbol" in told


def test_several_instruments_without_their_symbols(case: Any, vendors: Any, bars: Any) -> None:
    lines = vendors.lines("databento", bars("2024-03-08 14:30"), symbols=("ESH4", "NQH4"))
    vendors.write([line.rpartition(",")[0] for line in lines], "given.csv")
    told = case.refused("databento", "given.csv", "--timeframe", "1min")
    assert "it holds 2 instruments (0, 1) and no column of their symbols" in told


def test_a_lean_file_without_a_date_in_its_name(case: Any) -> None:
    _, told = case("lean", None, name="aapl.zip")
    assert "aapl.zip:aapl.csv: its times are milliseconds since midnight of the day in the file's name" in told


def test_a_lean_file_with_an_impossible_date_in_its_name(case: Any) -> None:
    _, told = case("lean", None, name="20241340_trade.zip")
    assert "20241340 in its name is no date" in told


def test_a_lean_time_past_the_end_of_the_day(case: Any) -> None:
    _, told = case("lean", field(4, 0, "86400000", "lean"))
    assert "row 5 (line 5): time '86400000' is not a time" in told


@pytest.mark.parametrize("symbol", ["a/b", "..", "x{y}", " x"])
def test_a_symbol_that_is_no_file_name(symbol: str, farm: Any, vendors: Any, bars: Any, folder: Path) -> None:
    name = vendors.write(vendors.lines("histdata", bars("2024-03-08 14:30")), "given.csv")
    ended = farm("data", "import", "histdata", name, "--symbol", symbol, "--to", "bars")
    assert ended.code == 2
    assert "must be fit for a file name" in ended.err
    assert not (folder / "bars").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--price-divisor", "0"), "--price-divisor 0"),
        (("--acquired", "last week"), "--acquired last week"),
        (("--on-bad-rows", "repair"), "--on-bad-rows repair"),
        (("--stamp", "middle"), "--stamp middle"),
        (("--timeframe", "1m"), "--timeframe 1m: timeframe '1m' is not a length"),
        (("--instrument", "gold"), "instrument 'gold' of symbol SYN-X: no file"),
    ],
)
def test_an_option_that_cannot_be_so_is_named(options: Sequence[str], told: str, case: Any) -> None:
    _, said = case("histdata", None, *options)
    assert told in said


def test_a_folder_that_cannot_be_written(farm: Any, vendors: Any, bars: Any, folder: Path) -> None:
    name = vendors.write(vendors.lines("histdata", bars("2024-03-08 14:30")), "given.csv")
    (folder / "regular").write_text("a file")
    ended = farm("data", "import", "histdata", name, "--symbol", "SYN-X", "--to", "regular/bars")
    assert ended.code == 2
    assert "cannot be written to" in ended.err
    assert (folder / "regular").read_text() == "a file"


def test_all_rows_bad(case: Any, vendors: Any, bars: Any) -> None:
    table = bars("2024-03-08 14:30").assign(high=0.5)
    vendors.write(vendors.lines("histdata", table), "given.csv")
    assert "none of 30 rows is sound" in case.refused("histdata", "given.csv", "--on-bad-rows", "quarantine")


def test_the_sound_files_are_sound(farm: Any, vendors: Any, bars: Any, folder: Path) -> None:
    for layout in SMALL:
        table = bars("2024-03-04", 12, "1D") if layout == "yfinance" else bars("2024-03-08 14:30", 30)
        name = vendors.write(vendors.lines(layout, table), f"20240308_{layout}.csv")
        ended = farm("data", "import", layout, name, "--symbol", layout, "--to", "bars", *vendors.needs[layout])
        assert ended.code == 0, ended.err
        assert len(pd.read_parquet(folder / "bars" / f"{layout}.parquet")) == len(table)
