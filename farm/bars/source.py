"""Where bars come from: the `bars` section of an experiment, for files."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, WithJsonSchema, field_validator, model_validator

from farm.bars.activity import Activity
from farm.bars.adjusted import Prices, in_prices
from farm.bars.check import OnBadRows
from farm.bars.clock import TimeFormat, Zone
from farm.bars.csv_file import read_csv, text_of_csv
from farm.bars.gaps import FillForward, Gaps, LeaveGaps
from farm.bars.hours import OutsideSession
from farm.bars.imbalance import Imbalance
from farm.bars.instrument import instrument_for
from farm.bars.jump import OnJumps, Split
from farm.bars.load import Loaded, load
from farm.bars.long_file import Column, rows_of, symbols_of
from farm.bars.parquet_file import read_parquet, text_of_parquet
from farm.bars.rows import FileRows, Role
from farm.bars.stamp import Stamp
from farm.bars.symbols import OnBadSymbol, is_pattern, symbols_in_column, symbols_listed, symbols_of_files
from farm.bars.timeframe import ACTIVITY, FileTimeframe, Timeframe, has_length, nanoseconds
from farm.section import Section

Symbols = Annotated[
    tuple[str, ...],
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}, "minItems": 1}, {"type": "string"}]}),
]


class FileBars(Section):
    """One file a symbol, or one long file of all symbols.

    ``symbols`` is a list, a pattern (``*`` and ``?``) of those that have a file, or the path of a text file with one a
    line; what it stood for is found when the section is made, and it holds the list from then on. ``on_bad_symbol``
    says whether one symbol that cannot be prepared stops the run before any fit, or is left out of it, named and
    counted as one that cannot be judged.

    ``path`` is a path or an fsspec address with ``{symbol}`` in it; a long file has none, and ``symbol_column`` names
    the column that says whose bar a row is. ``timeframe`` is the length of the file's bars, ``1mo`` where they are
    months, ``activity`` where their vendor closed them by what was traded. ``stamp`` says whether the file's times are
    the bars' opens or closes, ``zone`` the clock of times that carry none, ``time_format`` how they are written
    (``iso``, ``epoch_s`` to ``epoch_ns``, or a strptime pattern; a Parquet timestamp needs none). ``prices`` says
    which are meant where a file has an adjusted close, too. Open market without a bar for longer than ``max_gap``
    starts a new segment; ``gaps`` says whether shorter gaps are filled. ``instruments`` names instruments for symbols
    that no pattern fits. ``adjustments`` declares splits by symbol; ``jumps`` says whether moves that no market makes
    stop the run. ``activity`` makes volume, dollar or imbalance bars of the file's; their ``timeframe`` stays the
    file's.
    """

    path: str
    symbols: Symbols
    on_bad_symbol: OnBadSymbol = "stop"
    symbol_column: str | None = None
    timeframe: FileTimeframe
    stamp: Stamp
    zone: Zone | None = None
    time_format: TimeFormat = "iso"
    columns: dict[Role, str] = Field(default_factory=dict)
    prices: Prices | None = None
    on_bad_rows: OnBadRows = "stop"
    outside_session: OutsideSession = "drop"
    max_gap: Timeframe = "1h"
    gaps: Gaps = LeaveGaps()
    instruments: dict[str, str] = Field(default_factory=dict)
    adjustments: dict[str, tuple[Split, ...]] = Field(default_factory=dict)
    jumps: OnJumps = "stop"
    activity: Annotated[Activity | Imbalance, Field(discriminator="kind")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, data: Any) -> Any:
        """The section with a list of symbols, where a pattern or a file stood for it."""
        if not isinstance(data, dict):
            return data
        said, path = data.get("symbols"), data.get("path")
        if not isinstance(said, str) or not isinstance(path, str):
            return data
        if not is_pattern(said):
            return {**data, "symbols": symbols_listed(said)}
        if "{symbol}" in path:
            return {**data, "symbols": symbols_of_files(said, path)}
        return cls._listed_in_column(data, said)

    @classmethod
    def _listed_in_column(cls, data: dict[str, Any], pattern: str) -> dict[str, Any]:
        if data.get("symbol_column") is None:
            raise ValueError(
                f"symbols {pattern!r} is a pattern, but path is one file; write {{symbol}} in it, or name the column "
                "that tells the symbols apart by `symbol_column`"
            )
        named: dict[str, Any] = {"instruments": {}, "adjustments": {}}
        try:
            one = cls.model_validate({**data, **named, "symbols": [pattern]})
        except ValidationError:
            return {**data, "symbols": [pattern]}  # the section's own faults are told when it is made
        return {**data, "symbols": symbols_in_column(pattern, one.file(pattern), one.symbols_in(pattern))}

    @field_validator("symbols")
    @classmethod
    def _once(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"symbols {', '.join(twice)} come twice; name each once")
        return symbols

    @model_validator(mode="after")
    def _fits(self) -> "FileBars":
        if len(self.symbols) > 1 and "{symbol}" not in self.path and self.symbol_column is None:
            raise ValueError(
                f"path {self.path!r} is one file for {len(self.symbols)} symbols; write {{symbol}} in it, or name the "
                "column that tells the symbols apart by `symbol_column`"
            )
        for key in _NAMED:
            strange = sorted(set(getattr(self, key)) - set(self.symbols))
            if strange:
                raise ValueError(f"{key} names {', '.join(strange)}, not among the symbols {', '.join(self.symbols)}")
        return self

    @model_validator(mode="after")
    def _suits_the_timeframe(self) -> "FileBars":
        if self.timeframe == ACTIVITY and self.activity is not None:
            raise ValueError("activity makes bars out of bars by time; these were closed by what was traded already")
        if isinstance(self.gaps, FillForward):
            if not has_length(self.timeframe) or self.timeframe == "1d":
                raise ValueError(
                    f"gaps inside a session cannot be filled with bars of {self.timeframe}; write kind: none"
                )
            if nanoseconds(self.gaps.max) > nanoseconds(self.max_gap):
                raise ValueError(
                    f"gaps of {self.gaps.max} cannot be filled where one of more than max_gap: {self.max_gap} is a hole"
                )
        return self

    @abstractmethod
    def rows(self, symbol: str, columns: Mapping[Role, str]) -> FileRows:
        """The rows of the file that a symbol's are in."""

    @abstractmethod
    def text(self, symbol: str, column: str) -> Column:
        """A column of that file as text, one a row."""

    def read(self, symbol: str) -> Loaded:
        """The checked bars of one symbol; whatever is wrong with its file is a `BadInput` that names it."""
        return self._load(symbol, in_prices(self._rows(symbol, self.columns), self.prices, self._with_close(symbol)))

    def only(self, symbol: str) -> Self:
        """The section of one of its symbols alone."""
        named = {key: {one: value for one, value in getattr(self, key).items() if one == symbol} for key in _NAMED}
        return self.model_copy(update={"symbols": (symbol,), **named})

    def file(self, symbol: str) -> str:
        """The path or address of a symbol's file."""
        path = self.path.replace("{symbol}", symbol)
        return str(Path(path).expanduser()) if path.startswith("~") else path

    def symbols_in(self, symbol: str) -> tuple[str, ...]:
        """The symbols of the file that a symbol is in: all that its column holds, or the one."""
        if self.symbol_column is None:
            return (symbol,)
        return symbols_of(self.text(symbol, self.symbol_column))

    def _rows(self, symbol: str, columns: Mapping[Role, str]) -> FileRows:
        content = self.rows(symbol, columns)
        if self.symbol_column is None:
            return content
        return rows_of(content, self.text(symbol, self.symbol_column), symbol, self.symbol_column)

    def _with_close(self, symbol: str):  # type: ignore[no-untyped-def]  # a context of two values, as used below
        return lambda name: self._rows(symbol, {**self.columns, "close": name})

    def _load(self, symbol: str, content: FileRows, gaps: Gaps | None = None) -> Loaded:
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
            gaps=gaps or self.gaps,
        )


_NAMED = ("instruments", "adjustments")


class ParquetBars(FileBars):
    """Bars in Parquet files."""

    source: Literal["parquet"] = "parquet"

    def rows(self, symbol: str, columns: Mapping[Role, str]) -> FileRows:
        """The rows of the file that a symbol's are in."""
        return read_parquet(self.file(symbol), columns, self.time_format, self.zone)

    def text(self, symbol: str, column: str) -> Column:
        """A column of that file as text, one a row."""
        return text_of_parquet(self.file(symbol), column)


class CsvBars(FileBars):
    """Bars in CSV files with a header line; compressed ones by their ending (``.gz``)."""

    source: Literal["csv"] = "csv"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","

    def rows(self, symbol: str, columns: Mapping[Role, str]) -> FileRows:
        """The rows of the file that a symbol's are in."""
        return read_csv(self.file(symbol), columns, self.time_format, self.zone, self.delimiter)

    def text(self, symbol: str, column: str) -> Column:
        """A column of that file as text, one a row."""
        return text_of_csv(self.file(symbol), column, self.delimiter)
