"""Real bars, written as their vendors wrote them, come back as they are."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from farm.data.describe import describe

pytestmark = pytest.mark.skipif("FARM_DATA" not in os.environ, reason="FARM_DATA does not name the folder of real bars")

Farm = Callable[..., Any]
COLUMNS = ["open", "high", "low", "close", "volume"]


def real(name: str) -> pd.DataFrame:
    return pd.read_parquet(Path(os.environ["FARM_DATA"]) / f"{name}.parquet")


def text(table: pd.DataFrame, stamp: pd.Series) -> str:
    return "".join(
        f"{at};{row.open!r};{row.high!r};{row.low!r};{row.close!r};{row.volume!r}\n"
        for at, row in zip(stamp.dt.strftime("%Y%m%d %H%M%S"), table[COLUMNS].astype(float).itertuples(), strict=True)
    )


def same(found: pd.DataFrame, table: pd.DataFrame) -> None:
    assert (found["timestamp"] == table["timestamp"].dt.as_unit("ns").to_numpy()).all()
    assert (found[COLUMNS].to_numpy() == table[COLUMNS].to_numpy()).all()
    assert len(found) == len(table)


def test_spy_in_ninjatrader_s_text(farm: Farm, folder: Path) -> None:
    table = real("SPY_1m_ninjatrader_2011")
    (folder / "SPY.txt").write_text(text(table, table["timestamp"] + pd.Timedelta("1min")))
    assert farm("data", "import", "ninjatrader", "SPY.txt", "--symbol", "SPY", "--to", "bars").code == 0
    same(pd.read_parquet(folder / "bars" / "SPY.parquet"), table)


def test_a_month_of_filusdt_in_binance_s_zip(farm: Farm, folder: Path) -> None:
    table = real("FILUSDT_perp_1m_binance")
    table = table[(table["timestamp"] >= "2025-04-01") & (table["timestamp"] < "2025-05-01")].reset_index(drop=True)
    since_1970 = table["timestamp"].dt.as_unit("us").astype("int64")
    lines = "".join(
        f"{at},{row.open},{row.high},{row.low},{row.close},{row.volume},{at + 59_999_999},0,{row.trades},"
        f"{row.taker_buy_volume},0,0\n"
        for at, row in zip(since_1970, table.itertuples(), strict=True)
    )
    with zipfile.ZipFile(folder / "FILUSDT-1m-2025-04.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("FILUSDT-1m-2025-04.csv", lines)
    options = ("--symbol", "FILUSDT", "--to", "bars", "--timeframe", "1min")
    assert farm("data", "import", "binance", "FILUSDT-1m-2025-04.zip", *options).code == 0
    found = pd.read_parquet(folder / "bars" / "FILUSDT.parquet")
    same(found, table)
    assert (found[["trades", "taker_buy_volume"]].to_numpy() == table[["trades", "taker_buy_volume"]].to_numpy()).all()


def test_eurusd_in_histdata_s_text_and_the_clock_that_it_really_shows(farm: Farm, folder: Path) -> None:
    table = real("EURUSD_fx_1m_histdata_201701_201704")
    (folder / "EURUSD.csv").write_text(text(table, table["timestamp"].dt.tz_convert("Etc/GMT+5")))
    ask = ("data", "import", "histdata", "EURUSD.csv", "--symbol", "EURUSD", "--to")
    assert farm(*ask, "documented").code == 0
    same(pd.read_parquet(folder / "documented" / "EURUSD.parquet"), table)
    # HistData documents winter time all year; from 12 March on this file's weeks end an hour late by it.
    assert describe(folder / "documented" / "EURUSD.parquet").outside_session > 100
    assert farm(*ask, "new_york", "--zone", "America/New_York").code == 0
    assert describe(folder / "new_york" / "EURUSD.parquet").outside_session == 0


def test_rows_of_another_file_and_shifted_columns_fit_no_layout(farm: Farm, folder: Path) -> None:
    dirty = Path(os.environ["FARM_DATA"]) / "dirty" / "ZICOM_raw_with_robots_rows.csv.gz"
    header, robots = "line 1: 'id,date,time,open,high,low,close,volume'", "line 2: 'User-agent: *,robots.txt,,,,,,'"
    for layout, found in {"binance": header, "ninjatrader": header, "yfinance": robots}.items():
        ended = farm("data", "import", layout, str(dirty), "--symbol", "ZICOM", "--to", "bars", "--timeframe", "1d")
        assert ended.code == 2
        assert f"{dirty}, {found} is not {layout}" in ended.err
        assert not (folder / "bars").exists()
