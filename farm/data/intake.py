"""``farm data import``: a vendor's files become one Parquet file that experiments read, with its card."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, Field, ValidationError

import farm
from farm.bars import ParquetBars, instrument_for
from farm.bars.adjusted import Prices
from farm.bars.check import OnBadRows
from farm.bars.clock import Zone
from farm.bars.stamp import Stamp
from farm.bars.timeframe import Timeframe
from farm.data.card import Card, DroppedRow, GivenFile, Reading, RowCounts, Span, card_path, dvc_pointer
from farm.data.join import Series, join, stop_at_doubles
from farm.data.layout import Layout
from farm.data.layouts import layout_of
from farm.data.parts import Source, parts_of, source_of
from farm.data.place import place_files
from farm.data.read import Piece, head_of, read_part, stop_without_symbol
from farm.data.terms import Terms
from farm.errors import BadInput
from farm.section import Section


@dataclass(frozen=True)
class Imported:
    """What an import wrote, and what of its terms the user did not say."""

    card: Card
    paths: tuple[Path, ...]
    assumed: tuple[str, ...]
    notes: tuple[str, ...]


def _file_name(symbol: str) -> str:
    if any(mark in symbol for mark in '/\\{}:*?"<>|') or symbol.startswith(".") or symbol != symbol.strip():
        raise ValueError(f"{symbol!r} must be fit for a file name, such as ES or BTCUSDT_1m")
    return symbol


class Import(Section):
    """One import: the vendor's layout and files, the symbol, the folder, and what the files do not say of themselves.

    ``vendor_symbol`` is the symbol's name in the files, where that is another; ``price_divisor`` what the prices in
    them are divided by. What is None follows from the layout, or is an error where it cannot.
    """

    layout: str
    files: tuple[Path, ...] = Field(min_length=1)
    symbol: Annotated[str, Field(min_length=1), AfterValidator(_file_name)]
    to: Path
    timeframe: Timeframe | None = None
    zone: Zone | None = None
    stamp: Stamp | None = None
    prices: Prices | None = None
    price_divisor: float | None = Field(default=None, gt=0)
    vendor_symbol: str | None = None
    instrument: str | None = None
    on_bad_rows: OnBadRows = "stop"
    source: str | None = None
    licence: str | None = None
    acquired: date | None = None
    dvc: bool = False
    replace: bool = False

    def run(self, progress: Callable[[str], object] = lambda _: None) -> Imported:
        """Read, check, join and write; ``progress`` hears the name of each file before it is read.

        Raises
        ------
        BadInput
            Something is not said, or a file breaks the contract of bars; then nothing is written.
        """
        layout = layout_of(self.layout)
        notes = self._instrument_notes()
        sources = [source_of(file) for file in self.files]
        stop_at_doubles(sources)
        parts = [part for source in sources for part in parts_of(source.file)]
        form = head_of(parts[0], layout).form
        terms, assumed = self._terms(layout, form.timeframe)
        pieces: list[Piece] = []
        for part in parts:
            progress(part.label)
            pieces.append(read_part(part, terms))
        stop_without_symbol(pieces, terms)
        if not any(len(piece.rows) for piece in pieces):
            raise BadInput(f"{parts[0].label}: none of {sum(piece.n_read for piece in pieces)} rows is sound")
        series = join(pieces)
        content = _parquet(series)
        name = f"{self.symbol}.parquet"
        zone = "UTC" if form.instant else None if terms.timeframe == "1d" else terms.zone
        card = self._card(content, series, pieces, sources, terms, zone)
        contents = {name: content, card_path(Path(name)).name: card.text().encode()}
        if self.dvc:
            contents[f"{name}.dvc"] = dvc_pointer(name, content).encode()
        return Imported(card, tuple(place_files(self.to, contents, replace=self.replace)), assumed, notes)

    def _instrument_notes(self) -> tuple[str, ...]:
        """What to say where no instrument is known for the symbol; one that was named wrongly is a `BadInput`."""
        if self.instrument is not None:
            instrument_for(self.symbol, {self.symbol: self.instrument})
            return ()
        try:
            instrument_for(self.symbol, None)
        except BadInput as unknown:
            return (f"{unknown}. Here: --instrument NAME",)
        return ()

    def _terms(self, layout: Layout, usual_timeframe: str | None) -> tuple[Terms, tuple[str, ...]]:
        timeframe = self.timeframe or usual_timeframe
        if timeframe is None:
            raise BadInput(
                f"{self.files[0]}: a file of {layout.name} does not say how long its bars are; give --timeframe, such "
                "as 1min"
            )
        if self.stamp is not None and self.stamp not in layout.stamps:
            raise BadInput(f"--stamp {self.stamp}: {layout.name} files are stamped at the bar's {layout.stamps[0]}")
        terms = Terms(
            layout=layout,
            vendor_symbol=self.vendor_symbol or self.symbol,
            timeframe=timeframe,
            stamp=self.stamp or layout.stamps[0],
            zone=self.zone or layout.zone,
            prices=self.prices,
            divisor=self.price_divisor,
            on_bad_rows=self.on_bad_rows,
        )
        assumed = [f"timeframe {timeframe}"] if self.timeframe is None else []
        assumed += [f"stamp {terms.stamp}"] if self.stamp is None else []
        if self.zone is None and terms.zone is not None and timeframe != "1d":
            assumed.append(f"zone {terms.zone}")
        if self.price_divisor is None and layout.divisor != 1:
            assumed.append(f"price divisor {layout.divisor:g}")
        return terms, tuple(assumed)

    def _card(
        self,
        content: bytes,
        series: Series,
        pieces: Sequence[Piece],
        sources: Sequence[Source],
        terms: Terms,
        zone: str | None,
    ) -> Card:
        divisors = tuple(piece.divisor for piece in pieces)
        bars: dict[str, Any] = {
            "source": "parquet",
            "path": (self.to / "{symbol}.parquet").as_posix(),
            "symbols": [self.symbol],
            "timeframe": terms.timeframe,
            "stamp": "open",
        }
        if self.instrument is not None:
            bars["instruments"] = {self.symbol: self.instrument}
        ParquetBars.model_validate(bars)
        dropped = [
            DroppedRow(file=piece.part.name, row=bad.row, rule=bad.rule) for piece in pieces for bad in piece.bad
        ]
        return Card(
            symbol=self.symbol,
            file=f"{self.symbol}.parquet",
            sha256=sha256(content).hexdigest(),
            size=len(content),
            columns=("timestamp", *series.columns),
            span=Span(first=_iso(series.time[0]), last=_iso(series.time[-1])),
            rows=RowCounts(
                read=sum(piece.n_read for piece in pieces),
                of_other_symbols=sum(piece.n_others for piece in pieces),
                dropped=len(dropped),
                written=len(series.time),
            ),
            reading=Reading(
                layout=terms.layout.name,
                described_at=terms.layout.source,
                timeframe=terms.timeframe,
                stamp=terms.stamp,
                zone=zone,
                prices=terms.prices,
                price_divisors=divisors[:1] if len(set(divisors)) == 1 else divisors,
                on_bad_rows=self.on_bad_rows,
            ),
            files=tuple(
                GivenFile(
                    file=source.file.name,
                    sha256=source.sha256,
                    size=source.size,
                    rows=sum(piece.n_read for piece in pieces if piece.part.file == source.file),
                )
                for source in sources
            ),
            dropped=tuple(dropped),
            source=self.source,
            licence=self.licence,
            acquired=None if self.acquired is None else self.acquired.isoformat(),
            farm=farm.__version__,
            bars=bars,
        )


def asked(**said: Any) -> Import:
    """An import as the options say it; an option that cannot be so is a `BadInput` that names it."""
    try:
        return Import.model_validate({name: value for name, value in said.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-")
        message = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"--{option} {first['input']}: {message}") from error


def _parquet(series: Series) -> bytes:
    import pyarrow.parquet as pq

    time = pa.array(series.time, type=pa.timestamp("ns", tz="UTC"))
    table = pa.table({"timestamp": time, **{name: pa.array(values) for name, values in series.columns.items()}})
    into = io.BytesIO()
    pq.write_table(table, into, compression="zstd")
    return into.getvalue()


def _iso(time: np.int64) -> str:
    return f"{np.datetime64(int(time), 'ns').astype('datetime64[s]')}Z"
