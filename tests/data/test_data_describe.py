"""A description says what is in a file, and what is odd about it, without repairing anything."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from farm.data.describe import describe

Farm = Callable[..., Any]
DECLARED = ("--timeframe", "1min", "--stamp", "open")


@pytest.fixture
def odd(bars: Any, folder: Path) -> Path:
    """Ninety minutes: a hole of three hours, two flat bars, four without volume, a copy, one off the grid, a split."""
    table = pd.concat([bars("2024-03-08 10:00", 60), bars("2024-03-08 14:00", 30)], ignore_index=True)
    table.loc[[5, 6], ["open", "high", "low", "close"]] = 100.0
    table.loc[70:, ["open", "high", "low", "close"]] /= 4
    table.loc[10:13, "volume"] = 0.0
    stray = table.iloc[[20]].assign(timestamp=table["timestamp"].iloc[20] + pd.Timedelta("30s"))
    table = pd.concat([table[:21], stray, table[21:40], table[39:]], ignore_index=True)
    path = folder / "SYN-ODD.csv"
    table.assign(timestamp=table["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), trades=1).to_csv(path, index=False)
    return path


def test_holes_quirks_and_bad_rows_are_counted(odd: Path) -> None:
    found = describe(odd, timeframe="1min", stamp="open")
    assert (found.rows, found.n_bars) == (92, 90)
    assert (found.first, found.last) == ("2024-03-08T10:00:00Z", "2024-03-08T14:30:00Z")
    assert (found.sessions, found.sessions_open, found.segments, found.holes) == (1, 1, 2, 1)
    hole = found.largest_holes[0]
    assert (hole.start, hole.end, hole.trading_hours) == ("2024-03-08T11:00:00Z", "2024-03-08T14:00:00Z", 3.0)
    assert found.missing_share == pytest.approx(180 / 270)
    assert found.zero_volume == pytest.approx(4 / 90)
    assert found.flat >= 2 / 90
    assert len(found.jumps) == 1
    assert "2024-03-08T14:10:00Z" in found.jumps[0]
    assert found.largest_moves[0].time == "2024-03-08T14:10:00Z"
    assert found.largest_moves[0].move == pytest.approx(-0.75, abs=0.01)
    assert {kind.what: kind.rows for kind in found.bad_rows} == {
        "exact copies of the row before": 1,
        "off the grid of the timeframe": 1,
    }
    assert found.extra_columns == ("trades",)


def test_rows_against_the_contract_are_counted(odd: Path) -> None:
    lines = odd.read_text().splitlines()
    fields = lines[3].split(",")
    lines[3] = ",".join([fields[0], *fields[1:2], "1", *fields[3:]])
    odd.write_text("\n".join(lines))
    found = describe(odd, timeframe="1min", stamp="open")
    assert found.bad_rows[0].what == "against the contract of bars"
    assert "row 3: high 1 is below low" in found.bad_rows[0].first


def test_the_terminal_shows_a_blank_where_there_are_no_bars(odd: Path, farm: Farm) -> None:
    ended = farm("data", "describe", odd.name, *DECLARED)
    assert ended.code == 0
    price = next(line for line in ended.out.splitlines() if line.startswith("  price"))
    assert re.search("[▁-█]{5,} {20,}[▁-█]{3,}", price)
    assert "1 off the grid of the timeframe; the first, row 22" in ended.out


def test_json_holds_all_of_it(odd: Path, farm: Farm) -> None:
    (found,) = json.loads(farm("data", "describe", odd.name, *DECLARED, "--json").out)
    assert found["holes"] == 1
    assert found["bad_rows"][0]["rows"] == 1
    assert "bars" not in found


def test_a_file_without_declarations_asks_for_them(odd: Path, farm: Farm) -> None:
    ended = farm("data", "describe", odd.name)
    assert ended.code == 2
    assert "does not say its timeframe, and no card lies beside it; give --timeframe" in ended.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere.csv", *DECLARED), "nowhere.csv: no such file"),
        (("SYN-ODD.docx", *DECLARED), "is not a data file"),
        (("SYN-ODD.csv", "--timeframe", "1m", "--stamp", "open"), "--timeframe 1m"),
        (("SYN-ODD.csv", "--timeframe", "5min", "--stamp", "open"), "most common step is 60 s"),
        (("SYN-ODD.csv", *DECLARED, "--instrument", "gold"), "instrument 'gold'"),
        (("SYN-ODD.csv", *DECLARED, "--html", "nowhere/page.html"), "there is no folder nowhere"),
    ],
)
def test_bad_input_is_named(odd: Path, farm: Farm, folder: Path, arguments: tuple[str, ...], told: str) -> None:
    before = set(folder.rglob("*"))
    ended = farm("data", "describe", *arguments)
    assert ended.code == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert set(folder.rglob("*")) == before


def test_a_card_declares_the_file_beside_it(farm: Farm, vendors: Any, bars: Any, folder: Path) -> None:
    name = vendors.write(vendors.lines("histdata", bars("2024-03-08 14:30", 40)), "one.csv")
    options = ("--symbol", "gold", "--to", "bars", "--instrument", "synthetic")
    assert farm("data", "import", "histdata", name, *options).code == 0
    ended = farm("data", "describe", "bars/gold.parquet")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("bars/gold.parquet: 40 bars of 1min, synthetic (always)")
    assert "gold.card.yaml" in ended.out

    data = folder / "bars" / "gold.parquet"
    pd.read_parquet(data)[:30].to_parquet(data)
    ended = farm("data", "describe", "bars/gold.parquet")
    assert ended.code == 2
    assert "is not the file that gold.card.yaml describes" in ended.err


def test_the_page_holds_every_file_and_needs_no_network(odd: Path, farm: Farm, folder: Path) -> None:
    other = folder / "SYN-<b>.csv"
    other.write_bytes(odd.read_bytes())
    assert farm("data", "describe", odd.name, other.name, *DECLARED, "--html", "page.html").code == 0
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "<h1>SYN-ODD</h1>" in page
    assert "<h1>SYN-&lt;b&gt;</h1>" in page
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page)
    plots = json.loads(re.search(r'id="plots">(.*?)</script>', page)[1])  # type: ignore[index]  # it matches
    assert len(plots) == 2
    assert plots[0]["holes"] == [["2024-03-08T11:00:00Z", "2024-03-08T14:00:00Z"]]
    assert sum(volume or 0 for volume in plots[0]["volume"]) == pd.read_csv(odd).drop(index=[21, 41])["volume"].sum()
    assert farm("data", "describe", odd.name, other.name, *DECLARED, "--html", "again.html").code == 0
    assert (folder / "again.html").read_text(encoding="utf-8") == page
