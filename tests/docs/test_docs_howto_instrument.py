"""The page about a new instrument does what it says: one file, and its bars are checked and its money is right."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from farm.bars import CsvBars
from farm.bars.instrument import instrument_for
from farm.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "howto-instrument.md").read_text(encoding="utf-8")
FILE, SECTION = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
(MONEY,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's instrument and two sessions of its bars, opening at 08:00 in Berlin."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "eurex_dax_mini.yaml").write_text(FILE, encoding="utf-8")
    times = pd.concat(
        [pd.Series(pd.date_range(f"2024-01-0{day} 07:00", periods=840, freq="min", tz="UTC")) for day in (3, 4)]
    )
    price = 16_500 + np.cumsum(np.random.default_rng(0).integers(-2, 3, len(times)))
    bars = pd.DataFrame(
        {"time": times, "open": price, "high": price + 1, "low": price - 1, "close": price, "volume": 9}
    )
    bars.to_csv(tmp_path / "FDXM_2024.csv", index=False)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_page_s_check_accepts_its_bars(capsys: pytest.CaptureFixture[str]) -> None:
    options = re.search(r"`farm check FILE (--instrument.*?)`", PAGE)
    assert options is not None
    with pytest.raises(SystemExit) as ended:
        main(["check", "FDXM_2024.csv", *options[1].split()])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0, said
    assert "1,680 of 1,680 rows are bars of eurex_dax_mini in 2 sessions and 1 segment; 0 outside" in said


@pytest.mark.usefixtures("folder")
def test_the_page_s_section_finds_the_file() -> None:
    from ruamel.yaml import YAML

    section = YAML(typ="safe").load(SECTION)["bars"]
    source = CsvBars(path="{symbol}.csv", symbols=("FDXM_2024",), timeframe="1min", stamp="open", **section)
    assert source.read("FDXM_2024").instrument.name == "eurex_dax_mini"


@pytest.mark.usefixtures("folder")
def test_the_page_s_money_is_right() -> None:
    exec(compile(MONEY, "docs/howto-instrument.md", "exec"), {})  # its assertions are the test


def test_in_the_folder_of_instruments_the_pattern_chooses_it(folder: Path) -> None:
    assert instrument_for("FDXM_2024", None, folder).name == "eurex_dax_mini"
