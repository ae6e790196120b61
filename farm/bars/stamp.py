"""What a row's time says: when its bar opened, and when it closed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.bars.calendar import AlwaysOpen, Calendar
from farm.bars.frame import Int
from farm.bars.sessions import OUTSIDE
from farm.bars.timeframe import ACTIVITY, DAY, MONTH, nanoseconds
from farm.errors import BadInput

Stamp = Literal["open", "close"]


@dataclass(frozen=True, eq=False)
class Spans:
    """When each row's bar opened, in ns UTC; a time outside the sessions where it is no bar of theirs.

    ``close`` is the bars' length in ns, or their closes where they have no length in common. ``began`` is since when a
    bar's trades are counted, where that is not its open.
    """

    open_time: Int
    close: int | Int
    began: Int | None = None

    def where(self, keep: NDArray[np.bool_]) -> "Spans":
        """The spans that are marked."""
        close = self.close if isinstance(self.close, int) else self.close[keep]
        return Spans(self.open_time[keep], close, None if self.began is None else self.began[keep])


def is_by_date(timeframe: str, calendar: Calendar) -> bool:
    """Whether daily bars are placed by their session's date, as they are wherever a session is no day of UTC."""
    return timeframe == "1d" and not isinstance(calendar, AlwaysOpen)


def spans(time: Int, timeframe: str, stamp: Stamp, calendar: Calendar, file: str, instrument: str) -> Spans:
    """The spans of rows in time order.

    Bars of a fixed length open or close at their stamp. A daily bar is the session of its date where sessions are not
    days of UTC. A monthly bar is the month of its stamp, from the first session's open to the last one's close:
    stamped with a day of the month, or where ``stamp`` is the close with the first instant after it. A bar closed by
    what was traded is known from its stamp on. It began where the one before ended, for all the file says; its open is
    that or, if later, the open of the session in which it closed.

    Raises `BadInput` where timeframe and stamp do not go together.
    """
    if timeframe == ACTIVITY:
        if stamp == "open":
            raise BadInput(
                f"{file}: bars by {ACTIVITY} that are stamped at their open do not say when they closed, so nobody "
                "knows when they could be read; get them stamped at their close, and declare `stamp: close`"
            )
        return _since_the_one_before(time, calendar)
    if timeframe == MONTH:
        return _months(time - (stamp == "close"), calendar)
    step = nanoseconds(timeframe)
    if step > DAY:
        raise BadInput(f"{file}: bars of {timeframe} are longer than a session; the longest are 1d and {MONTH}")
    if is_by_date(timeframe, calendar):
        if stamp == "close":
            raise BadInput(
                f"{file}: daily bars of {instrument} are placed by their session's date at 00:00 UTC, which "
                "is not their close; declare `stamp: open`"
            )
        # Some sessions are longer than a day: a daily bar closes with its session, whenever that is.
        return Spans(_opens_of_dates(time, calendar), 7 * DAY)
    return Spans(time - (step if stamp == "close" else 0), step)


def _opens_of_dates(date_time: Int, calendar: Calendar) -> Int:
    """The open of the session of each time's UTC date; the time before all sessions where the date has none."""
    if not len(date_time):
        return date_time
    sessions = calendar.sessions(int(date_time.min()), int(date_time.max()) + DAY - 1)
    if not len(sessions):
        return date_time
    at = np.minimum(np.searchsorted(sessions.date, date_time // DAY), len(sessions) - 1)
    return np.where(sessions.date[at] == date_time // DAY, sessions.open[at], sessions.close[at])


def _months(time: Int, calendar: Calendar) -> Spans:
    month = time.view("datetime64[ns]").astype("datetime64[M]")
    if not len(month):
        return Spans(time, time)
    start, end = ((month + by).astype("datetime64[ns]").astype(np.int64) for by in (0, 1))
    sessions = calendar.sessions(int(start.min()) - 3 * DAY, int(end.max()) + 3 * DAY)
    first = np.searchsorted(sessions.date, start // DAY)
    last = np.searchsorted(sessions.date, end // DAY) - 1
    return Spans(sessions.open[first], sessions.close[last])


def _since_the_one_before(close: Int, calendar: Calendar) -> Spans:
    if not len(close):
        return Spans(close, close)
    sessions = calendar.sessions(int(close.min()) - 7 * DAY, int(close.max()))
    # A bar may close with the session, at the first instant that is no longer inside.
    inside = sessions.of(close - 1) != OUTSIDE
    at = sessions.begun(close - 1)
    before = np.concatenate((sessions.open[at[:1]], close[:-1]))
    open_time = sessions.reopening(np.maximum(before, sessions.open[at]))
    skipped = np.concatenate(([True], np.diff(at) > 1))
    began = np.where(skipped, open_time, before)
    return Spans(np.where(inside & (open_time < close), open_time, close), close, began)
