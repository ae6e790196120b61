"""One feature: a causal function of bars with a declared finite lookback."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from farm.bars.frame import Bars, Bool, Float
from farm.bars.timeframe import DAY, nanoseconds
from farm.features.quotient import Quotient, place, place_quotient
from farm.features.shared import Segment

SESSION = "session"  # the group read on the decision's timeframe only: a longer bar knows no more of the clock


@dataclass(frozen=True)
class Feature:
    """A named column computed from bars.

    Its value at a bar is a function of that bar and the bars before it in the same segment, ``lookback`` in all;
    where there are fewer it is NaN, everywhere else finite. One that starts with the session declares in ``sessions``
    how many it reads, counted in bars by the timeframe (a session is at most a day).

    Parameters
    ----------
    name, group : str
        ``rsi_14`` and ``momentum``.
    lookback : int
        Bars read, the current one included.
    inputs : tuple of str
        The columns of ``Bars`` that are read, no others.
    source : str
        The paper or book with its section; "own" with the formula in the function's docstring.
    compute : callable
        Called with bars of one segment; returns one float64 value a bar, as an array or as a ``Quotient``. What it
        returns for the rows before the lookback is complete does not matter.
    stationary : bool
        Multiplying all prices by a constant, or all volumes by another, changes nothing.
    sessions : int
        Whole sessions read, beside ``lookback``.
    """

    name: str
    group: str
    lookback: int
    inputs: tuple[str, ...]
    source: str
    compute: Callable[[Bars], Float | Quotient]
    stationary: bool = True
    sessions: int = 0

    def bars_back(self, timeframe: str) -> int:
        """Bars read on a timeframe, the current one included.

        >>> from farm.features import registry
        >>> [registry()[name].bars_back("25min") for name in ("rsi_14", "session_return")]
        [71, 58]
        """
        if not self.sessions:
            return self.lookback
        return max(self.lookback, self.sessions * -(-DAY // nanoseconds(timeframe)))

    def values(self, bars: Bars) -> Float:
        """One value a bar, shape (bars,), segment by segment; NaN where the lookback is not complete.

        Raises
        ------
        ValueError
            When the function does not give one value a bar.
        """
        out = np.empty(len(bars))
        finite = np.ones(len(bars), dtype=np.bool_)
        for start, stop in pairwise(bars.segment_bounds()):
            self.fill(out[start:stop], finite[start:stop], Segment.cut(bars, start, stop))
        return out

    def fill(self, out: Float, finite: Bool, segment: Segment, *, skip: int = 0) -> None:
        """Write the same to ``out``, for one segment but its first ``skip`` bars; unset ``finite`` where it is not."""
        back = self.bars_back(segment.timeframe)
        known = max(back - 1, skip)
        out[: known - skip] = np.nan
        finite[: known - skip] = False
        if len(segment) < back:
            return
        made, made_finite = out[known - skip :], finite[known - skip :]
        found = self.compute(segment)
        column = found if isinstance(found, Quotient) else np.asarray(found, dtype=np.float64)
        if column.shape != (len(segment),):
            raise ValueError(
                f"feature {self.name} gave shape {column.shape} for {len(segment)} bars; it must give one value a bar"
            )
        if isinstance(column, Quotient):
            over, under = column.numerator[known:], column.denominator[known:]
            place_quotient(over, under, column.times, column.otherwise, made, made_finite)
        else:
            place(column[known:], made, made_finite)
