"""Symbols by list, pattern or file: what a pattern finds, and what is said where it finds nothing."""

from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from farm.bars import BarSource, CsvBars, ParquetBars
from farm.bars.symbols import symbols_listed, symbols_of_files
from farm.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("B_1h.csv", "A_1h.csv", "A_1d.csv", "deep/C_1h.csv", "B_1h.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    return tmp_path


def section(**values: Any) -> CsvBars:
    found: CsvBars = TypeAdapter(BarSource).validate_python(
        {"source": "csv", "timeframe": "1h", "stamp": "open", **values}
    )
    return found


def test_a_pattern_stands_for_the_symbols_that_have_a_file_by_name(folder: Path) -> None:
    assert section(path=f"{folder}/{{symbol}}.csv", symbols="*_1h").symbols == ("A_1h", "B_1h")
    assert section(path=f"{folder}/{{symbol}}.csv", symbols="?_1*").symbols == ("A_1d", "A_1h", "B_1h")
    assert section(path=f"{folder}/{{symbol}}_1h.csv", symbols="*").symbols == ("A", "B")
    assert section(path=f"{folder}/{{symbol}}.csv", symbols="deep/*").symbols == ("deep/C_1h",)


def test_a_pattern_looks_on_any_filesystem_and_for_one_symbol_in_all_its_places() -> None:
    memory = fsspec.filesystem("memory")
    for name in ("A/A.parquet", "B/B.parquet", "B/A.parquet"):
        memory.pipe(f"/several[1]/{name}", b"")
    assert symbols_of_files("*", "memory://several[1]/{symbol}/{symbol}.parquet") == ("A", "B")


def test_the_section_holds_the_list_and_not_the_pattern(folder: Path) -> None:
    found = section(path=f"{folder}/{{symbol}}.csv", symbols="*_1h")
    (folder / "Z_1h.csv").touch()
    again = CsvBars.model_validate(found.model_dump())
    assert again == found
    assert again.model_dump(mode="json")["symbols"] == ["A_1h", "B_1h"]


def test_a_pattern_that_fits_nothing_names_folder_pattern_and_the_nearest(folder: Path) -> None:
    with pytest.raises(ValidationError) as refused:
        section(path=f"{folder}/{{symbol}}.csv", symbols="A_2h*")
    said = str(refused.value)
    assert "'A_2h*' fits no file" in said
    assert f"{folder} has A_1h" in said
    with pytest.raises(BadInput, match=r"nowhere/\*\.csv; .*/nowhere has none"):
        symbols_of_files("*", f"{folder}/nowhere/{{symbol}}.csv")


def test_a_file_lists_a_symbol_a_line(folder: Path) -> None:
    listed = folder / "symbols.txt"
    listed.write_text("# ours\nB_1h\n\nA_1d  # daily\n", encoding="utf-8")
    assert section(path=f"{folder}/{{symbol}}.csv", symbols=str(listed)).symbols == ("B_1h", "A_1d")


def test_a_text_that_is_neither_pattern_nor_file_is_refused_with_what_would_be_right(folder: Path) -> None:
    with pytest.raises(ValidationError, match=r"write \[A_1h\] for one symbol"):
        section(path=f"{folder}/{{symbol}}.csv", symbols="A_1h")
    empty = folder / "empty.txt"
    empty.write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(BadInput, match="lists no symbol"):
        symbols_listed(str(empty))
    with pytest.raises(BadInput, match="cannot be read"):
        symbols_listed(str(folder))


def test_a_pattern_on_a_long_file_stands_for_the_symbols_in_its_column(tmp_path: Path) -> None:
    file = tmp_path / "all.parquet"
    pd.DataFrame({"who": ["AA", "AB", "BB", "AA"], "time": range(4)}).to_parquet(file)
    values = {"source": "parquet", "path": str(file), "timeframe": "1d", "stamp": "open", "symbol_column": "who"}
    source: TypeAdapter[ParquetBars] = TypeAdapter(BarSource)
    assert source.validate_python({**values, "symbols": "A*"}).symbols == ("AA", "AB")
    with pytest.raises(ValidationError, match=r"'C\*' fits none of the symbols in .*AA, AB, BB"):
        source.validate_python({**values, "symbols": "C*"})
    with pytest.raises(ValidationError, match=r"path is one file; write \{symbol\} in it"):
        source.validate_python({**values, "symbol_column": None, "symbols": "C*"})


def test_only_one_symbol_leaves_the_rest_of_the_section(folder: Path) -> None:
    whole = section(path=f"{folder}/{{symbol}}.csv", symbols=["A", "B"], instruments={"A": "us_equity", "B": "us_etf"})
    alone = whole.only("B")
    assert alone.symbols == ("B",)
    assert alone.instruments == {"B": "us_etf"}
    assert CsvBars.model_validate(alone.model_dump()) == alone == alone.only("B")
