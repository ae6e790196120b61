"""Several files become one series, and what is written is whole, described, and never over something else unasked."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import farm as farm_package
from farm.bars import ParquetBars
from farm.data import Import, read_card
from farm.data.place import place_files
from farm.errors import BadInput

Farm = Callable[..., Any]
START = "2024-03-08 14:30"


@pytest.fixture
def days(vendors: Any, bars: Any) -> tuple[pd.DataFrame, list[str]]:
    """Forty minutes in two files of HistData's."""
    table = bars(START, 40)
    lines = vendors.lines("histdata", table)
    return table, [vendors.write(lines[:25], "one.csv"), vendors.write(lines[25:], "two.csv")]


def bring(farm: Farm, *files: str, options: tuple[str, ...] = ()) -> Any:
    return farm("data", "import", "histdata", *files, "--symbol", "SYN-X", "--to", "bars", *options)


def names(folder: Path) -> set[str]:
    return {path.name for path in (folder / "bars").iterdir()}


def test_files_are_joined_in_order_of_time_whatever_order_they_are_given_in(
    farm: Farm, days: Any, folder: Path
) -> None:
    table, (one, two) = days
    assert bring(farm, two, one).code == 0
    found = pd.read_parquet(folder / "bars" / "SYN-X.parquet")
    assert found["timestamp"].is_monotonic_increasing
    assert found["close"].tolist() == table["close"].tolist()


def test_the_same_file_twice_is_refused_by_name(farm: Farm, days: Any, folder: Path) -> None:
    _, (one, two) = days
    (folder / "copy.csv").write_bytes((folder / one).read_bytes())
    ended = bring(farm, one, two, "copy.csv")
    assert ended.code == 2
    assert "copy.csv: the same file as one.csv, byte for byte" in ended.err


@pytest.mark.parametrize(("value", "alike"), [(None, "with equal values"), ("7", "with other values")])
def test_overlapping_files_are_refused_by_name(
    value: str | None, alike: str, farm: Farm, vendors: Any, bars: Any
) -> None:
    lines = vendors.lines("histdata", bars(START, 40))
    later = [f"{line.rpartition(';')[0]};{value}" if value else line for line in lines[20:]]
    ended = bring(farm, vendors.write(lines[:25], "one.csv"), vendors.write(later, "two.csv"))
    assert ended.code == 2
    assert "two.csv: begins at 2024-03-08T14:50:00 UTC, before one.csv ends at 2024-03-08T14:54:00 UTC" in ended.err
    assert f"5 bars are in both, {alike}" in ended.err


def test_one_bar_in_two_files_is_an_overlap(farm: Farm, vendors: Any, bars: Any) -> None:
    lines = vendors.lines("histdata", bars(START, 40))
    ended = bring(farm, vendors.write(lines[:21], "one.csv"), vendors.write(lines[20:], "two.csv"))
    assert ended.code == 2
    assert "1 bar is in both, with equal values" in ended.err


def test_a_file_inside_a_hole_of_another_is_refused(farm: Farm, vendors: Any, bars: Any) -> None:
    lines = vendors.lines("histdata", bars(START, 40))
    outer = vendors.write(lines[:10] + lines[20:], "outer.csv")
    ended = bring(farm, outer, vendors.write(lines[12:15], "inner.csv"))
    assert ended.code == 2
    assert "no bar is in both" in ended.err


def test_the_same_files_give_the_same_bytes(farm: Farm, days: Any, folder: Path) -> None:
    _, files = days
    assert bring(farm, *files, options=("--dvc",)).code == 0
    first = {path.name: path.read_bytes() for path in (folder / "bars").iterdir()}
    assert bring(farm, *files, options=("--dvc",)).code == 0  # the same again is no other file
    assert {path.name: path.read_bytes() for path in (folder / "bars").iterdir()} == first
    assert set(first) == {"SYN-X.parquet", "SYN-X.card.yaml", "SYN-X.parquet.dvc"}


def test_another_file_is_written_over_only_when_asked(farm: Farm, days: Any, folder: Path) -> None:
    _, (one, two) = days
    assert bring(farm, one).code == 0
    before = (folder / "bars" / "SYN-X.parquet").read_bytes()
    ended = bring(farm, one, two)
    assert ended.code == 2
    assert "SYN-X.parquet: exists and holds something else; write over it by --replace" in ended.err
    assert (folder / "bars" / "SYN-X.parquet").read_bytes() == before
    assert bring(farm, one, two, options=("--replace",)).code == 0
    assert read_card(folder / "bars" / "SYN-X.card.yaml").rows.written == 40


def test_a_card_that_would_change_is_kept_too(farm: Farm, days: Any, folder: Path) -> None:
    _, files = days
    assert bring(farm, *files, options=("--licence", "free")).code == 0
    ended = bring(farm, *files)
    assert ended.code == 2
    assert "SYN-X.card.yaml: exists and holds something else" in ended.err


def test_the_card_says_where_the_bars_come_from(farm: Farm, days: Any, folder: Path) -> None:
    table, files = days
    said = ("--source", "histdata.com, EURUSD 2024", "--licence", "personal use", "--acquired", "2026-01-31")
    assert bring(farm, *files, options=said).code == 0
    data = folder / "bars" / "SYN-X.parquet"
    card = read_card(folder / "bars" / "SYN-X.card.yaml")
    assert card.sha256 == hashlib.sha256(data.read_bytes()).hexdigest()
    assert card.size == data.stat().st_size
    assert [(one.file, one.rows) for one in card.files] == [("one.csv", 25), ("two.csv", 15)]
    assert card.files[0].sha256 == hashlib.sha256((folder / "one.csv").read_bytes()).hexdigest()
    assert (card.span.first, card.span.last) == ("2024-03-08T14:30:00Z", "2024-03-08T15:09:00Z")
    assert (card.reading.layout, card.reading.zone, card.reading.stamp) == ("histdata", "Etc/GMT+5", "open")
    assert (card.source, card.licence, card.acquired) == ("histdata.com, EURUSD 2024", "personal use", "2026-01-31")
    assert card.farm == farm_package.__version__
    loaded = ParquetBars.model_validate(card.bars).read("SYN-X")
    assert loaded.bars.close.tolist() == table["close"].tolist()
    assert loaded.report.outside_session == 0


def test_what_was_not_said_is_printed(farm: Farm, days: Any) -> None:
    _, files = days
    assert "not said, so as histdata has it: timeframe 1min, stamp open, zone Etc/GMT+5" in bring(farm, *files).out


def test_the_printed_section_is_the_card_s(farm: Farm, days: Any, folder: Path) -> None:
    from ruamel.yaml import YAML

    _, files = days
    printed = bring(farm, *files, options=("--instrument", "synthetic")).out.partition("bars:")
    section = YAML(typ="safe").load("".join(printed[1:]))["bars"]
    assert section == read_card(folder / "bars" / "SYN-X.card.yaml").bars
    assert section["instruments"] == {"SYN-X": "synthetic"}


def test_a_symbol_without_an_instrument_is_noted(farm: Farm, days: Any) -> None:
    _, files = days
    ended = farm("data", "import", "histdata", *files, "--symbol", "UNHEARD", "--to", "bars")
    assert ended.code == 0
    assert "note: symbol UNHEARD fits no instrument" in ended.out


def test_a_symbol_with_a_dot_keeps_its_own_card(farm: Farm, days: Any, folder: Path) -> None:
    _, (one, two) = days
    for symbol, file in (("BRK.A", one), ("BRK.B", two)):
        options = ("--symbol", symbol, "--to", "bars", "--instrument", "us_equity")
        assert farm("data", "import", "histdata", file, *options).code == 0
    assert read_card(folder / "bars" / "BRK.A.card.yaml").symbol == "BRK.A"
    assert farm("data", "describe", "bars/BRK.B.parquet").out.startswith(
        "bars/BRK.B.parquet: 15 bars of 1min, us_equity"
    )


def test_the_pointer_is_what_dvc_writes(farm: Farm, days: Any, folder: Path) -> None:
    _, files = days
    assert bring(farm, *files, options=("--dvc",)).code == 0
    content = (folder / "bars" / "SYN-X.parquet").read_bytes()
    digest = hashlib.md5(content).hexdigest()
    assert (folder / "bars" / "SYN-X.parquet.dvc").read_text() == (
        f"outs:\n- md5: {digest}\n  size: {len(content)}\n  hash: md5\n  path: SYN-X.parquet\n"
    )


def test_bad_rows_are_dropped_and_listed_when_asked(farm: Farm, vendors: Any, bars: Any, folder: Path) -> None:
    lines = vendors.lines("histdata", bars(START, 40))
    lines[4] = "20240308 093400;n/a;1;1;1;1"
    lines[9] = lines[8]
    ended = bring(farm, vendors.write(lines, "one.csv"), options=("--on-bad-rows", "quarantine"))
    assert ended.code == 0
    assert "2 bad rows were dropped; the first: one.csv, row 5: open 'n/a' is not a number" in ended.out
    card = read_card(folder / "bars" / "SYN-X.card.yaml")
    assert [(bad.row, bad.rule) for bad in card.dropped] == [
        (5, "open 'n/a' is not a number"),
        (10, "is an exact copy of the row before"),
    ]
    assert (card.rows.read, card.rows.dropped, card.rows.written) == (40, 2, 38)


def test_extra_columns_stay_beside_their_rows_when_some_are_dropped(
    farm: Farm, vendors: Any, bars: Any, folder: Path
) -> None:
    table = bars(START, 12)
    lines = vendors.lines("binance", table)
    lines = [",".join([*line.split(",")[:8], str(number), *line.split(",")[9:]]) for number, line in enumerate(lines)]
    lines[3] = lines[3].replace(lines[3].split(",")[1], "-5", 1)
    name = vendors.write(lines, "one.csv")
    options = ("--timeframe", "1min", "--on-bad-rows", "quarantine")
    assert farm("data", "import", "binance", name, "--symbol", "SYN-X", "--to", "bars", *options).code == 0
    assert pd.read_parquet(folder / "bars" / "SYN-X.parquet")["trades"].tolist() == [0, 1, 2, *range(4, 12)]


@pytest.mark.parametrize("command", ["import", "describe"])
def test_the_commands_explain_themselves_within_80_columns(command: str, farm: Farm) -> None:
    ended = farm("data", command, "--help")
    assert ended.code == 0
    assert f"farm data {command} " in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_long_import_tells_a_log_where_it_is(farm: Farm, days: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.commands.data._LINE_EVERY", 0.0)
    _, files = days
    assert bring(farm, *files).err.splitlines() == ["reading 1: one.csv", "reading 2: two.csv"]


def test_progress_names_every_file_before_it_is_read(days: Any, folder: Path) -> None:
    heard: list[str] = []
    wanted = Import(layout="histdata", files=(Path("two.csv"), Path("one.csv")), symbol="SYN-X", to=Path("bars"))
    wanted.run(heard.append)
    assert heard == ["two.csv", "one.csv"]


def test_files_that_cannot_all_be_written_are_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[Path] = []
    write = Path.write_bytes

    def full_disk(path: Path, content: bytes) -> int:
        writes.append(path)
        if len(writes) > 1:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(BadInput, match="No space left"):
        place_files(folder / "bars", {"a": b"1", "b": b"2"}, replace=False)
    assert names(folder) == set()


def test_a_card_that_is_none_is_named(folder: Path) -> None:
    (folder / "a.card.yaml").write_text("symbol: X\n")
    with pytest.raises(BadInput, match=r"a\.card\.yaml: file: Field required; a card is written by farm data import"):
        read_card(folder / "a.card.yaml")
