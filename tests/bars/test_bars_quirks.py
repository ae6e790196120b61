"""What is odd about bars that break no rule is said, and nothing is said where nothing is odd."""

import numpy as np
import pandas as pd

from farm.bars import CsvBars, Loaded
from farm.bars.quirks import gaps, quirks

HOURS = pd.date_range("2024-01-01", periods=24 * 120, freq="1h", tz="UTC")


def read(folder, volume: np.ndarray, height: float = 0.5, keep: np.ndarray | None = None, **given) -> Loaded:
    price = 100 + np.sin(np.arange(len(HOURS)) / 50)
    columns = {"open": price, "high": price + height, "low": price - height, "close": price, "volume": volume}
    table = pd.DataFrame({"time": HOURS, **columns})
    table = table if keep is None else table[keep]
    table.to_csv(folder / "SYN.csv", index=False)
    settings = {"path": str(folder / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1h", "stamp": "open"}
    return CsvBars(**(settings | given)).read("SYN")


def busy(seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(3, 1, len(HOURS))


def test_an_ordinary_market_has_no_quirk(tmp_path):
    loaded = read(tmp_path, busy())
    assert quirks(loaded) == ()
    assert gaps(loaded) == "0 closures that the calendar expects, 0 short gaps, 0 holes in the data"


def test_a_volume_in_another_unit_is_named_with_its_month(tmp_path):
    volume = busy() * np.where(HOURS >= "2024-03-01", 1 / 1000, 1)
    (found,) = quirks(read(tmp_path, volume))
    assert found.startswith("volume becomes ")
    assert found.endswith(" times smaller in 2024-03, as if its unit changed")
    assert 500 < float(found.split()[2].replace(",", "")) < 2000


def test_missing_volume_and_flat_bars_are_named(tmp_path):
    assert quirks(read(tmp_path, np.zeros(len(HOURS)), height=0.0)) == ("no volume", "100% of the bars are flat")
    some = np.where(np.arange(len(HOURS)) % 4 == 0, 0.0, busy())
    assert quirks(read(tmp_path, some)) == ("no volume in 25% of the bars",)


def test_gaps_are_told_from_holes_and_filled_bars_are_counted(tmp_path):
    keep = np.ones(len(HOURS), dtype=bool)
    keep[[50, 200, *range(500, 548)]] = False
    loaded = read(tmp_path, busy(), keep=keep, max_gap="4h", gaps={"kind": "forward", "max": "1h"})
    assert gaps(loaded) == (
        "0 closures that the calendar expects, 2 short gaps (2.0 h of open market), "
        "1 hole in the data (48.0 h of open market)"
    )
    assert quirks(loaded) == ("2 filled bars beside them",)
