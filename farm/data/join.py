"""The pieces of several files as one series: in order of time, and never over one another."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from farm.bars.frame import Float, Int
from farm.data.parts import Source
from farm.data.read import Piece
from farm.errors import BadInput

_VALUES = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False)
class Series:
    """Bars of one symbol in time order: opens in ns UTC, prices, volume, and the extra columns that all files have."""

    time: Int
    columns: dict[str, Float]


def stop_at_doubles(sources: Sequence[Source]) -> None:
    """Raise `BadInput` where two files have the same content."""
    seen: dict[str, Source] = {}
    for source in sources:
        first = seen.setdefault(source.sha256, source)
        if first is not source:
            raise BadInput(f"{source.file}: the same file as {first.file}, byte for byte; give it once")


def join(pieces: Sequence[Piece]) -> Series:
    """One series of pieces in order of time; pieces that overlap are a `BadInput` that names both files."""
    filled = sorted((piece for piece in pieces if len(piece.rows)), key=lambda piece: int(piece.rows.time[0]))
    for before, after in pairwise(filled):
        if after.rows.time[0] <= before.rows.time[-1]:
            _stop_at_overlap(before, after)
    extras = [name for name in filled[0].extras if all(name in piece.extras for piece in filled)]
    columns = {role: np.concatenate([getattr(piece.rows, role) for piece in filled]) for role in _VALUES}
    columns |= {name: np.concatenate([piece.extras[name] for piece in filled]) for name in extras}
    return Series(np.concatenate([piece.rows.time for piece in filled]), columns)


def _stop_at_overlap(before: Piece, after: Piece) -> None:
    shared, mine, theirs = np.intersect1d(before.rows.time, after.rows.time, assume_unique=True, return_indices=True)
    equal = all(np.array_equal(getattr(before.rows, role)[mine], getattr(after.rows, role)[theirs]) for role in _VALUES)
    alike = "with equal values" if equal else "with other values"
    number = f"{len(shared)} {'bar is' if len(shared) == 1 else 'bars are'}"
    both = f"{number} in both, {alike}" if len(shared) else "no bar is in both"
    raise BadInput(
        f"{after.part.label}: begins at {_text(after.rows.time[0])}, before {before.part.label} ends at "
        f"{_text(before.rows.time[-1])}; {both}. Files that are joined must follow one another: leave one out or cut it"
    )


def _text(time: np.int64) -> str:
    return f"{np.datetime64(int(time), 'ns').astype('datetime64[s]')} UTC"
