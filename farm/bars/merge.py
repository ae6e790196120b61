"""Longer bars from runs of bars that follow one another."""

from dataclasses import replace

import numpy as np

from farm.bars.frame import Bars, Bool, Int


def merge(base: Bars, first: Int, open_time: Int, available_at: Int, kept: Bool) -> Bars:
    """One bar of every run of base bars: a run starts at each position in ``first`` and ends where the next one starts.

    ``open_time`` and ``available_at`` are the runs' own times, ``kept`` marks the runs that become a bar. A bar is
    made of its real base bars alone: it opens where the first of them does, for nobody traded at the close that stands
    in before. Only where all of a run is filled the bar is, flat as they are. It is ``rolled`` where any of its run is.
    """
    last = np.append(first[1:], len(base)) - 1
    filled = np.logical_and.reduceat(base.filled, first)
    silent = base.filled & ~np.repeat(filled, last - first + 1)  # stands in for a part of a bar that has real parts
    opening = np.minimum.reduceat(np.where(silent, len(base), np.arange(len(base))), first)
    return replace(
        base,
        open_time=open_time[kept],
        available_at=available_at[kept],
        open=base.open[opening][kept],
        high=np.maximum.reduceat(np.where(silent, -np.inf, base.high), first)[kept],
        low=np.minimum.reduceat(np.where(silent, np.inf, base.low), first)[kept],
        close=base.close[last][kept],
        volume=np.add.reduceat(base.volume, first)[kept],
        session=base.session[first][kept],
        segment=base.segment[first][kept],
        rolled=np.logical_or.reduceat(base.rolled, first)[kept],
        filled=filled[kept],
    )
