"""A folder to work in, the command line in this process, and bars as each vendor writes them."""

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from farm.cli import main

BINANCE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
MT5_HEADER = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>"


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def farm(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Runs ``farm`` with these arguments."""

    def command(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def bars() -> Callable[..., pd.DataFrame]:
    """Makes bars with prices of two decimals; ``timestamp`` is their open in UTC."""

    def make(start: str, n: int = 30, step: str = "1min") -> pd.DataFrame:
        rng = np.random.default_rng(n)
        close = 100 + np.cumsum(rng.integers(-20, 21, n)) / 100
        open_ = np.concatenate([[100.0], close[:-1]])
        return pd.DataFrame(
            {
                "timestamp": pd.date_range(start, periods=n, freq=step, tz="UTC"),
                "open": np.round(open_, 2),
                "high": np.round(np.maximum(open_, close) + rng.integers(0, 9, n) / 100, 2),
                "low": np.round(np.minimum(open_, close) - rng.integers(0, 9, n) / 100, 2),
                "close": np.round(close, 2),
                "volume": rng.integers(1, 999, n).astype(float),
            }
        )

    return make


def _values(row: Any) -> list[str]:
    return [f"{value:.2f}" for value in (row.open, row.high, row.low, row.close)]


def binance(table: pd.DataFrame, unit: str = "ms", header: bool = False) -> list[str]:
    since_1970 = table["timestamp"].dt.as_unit(unit).astype("int64")
    lines = [BINANCE_HEADER] if header else []
    for at, row in zip(since_1970, table.itertuples(), strict=True):
        lines.append(",".join([str(at), *_values(row), f"{row.volume:g}", str(at + 1), "7.5", "11", "3.25", "2", "0"]))
    return lines


def semicolons(table: pd.DataFrame, zone: str, shift: str = "0min", pattern: str = "%Y%m%d %H%M%S") -> list[str]:
    wall = (table["timestamp"] + pd.Timedelta(shift)).dt.tz_convert(zone).dt.strftime(pattern)
    return [";".join([at, *_values(row), f"{row.volume:g}"]) for at, row in zip(wall, table.itertuples(), strict=True)]


def mt5(table: pd.DataFrame, zone: str = "Europe/Athens", daily: bool = False) -> list[str]:
    wall = table["timestamp"].dt.tz_convert("UTC" if daily else zone)
    times = wall.dt.strftime("%Y.%m.%d" if daily else "%Y.%m.%d\t%H:%M:%S")
    lines = [MT5_HEADER.replace("<TIME>\t", "") if daily else MT5_HEADER]
    for at, row in zip(times, table.itertuples(), strict=True):
        lines.append("\t".join([at, *_values(row), f"{row.volume:g}", "0", "12"]))
    return lines


ISO_NANOSECONDS = "%Y-%m-%dT%H:%M:%S.000000000Z"


def databento(
    table: pd.DataFrame, pretty: bool = False, symbols: Sequence[str] = ("ESH4",), iso: str = ISO_NANOSECONDS
) -> list[str]:
    lines = ["ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol"]
    for row in table.itertuples():
        at = row.timestamp.strftime(iso) if pretty else str(row.timestamp.as_unit("ns").value)
        prices = [f"{value}0000000" if pretty else f"{round(float(value) * 100)}0000000" for value in _values(row)]
        for number, symbol in enumerate(symbols):
            lines.append(",".join([at, "33", "1", str(number), *prices, f"{row.volume:g}", symbol]))
    return lines


def yfinance(table: pd.DataFrame, factor: float | None = None, zone: str | None = None) -> list[str]:
    lines = ["Date,Open,High,Low,Close,Adj Close,Volume" if factor else "Date,Open,High,Low,Close,Volume"]
    for row in table.itertuples():
        at = row.timestamp.strftime("%Y-%m-%d") + (f" 00:00:00{zone}" if zone else "")
        adjusted = [repr(row.close * factor)] if factor else []
        lines.append(",".join([at, *_values(row), *adjusted, f"{row.volume:g}"]))
    return lines


def lean(table: pd.DataFrame, zone: str = "America/New_York", since_midnight: bool = True) -> list[str]:
    lines = []
    for row in table.itertuples():
        wall = row.timestamp.tz_convert(zone)
        at = str((wall.hour * 60 + wall.minute) * 60_000) if since_midnight else wall.strftime("%Y%m%d %H:%M")
        lines.append(",".join([at, *(f"{float(value) * 10_000:.0f}" for value in _values(row)), f"{row.volume:g}"]))
    return lines


WRITERS = {
    "binance": binance,
    "ninjatrader": lambda table: semicolons(table, "UTC", shift="1min"),
    "histdata": lambda table: semicolons(table, "Etc/GMT+5"),
    "mt5": mt5,
    "databento": databento,
    "yfinance": yfinance,
    "lean": lean,
}


@dataclass(frozen=True)
class Vendors:
    """The writers, and the options that a file of each needs."""

    folder: Path
    needs = {  # noqa: RUF012  # read only
        "binance": ("--timeframe", "1min"),
        "ninjatrader": (),
        "histdata": (),
        "mt5": ("--timeframe", "1min", "--zone", "Europe/Athens"),
        "databento": ("--timeframe", "1min", "--vendor-symbol", "ESH4"),
        "yfinance": (),
        "lean": ("--timeframe", "1min"),
    }

    def lines(self, layout: str, table: pd.DataFrame, **how: Any) -> list[str]:
        return WRITERS[layout](table, **how)

    def semicolons(self, table: pd.DataFrame, zone: str, **how: Any) -> list[str]:
        return semicolons(table, zone, **how)

    def write(self, lines: Sequence[str], name: str) -> str:
        text = "".join(f"{line}\n" for line in lines)
        if name.endswith(".zip"):
            with zipfile.ZipFile(self.folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(name.replace(".zip", ".csv"), text)
        else:
            (self.folder / name).write_text(text)
        return name


@pytest.fixture
def vendors(folder: Path) -> Vendors:
    return Vendors(folder)
