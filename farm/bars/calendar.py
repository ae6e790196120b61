"""Sessions: the one definition of a trading day that every room uses."""

import warnings
from abc import abstractmethod
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from farm.bars.frame import Int
from farm.bars.timeframe import DAY
from farm.errors import BadInput
from farm.section import Section

OUTSIDE = -1
"""The session of a time at which the market is closed."""


@dataclass(frozen=True, eq=False)
class Sessions:
    """Sessions in time order: ``date`` in days since 1970-01-01, ``open`` and ``close`` in ns UTC (close excluded)."""

    date: Int
    open: Int
    close: Int

    def __len__(self) -> int:
        return len(self.date)

    def begun(self, time: Int) -> Int:
        """Position of the last session that has opened by each time; the first one before any has."""
        return np.maximum(np.searchsorted(self.open, time, side="right") - 1, 0)

    def of(self, time: Int) -> Int:
        """The session's date for each time, or -1 where the market is closed; any order of times will do."""
        if not len(self):
            return np.full(len(time), OUTSIDE, dtype=np.int64)
        at = self.begun(time)
        inside = (self.open[at] <= time) & (time < self.close[at])
        return np.where(inside, self.date[at], OUTSIDE)

    def elapsed(self, time: Int) -> Int:
        """Trading time in ns from the first session's open to each time."""
        if not len(self):
            return np.zeros(len(time), dtype=np.int64)
        length = self.close - self.open
        before = np.cumsum(length) - length
        at = self.begun(time)
        return before[at] + np.clip(time - self.open[at], 0, length[at])


class _Calendar(Section):
    """What every calendar derives from its sessions."""

    @abstractmethod
    def sessions(self, start: int, end: int) -> Sessions:
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC."""

    def session_of(self, open_time: Int) -> Int:
        """The session (days since 1970-01-01) each time belongs to, or -1 where the market is closed."""
        if not len(open_time):
            return np.zeros(0, dtype=np.int64)
        return self.sessions(int(open_time.min()), int(open_time.max())).of(open_time)

    def trading_time(self, start: Int, end: Int) -> Int:
        """Nanoseconds of open market between each ``start`` and ``end``: what is missing there is a hole."""
        if not len(start):
            return np.zeros(0, dtype=np.int64)
        sessions = self.sessions(int(start.min()), int(end.max()))
        return sessions.elapsed(end) - sessions.elapsed(start)


class AlwaysOpen(_Calendar):
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


class ExchangeCalendar(_Calendar):
    """An exchange's trading days, with its holidays, early closes and clock changes.

    The days come from the package pandas-market-calendars by ``name``; Farm adds the weekend sessions that the package
    cannot hold. A calendar whose holidays are announced year by year ends with the last year announced.

    >>> new_year = np.array(["2020-01-01T03:44", "2020-01-01T03:45"], dtype="datetime64[ns]").astype(np.int64)
    >>> ExchangeCalendar(name="NSE").session_of(new_year)  # opens at 09:15 in Mumbai
    array([   -1, 18262])
    """

    kind: Literal["exchange"] = "exchange"
    name: str

    @field_validator("name")
    @classmethod
    def _exists(cls, name: str) -> str:
        import pandas_market_calendars

        known = pandas_market_calendars.get_calendar_names()
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3, cutoff=0.4) or ["NSE", "NYSE", "CME Globex Equity"]
            raise ValueError(f"calendar {name!r} is not known to pandas-market-calendars; near: {', '.join(near)}")
        return name

    @cached_property
    def sessions_per_year(self) -> float:
        """Sessions in an average year of 2010 to 2019."""
        return len(_years(self.name, 2010, 2019)) / 10

    def sessions(self, start: int, end: int) -> Sessions:
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC.

        Raises `BadInput` past the last year whose holidays are known.
        """
        first, last = _day(start), _day(end)
        # A session may open on the evening before its date, so the neighbouring years are looked at, too.
        every = _years(self.name, (first - timedelta(days=3)).year, (last + timedelta(days=3)).year)
        until = _known_until(self.name)
        if until is not None and last > until:
            raise BadInput(
                f"calendar {self.name}: holidays are known up to {until}, asked for {last}; upgrade the package "
                "pandas-market-calendars, or end the bars there"
            )
        low = int(np.searchsorted(every.close, start, side="right"))
        high = int(np.searchsorted(every.open, end, side="right"))
        return Sessions(every.date[low:high], every.open[low:high], every.close[low:high])


Calendar = Annotated[AlwaysOpen | ExchangeCalendar, Field(discriminator="kind")]


def _day(time: int) -> date:
    return date(1970, 1, 1) + timedelta(days=int(time) // DAY)


# Sessions on weekends (date, open and close on the exchange's clock), which the package cannot hold. The NSE's were
# checked against index bars of 2012-2020; the later ones are from memory of its announcements.
_WEEKEND_SESSIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "NSE": (
        ("2013-05-11", "11:15", "12:45"),  # disaster recovery drill
        ("2014-03-22", "11:15", "12:45"),  # disaster recovery drill
        ("2015-02-28", "09:15", "15:30"),  # budget
        ("2019-10-27", "18:15", "19:15"),  # Diwali
        ("2020-02-01", "09:15", "15:30"),  # budget
        ("2020-11-14", "18:15", "19:15"),  # Diwali
        ("2023-11-12", "18:15", "19:15"),  # Diwali
        ("2025-02-01", "09:15", "15:30"),  # budget
        ("2026-02-01", "09:15", "15:30"),  # budget
    ),
}


@lru_cache(maxsize=8)
def _exchange(name: str) -> Any:
    import pandas_market_calendars

    return pandas_market_calendars.get_calendar(name)


@lru_cache(maxsize=8)
def _known_until(name: str) -> date | None:
    """The last day of a calendar that lists its holidays one by one; None where rules give them for ever."""
    exchange = _exchange(name)
    listed = exchange.adhoc_holidays
    if exchange.regular_holidays is not None or not len(listed):
        return None
    return date(int(max(listed).year), 12, 31)


@lru_cache(maxsize=64)
def _years(name: str, first: int, last: int) -> Sessions:
    import pandas as pd

    exchange = _exchange(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package's, about pandas to come
        table = exchange.schedule(f"{first}-01-01", f"{last}-12-31", market_times="all")
    if "break_start" in table and (table["break_end"] > table["break_start"]).any():
        raise BadInput(f"calendar {name}: its sessions have a lunch break, which Farm does not know yet")
    extra = [day for day in _WEEKEND_SESSIONS.get(name, ()) if first <= int(day[0][:4]) <= last]
    clock = [
        pd.DatetimeIndex([f"{day[0]} {day[at]}" for day in extra]).tz_localize(exchange.tz).tz_convert("UTC")
        for at in (1, 2)
    ]
    dates = np.concatenate([_ns(table.index), _ns(pd.DatetimeIndex([day[0] for day in extra]))]) // DAY
    opens = np.concatenate([_ns(table["market_open"]), _ns(clock[0])])
    closes = np.concatenate([_ns(table["market_close"]), _ns(clock[1])])
    dates, once = np.unique(dates, return_index=True)  # the package's own, should it learn of a weekend session
    return Sessions(dates, opens[once], closes[once])


def _ns(times: Any) -> NDArray[np.int64]:
    import pandas as pd

    index = pd.DatetimeIndex(times)
    return np.asarray((index.tz_convert("UTC").tz_localize(None) if index.tz else index).as_unit("ns").asi8)
