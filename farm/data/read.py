"""One text of a vendor as checked rows, with what the vendor says beside them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from farm.bars.check import on_grid, sound_rows
from farm.bars.clock import NO_TIME
from farm.bars.frame import Float, Int
from farm.bars.rows import ROLES, BadRow, FileRows, Rows
from farm.bars.timeframe import nanoseconds
from farm.data.layout import PRICES, Head, Layout, shown
from farm.data.layouts import LAYOUTS
from farm.data.parts import Part
from farm.data.prices import adjust, divisor_of, numbers, stop_at_two_kinds, stop_at_wrong_choice
from farm.data.terms import Terms
from farm.data.times import opens, stop_at_wrong_terms
from farm.errors import BadInput

_CHUNK = 1 << 17
_HEAD = 3
_MOST_NAMED = 8


@dataclass(frozen=True, eq=False)
class Piece:
    """The sound rows of one text: ``time`` is each bar's open, ``extras`` has a value a row.

    ``n_read`` counts its rows of the symbol, ``n_others`` those of other symbols; ``symbols`` names all of them.
    """

    part: Part
    rows: Rows
    extras: Mapping[str, Float]
    bad: tuple[BadRow, ...]
    n_read: int
    n_others: int
    symbols: frozenset[str]
    divisor: float


def head_of(part: Part, layout: Layout) -> Head:
    """What the first lines of a text say; `BadInput` names the line, what was expected, and the layouts that fit."""
    lines = part.first_lines(_HEAD)
    if not lines:
        raise BadInput(f"{part.label}: there is nothing in it")
    head = layout.head(lines)
    if isinstance(head, Head):
        return head
    fitting = [other.name for other in LAYOUTS.values() if isinstance(other.head(lines), Head)]
    instead = f"This looks like {' or '.join(fitting)}" if fitting else "No other layout that Farm knows fits"
    advice = f" ({layout.advice})" if layout.advice and not fitting else ""
    raise BadInput(
        f"{part.label}, line {head.line}: {shown(head.found)} is not {layout.name}, which has "
        f"{layout.expected}{advice}. {instead}"
    )


def read_part(part: Part, terms: Terms) -> Piece:
    """The rows of one text, read in chunks, and checked by the contract of bars."""
    head = head_of(part, terms.layout)
    stop_at_wrong_terms(part, head.form, terms)
    stop_at_wrong_choice(part, head, terms)
    divisor = divisor_of(part, head, terms)
    rows: list[Rows] = []
    extras: dict[str, list[Float]] = {name: [] for name in head.extras}
    unreadable: list[BadRow] = []
    symbols: set[str] = set()
    n_read = n_others = 0
    for table, line in _chunks(part, head, terms.layout):
        mine = _of_symbol(part, table, head, terms, symbols)
        n_others += len(mine) - int(mine.sum())
        n_read += int(mine.sum())
        found, values, bad = _parse(part, table[mine], line[mine], head, terms, divisor)
        rows.append(found)
        unreadable += bad
        for name in extras:
            extras[name].append(values[name])
    joined = Rows(**{each: np.concatenate([getattr(one, each) for one in rows]) for each in ("row", *ROLES)})
    content = FileRows(part.label, n_read, joined, tuple(unreadable), (), header_lines=head.header_lines)
    sound, broken = sound_rows(content, terms.on_bad_rows)
    anywhere = np.zeros(len(sound), dtype=np.int64)  # the grid is the calendar's to judge; here only the usual step is
    on_grid(content, sound, anywhere, nanoseconds(terms.timeframe), terms.timeframe, terms.on_bad_rows)
    kept = np.searchsorted(joined.row, sound.row)
    return Piece(
        part=part,
        rows=sound,
        extras={name: np.concatenate(values)[kept] for name, values in extras.items()},
        bad=broken,
        n_read=n_read,
        n_others=n_others,
        symbols=frozenset(symbols),
        divisor=divisor,
    )


def stop_without_symbol(pieces: Sequence[Piece], terms: Terms) -> None:
    """Raise `BadInput` where none of the files has a row of the symbol."""
    if any(piece.n_read for piece in pieces):
        return
    files = ", ".join(piece.part.label for piece in pieces[:_MOST_NAMED])
    there: set[str] = set().union(*(piece.symbols for piece in pieces))
    if not there:
        raise BadInput(f"{files}: there are no rows")
    raise BadInput(
        f"{files}: no row of {terms.vendor_symbol}; there are {_some(there)}. Name it by --symbol, or by "
        "--vendor-symbol where Farm's name is another"
    )


def _chunks(part: Part, head: Head, layout: Layout) -> Iterator[tuple[pd.DataFrame, Int]]:
    """The rows that hold something, with their lines, chunk by chunk."""
    try:
        with (
            part.open() as text,
            pd.read_csv(
                text,
                sep=layout.delimiter,
                header=None,
                dtype=str,
                skiprows=head.empty_lines,
                chunksize=_CHUNK,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=False,
            ) as chunks,
        ):
            for chunk in chunks:
                yield _written(chunk, head)
    except pd.errors.ParserError as error:
        _stop_at_width(part, head, layout, error)


def _written(chunk: pd.DataFrame, head: Head) -> tuple[pd.DataFrame, Int]:
    line = np.asarray(chunk.index, dtype=np.int64) + 1 + head.empty_lines
    rows = (line > head.header_lines) & ~np.asarray(chunk.isna().all(axis=1))
    return chunk[rows], line[rows]


def _of_symbol(part: Part, table: pd.DataFrame, head: Head, terms: Terms, symbols: set[str]) -> NDArray[np.bool_]:
    """Marks the rows of the symbol, and adds the names that stand in the text to ``symbols``."""
    if "symbol" in head.place:
        names = table[head.place["symbol"][0]].fillna("")
        symbols.update(map(str, names.unique()))
        return np.asarray(names == terms.vendor_symbol)
    if "instrument" in head.place:
        symbols.update(map(str, table[head.place["instrument"][0]].dropna().unique()))
        if len(symbols) > 1:
            raise BadInput(
                f"{part.label}: it holds {len(symbols)} instruments ({_some(symbols)}) and no column of their symbols; "
                "get it with map_symbols=True"
            )
    return np.ones(len(table), dtype=bool)


def _parse(
    part: Part, table: pd.DataFrame, line: Int, head: Head, terms: Terms, divisor: float
) -> tuple[Rows, dict[str, Float], list[BadRow]]:
    wrong: dict[int, str] = {}
    time = opens(part, table, line, head, terms, wrong)
    stop_at_two_kinds(part, table, line, head, terms, divisor)
    roles = {role: head.place[role][0] for role in (*PRICES, "volume")}
    values: dict[str, Float] = {}
    for name, at in (roles | dict(head.extras)).items():
        values[name] = numbers(table[at])
        for place in np.flatnonzero(np.isnan(values[name]) & np.asarray(table[at].notna())):
            wrong.setdefault(int(place), f"{name} {table[at].iloc[place]!r} is not a number")
    for price in PRICES:
        values[price] = values[price] / divisor
    if terms.prices == "adjusted":
        adjust(values, table[head.place["adjusted"][0]], wrong)
    keep = time != NO_TIME
    keep[list(wrong)] = False
    row = line - head.header_lines
    bad = [BadRow(int(row[at]), rule) for at, rule in sorted(wrong.items())]
    rows = Rows(row, time, **{role: values[role] for role in roles}).where(keep)
    return rows, {name: values[name][keep] for name in head.extras}, bad


def _stop_at_width(part: Part, head: Head, layout: Layout, error: pd.errors.ParserError) -> NoReturn:
    found = re.search(r"line (\d+), saw (\d+)", str(error))
    if found is None:
        raise BadInput(f"{part.label}: not a table of {layout.name} ({error})") from error
    raise BadInput(
        f"{part.label}, line {found[1]}: {found[2]} fields where there should be {head.width}; {layout.name} has "
        f"{layout.expected}"
    ) from error


def _some(names: set[str]) -> str:
    some = sorted(names)
    more = f" and {len(some) - _MOST_NAMED} more" if len(some) > _MOST_NAMED else ""
    return ", ".join(some[:_MOST_NAMED]) + more
