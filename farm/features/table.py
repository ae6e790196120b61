"""The matrix a recipe fills: one row a decision bar, columns side by side in memory."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.bars.frame import Bars, Float, Int
from farm.errors import BadInput
from farm.features.feature import Feature
from farm.features.shared import Segment

_TOGETHER = 16  # columns computed before they are written: a row's neighbours then share cache lines
# no power of two: columns that far apart would compete for the same cache lines
_STRETCH = 30_000  # rows computed at a time, unless the lookback is long beside them


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


def fill(values: Float, features: Sequence[Feature], bars: Bars, *, threads: int = 1) -> None:
    """Write each feature of ``bars`` into its column of ``values``, on as many threads as asked for.

    Long segments are computed in stretches, each from the features' lookback on, so that what is in between stays in
    the cache. Where they are cut depends on the segment's beginning alone: neither later bars nor threads change a bit.

    Raises
    ------
    BadInput
        When a feature looks back further than the longest segment.
    """
    for feature in features:
        _check_length(feature, bars)
    back = max((feature.bars_back(bars.timeframe) for feature in features), default=1)
    length = max(_STRETCH, 8 * back)
    stretches = [
        (max(begin, start - back + 1), start, min(start + length, end))
        for begin, end in pairwise(bars.segment_bounds().tolist())
        for start in range(begin, end, length)
    ]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(_fill_stretch, values, features, bars), stretches))


def _fill_stretch(values: Float, features: Sequence[Feature], bars: Bars, stretch: tuple[int, int, int]) -> None:
    """Fill the rows from the second number of ``stretch`` to the third; the first is where the bars to read begin."""
    warm, start, stop = stretch
    segment = Segment.cut(bars, warm, stop)
    for at in range(0, len(features), _TOGETHER):
        batch = features[at : at + _TOGETHER]
        columns = np.empty((len(batch), stop - start))
        for column, feature in zip(columns, batch, strict=True):
            feature.fill(column, segment, skip=start - warm)
        _write_rows(columns, values[start:stop, at : at + len(batch)])


def join(values: Float, table: Float, rows: Int, *, threads: int = 1) -> None:
    """Write row ``rows[i]`` of ``table`` to row i of ``values``, NaN where it is negative."""
    edges = np.linspace(0, len(rows), threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(_join_part, values, table, rows), edges[:-1], edges[1:]))


def _join_part(values: Float, table: Float, rows: Int, start: int, stop: int) -> None:
    _copy_rows(table, rows[start:stop], values[start:stop])


def _check_length(feature: Feature, bars: Bars) -> None:
    back, longest = feature.bars_back(bars.timeframe), int(np.diff(bars.segment_bounds()).max(initial=0))
    if back > longest:
        raise BadInput(
            f"feature {feature.name} looks back {back} bars of {bars.timeframe}, but the longest segment of "
            f"{bars.symbol} has {longest}; exclude the feature, drop that timeframe or give longer data"
        )


@njit(cache=True, nogil=True)
def _write_rows(columns: Float, out: Float) -> None:
    for i in range(columns.shape[1]):
        for j in range(len(columns)):
            out[i, j] = columns[j, i]


@njit(cache=True, nogil=True)
def _copy_rows(table: Float, rows: Int, out: Float) -> None:
    for i in range(len(rows)):
        row = rows[i]
        for j in range(table.shape[1]):
            out[i, j] = table[row, j] if row >= 0 else np.nan


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
