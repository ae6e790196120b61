"""Trend scanning: the sign of the strongest linear trend that starts at the decision."""

import math
from typing import ClassVar, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from farm.bars.frame import Bars
from farm.errors import BadInput
from farm.labels.barrier import Entry
from farm.labels.events import Events
from farm.labels.horizon import Horizon, bars_in
from farm.labels.outcome import held_events, with_labels
from farm.labels.volatility import Atr, Volatility
from farm.section import Section

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _strongest(close: Float, rows: Int, shortest: int, longest: int) -> Float:
    result = np.zeros(len(rows))
    for r in range(len(rows)):
        i = rows[r]
        sum_y = sum_xy = sum_yy = 0.0  # of the closes from the decision's on, the decision's own being 0
        best = 0.0
        for k in range(1, longest + 1):
            y = close[i + k] - close[i]
            sum_y += y
            sum_xy += k * y
            sum_yy += y * y
            if k < shortest:
                continue
            n = k + 1.0
            xx = n * (n * n - 1.0) / 12.0
            xy = sum_xy - 0.5 * k * sum_y
            yy = sum_yy - sum_y * sum_y / n
            left = yy - xy * xy / xx
            if yy <= 0.0:  # nothing moved
                t = 0.0
            elif left <= 1e-12 * yy:  # a straight line, but for rounding
                t = math.copysign(math.inf, xy)
            else:
                t = xy * math.sqrt((n - 2.0) / (xx * left))
            if abs(t) > abs(best):
                best = t
        result[r] = best
    return result


def strongest_trend(close: Float, rows: Int, shortest: int, longest: int) -> Float:
    """t-value of the strongest trend after each row, shape (rows,): largest in size among ``shortest`` … ``longest``.

    The trend over k bars is the least-squares line through the k + 1 closes from the row's own on, its t-value that of
    the slope; a perfect line has an infinite one, closes that do not move have 0. ``longest`` bars follow every row.

    Source: M. Lopez de Prado, Machine Learning for Asset Managers (2020), section 5.4. There a perfect fit counts as
    none; here it is the strongest.

    >>> strongest_trend(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0]), 2, 3).round(4)
    array([4.2426])
    """
    return _strongest(np.ascontiguousarray(close, dtype=np.float64), rows, shortest, longest)


class TrendScanning(Section):
    """Labels by the sign of the strongest linear trend that starts at the decision (Lopez de Prado 2020, section 5.4).

    Trends of every length from ``shortest`` bars to the horizon compete by the t-value of their slope. Below
    ``neutral_below`` in size the label is 0; a price that did not move at all has no sign and stays unlabelled, unless
    that is neutral. Which trend won is known only when the longest has been seen, so every event ends with the
    horizon, never with the winning trend: a purge by that would leak. t-values of overlapping walks are large by
    nature; they rank trends and test nothing.
    """

    touches: ClassVar[bool] = False
    learns: ClassVar[Literal["class"]] = "class"
    entry: ClassVar[Entry] = "next_open"

    kind: Literal["trend_scanning"] = "trend_scanning"
    horizon: Horizon
    shortest: int = Field(default=5, ge=2)
    neutral_below: float = Field(default=0.0, ge=0)
    volatility: Volatility = Atr()

    def bars_watched(self, timeframe: str) -> int:
        """Bars of this timeframe that are watched after a decision.

        Raises
        ------
        BadInput
            The horizon has fewer bars than the shortest trend.
        """
        longest = bars_in(self.horizon, timeframe)
        if longest < self.shortest:
            raise BadInput(
                f"labels.horizon is {self.horizon}, {longest} bars of {timeframe}, fewer than labels.shortest = "
                f"{self.shortest}; give a longer horizon or a lower shortest (at least 2)"
            )
        return longest

    def implied_null_share(self) -> float:
        """One half, of the events that are not neutral."""
        return 0.5

    def label(self, bars: Bars, rows: NDArray[np.int64], finer: Bars | None = None) -> Events:  # noqa: ARG002  # closes only
        """Events of the decisions at these bars, in order; finer bars change nothing.

        Raises
        ------
        ValueError
            ``rows`` do not ascend or lie outside the bars.
        """
        longest = self.bars_watched(bars.timeframe)
        events = held_events(bars, rows, volatility=self.volatility.of(bars), max_bars=longest)
        trend = np.zeros(len(events))
        whole = events.labelled
        trend[whole] = strongest_trend(bars.close, events.row[whole], self.shortest, longest)
        clear = np.abs(trend) >= self.neutral_below
        return with_labels(events, np.where(clear, np.sign(trend), 0.0), known=(trend != 0) | ~clear)
