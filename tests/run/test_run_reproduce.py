"""A finished run is built again, byte by byte, or what differs is named."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from farm.bars import SyntheticBars
from farm.cli import main
from farm.config import Experiment
from farm.errors import BadInput
from farm.ledger import BrokenChain, Ledger
from farm.run import run
from farm.run.folder import RunFolder, run_at
from farm.run.reproduce import changed_since, data_changed_since, reproduce

Farm = Callable[..., tuple[int, str, str]]


def experiment(home: Path, data: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "name": "small",
        "seed": 1,
        "home": str(home),
        "bars": {
            "source": "csv",
            "path": f"{data}/{{symbol}}.csv",
            "symbols": ["SYN-BARS"],
            "timeframe": "5min",
            "stamp": "open",
        },
        "decisions": {"timeframe": "15min", "events": {"kind": "cusum", "threshold": 2}},
        "features": {"preset": "small", "keep": 10},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 8},
        "folds": {"kind": "cpcv", "groups": 4},
        "models": {"linear": {"uses": "logistic"}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    bars = SyntheticBars.model_validate({"years": 0.2, "timeframe": "5min", "markets": {"SYN-BARS": {}}}).read(
        "SYN-BARS"
    )
    table = {name: getattr(bars.bars, name) for name in ("open", "high", "low", "close", "volume")}
    time = pd.to_datetime(bars.bars.open_time, utc=True)
    pd.DataFrame({"timestamp": time, **table}).to_csv(folder / "SYN-BARS.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """Three runs on one symbol: what the middle one counted is not what the ledger counts now."""
    home = tmp_path_factory.mktemp("home")
    for name, strength in (("earlier", 0.1), ("middle", 1.0), ("later", 0.01)):
        run(experiment(home, data, name=name, models={"linear": {"uses": "logistic", "params": {"C": strength}}}))
    return home


@pytest.fixture
def farm(home: Path, capsys: pytest.CaptureFixture[str]) -> Farm:
    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--home", str(home)])
        return (end.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def middle(home: Path) -> "Tampered":
    return Tampered(run_at(str(home), "middle"))


class Tampered:
    """A run whose files can be changed, and are put back."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._kept = {path: path.read_bytes() for path in folder.path.iterdir()}

    def manifest(self, *names: str, value: object) -> None:
        changed = self.folder.manifest()
        part = changed
        for name in names[:-1]:
            part = part[name]
        part[names[-1]] = value
        self.folder.write_json("manifest.json", changed)

    def restore(self) -> None:
        for path, content in self._kept.items():
            path.write_bytes(content)


@pytest.fixture(autouse=True)
def _restored(middle: Tampered):
    yield
    middle.restore()


def test_a_run_is_built_again_byte_by_byte_with_the_trials_that_it_counted(
    home: Path, middle: Tampered, farm: Farm, tmp_path: Path
) -> None:
    code, out, _ = farm("reproduce", "middle", "--to", str(tmp_path / "to"))
    assert code == 0
    assert out.splitlines() == [
        f"run {middle.folder.run_id}",
        "oof.parquet: equal",
        "returns.parquet: equal",
        "trials.parquet: equal",
        "summary.json: equal",
        "reproduced: every result file is equal, byte by byte",
    ]
    again = json.loads((run_at(str(tmp_path / "to"), "middle").path / "summary.json").read_text())
    assert again["studies"][0]["raw_trials"] == 2  # the earlier one's and its own, and not the later one's


def test_another_version_of_a_library_of_the_code_or_another_machine_is_named_first(
    middle: Tampered, farm: Farm
) -> None:
    middle.manifest("environment", "libraries", "numpy", value="1.0.0")
    middle.manifest("code", "source", "farm/stats", value="ab" * 16)
    middle.manifest("environment", "cpu", value="Abacus")
    said = [str(difference) for difference in changed_since(middle.folder)]
    assert [line.partition(",")[0] for line in said] == [
        f"code.source.farm/stats: {'ab' * 16} then",
        "libraries.numpy: 1.0.0 then",
        "cpu: Abacus then",
    ]
    code, out, _ = farm("reproduce", "middle")
    assert code == 0
    assert out.splitlines()[1:4] == [f"not as it was: {line}" for line in said]


def test_another_byte_of_the_data_is_named_and_nothing_is_built(middle: Tampered, farm: Farm, data: Path) -> None:
    file = data / "SYN-BARS.csv"
    content = file.read_bytes()
    at = content.rindex(b".")
    file.write_bytes(content[: at + 1] + (b"1" if content[at + 1 : at + 2] != b"1" else b"2") + content[at + 2 :])
    try:
        (difference,) = data_changed_since(middle.folder)
        assert difference.what == "data of SYN-BARS"
        assert difference.then == middle.folder.manifest()["data"]["SYN-BARS"]
        code, out, _ = farm("reproduce", "middle")
    finally:
        file.write_bytes(content)
    assert code == 1
    assert f"not as it was: {difference}" in out
    assert "not built again" in out


def test_results_that_are_not_what_the_run_makes_are_named(middle: Tampered, farm: Farm) -> None:
    path = middle.folder.path / "returns.parquet"
    table = pq.read_table(path)
    net = table["net"].to_numpy().copy()
    net[3] += 1e-12
    pq.write_table(table.set_column(table.column_names.index("net"), "net", [net]), path, compression="zstd")
    summary = json.loads((middle.folder.path / "summary.json").read_text())
    summary["studies"][0]["raw_trials"] = 1
    middle.folder.write_json("summary.json", summary)
    code, out, _ = farm("reproduce", "middle")
    assert code == 1
    assert "oof.parquet: equal" in out
    assert "returns.parquet: differs: column net has other values" in out
    assert "summary.json: differs: studies[0].raw_trials: 1 then, 2 now" in out
    assert "recorded as the same" in out


def test_a_ledger_that_lost_what_the_run_counted_is_told(home: Path, middle: Tampered, tmp_path: Path) -> None:
    study = "earlier/SYN-BARS"
    middle.manifest("history", study, value="ab" * 32)
    with pytest.raises(BrokenChain, match=f"study {study!r} .*is not in the chain"):
        reproduce(middle.folder, str(home), str(tmp_path / "to"))
    assert Ledger(str(home), study).verify() == []


def test_a_home_that_is_not_empty_is_refused(home: Path, middle: Tampered) -> None:
    with pytest.raises(BadInput, match="is not empty"):
        reproduce(middle.folder, str(home), str(home))


def test_a_run_that_did_not_finish_is_refused(home: Path, middle: Tampered, tmp_path: Path) -> None:
    middle.manifest("status", value="running")
    with pytest.raises(BadInput, match="did not finish"):
        reproduce(middle.folder, str(home), str(tmp_path / "to"))
