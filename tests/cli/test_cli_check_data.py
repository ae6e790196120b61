"""``farm check`` of a data file alone: what the file does not say is asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Farm = Callable[..., Any]
HEADER = "time,open,high,low,close,volume\n"
ROWS = "".join(f"2021-03-01T00:{minute:02d}:00{{zone}},10,12,9,11,5\n" for minute in range(30))
SOUND = HEADER + ROWS.format(zone="Z")


@pytest.fixture
def data(home: Path) -> Callable[[str, str], str]:
    def write(text: str, name: str = "SYN-X.csv") -> str:
        (home.parent / name).write_text(text)
        return name

    return write


def test_a_sound_file_is_counted(farm: Farm, data: Callable[..., str], home: Path) -> None:
    ended = farm("check", data(SOUND), "--timeframe", "1min", "--stamp", "open")
    assert ended.code == 0
    assert ended.out.startswith("SYN-X.csv: 30 of 30 rows are bars of synthetic in 1 sessions and 1 segment;")
    assert not home.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--stamp", "open"), "SYN-X.csv: a data file does not say its timeframe; give --timeframe"),
        (("--timeframe", "1min"), "SYN-X.csv: a data file does not say its stamp; give"),
        (("--timeframe", "1m", "--stamp", "open"), "--timeframe 1m: timeframe '1m' is not a length"),
        (("--timeframe", "1min", "--stamp", "middle"), "--stamp middle: "),
        (("--timeframe", "1min", "--stamp", "open", "--zone", "Mars"), "--zone Mars: time zone 'Mars' is not known"),
        (("--timeframe", "1min", "--stamp", "open", "--instrument", "gold"), "instrument 'gold'"),
        (("--timeframe", "5min", "--stamp", "open"), "most common step is 60 s"),
    ],
)
def test_what_is_wrong_or_not_said_is_named(
    farm: Farm, data: Callable[..., str], options: tuple[str, ...], told: str
) -> None:
    ended = farm("check", data(SOUND), *options)
    assert ended.code == 2
    assert told in ended.err


def test_naive_times_need_a_zone(farm: Farm, data: Callable[..., str]) -> None:
    name = data(HEADER + ROWS.format(zone=""))
    assert "carry no zone" in farm("check", name, "--timeframe", "1min", "--stamp", "open").err
    assert farm("check", name, "--timeframe", "1min", "--stamp", "open", "--zone", "Asia/Kolkata").code == 0


def test_a_name_that_fits_no_instrument_needs_one(farm: Farm, data: Callable[..., str]) -> None:
    name = data(SOUND, "gold.csv")
    ended = farm("check", name, "--timeframe", "1min", "--stamp", "open")
    assert ended.code == 2
    assert "--instrument NAME" in ended.err
    assert farm("check", name, "--timeframe", "1min", "--stamp", "open", "--instrument", "synthetic").code == 0


def test_a_bad_row_is_named(farm: Farm, data: Callable[..., str]) -> None:
    name = data(SOUND.replace("2021-03-01T00:07:00Z,10,12", "2021-03-01T00:07:00Z,10,2"))
    ended = farm("check", name, "--timeframe", "1min", "--stamp", "open")
    assert ended.code == 2
    assert "SYN-X.csv, row 8 (line 9): high 2 is below low 9" in ended.err


def test_a_file_of_another_kind_is_refused(farm: Farm, data: Callable[..., str]) -> None:
    ended = farm("check", data("x", "notes.docx"), "--timeframe", "1min", "--stamp", "open")
    assert ended.code == 2
    assert "notes.docx: is not a file that can be checked" in ended.err


@pytest.mark.parametrize("declared", [(), ("--declared", "catalogue.yaml")])
def test_an_empty_path_is_refused_and_no_folder_is_scanned(
    farm: Farm, data: Callable[..., str], declared: tuple[str, ...]
) -> None:
    data("declarations: [{files: ['*'], bars: {source: csv, timeframe: 1min, stamp: open}}]", "catalogue.yaml")
    ended = farm("check", data(SOUND), "", *declared, "--timeframe", "1min", "--stamp", "open")
    assert (ended.code, ended.out) == (2, "")
    assert "one of the paths is empty" in ended.err
