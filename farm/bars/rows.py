"""The rows of a file as arrays, and the rows that cannot be taken as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.frame import Float, Int
from farm.errors import BadInput

Role = Literal["time", "open", "high", "low", "close", "volume"]
ROLES: tuple[Role, ...] = ("time", "open", "high", "low", "close", "volume")
_TIME_NAMES = ("timestamp", "time", "date", "datetime", "open_time")


@dataclass(frozen=True)
class BadRow:
    """One row that breaks the contract: its 1-based number among the file's data rows, and the broken rule.

    ``looks`` says what such a row comes from, where that can be told.
    """

    row: int
    rule: str
    looks: str = ""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a file in the file's order: ``time`` in ns UTC as the file stamps it, and the five columns.

    ``row`` is the 1-based number among the file's data rows.
    """

    row: Int
    time: Int
    open: Float
    high: Float
    low: Float
    close: Float
    volume: Float

    def __len__(self) -> int:
        return len(self.row)

    def where(self, keep: NDArray[np.bool_]) -> "Rows":
        """The rows that are marked."""
        if keep.all():
            return self
        return replace(self, **{f.name: getattr(self, f.name)[keep] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class FileRows:
    """What a file holds: its rows, the rows whose text is no number or time, and the columns that nobody reads.

    ``n_rows`` counts both kinds of rows. ``header_lines`` is None where the file has no lines.
    """

    file: str
    n_rows: int
    rows: Rows
    unreadable: tuple[BadRow, ...]
    extra_columns: tuple[str, ...]
    header_lines: int | None

    def of(self, mine: NDArray[np.bool_]) -> "FileRows":
        """The part of the file whose rows are marked, one mark a row of the file; rows keep their numbers."""
        return replace(
            self,
            n_rows=int(mine.sum()),
            rows=self.rows.where(mine[self.rows.row - 1]),
            unreadable=tuple(bad for bad in self.unreadable if mine[bad.row - 1]),
        )

    def name(self, row: int) -> str:
        """How a message names a row: by its number, and its line where the file has lines."""
        line = "" if self.header_lines is None else f" (line {row + self.header_lines})"
        return f"{self.file}, row {row}{line}"


def find_columns(file: str, present: Sequence[str], wanted: Mapping[Role, str]) -> dict[Role, str]:
    """The file's name of each role.

    Names are compared without case; ``wanted`` wins. A role without a column, or with more than one, is a `BadInput`
    that says which columns there are.
    """
    found: dict[Role, str] = {}
    for role in ROLES:
        names: tuple[str, ...] = _TIME_NAMES if role == "time" else (role,)
        fitting = [name for name in present if name.strip().lower() in names]
        if role in wanted:
            fitting = [name for name in present if name == wanted[role]]
            names = (wanted[role],)
        if len(fitting) != 1:
            what = f"columns {', '.join(fitting)} could each be" if fitting else "no column is"
            raise BadInput(
                f"{file}: {what} the {role} (looked for {', '.join(names)}); the file has {', '.join(present)}. "
                f"Name the column by `columns: {{{role}: NAME}}`"
            )
        found[role] = fitting[0]
    if len(set(found.values())) < len(found):
        raise BadInput(f"{file}: one column stands for two roles: {found}; name another in `columns`")
    return found
