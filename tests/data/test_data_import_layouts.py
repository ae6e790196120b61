"""Every vendor's way of writing bars gives the bars that were written."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm.data import LAYOUTS, layout_of
from farm.errors import BadInput

Farm = Callable[..., Any]
Bars = Callable[..., pd.DataFrame]
Vendors = Any
CLOCKS = ["UTC", "Asia/Kolkata", "Etc/GMT+5"]
FRIDAY = "2024-03-08 14:30"
COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


@pytest.fixture
def brought(farm: Farm, folder: Path) -> Callable[..., pd.DataFrame]:
    """The table that an import of files writes."""

    def run(layout: str, *arguments: str) -> pd.DataFrame:
        ended = farm("data", "import", layout, *arguments, "--symbol", "SYN-X", "--to", "bars", "--replace")
        assert ended.code == 0, ended.err
        return pd.read_parquet(folder / "bars" / "SYN-X.parquet")

    return run


def same(found: pd.DataFrame, table: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        found[COLUMNS], table[COLUMNS].assign(timestamp=table["timestamp"].dt.as_unit("ns")), check_exact=True
    )


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("ending", ["csv", "zip"])
def test_binance_in_all_its_variants(
    unit: str, header: bool, ending: str, brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars(FRIDAY)
    name = vendors.write(vendors.lines("binance", table, unit=unit, header=header), f"SYN-X-1m-2024-03.{ending}")
    found = brought("binance", name, "--timeframe", "1min")
    same(found, table)
    assert list(found.columns[6:]) == ["quote_volume", "trades", "taker_buy_volume"]
    assert found.iloc[0, 6:].tolist() == [7.5, 11, 3.25]


def test_binance_files_before_and_after_the_change_of_unit_are_joined(
    brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars("2024-12-31 23:45")
    new = vendors.write(vendors.lines("binance", table[15:], unit="us", header=True), "2025-01.zip")
    old = vendors.write(vendors.lines("binance", table[:15]), "2024-12.zip")
    same(brought("binance", new, old, "--timeframe", "1min"), table)


def test_ninjatrader_stamps_the_close_unless_the_start_is_declared(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars(FRIDAY)
    same(brought("ninjatrader", vendors.write(vendors.lines("ninjatrader", table), "a.txt")), table)
    starts = vendors.write(vendors.semicolons(table, "America/Chicago"), "b.txt")
    same(brought("ninjatrader", starts, "--stamp", "open", "--zone", "America/Chicago"), table)


def test_ninjatrader_days_stand_on_their_date(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars("2024-03-04", 5, "1D")
    name = vendors.write(vendors.semicolons(table, "UTC", pattern="%Y%m%d"), "days.txt")
    same(brought("ninjatrader", name, "--zone", "America/New_York"), table)


def test_histdata_is_five_hours_behind_in_summer_too_unless_declared(
    brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars("2024-07-01 12:00")
    same(brought("histdata", vendors.write(vendors.lines("histdata", table), "a.csv")), table)
    summer = vendors.write(vendors.semicolons(table, "America/New_York"), "b.csv")
    same(brought("histdata", summer, "--zone", "America/New_York"), table)


def test_a_report_of_gaps_in_a_zip_is_no_bars(brought: Any, bars: Bars, vendors: Vendors, folder: Path) -> None:
    table = bars(FRIDAY)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("DAT_ASCII_M1.csv", "\n".join(vendors.lines("histdata", table)))
        archive.writestr("DAT_ASCII_M1.txt", "Gap of 61s found between 20240308093000 and 20240308093101.\n")
    same(brought("histdata", "a.zip"), table)


def test_mt5_is_read_on_the_brokers_clock_across_its_summer_time(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = pd.concat([bars("2024-03-29 20:00"), bars("2024-03-31 22:00")], ignore_index=True)
    found = brought(
        "mt5", vendors.write(vendors.lines("mt5", table), "a.csv"), "--timeframe", "1min", "--zone", "Europe/Athens"
    )
    same(found, table)
    assert found.iloc[0, 6:].to_dict() == {"real_volume": 0.0, "spread": 12.0}


def test_mt5_days_have_no_time_and_need_no_zone(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars("2024-03-04", 5, "1D")
    same(brought("mt5", vendors.write(vendors.lines("mt5", table, daily=True), "a.csv")), table)


def test_mt5_in_utf16_is_read(brought: Any, bars: Bars, vendors: Vendors, folder: Path) -> None:
    table = bars(FRIDAY)
    (folder / "a.csv").write_text("\r\n".join(vendors.lines("mt5", table)), encoding="utf-16")
    same(brought("mt5", "a.csv", "--timeframe", "1min", "--zone", "Europe/Athens"), table)


@pytest.mark.parametrize("how", [{}, {"pretty": True}, {"pretty": True, "iso": "%Y-%m-%d %H:%M:%S+00:00"}])
def test_databento_in_fixed_point_and_for_display(
    how: dict[str, Any], brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars(FRIDAY)
    name = vendors.write(vendors.lines("databento", table, **how), "a.csv")
    same(brought("databento", name, "--timeframe", "1min", "--vendor-symbol", "ESH4"), table)


def test_databento_rows_of_other_symbols_are_left_out(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars(FRIDAY)
    name = vendors.write(vendors.lines("databento", table, symbols=("ESH4", "NQH4", "SYN-X")), "a.csv")
    same(brought("databento", name, "--timeframe", "1min"), table)


def test_databento_compressed(brought: Any, bars: Bars, vendors: Vendors, folder: Path) -> None:
    table = bars(FRIDAY)
    text = "\n".join(vendors.lines("databento", table)).encode()
    with pa.output_stream(folder / "a.csv.zst", compression="zstd") as stream:
        stream.write(text)
    same(brought("databento", "a.csv.zst", "--timeframe", "1min", "--vendor-symbol", "ESH4"), table)


@pytest.mark.parametrize("zone", [None, "-05:00"])
def test_yfinance_without_an_adjusted_close_is_taken_as_written(
    zone: str | None, brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars("2024-03-04", 5, "1D")
    same(brought("yfinance", vendors.write(vendors.lines("yfinance", table, zone=zone), "a.csv")), table)


def test_yfinance_prices_are_the_chosen_ones(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars("2024-03-04", 5, "1D")
    name = vendors.write(vendors.lines("yfinance", table, factor=0.5), "a.csv")
    same(brought("yfinance", name, "--prices", "quoted"), table)
    halved = table.assign(**{price: table[price] / 2 for price in ("open", "high", "low", "close")})
    same(brought("yfinance", name, "--prices", "adjusted"), halved)


def test_lean_minutes_take_their_date_from_the_name_and_follow_new_york(
    brought: Any, bars: Bars, vendors: Vendors
) -> None:
    friday, monday = bars("2024-03-08 14:30"), bars("2024-03-11 13:30")  # half past nine before and in summer time
    names = [
        vendors.write(vendors.lines("lean", friday), "20240308_trade.zip"),
        vendors.write(vendors.lines("lean", monday), "20240311_trade.zip"),
    ]
    same(brought("lean", *names, "--timeframe", "1min"), pd.concat([friday, monday], ignore_index=True))


def test_lean_prices_of_other_markets_are_divided_by_what_is_declared(
    brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars(FRIDAY)
    lines = [",".join([line.split(",")[0], *map(str, row)]) for line, row in zip(
        vendors.lines("lean", table, zone="UTC"), table[COLUMNS[1:]].itertuples(index=False), strict=True
    )]  # fmt: skip
    name = vendors.write(lines, "20240308_trade.zip")
    same(brought("lean", name, "--timeframe", "1min", "--zone", "UTC", "--price-divisor", "1"), table)


def test_lean_days_stand_on_their_date(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars("2024-03-04", 5, "1D")
    name = vendors.write(vendors.lines("lean", table, zone="UTC", since_midnight=False), "aapl.zip")
    same(brought("lean", name, "--timeframe", "1d"), table)


def test_empty_lines_count_but_are_no_rows(brought: Any, bars: Bars, vendors: Vendors) -> None:
    table = bars(FRIDAY)
    lines = vendors.lines("histdata", table)
    same(brought("histdata", vendors.write(["", *lines[:3], "", *lines[3:], ""], "a.csv")), table)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(1440, 2**31 // 60),
    n=st.integers(1, 40),
    zone=st.sampled_from(CLOCKS),
)
def test_any_minute_written_on_any_clock_without_summer_time_comes_back(
    start: int, n: int, zone: str, brought: Any, bars: Bars, vendors: Vendors
) -> None:
    table = bars(str(pd.Timestamp(start * 60, unit="s")), n)
    same(brought("histdata", vendors.write(vendors.semicolons(table, zone), "a.csv"), "--zone", zone), table)


def test_every_layout_says_who_describes_it_and_knows_its_own_files(bars: Bars, vendors: Vendors) -> None:
    for name, layout in LAYOUTS.items():
        assert layout.name == name
        assert layout.source.startswith("https://")
        lines = list(enumerate(vendors.lines(name, bars(FRIDAY)), start=1))[:3]
        fitting = {other.name for other in LAYOUTS.values() if hasattr(other.head(lines), "form")}
        expected = {"ninjatrader", "histdata"} if name in ("ninjatrader", "histdata") else {name}
        assert fitting == expected


def test_an_unknown_layout_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'binance'"):
        layout_of("binanse")
