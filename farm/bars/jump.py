"""Prices that cannot follow one another: unadjusted splits, and stretches that belong to another instrument."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
from pydantic import Field

from farm.bars.frame import Bars, Float, Int
from farm.bars.rows import FileRows
from farm.bars.timeframe import DAY
from farm.errors import BadInput
from farm.section import Section

OnJumps = Literal["stop", "accept"]

# From one bar's close to the next one's open, 30% either way is more than any market moved without a split, but for a
# single share on its worst morning. Wilder instruments, and prices on both sides of a hole, are measured by their own
# volatility: random walks leave 8 standard deviations about never, and the fat tails of returns wear off with time.
_LEAST = 0.3
_DEVIATIONS = 8.0
_ENOUGH_DAYS = 10
# Bars that touch in time: of 3.5 million in 40 real files one opened 5% and 25 of its bars' deviations away from the
# close before, and none came back so. Rows of an instrument with another price do both.
_STEP = 0.05
_STEP_DEVIATIONS = 25.0
_UNDONE = 0.2
_A_PAIR = 2
_NORMAL = 0.6745  # median absolute value of a standard normal
_RATIOS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 100, 3 / 2, 5 / 2, 4 / 3, 5 / 4)
_NEAR = 0.07


@dataclass(frozen=True)
class Jump:
    """A price that cannot follow: ``row`` of the file opens at ``after``, and the bar before closed at ``before``.

    ``time`` is the row's open in ns UTC, ``limit`` the largest move (of the logarithm) that was taken for a market's.
    """

    row: int
    time: int
    before: float
    after: float
    limit: float

    @property
    def move(self) -> float:
        """Difference of the logarithms of the two prices."""
        return float(np.log(self.after / self.before))


class Split(Section):
    """A share's split, or another change of unit: from the session of ``date`` on, an old share is ``ratio`` new ones.

    >>> Split(date="2020-08-31", ratio=4).ratio
    4.0
    """

    date: date
    ratio: float = Field(gt=0)

    def apply(self, bars: Bars) -> Bars:
        """Bars with the prices before the split in today's shares: divided by the ratio, and volumes multiplied."""
        factor = np.where(bars.session < (self.date - date(1970, 1, 1)).days, self.ratio, 1.0)
        prices = {name: getattr(bars, name) / factor for name in ("open", "high", "low", "close")}
        return replace(bars, **prices, volume=bars.volume * factor)


def jumps(bars: Bars, row: Int) -> tuple[Jump, ...]:
    """The prices that cannot follow the one before; ``row`` is each bar's number in its file.

    A move from a bar's close to the next one's open counts when it is above 30% and above 8 times the volatility of a
    day, times the root of the days between the two: after a hole of months another level is no wonder. The volatility
    is the median move from session to session over 0.6745, which a few splits do not change; with fewer than 10 such
    moves nothing is said about the two sides of a hole. Between bars with no moment between them, 5% and 25 of the
    bars' usual moves are enough where the next such step undoes the first: what lies between them is another
    instrument's.

    >>> minute = 60_000_000_000
    >>> at, zero = np.arange(3) * minute, np.zeros(3, dtype=np.int64)
    >>> price = np.array([100.0, 100.0, 25.0])
    >>> bars = Bars("SYN", "1min", at, at + minute, price, price, price, price, price, zero, zero)
    >>> [(jump.row, jump.before, jump.after) for jump in jumps(bars, np.array([1, 2, 3]))]
    [(3, 100.0, 25.0)]
    """
    moves = np.log(bars.open[1:] / bars.close[:-1])
    found = {jump.row: jump for jump in (*_there_and_back(bars, row, moves), *_beyond_a_market(bars, row, moves))}
    return tuple(found[at] for at in sorted(found))


def _beyond_a_market(bars: Bars, row: Int, moves: Float) -> tuple[Jump, ...]:
    large = np.flatnonzero(np.abs(moves) > _LEAST)
    if not len(large):
        return ()
    days = np.maximum((bars.open_time[large + 1] - bars.available_at[large]) / DAY, 1.0)
    volatility = _daily_volatility(bars)
    if np.isnan(volatility):
        limit = np.where(bars.segment[large + 1] == bars.segment[large], _LEAST, np.inf)
    else:
        limit = np.maximum(_LEAST, _DEVIATIONS * volatility * np.sqrt(days))
    beyond = np.abs(moves[large]) > limit
    return _jumps_at(bars, row, large[beyond], limit[beyond])


def _there_and_back(bars: Bars, row: Int, moves: Float) -> tuple[Jump, ...]:
    """Steps between bars without a moment between them that the next such step undoes."""
    large = np.flatnonzero((np.abs(moves) > _STEP) & (bars.open_time[1:] == bars.available_at[:-1]))
    if len(large) < _A_PAIR:
        return ()
    inside = np.abs(np.log(bars.close / bars.open))
    usual = float(np.median(inside[inside > 0])) / _NORMAL if inside.any() else 0.0
    limit = max(_STEP, _STEP_DEVIATIONS * usual)
    large = large[np.abs(moves[large]) > limit]
    undone = np.abs(moves[large[1:]] + moves[large[:-1]]) < _UNDONE * np.abs(moves[large[:-1]])
    large = large[np.append(undone, False) | np.insert(undone, 0, False)] if len(large) else large
    return _jumps_at(bars, row, large, np.full(len(large), limit))


def _jumps_at(bars: Bars, row: Int, at: Int, limit: Float) -> tuple[Jump, ...]:
    return tuple(
        Jump(int(row[n + 1]), int(bars.open_time[n + 1]), float(bars.close[n]), float(bars.open[n + 1]), float(most))
        for n, most in zip(at, limit, strict=True)
    )


def stop_at_jumps(content: FileRows, found: tuple[Jump, ...], symbol: str) -> None:
    """Raise `BadInput` for the first jump, saying what it looks like and which setting would accept it."""
    if not found:
        return
    first = found[0]
    back = next((jump for jump in found[1:] if abs(jump.move + first.move) < _UNDONE * abs(first.move)), None)
    ratio = first.before / first.after
    split = next((each for each in (*_RATIOS, *(1 / n for n in _RATIOS)) if abs(np.log(ratio / each)) < _NEAR), None)
    day = _day(first.time)
    if back is not None:
        looks = (
            f"It comes back at row {back.row} ({_day(back.time)}): rows {first.row} to {back.row - 1} look like "
            "prices of another instrument; take them out of the file"
        )
    elif split is not None:
        looks = (
            f"The old price is nearly {split:g} times the new: an unadjusted split looks like this; declare it by "
            f"`adjustments: {{{symbol}: [{{date: {day}, ratio: {split:g}}}]}}`"
        )
    else:
        looks = (
            "Rows of another instrument, contracts joined without adjustment, or a change of unit look like this; "
            f"correct the file, or declare a unit by `adjustments: {{{symbol}: [{{date: {day}, ratio: {ratio:.6g}}}]}}`"
        )
    raise BadInput(
        f"{content.name(first.row)}: opens at {first.after:g} on {day} after a close of {first.before:g}; at most "
        f"{np.expm1(first.limit):.0%} up or {-np.expm1(-first.limit):.0%} down is taken for the market's, and "
        f"{len(found)} of the file's moves are larger. {looks}, or accept them by `jumps: accept`"
    )


def _daily_volatility(bars: Bars) -> float:
    """Robust standard deviation of the move from session to session, NaN where there are too few to say."""
    last = np.flatnonzero(np.append(bars.session[1:] != bars.session[:-1], True))
    together = bars.segment[last[1:]] == bars.segment[last[:-1]]
    moves = np.abs(np.log(bars.close[last[1:]] / bars.close[last[:-1]]))[together]
    return float(np.median(moves)) / _NORMAL if len(moves) >= _ENOUGH_DAYS else float("nan")


def _day(time: int) -> str:
    return str(np.datetime64(time, "ns").astype("datetime64[D]"))
