"""Every result resolves to the card of its data in one command."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from farm.bars import SyntheticBars
from farm.cli import main
from farm.config import Experiment
from farm.data import Card, card_path
from farm.run import run
from farm.run.cards import cards_of


@pytest.fixture
def data(tmp_path: Path) -> Path:
    bars = SyntheticBars(markets={"SYN": {}}, timeframe="1h", years=1).read("SYN").bars
    columns = {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}
    time = pa.array(bars.open_time, pa.timestamp("ns", tz="UTC"))
    file = tmp_path / "SYN-A.parquet"
    pq.write_table(pa.table({"time": time, **columns}), file)
    return file


@pytest.fixture
def card(data: Path) -> Card:
    """A card that lies beside the data."""
    card = Card.model_validate(
        {
            "symbol": "SYN-A", "file": data.name, "sha256": "a" * 64, "size": data.stat().st_size,
            "columns": ["time", "open", "high", "low", "close", "volume"],
            "span": {"first": "2020-01-01T00:00:00Z", "last": "2020-12-30T23:00:00Z"},
            "rows": {"read": 8760, "of_other_symbols": 0, "dropped": 0, "written": 8760},
            "reading": {
                "layout": "plain", "described_at": "", "timeframe": "1h", "stamp": "open", "zone": "UTC",
                "prices": None, "price_divisors": [1.0], "on_bad_rows": "stop",
            },
            "files": [{"file": "vendor.csv", "sha256": "b" * 64, "size": 1000, "rows": 8760}], "dropped": [],
            "source": "a vendor", "licence": "ours alone", "acquired": "2026-01-31", "farm": "1.0", "bars": {},
        }
    )  # fmt: skip
    card_path(data).write_text(card.text(), encoding="utf-8")
    return card


def experiment(data: Path, **changes: Any) -> Experiment:
    bars = {
        "source": "parquet", "path": str(data.parent / "{symbol}.parquet"), "symbols": ["SYN-A"], "timeframe": "1h",
        "stamp": "open",
    }  # fmt: skip
    values: dict[str, Any] = {
        "name": "carded",
        "seed": 1,
        "home": str(data.parent / "home"),
        "bars": bars,
        "decisions": {"timeframe": "1h", "events": {"kind": "cusum", "threshold": 1.5}},
        "features": {"preset": "small"},
        "labels": {"kind": "triple_barrier", "up": 1.5, "down": 1.5, "max_bars": 12},
        "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0},
        "models": {"bayes": {"uses": "sklearn.naive_bayes.GaussianNB"}},
        "backtest": {"capital": 100000},
        "execution": {"on": "process"},
        "track": None,
    }
    return Experiment.model_validate({**values, **changes})


def test_a_run_keeps_the_card_of_its_data_and_one_command_shows_it(
    data: Path, card: Card, capsys: pytest.CaptureFixture[str]
) -> None:
    finished = run(experiment(data)).folder
    kept = finished.manifest()["cards"]["SYN-A"]
    assert kept == {"path": str(card_path(data)), **card.model_dump(mode="json")}
    card_path(data).unlink()  # the manifest tells it all the same
    with pytest.raises(SystemExit) as end:
        main(["data", "card", finished.run_id, "--home", str(data.parent / "home")])
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out) == {"SYN-A": kept}


def test_data_without_a_card_have_none(data: Path) -> None:
    assert cards_of(experiment(data)) == {}


def test_a_card_of_another_file_says_so(data: Path, card: Card) -> None:
    pq.write_table(pq.read_table(data).slice(10), data)
    told = cards_of(experiment(data))["SYN-A"]
    assert told["problem"] == f"it is of a file of {card.size} bytes, and {data} has {data.stat().st_size}"
    assert told["source"] == "a vendor"


def test_a_card_that_is_none_is_told_and_stops_nothing(data: Path) -> None:
    card_path(data).write_text("symbol: SYN-A\n", encoding="utf-8")
    assert "a card is written by farm data import" in cards_of(experiment(data))["SYN-A"]["problem"]


def test_artificial_markets_have_no_card(data: Path) -> None:
    markets = {"source": "synthetic", "timeframe": "1h", "years": 1, "markets": {"SYN-A": {}}}
    assert cards_of(experiment(data, bars=markets)) == {}


def test_a_study_that_is_none_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = str(data.parent / "home")
    run(experiment(data))
    for arguments, code, said in (
        (["carded"], 0, "its data have no card; farm data import makes one"),
        (["carded", "--symbol", "SYN-Z"], 2, "no study of SYN-Z; there are SYN-A"),
    ):
        with pytest.raises(SystemExit) as end:
            main(["data", "card", *arguments, "--home", home])
        assert end.value.code == code
        assert said in "".join(capsys.readouterr())
