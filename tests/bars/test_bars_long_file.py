"""Files of many symbols, and files with two closes: whose row it is, and which price is meant, is declared."""

import numpy as np
import pandas as pd
import pytest

from farm.bars import CsvBars, ParquetBars
from farm.errors import BadInput

SYMBOLS = ("SYN-A", "SYN-B", "SYN-C")


def long_table(table: pd.DataFrame) -> pd.DataFrame:
    parts = [table.assign(symbol=symbol, close=table.close * (1 + 0.001 * n)) for n, symbol in enumerate(SYMBOLS)]
    joined = pd.concat(parts, ignore_index=True)
    high = np.maximum(joined.high, joined.close)
    return joined.assign(high=high)


def read_parquet(folder, table, symbol="SYN-B", **given):
    table.to_parquet(folder / "all.parquet")
    settings = {"symbols": SYMBOLS, "timeframe": "1min", "stamp": "open", "symbol_column": "symbol"}
    return ParquetBars(path=str(folder / "all.parquet"), **(settings | given)).read(symbol)


def read_csv(folder, table, symbol="SYN-B", **given):
    table.to_csv(folder / "all.csv", index=False)
    settings = {"symbols": SYMBOLS, "timeframe": "1min", "stamp": "open", "symbol_column": "symbol"}
    return CsvBars(path=str(folder / "all.csv"), **(settings | given)).read(symbol)


READERS = pytest.mark.parametrize("read", [read_parquet, read_csv])


@READERS
def test_a_symbol_of_a_long_file_is_as_if_it_had_a_file_of_its_own(tmp_path, table, read):
    together = long_table(table)
    loaded = read(tmp_path, together)
    alone = together[together.symbol == "SYN-B"]
    np.testing.assert_array_equal(loaded.bars.close, alone.close)
    assert (loaded.report.rows, loaded.report.bars, loaded.report.extra_columns) == (30, 30, ())


@READERS
def test_rows_keep_their_numbers_in_the_file(tmp_path, table, read):
    together = long_table(table)
    together.loc[34, "high"] = 1.0
    with pytest.raises(BadInput, match=r"row 35\b.*1 of 30 rows"):
        read(tmp_path, together)
    assert read(tmp_path, together, "SYN-A").report.bars == 30


@READERS
def test_a_symbol_that_is_not_in_the_file_names_the_nearest(tmp_path, table, read):
    with pytest.raises(BadInput, match=r"no row whose symbol is SYN-D; did you mean 'SYN-[ABC]'"):
        read(tmp_path, long_table(table), "SYN-D", symbols=("SYN-D",))


@READERS
def test_a_row_without_a_symbol_is_nobodys(tmp_path, table, read):
    together = long_table(table)
    together.loc[40, "symbol"] = None
    with pytest.raises(BadInput, match=r"row 41\b.*no symbol, so nobody knows whose bar it is; 1 rows"):
        read(tmp_path, together)


@READERS
def test_a_column_that_is_not_there_is_named(tmp_path, table, read):
    with pytest.raises(BadInput, match="no column ticker"):
        read(tmp_path, long_table(table), symbol_column="ticker")


@READERS
def test_a_long_file_that_was_not_declared_as_one_says_how(tmp_path, table, read):
    with pytest.raises(BadInput, match=r"2 go back\. With its symbol this looks like a long file .*`symbol_column`"):
        read(tmp_path, long_table(table), "SYN-A", symbols=("SYN-A",), symbol_column=None)


def test_the_symbols_of_a_long_file_can_be_asked_for(tmp_path, table):
    long_table(table).to_parquet(tmp_path / "all.parquet")
    source = ParquetBars(
        path=str(tmp_path / "all.parquet"), symbols=("SYN-A",), symbol_column="symbol", timeframe="1min", stamp="open"
    )
    assert source.symbols_in("SYN-A") == SYMBOLS


def test_one_file_for_many_symbols_needs_the_column():
    with pytest.raises(ValueError, match="by `symbol_column`"):
        ParquetBars(path="all.parquet", symbols=SYMBOLS, timeframe="1min", stamp="open")


def one(folder, table, **given):
    table.to_csv(folder / "SYN.csv", index=False)
    settings = {"path": str(folder / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    return CsvBars(**(settings | given)).read("SYN")


@pytest.mark.parametrize("name", ["Adj Close", "adj_close", "adjclose", "Adjusted Close"])
def test_two_closes_are_never_chosen_between(tmp_path, table, name):
    table[name] = table.close * 0.8
    with pytest.raises(BadInput, match=rf"an adjusted close \({name}\).*`prices: quoted`.*`prices: adjusted`"):
        one(tmp_path, table)
    np.testing.assert_array_equal(one(tmp_path, table, prices="quoted").bars.close, table.close)


def test_adjusted_prices_scale_the_whole_bar_and_its_return_is_the_adjusted_closes(tmp_path, table):
    table["adj_close"] = table.close * np.linspace(0.8, 1.0, 30)
    bars = one(tmp_path, table, prices="adjusted").bars
    np.testing.assert_allclose(bars.close, table.adj_close, rtol=1e-12)
    np.testing.assert_allclose(bars.high / bars.close, table.high / table.close, rtol=1e-12)
    np.testing.assert_allclose(bars.low / bars.open, table.low / table.open, rtol=1e-12)
    np.testing.assert_array_equal(bars.volume, table.volume)


def test_adjusted_prices_that_are_not_there_are_not_made_up(tmp_path, table):
    with pytest.raises(BadInput, match=r"no column is an adjusted close .* the file has nothing"):
        one(tmp_path, table, prices="adjusted")
    table["adj_close"] = table.close
    table.loc[7, "adj_close"] = np.nan
    with pytest.raises(BadInput, match=r"row 8 \(line 9\): adj_close nan must be a number above 0; 1 rows have none"):
        one(tmp_path, table, prices="adjusted")


def test_naming_the_adjusted_close_alone_leaves_bars_that_do_not_hold_together(tmp_path, table):
    table["adj_close"] = table.close * 0.8
    with pytest.raises(BadInput, match="the low must be at most the open and the close"):
        one(tmp_path, table, columns={"close": "adj_close"})
