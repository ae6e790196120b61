"""Where bars come from: the `bars` section of an experiment, for files."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from farm.bars.activity import Activity
from farm.bars.check import OnBadRows
from farm.bars.clock import TimeFormat, Zone
from farm.bars.csv_file import read_csv
from farm.bars.instrument import instrument_for
from farm.bars.jump import OnJumps, Split
from farm.bars.load import Loaded, OutsideSession, Stamp, load
from farm.bars.parquet_file import read_parquet
from farm.bars.rows import FileRows, Role
from farm.bars.timeframe import Timeframe
from farm.section import Section


class FileBars(Section):
    """One file a symbol.

    ``path`` is a path or an fsspec address with ``{symbol}`` in it. ``stamp`` says whether the file's times are the
    bars' opens or closes, ``zone`` the clock of times that carry none, ``time_format`` how they are written (``iso``,
    ``epoch_s`` to ``epoch_ns``, or a strptime pattern; a Parquet timestamp needs none). Open market without a bar for
    longer than ``max_gap`` starts a new segment. ``instruments`` names instruments for symbols that no pattern fits.
    ``adjustments`` declares splits by symbol; ``jumps`` says whether moves that no market makes stop the run.
    ``activity`` makes volume or dollar bars of the file's; their ``timeframe`` stays the file's.
    """

    path: str
    symbols: tuple[str, ...] = Field(min_length=1)
    timeframe: Timeframe
    stamp: Stamp
    zone: Zone | None = None
    time_format: TimeFormat = "iso"
    columns: dict[Role, str] = Field(default_factory=dict)
    on_bad_rows: OnBadRows = "stop"
    outside_session: OutsideSession = "drop"
    max_gap: Timeframe = "1h"
    instruments: dict[str, str] = Field(default_factory=dict)
    adjustments: dict[str, tuple[Split, ...]] = Field(default_factory=dict)
    jumps: OnJumps = "stop"
    activity: Activity | None = None

    @field_validator("symbols")
    @classmethod
    def _once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"symbols {', '.join(twice)} come twice; name each once")
        return symbols

    @model_validator(mode="after")
    def _fits(self) -> "FileBars":
        if len(self.symbols) > 1 and "{symbol}" not in self.path:
            raise ValueError(f"path {self.path!r} is one file for {len(self.symbols)} symbols; write {{symbol}} in it")
        for key, named in (("instruments", self.instruments), ("adjustments", self.adjustments)):
            strange = sorted(set(named) - set(self.symbols))
            if strange:
                raise ValueError(f"{key} names {', '.join(strange)}, not among the symbols {', '.join(self.symbols)}")
        return self

    def file(self, symbol: str) -> str:
        """The path or address of a symbol's file."""
        path = self.path.replace("{symbol}", symbol)
        return str(Path(path).expanduser()) if path.startswith("~") else path

    def _load(self, symbol: str, content: FileRows) -> Loaded:
        return load(
            content,
            symbol=symbol,
            timeframe=self.timeframe,
            stamp=self.stamp,
            instrument=instrument_for(symbol, self.instruments),
            on_bad_rows=self.on_bad_rows,
            outside_session=self.outside_session,
            max_gap=self.max_gap,
            adjustments=self.adjustments.get(symbol, ()),
            on_jumps=self.jumps,
            activity=self.activity,
        )


class ParquetBars(FileBars):
    """Bars in Parquet files, one file a symbol."""

    source: Literal["parquet"] = "parquet"

    def read(self, symbol: str) -> Loaded:
        """The checked bars of one symbol; whatever is wrong with its file is a `BadInput` that names it."""
        return self._load(symbol, read_parquet(self.file(symbol), self.columns, self.time_format, self.zone))


class CsvBars(FileBars):
    """Bars in CSV files with a header line, one file a symbol; compressed ones by their ending (``.gz``)."""

    source: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    def read(self, symbol: str) -> Loaded:
        """The checked bars of one symbol; whatever is wrong with its file is a `BadInput` that names it."""
        content = read_csv(self.file(symbol), self.columns, self.time_format, self.zone, self.delimiter)
        return self._load(symbol, content)
