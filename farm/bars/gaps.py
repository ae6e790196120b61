"""What becomes of the short gaps of a session: left as they are, or filled with flat bars that are marked."""

from dataclasses import fields
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from farm.bars.calendar import Calendar
from farm.bars.frame import Bars
from farm.bars.sessions import OUTSIDE
from farm.bars.timeframe import Timeframe, nanoseconds
from farm.section import Section


class LeaveGaps(Section):
    """Gaps stay: where nobody traded there is no bar."""

    kind: Literal["none"] = "none"

    def fill(self, bars: Bars, calendar: Calendar) -> Bars:  # noqa: ARG002 (as its peer)
        """The bars as they are."""
        return bars


class FillForward(Section):
    """Gaps inside a session of at most ``max`` are filled with flat bars at the last close, without volume.

    Every such bar is marked as ``filled``: it stands for a time in which nobody traded, so nothing is decided on it and
    no order fills on it. The calendar's own closures are no gaps, a longer gap stays empty, and so does the time
    between a session's open and its first bar. In longer bars they count only where there is nothing else: see
    :func:`farm.bars.resample.resample`. That a gap was short is known when the next bar opens, which is before
    anything is decided again.
    """

    kind: Literal["forward"]
    max: Timeframe = "5min"

    def fill(self, bars: Bars, calendar: Calendar) -> Bars:
        """The bars with their short gaps filled.

        >>> from farm.bars import AlwaysOpen
        >>> minute = 60_000_000_000
        >>> at, zero = np.array([0, 1, 4]) * minute, np.zeros(3, dtype=np.int64)
        >>> price = np.array([10.0, 11.0, 12.0])
        >>> bars = Bars("SYN", "1min", at, at + minute, price, price, price, price, price, zero, zero)
        >>> filled = FillForward(kind="forward", max="2min").fill(bars, AlwaysOpen())
        >>> filled.close, filled.filled
        (array([10., 11., 11., 11., 12.]), array([False, False,  True,  True, False]))
        """
        step = nanoseconds(bars.timeframe)
        together = (bars.session[1:] == bars.session[:-1]) & (bars.segment[1:] == bars.segment[:-1])
        wanting = np.flatnonzero(together & (bars.open_time[1:] > bars.available_at[:-1]))
        missing = calendar.trading_time(bars.available_at[wanting], bars.open_time[wanting + 1])
        before = wanting[(missing > 0) & (missing <= nanoseconds(self.max))]
        count = (bars.open_time[before + 1] - bars.open_time[before]) // step - 1
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        at = np.repeat(before, count)
        open_time = bars.open_time[at] + (nth + 1) * step
        inside = calendar.session_of(open_time) != OUTSIDE
        at, open_time = at[inside], open_time[inside]
        last = bars.close[at]
        new: dict[str, Any] = {
            **dict.fromkeys(("open", "high", "low", "close"), last),
            "open_time": open_time,
            "available_at": open_time + step,
            "volume": np.zeros(len(at)),
            "session": bars.session[at],
            "segment": bars.segment[at],
            "rolled": np.zeros(len(at), dtype=np.bool_),
            "filled": np.ones(len(at), dtype=np.bool_),
        }
        order = np.argsort(np.concatenate([bars.open_time, open_time]), kind="stable")
        columns = [f.name for f in fields(Bars) if f.name not in ("symbol", "timeframe")]
        joined = {name: np.concatenate([getattr(bars, name), new[name]])[order] for name in columns}
        return Bars(bars.symbol, bars.timeframe, **joined)


Gaps = Annotated[LeaveGaps | FillForward, Field(discriminator="kind")]
