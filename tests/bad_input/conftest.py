"""Valid experiments and data files, to be broken one at a time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from farm.cli import main

EXPERIMENT = """\
name: sound
seed: 7
bars:
{bars}
decisions: {timeframe: 15min, events: {kind: cusum, threshold: 1}, limit: 20000}
features: {preset: small, timeframes: [1h], keep: 10}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 8}
folds: {kind: cpcv, groups: 4, test_groups: 2, embargo: 5 bars, lockbox: 0.1}
models:
  linear: {uses: logistic, params: {C: 1.0}}
stack: {nesting: pairs, steps: [{kind: calibrate}, {kind: combine}]}
backtest: {costs: instrument, capital: 100000}
execution: {on: process}
track: null
"""

SYNTHETIC = "  {source: synthetic, years: 0.1, markets: {SYN-A: {edge: 0.2}}}"
FILE = """\
  source: KIND
  path: ./{symbol}.KIND
  symbols: [SYN-BARS]
  timeframe: 5min
  stamp: open"""


@dataclass
class Case:
    """One experiment in a folder of its own, with its data file where it reads one."""

    folder: Path
    text: str
    data: Path | None = None
    sets: list[str] = field(default_factory=list)
    absent: bool = False

    @property
    def file(self) -> Path:
        return self.folder / "experiment.yaml"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def replace(self, old: str, new: str) -> None:
        assert old in self.text, f"{old!r} does not stand in the experiment"
        self.text = self.text.replace(old, new)

    def lines(self, change: Callable[[list[str]], list[str]]) -> None:
        """Change the lines of the data file; line 0 is the header, line n is row n."""
        assert self.data is not None
        self.data.write_text("\n".join(change(self.data.read_text().splitlines())) + "\n")

    def cell(self, row: int, column: str, value: str) -> None:
        def change(lines: list[str]) -> list[str]:
            cells = lines[row].split(",")
            cells[lines[0].split(",").index(column)] = value
            lines[row] = ",".join(cells)
            return lines

        self.lines(change)

    def table(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Change the table of a Parquet data file."""
        assert self.data is not None
        change(pd.read_parquet(self.data)).to_parquet(self.data)

    def line_of(self, text: str) -> int:
        return next(n for n, line in enumerate(self.text.splitlines(), start=1) if text in line)

    def argv(self, command: str = "run") -> Sequence[str]:
        if not self.absent and not self.file.exists():
            self.file.write_text(self.text, encoding="utf-8")
        return [command, str(self.file), *(part for one in self.sets for part in ("--set", one))]


@pytest.fixture
def invoke() -> Callable[[Sequence[str]], int]:
    """The exit code of the command line, in this process."""

    def exit_code(argv: Sequence[str]) -> int:
        with pytest.raises(SystemExit) as end:
            main(argv)
        assert isinstance(end.value.code, int)
        return end.value.code

    return exit_code


def bars_table(n: int = 4000) -> pd.DataFrame:
    """Sound five-minute bars of one symbol."""
    rng = np.random.default_rng(5)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 1e-3, n))), 2)
    opened = np.append(100.0, close[:-1])
    spread = np.round(rng.exponential(0.05, n), 2)
    return pd.DataFrame(
        {
            "time": pd.date_range("2021-03-01", periods=n, freq="5min", tz="UTC"),
            "open": opened,
            "high": np.round(np.maximum(opened, close) + spread, 2),
            "low": np.round(np.minimum(opened, close) - spread, 2),
            "close": close,
            "volume": rng.integers(1, 100, n).astype(float),
        }
    )


@pytest.fixture(scope="session")
def sound_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same sound bars as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("sound")
    table = bars_table()
    table.to_parquet(folder / "SYN-BARS.parquet")
    table.assign(time=table["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(folder / "SYN-BARS.csv", index=False)
    return folder


@pytest.fixture
def case_of(tmp_path: Path, sound_files: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Case]:
    """Makes the sound case of a kind of source: synthetic, csv or parquet."""

    def make(kind: str) -> Case:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FARM_HOME", str(tmp_path / "home"))
        if kind == "synthetic":
            return Case(tmp_path, EXPERIMENT.replace("{bars}", SYNTHETIC))
        data = tmp_path / f"SYN-BARS.{kind}"
        data.write_bytes((sound_files / data.name).read_bytes())
        return Case(tmp_path, EXPERIMENT.replace("{bars}", FILE.replace("KIND", kind)), data)

    return make
