"""How a vendor writes bars: one frozen declaration a layout, and whether the first lines of a text fit it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from farm.bars.clock import Zone
from farm.bars.stamp import Stamp
from farm.bars.timeframe import Timeframe
from farm.section import Section

Meaning = Literal[
    "time", "open", "high", "low", "close", "volume", "adjusted", "symbol", "instrument", "extra", "unused"
]
PRICES: tuple[Meaning, ...] = ("open", "high", "low", "close")
SINCE_MIDNIGHT = "milliseconds since midnight"

_SHOWN = 60


class Form(Section):
    """One way of writing a time: the text that it fits, what it is called, and how it is read.

    ``time_format`` is one of `farm.bars.clock`, or `SINCE_MIDNIGHT` where the date stands in the file's name. An
    ``instant`` needs no zone. Of a longer text the first ``kept`` characters are the time. ``timeframe`` is the length
    of the bars that the vendor writes this way, None where it writes several.
    """

    what: str
    shape: str
    time_format: str
    instant: bool = False
    date_alone: bool = False
    kept: int | None = None
    timeframe: Timeframe | None = None

    def fits(self, text: str) -> bool:
        """Whether a text is a time of this form.

        >>> Form(what="milliseconds", shape="[0-9]{13}", time_format="epoch_ms").fits("1735689600000")
        True
        """
        return re.fullmatch(self.shape, text.strip()) is not None


class Column(Section):
    """A column: what it means, and its names in a header line, the first one being Farm's name for an extra column."""

    means: Meaning
    names: tuple[str, ...] = Field(min_length=1)
    optional: bool = False


@dataclass(frozen=True)
class Head:
    """What the first lines of a text say: where each column is, how times are written, and the first row's fields.

    ``empty_lines`` stand before everything; ``header_lines`` is the number of the last line that is no row.
    """

    empty_lines: int
    header_lines: int
    place: Mapping[Meaning, tuple[int, ...]]
    extras: Mapping[str, int]
    width: int
    form: Form
    first: tuple[str, ...]


@dataclass(frozen=True)
class Misfit:
    """Why the first lines of a text are not of a layout."""

    line: int
    found: str


class Layout(Section):
    """A vendor's way of writing bars.

    ``header`` says whether the first line names the columns; without one the columns stand in the declared order.
    ``stamps`` are the stamps that the vendor writes, its usual one first; ``zone`` the clock of its wall times, None
    where only the user can know. Prices are divided by ``divisor``, or by ``fixed_point`` where they are written
    without a decimal point. ``source`` is the vendor's own description, ``advice`` what helps with a file that does not
    fit.
    """

    name: str
    title: str
    source: str
    delimiter: str
    header: Literal["never", "maybe", "always"]
    columns: tuple[Column, ...]
    forms: tuple[Form, ...]
    stamps: tuple[Stamp, ...] = ("open",)
    zone: Zone | None = None
    divisor: float = 1.0
    fixed_point: float | None = None
    advice: str = ""

    @property
    def expected(self) -> str:
        """What a line of this layout holds, for messages."""
        between = {",": "commas", ";": "semicolons", "\t": "tabs"}[self.delimiter]
        names = ", ".join(column.names[-1] for column in self.columns if not column.optional)
        forms = " or ".join(form.what for form in self.forms)
        header = {"never": "no header line and ", "maybe": "", "always": "a header line and "}[self.header]
        return f"{header}{names} between {between}, times as {forms}"

    def head(self, lines: Sequence[tuple[int, str]]) -> Head | Misfit:
        """What the first lines that are not empty, with their numbers, say of a text; or the line that does not fit."""
        (number, text), *more = lines
        empty_lines = number - 1
        names = [_plain(field) for field in text.split(self.delimiter)]
        place = self._by_name(names)
        if self.header == "never" or (self.header == "maybe" and place is None):
            place, width = self._in_order(), len(self.columns)
            header_lines, first = empty_lines, text
        elif place is None:
            return Misfit(number, text)
        else:
            width, header_lines = len(names), number
            if not more:
                return Misfit(number, f"{text}, and no row below it")
            number, first = more[0]
        fields = tuple(field.strip() for field in first.split(self.delimiter))
        if len(fields) != width:
            return Misfit(number, first)
        written = " ".join(fields[at] for at in place["time"])
        form = next((form for form in self.forms if form.fits(written)), None)
        if form is None:
            return Misfit(number, first)
        extras = self._extras(place, names if header_lines > empty_lines else None)
        return Head(empty_lines, header_lines, place, extras, width, form, fields)

    def _by_name(self, names: Sequence[str]) -> dict[Meaning, tuple[int, ...]] | None:
        place: dict[Meaning, tuple[int, ...]] = {}
        for column in self.columns:
            at = _position(names, column)
            if at is not None:
                place[column.means] = (*place.get(column.means, ()), at)
            elif not column.optional and column.means not in ("extra", "unused"):
                return None
        return place

    def _in_order(self) -> dict[Meaning, tuple[int, ...]]:
        place: dict[Meaning, tuple[int, ...]] = {}
        for at, column in enumerate(self.columns):
            place[column.means] = (*place.get(column.means, ()), at)
        return place

    def _extras(self, place: Mapping[Meaning, tuple[int, ...]], names: Sequence[str] | None) -> dict[str, int]:
        extras = [column for column in self.columns if column.means == "extra"]
        if names is None:
            return {column.names[0]: at for column, at in zip(extras, place.get("extra", ()), strict=True)}
        found = ((column.names[0], _position(names, column)) for column in extras)
        return {name: at for name, at in found if at is not None}


def shown(text: str) -> str:
    """A line as messages quote it.

    >>> shown("20110103 090100;126.35")
    "'20110103 090100;126.35'"
    """
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")


def _position(names: Sequence[str], column: Column) -> int | None:
    return next((at for at, name in enumerate(names) if name in column.names), None)


def _plain(name: str) -> str:
    return name.strip().strip("<>\"'").strip().lower()
