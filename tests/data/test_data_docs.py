"""The page about data does what it says: its commands are run, one after another, on files as a vendor names them."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from farm.data import LAYOUTS

PAGE = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
DAYS = 8


def commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]


def test_every_command_of_the_page_works(
    farm: Callable[..., Any], vendors: Any, bars: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_HOME", str(folder / "home"))
    table = bars(str(pd.Timestamp("2025-04-01") - pd.Timedelta(days=DAYS // 2)), DAYS * 1440)
    march = table["timestamp"] < "2025-04-01"
    vendors.write(vendors.lines("binance", table[march], unit="us"), "FILUSDT-1m-2025-03.zip")
    vendors.write(vendors.lines("binance", table[~march], unit="us"), "FILUSDT-1m-2025-04.zip")
    (experiment,) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (folder / "filusdt.yaml").write_text(experiment + "execution: {on: process}\ntrack: null\n")
    tried = commands()
    assert [one[0] for one in tried] == ["data", "data", "check", "plan", "run"]
    for arguments in tried:
        ended = farm(*arguments)
        assert ended.code == 0, ended.err
    assert (folder / "FILUSDT.html").is_file()
    assert (folder / "home" / "runs" / "filusdt").is_dir()


def test_the_page_lists_every_layout() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE) == sorted(LAYOUTS)
