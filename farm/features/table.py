"""The matrix a recipe fills: one row a decision bar, each column in one piece."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.bars.frame import Bars, Float, Int
from farm.errors import BadInput
from farm.features.asof import Runs, spread
from farm.features.feature import Feature
from farm.features.shared import Segment

T = TypeVar("T")
Flags = NDArray[np.bool_]

_BLOCK = 31 << 20
# no power of two: columns that far apart would compete for the same cache lines
_STRETCH = 62_500  # rows computed at a time, unless the lookback is long beside them
_TOGETHER = 64  # rows gathered at a time, so that what is written stays in the nearest cache


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """Features of every decision bar.

    ``values`` has shape (bars, names) and is laid out column after column; ``valid`` is one flag a bar, true where all
    its values are finite; ``lookback`` says how many bars of its own timeframe each column reads.
    """

    names: tuple[str, ...]
    values: Float
    valid: Flags
    lookback: Mapping[str, int]

    def rows(self, at: Int) -> Float:
        """The rows at the positions given, each in one piece: shape (positions, names), C-contiguous."""
        out = np.empty((len(at), len(self.names)))
        _gather(self.values.T, np.asarray(at, dtype=np.int64), out)
        return out


def fill(columns: Float, valid: Flags, features: Sequence[Feature], bars: Bars, *, threads: int = 1) -> None:
    """Write each feature of ``bars`` into its row of ``columns``, shape (features, bars); not finite is not ``valid``.

    Long segments are computed in stretches, each from the features' lookback on, so that what is in between stays in
    the cache; as many at a time as there are ``threads``. Where they are cut depends on the segment's beginning alone:
    neither later bars nor threads change a bit.

    Raises
    ------
    BadInput
        When a feature looks back further than the longest segment.
    """
    bounds = bars.segment_bounds()
    longest = int(np.diff(bounds).max(initial=0))
    for feature in features:
        _check_length(feature, bars, longest)
    _let_freed_memory_be_kept()
    back = max((feature.bars_back(bars.timeframe) for feature in features), default=1)
    length = max(_STRETCH, 8 * back)
    stretches = [
        (max(begin, start - back + 1), start, min(start + length, end))
        for begin, end in pairwise(bounds.tolist())
        for start in range(begin, end, length)
    ]
    _each(partial(_fill_stretch, columns, valid, features, bars), stretches, threads=threads)


def _let_freed_memory_be_kept() -> None:
    """Have the C library keep what a stretch frees for the next one.

    glibc hands freed memory back to the system, and gets it again page by page at half the cost of computing the
    features, when it is more than twice the largest block freed so far, which counts up to 32 MiB. So such a block is
    freed here; nobody touches it, and another library does not mind.
    """
    np.empty(_BLOCK, dtype=np.uint8)


def _fill_stretch(
    columns: Float, valid: Flags, features: Sequence[Feature], bars: Bars, stretch: tuple[int, int, int]
) -> None:
    """Fill the bars from the second number of ``stretch`` to the third; the first is where the bars to read begin."""
    warm, start, stop = stretch
    segment = Segment.cut(bars, warm, stop)
    for column, feature in zip(columns, features, strict=True):
        feature.fill(column[start:stop], valid[start:stop], segment, skip=start - warm)


def join(columns: Float, table: Float, runs: Runs, *, threads: int = 1) -> None:
    """Write each row of ``table``, shape (features, higher bars), as of ``runs`` to its row of ``columns``."""
    _each(lambda j: spread(table[j], runs.rows, runs.stops, columns[j]), range(len(table)), threads=threads)


def _each(work: Callable[[T], None], parts: Sequence[T], *, threads: int) -> None:
    if threads == 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))


def _check_length(feature: Feature, bars: Bars, longest: int) -> None:
    back = feature.bars_back(bars.timeframe)
    if back > longest:
        raise BadInput(
            f"feature {feature.name} looks back {back} bars of {bars.timeframe}, but the longest segment of "
            f"{bars.symbol} has {longest}; exclude the feature, drop that timeframe or give longer data"
        )


@njit(cache=True, nogil=True)
def _gather(columns: Float, at: Int, out: Float) -> None:
    for begin in range(0, len(at), _TOGETHER):
        stop = min(begin + _TOGETHER, len(at))
        for j in range(len(columns)):
            for i in range(begin, stop):
                out[i, j] = columns[j, at[i]]
