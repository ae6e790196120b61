"""The matrix a recipe fills: one row a decision bar, columns side by side in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.bars.frame import Bars, Float, Int
from farm.errors import BadInput
from farm.features.feature import Feature

_TOGETHER = 16  # columns computed before they are written: a row's neighbours then share cache lines


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of every decision bar.

    ``values`` has shape (bars, names), C-contiguous; ``valid`` is one flag a bar, true where all its values are finite;
    ``lookback`` says how many bars of its own timeframe each column reads.
    """

    names: tuple[str, ...]
    values: Float
    valid: NDArray[np.bool_]
    lookback: Mapping[str, int]


def fill(values: Float, features: Sequence[Feature], bars: Bars, rows: Int | None = None) -> None:
    """Write each feature of ``bars`` into its column of ``values``.

    With ``rows``, row i of ``values`` takes the bar at ``rows[i]``, and NaN where that is negative.

    Raises
    ------
    BadInput
        When a feature looks back further than the longest segment.
    """
    rows = np.arange(len(bars)) if rows is None else rows
    for at in range(0, len(features), _TOGETHER):
        part = features[at : at + _TOGETHER]
        columns = np.empty((len(part), len(bars)))
        for column, feature in zip(columns, part, strict=True):
            _check_length(feature, bars)
            column[:] = feature.values(bars)
        _place(columns, rows, values[:, at : at + len(part)])


def _check_length(feature: Feature, bars: Bars) -> None:
    back, longest = feature.bars_back(bars.timeframe), int(np.diff(bars.segment_bounds()).max(initial=0))
    if back > longest:
        raise BadInput(
            f"feature {feature.name} looks back {back} bars of {bars.timeframe}, but the longest segment of "
            f"{bars.symbol} has {longest}; exclude the feature, drop that timeframe or give longer data"
        )


@njit(cache=True, nogil=True)
def _place(columns: Float, rows: Int, out: Float) -> None:
    for i in range(len(rows)):
        for j in range(len(columns)):
            out[i, j] = columns[j, rows[i]] if rows[i] >= 0 else np.nan


@njit(cache=True, nogil=True)
def complete(values: Float) -> NDArray[np.bool_]:
    """Whether every value of a row is finite, for each row.

    >>> complete(np.array([[1.0, 2.0], [1.0, np.nan]]))
    array([ True, False])
    """
    out = np.ones(len(values), dtype=np.bool_)
    for i in range(len(values)):
        for j in range(values.shape[1]):
            if not np.isfinite(values[i, j]):
                out[i] = False
                break
    return out
