"""What labelling bars gives: one event per decision."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]

CLASSES = (-1, 0, 1)
"""The classes of a label, in the order of every table of probabilities: down, flat, up."""


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one symbol in the order of their decisions; every array has one value an event.

    A decision at the close of bar ``row`` is entered in bar ``entry_row`` and ends in bar ``exit_row``; all three are
    positions in the labelled bars. Times are int64 nanoseconds since 1970-01-01 UTC, prices and ``volatility`` are in
    price units, ``ret`` is the log return from entry to exit before costs.

    ``exited_at`` is the close of the exit bar: the moment the label became known. An event is ``labelled`` when a model
    may learn from its ``target``; an event that its segment's end cut off is not, its exit being the close of the
    segment's last bar. It stays here because whoever decided could not know, so a backtest trades it all the same.

    ``touch`` tells which barrier ended the event: 1 up, -1 down, 0 time (or the segment's end). ``ambiguous`` marks an
    exit bar that reached both barriers, ``resolved`` those of them that finer bars decided.
    """

    row: Int
    decided_at: Int
    entered_at: Int
    exited_at: Int
    entry_row: Int
    exit_row: Int
    entry_price: Float
    exit_price: Float
    volatility: Float
    label: Int8
    labelled: Bool
    target: Float
    ret: Float
    touch: Int8
    ambiguous: Bool
    resolved: Bool

    def __post_init__(self) -> None:
        for field in fields(self):
            found = len(getattr(self, field.name))
            if found != len(self.row):
                raise ValueError(
                    f"Events: {field.name} has {found} values, row has {len(self.row)}; give one value an event"
                )

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """The events at these positions (integers, a mask or a slice), in that order."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def weighed(self, rows: NDArray[Any], weight: Float) -> Float:  # noqa: ARG002  # a pool's events look at the rows
        """The weights of these events among each other: as they are, for all are of one symbol."""
        return weight

    def apart(self, rows: Int) -> list[Int]:
        """The rows by symbol: all together, for all are of one."""
        return [rows]
