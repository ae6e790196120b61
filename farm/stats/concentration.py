"""How much of a track record rests on a few returns, and how deep and long it stood under water."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from farm.stats.accepted import FloatArray, accept_series


@dataclass(frozen=True, slots=True)
class ReturnConcentration:
    """Concentration of gains and of losses, each 0 (even) to 1 (one return made all); None for fewer than 3."""

    gains: float | None
    losses: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Drawdowns:
    """Every stretch under water, in time order; arrays have one entry a stretch.

    Attributes
    ----------
    peak, trough : int arrays
        Row of the high-water mark when first reached, and of the lowest value under it.
    end : int array
        Row at which the mark was reached again, or the last row.
    recovered : bool array
        Whether it was.
    depth : float array
        Fall from peak to trough: a share of the peak, or in the unit of the equity.
    """

    peak: NDArray[np.int64]
    trough: NDArray[np.int64]
    end: NDArray[np.int64]
    recovered: NDArray[np.bool_]
    depth: FloatArray

    @property
    def rows_under_water(self) -> NDArray[np.int64]:
        """Rows from the peak to its recovery, or to the end of the series."""
        return self.end - self.peak

    @property
    def deepest(self) -> float:
        """The largest depth; 0 for an equity that never fell."""
        return float(self.depth.max(initial=0.0))

    @property
    def longest(self) -> int:
        """The most rows spent under one mark; 0 for an equity that never fell."""
        return int(self.rows_under_water.max(initial=0))


def herfindahl_index(values: ArrayLike) -> float:
    """The normalised Herfindahl-Hirschman index of values of one sign: 0 when all are equal, 1 when one is everything.

    Raises
    ------
    ValueError
        For fewer than 3 values, values of both signs (their shares mean nothing: the index can exceed 1), all zero.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, section 14.5.

    Examples
    --------
    >>> herfindahl_index([1, 1, 1, 1]), herfindahl_index([1, 0, 0, 0])
    (0.0, 1.0)
    """
    series = accept_series(values, "values", 3)
    if series.min() < 0.0 < series.max():
        raise ValueError(
            f"values has both signs ({series.min()} to {series.max()}), so shares of their sum mean nothing; "
            "pass gains and losses apart (see return_concentration)"
        )
    if not series.any():
        raise ValueError("values is zero throughout, so there is nothing to be concentrated; pass values that are not")
    series = series / np.abs(series).max()
    shares = series / series.sum()
    n = len(series)
    return float((np.sum(shares**2) - 1.0 / n) / (1.0 - 1.0 / n))


def return_concentration(returns: ArrayLike, *, zeros: Literal["neither", "gains"] = "neither") -> ReturnConcentration:
    """Herfindahl indices of the gains and of the losses among `returns`.

    A return of zero is neither by default; ``zeros="gains"`` counts it among the gains, as the book's snippet does,
    which raises the index of a series with idle periods.

    Raises
    ------
    ValueError
        For returns that are not finite or another value of `zeros`.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, snippet 14.3.

    Examples
    --------
    >>> return_concentration([0.1, 0.1, 0.1, 0.0, -0.1, -0.1, -0.1])
    ReturnConcentration(gains=0.0, losses=0.0)
    """
    if zeros not in ("neither", "gains"):
        raise ValueError(f"zeros is {zeros!r}; it must be 'neither' or 'gains'")
    series = accept_series(returns)
    gains = series[series >= 0.0] if zeros == "gains" else series[series > 0.0]
    losses = series[series < 0.0]
    return ReturnConcentration(*(herfindahl_index(side) if _spread_over(side) else None for side in (gains, losses)))


def drawdowns(equity: ArrayLike, *, relative: bool = True) -> Drawdowns:
    """Every stretch in which an equity curve stood below its high-water mark.

    Parameters
    ----------
    equity : array-like, shape (T,)
        Value after each row, such as the running product of 1 + returns, or a running sum with ``relative=False``.
    relative : bool
        Depth as a share of the peak (the equity must then be positive), else in the equity's unit.

    Raises
    ------
    ValueError
        For an equity that is not finite, or not positive with ``relative=True``.

    References
    ----------
    Lopez de Prado (2018), Advances in Financial Machine Learning, section 14.5.2. There, time under water runs from one
    mark that was lost to the next that will be; here it ends when the mark is reached again.

    Examples
    --------
    >>> found = drawdowns([100, 110, 99, 105, 112, 112, 84])
    >>> found.peak.tolist(), found.end.tolist(), found.recovered.tolist(), found.depth.tolist()
    ([1, 4], [4, 6], [True, False], [0.1, 0.25])
    """
    series = accept_series(equity, "equity")
    if relative and series.min() <= 0.0:
        raise ValueError(
            f"equity falls to {series.min()}, and a share of the peak needs it positive; pass relative=False or the "
            "account's value"
        )
    marks = np.maximum.accumulate(series)
    firsts = np.flatnonzero(np.r_[True, marks[1:] > marks[:-1]])  # rows that set a new mark
    stops = np.r_[firsts[1:], len(series)]
    peaks, troughs, ends, recovered = [], [], [], []
    for first, stop in zip(firsts, stops, strict=True):
        # Within one mark the series may touch it again: each dip below is a stretch of its own.
        below = np.flatnonzero(series[first:stop] < marks[first]) + first
        for dip in np.split(below, np.flatnonzero(np.diff(below) > 1) + 1):
            if len(dip) == 0:
                continue
            peaks.append(first if dip[0] == below[0] else dip[0] - 1)
            troughs.append(dip[series[dip].argmin()])
            back = dip[-1] + 1
            recovered.append(back < len(series))
            ends.append(min(back, len(series) - 1))
    peak, trough = np.array(peaks, dtype=np.int64), np.array(troughs, dtype=np.int64)
    fall = series[peak] - series[trough]
    return Drawdowns(
        peak=peak,
        trough=trough,
        end=np.array(ends, dtype=np.int64),
        recovered=np.array(recovered, dtype=np.bool_),
        depth=fall / series[peak] if relative else fall,
    )


def _spread_over(side: FloatArray) -> bool:
    return len(side) > 2 and bool(side.any()) and math.isfinite(side.sum())
