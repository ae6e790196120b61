"""The week of foreign exchange: open day and night from Sunday evening to Friday evening in New York."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import Field

from farm.bars.clock import Zone
from farm.bars.sessions import SessionCalendar, Sessions
from farm.bars.timeframe import DAY, SECOND

WallTime = Annotated[str, Field(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]

_SATURDAY = 5
_FRIDAY = 4
# Days on which banks nowhere trade; everything else that a feed leaves out shows as a hole.
_HOLIDAYS = {(1, 1), (12, 25)}


class FxWeek(SessionCalendar):
    """Five sessions a week without a stop between them, dated Monday to Friday by the day on which they end.

    A session opens at ``opens`` on the clock of ``zone`` the evening before its date and ends as the next one opens,
    Friday's at ``closes``. By default that is 17:00 in New York, summer and winter. A feed with bars on another grid
    states its own, such as four-hour bars from 20:00 UTC. 1 January and 25 December have no session.

    >>> sunday = np.array(["2024-03-10T20:59", "2024-03-10T21:00"], dtype="datetime64[ns]").astype(np.int64)
    >>> FxWeek().session_of(sunday)  # summer time began that morning; Monday's session is day 19793
    array([   -1, 19793])
    """

    kind: Literal["fx_week"] = "fx_week"
    zone: Zone = "America/New_York"
    opens: WallTime = "17:00"
    closes: WallTime = "17:00"

    @property
    def sessions_per_year(self) -> float:
        """Sessions in an average year of 2010 to 2019."""
        return len(_years(self.zone, self.opens, self.closes, 2010, 2019)) / 10

    def sessions(self, start: int, end: int) -> Sessions:
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC."""
        first, last = (date(1970, 1, 1) + timedelta(days=each // DAY + by) for each, by in ((start, -3), (end, 3)))
        return _years(self.zone, self.opens, self.closes, first.year, last.year).overlapping(start, end)


@lru_cache(maxsize=64)
def _years(zone: str, opens: str, closes: str, first: int, last: int) -> Sessions:
    every = (date(first, 1, 1) + timedelta(days=n) for n in range((date(last + 1, 1, 1) - date(first, 1, 1)).days))
    days = [day for day in every if day.weekday() < _SATURDAY and (day.month, day.day) not in _HOLIDAYS]
    return Sessions(
        np.array([(day - date(1970, 1, 1)).days for day in days], dtype=np.int64),
        np.array([_ns(day - timedelta(days=1), opens, zone) for day in days], dtype=np.int64),
        np.array([_ns(day, closes if day.weekday() == _FRIDAY else opens, zone) for day in days], dtype=np.int64),
    )


def _ns(day: date, wall: str, zone: str) -> int:
    hour, minute = map(int, wall.split(":"))
    clock = datetime.combine(day + timedelta(days=hour // 24), time(hour % 24, minute), ZoneInfo(zone))
    return int(clock.timestamp()) * SECOND
