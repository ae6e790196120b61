"""A folder of data files and what is declared of them: what differs is named, file by file, and ends with 2."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Invoke = Callable[[Sequence[str]], int]

SOUND = "  - {files: [SYN-A.csv], bars: {source: csv, timeframe: 5min, stamp: open}}\n"
SPLIT = """\
  - files: [SYN-SPLIT.csv]
    bars: {source: csv, timeframe: 5min, stamp: open}
    refused: [unadjusted split, "ratio: 4}"]
"""


@pytest.fixture
def folder(tmp_path: Path, sound_files: Path) -> Path:
    """A sound file, and the same bars with a split in them."""
    data = tmp_path / "data"
    data.mkdir()
    lines = (sound_files / "SYN-BARS.csv").read_text().splitlines()
    (data / "SYN-A.csv").write_text("\n".join(lines) + "\n")
    (data / "README.md").write_text("no data")
    quarter = [
        ",".join([cells[0], *(f"{float(price) / 4:.4f}" for price in cells[1:5]), cells[5]])
        for cells in (line.split(",") for line in lines[3000:])
    ]
    (data / "SYN-SPLIT.csv").write_text("\n".join([*lines[:3000], *quarter]) + "\n")
    return data


@pytest.fixture
def checked(folder: Path, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Any]:
    def check(declarations: str) -> tuple[int, str, str]:
        catalogue = folder.parent / "catalogue.yaml"
        catalogue.write_text("declarations:\n" + declarations)
        code = invoke(["check", str(folder), "--declared", str(catalogue)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return check


def test_files_that_are_as_declared_are_in_order(checked: Callable[[str], Any]) -> None:
    code, out, err = checked(SOUND + SPLIT)
    assert (code, err) == (0, "")
    assert "SYN-A.csv: accepted: 4,000 of 4,000 rows are bars of synthetic in 14 sessions and 1 segment" in out
    assert "SYN-SPLIT.csv: refused as declared: " in out
    assert out.splitlines()[-1].endswith("2 files: 1 accepted, 1 refused as declared")


@pytest.mark.parametrize(
    ("declarations", "line", "end"),
    [
        (SOUND, "SYN-SPLIT.csv: not declared: no declaration says what its bars are", "SYN-SPLIT.csv not declared"),
        (SOUND + SPLIT.split("    refused")[0], "SYN-SPLIT.csv: refused: ", "SYN-SPLIT.csv refused"),
        (SOUND + SPLIT.replace("ratio: 4", "ratio: 7"), "SYN-SPLIT.csv: refused: ", "SYN-SPLIT.csv refused"),
        (
            SOUND.replace("open}", "open}, refused: [anything]") + SPLIT,
            "SYN-A.csv: not refused: was declared to be refused with the words: anything",
            "SYN-A.csv not refused",
        ),
        (SOUND + SPLIT + SOUND.replace("SYN-A", "SYN-B"), "SYN-B.csv: missing: ", "SYN-B.csv missing"),
        (SOUND.replace("5min", "1min") + SPLIT, "SYN-A.csv: refused: ", "SYN-A.csv refused"),
        (
            SOUND.replace("open}", "open}, compare_with: SYN-C.csv") + SPLIT,
            "compare_with SYN-C.csv: is not in the folder, or not declared",
            "SYN-A.csv refused",
        ),
    ],
    ids=["undeclared", "refused", "other words", "not refused", "missing", "other timeframe", "nothing to compare"],
)
def test_what_differs_from_the_declaration_is_named_and_ends_with_2(
    checked: Callable[[str], Any], declarations: str, line: str, end: str
) -> None:
    code, out, err = checked(declarations)
    assert code == 2
    assert line in out
    assert "checks are not in order" in err
    assert end in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("declarations", "says"),
    [
        (SOUND.replace("files", "file"), "did you mean 'files'"),
        (SOUND.replace("source: csv", "source: synthetic"), "markets"),
        (SOUND.replace("stamp: open", "stamp: middle"), "stamp"),
        (SOUND.replace("stamp: open", "stamp: open, path: x"), "path follow from the files; leave them out"),
        ("  - {files: [], bars: {source: csv, timeframe: 5min, stamp: open}}\n", "at least 1"),
    ],
)
def test_a_catalogue_that_is_wrong_is_refused_with_its_line_before_any_file_is_read(
    checked: Callable[[str], Any], declarations: str, says: str
) -> None:
    code, out, err = checked(declarations)
    assert (code, out) == (2, "")
    assert "catalogue.yaml:2" in err
    assert says in err


def test_a_folder_without_declarations_says_how(
    folder: Path, invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["check", str(folder), "--timeframe", "1min", "--stamp", "open"]) == 2
    assert "is a folder; say what its files are by --declared CATALOGUE.yaml" in capsys.readouterr().err


def test_a_file_is_no_folder_to_declare(folder: Path, invoke: Invoke, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = folder.parent / "catalogue.yaml"
    catalogue.write_text("declarations:\n" + SOUND)
    assert invoke(["check", str(folder / "SYN-A.csv"), "--declared", str(catalogue)]) == 2
    assert "is no folder" in capsys.readouterr().err
