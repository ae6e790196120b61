"""Calendars: the one definition of a trading day that every room uses."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from farm.bars.exchange import ExchangeCalendar
from farm.bars.fx_week import FxWeek
from farm.bars.sessions import SessionCalendar, Sessions
from farm.bars.timeframe import DAY


class AlwaysOpen(SessionCalendar):
    """A market without closing: a session is a UTC day.

    >>> AlwaysOpen().session_of(np.array([0, 86_400_000_000_000]))
    array([0, 1])
    """

    kind: Literal["always"] = "always"

    @property
    def sessions_per_year(self) -> float:
        """Sessions in an average year."""
        return 365.25

    def sessions(self, start: int, end: int) -> Sessions:
        """The UTC days that overlap the closed span from ``start`` to ``end``, in ns UTC."""
        days = np.arange(start // DAY, end // DAY + 1, dtype=np.int64)
        return Sessions(days, days * DAY, (days + 1) * DAY)


Calendar = Annotated[AlwaysOpen | ExchangeCalendar | FxWeek, Field(discriminator="kind")]
