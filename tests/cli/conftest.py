"""A home, an experiment that runs in a second, and the command line in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from farm.cli import main

TINY = """\
name: tiny
seed: 7
bars: {source: synthetic, years: 0.3, markets: {SYN-A: {edge: 0.2}}}
decisions: {timeframe: 15min, events: {kind: cusum, threshold: 3}}
features: {preset: small, keep: 10}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 12}
folds: {kind: cpcv, groups: 4, test_groups: 2, embargo: 5 bars, lockbox: 0.1}
models:
  linear: {uses: logistic}
backtest: {capital: 100000}
execution: {on: process}
track: null
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it said."""

    code: int
    out: str
    err: str


Farm = Callable[..., Ended]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FARM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path / "home"


@pytest.fixture
def farm(home: Path, capsys: pytest.CaptureFixture[str]) -> Farm:
    """Runs ``farm`` with these arguments."""

    def command(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def tiny(home: Path) -> str:
    """The file name of an experiment that runs in a second."""
    path = home.parent / "tiny.yaml"
    path.write_text(TINY, encoding="utf-8")
    return path.name
