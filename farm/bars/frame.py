"""Bars in memory: one symbol on one timeframe, as plain arrays."""

from dataclasses import dataclass, field, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_NOWHERE: Bool = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one symbol in time order; every array has one value a bar.

    Times are int64 nanoseconds since 1970-01-01 UTC. ``available_at`` is the bar's close: no code may use the bar
    before it. ``session`` is the session's date in days since 1970-01-01, ``segment`` numbers the maximal runs without
    a data hole; both never decrease.

    Marks, false everywhere unless given: ``rolled`` is the first bar on a new contract of a joined future, where who
    holds a position leaves the old contract and enters the new one. ``filled`` is a bar that stands in for a short gap,
    flat at the last close and without volume: nobody traded then, so nothing is decided on it and no order fills on it.
    """

    symbol: str
    timeframe: str
    open_time: Int
    available_at: Int
    open: Float
    high: Float
    low: Float
    close: Float
    volume: Float
    session: Int
    segment: Int
    rolled: Bool = field(default_factory=lambda: _NOWHERE)
    filled: Bool = field(default_factory=lambda: _NOWHERE)

    def __post_init__(self) -> None:
        for name in ("rolled", "filled"):
            if getattr(self, name) is _NOWHERE:
                object.__setattr__(self, name, np.zeros(len(self), dtype=np.bool_))

    def __len__(self) -> int:
        return len(self.open_time)

    def between(self, start: int, stop: int) -> "Bars":
        """The bars at positions ``start`` to ``stop`` (excluded), as views."""
        cut = {f.name: getattr(self, f.name)[start:stop] for f in fields(self) if f.name not in ("symbol", "timeframe")}
        return replace(self, **cut)

    def segment_bounds(self) -> Int:
        """Positions where a segment starts, and the number of bars at the end: shape (segments + 1,)."""
        starts = np.flatnonzero(self.segment[1:] != self.segment[:-1]) + 1
        return np.concatenate(([0], starts, [len(self)])) if len(self) else np.zeros(1, dtype=np.int64)

    def frame(self) -> pd.DataFrame:
        """The bars as a table with tz-aware UTC times."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("symbol", "timeframe")}
        for name in ("open_time", "available_at"):
            columns[name] = pd.to_datetime(columns[name], utc=True)
        return pd.DataFrame(columns)
