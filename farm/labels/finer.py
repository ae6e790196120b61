"""A bar that reached both barriers, followed through the finer bars inside it."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from farm.bars.frame import Bars
from farm.labels.barrier import DOWN, UP, Watched, up_wins

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@njit(cache=True, nogil=True)
def _follow(
    which: Int,
    first: Int,
    last: Int,
    open_: Float,
    high: Float,
    low: Float,
    upper: Float,
    lower: Float,
    rule: int,
    touch: NDArray[np.int8],
    exit_price: Float,
    ret: Float,
    entry: Float,
    resolved: NDArray[np.bool_],
) -> None:
    for n in range(len(which)):
        k = which[n]
        for j in range(first[n], last[n]):
            rises, falls = high[j] >= upper[k], low[j] <= lower[k]
            if rises or falls:
                resolved[k] = not (rises and falls)
                if rises and falls:
                    rises = up_wins(open_[j], upper[k], lower[k], rule)
                touch[k] = UP if rises else DOWN
                exit_price[k] = max(upper[k], open_[j]) if rises else min(lower[k], open_[j])
                ret[k] = math.log(exit_price[k] / entry[k])
                break


def resolve(
    out: Watched, bars: Bars, finer: Bars, entry: Float, upper: Float, lower: Float, rule: int
) -> NDArray[np.bool_]:
    """Which ambiguous exits the finer bars decided; ``touch``, ``exit_price`` and ``ret`` of ``out`` are rewritten.

    Where one finer bar reaches both barriers the rule decides on that bar; where no finer bar reaches any (they are
    missing, or of another source) the coarse bar's answer stands.
    """
    if finer.symbol != bars.symbol:
        raise ValueError(f"label: finer bars are of {finer.symbol!r}, bars of {bars.symbol!r}; give both of one symbol")
    which = np.flatnonzero(out.ambiguous)
    exits = out.exit_row[which]
    first = np.searchsorted(finer.open_time, bars.open_time[exits], side="left")
    last = np.searchsorted(finer.available_at, bars.available_at[exits], side="right")
    resolved = np.zeros(len(upper), dtype=np.bool_)
    _follow(
        which, first, last, finer.open, finer.high, finer.low, upper, lower, rule,
        out.touch, out.exit_price, out.ret, entry, resolved,
    )  # fmt: skip
    return resolved
