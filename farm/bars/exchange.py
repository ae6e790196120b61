"""An exchange's trading days: from a library, with the hours and special sessions that it does not hold."""

import warnings
from datetime import date, timedelta
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator, model_validator

from farm.bars.frame import Int
from farm.bars.sessions import SessionCalendar, Sessions
from farm.bars.timeframe import DAY, MINUTE
from farm.errors import BadInput

Hours = Literal["regular", "extended"]


class ExchangeCalendar(SessionCalendar):
    """An exchange's trading days, with its holidays, early closes, halts and clock changes.

    The days come from the package pandas-market-calendars by ``name``; Farm adds the weekend sessions and earlier hours
    that the package does not hold. ``hours: extended`` counts the pre-market and the post-market in, where the exchange
    has them. A calendar whose holidays are announced year by year ends with the last year announced.

    >>> new_year = np.array(["2020-01-01T03:44", "2020-01-01T03:45"], dtype="datetime64[ns]").astype(np.int64)
    >>> ExchangeCalendar(name="NSE").session_of(new_year)  # opens at 09:15 in Mumbai
    array([   -1, 18262])
    """

    kind: Literal["exchange"] = "exchange"
    name: str
    # Left out of the digest where it is the usual one, so that a session keeps its identity.
    hours: Hours = Field(default="regular", exclude_if=lambda hours: hours == "regular")

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

    @model_validator(mode="after")
    def _has_the_hours(self) -> "ExchangeCalendar":
        if self.hours == "extended" and not {"pre", "post"} <= set(_exchange(self.name).regular_market_times):
            raise ValueError(f"calendar {self.name!r} has no pre-market and post-market; write `hours: regular`")
        return self

    @cached_property
    def sessions_per_year(self) -> float:
        """Sessions in an average year of 2010 to 2019."""
        return len(_years(self.name, self.hours, 2010, 2019)) / 10

    def sessions(self, start: int, end: int) -> Sessions:
        """The sessions that overlap the closed span from ``start`` to ``end``, in ns UTC.

        Raises `BadInput` past the last year whose holidays are known.
        """
        first, last = _day(start), _day(end)
        # A session may open on the evening before its date, so the neighbouring years are looked at, too.
        every = _years(self.name, self.hours, (first - timedelta(days=3)).year, (last + timedelta(days=3)).year)
        until = _known_until(self.name)
        if until is not None and last > until:
            raise BadInput(
                f"calendar {self.name}: holidays are known up to {until}, asked for {last}; upgrade the package "
                "pandas-market-calendars, or end the bars there"
            )
        return every.overlapping(start, end)


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
def _years(name: str, hours: Hours, first: int, last: int) -> Sessions:
    import pandas as pd

    exchange = _exchange(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package's, about pandas to come
        table = exchange.schedule(f"{first}-01-01", f"{last}-12-31", market_times="all")
    opens, closes = (_ns(table[each]) for each in (("pre", "post") if hours == "extended" else _REGULAR))
    dates = _ns(table.index) // DAY
    halt_start, halt_end = (_ns(table[each]) for each in _BREAK) if "break_start" in table else (closes, closes)
    if name == "CME Globex Equity":
        closes, halt_start, halt_end = _cme_equity(dates, closes, exchange.tz)
    extra = [day for day in _WEEKEND_SESSIONS.get(name, ()) if first <= int(day[0][:4]) <= last]
    clock = [_ns(pd.DatetimeIndex([f"{day[0]} {day[at]}" for day in extra]).tz_localize(exchange.tz)) for at in (1, 2)]
    dates = np.concatenate([dates, _ns(pd.DatetimeIndex([day[0] for day in extra])) // DAY])
    dates, once = np.unique(dates, return_index=True)  # the package's own, should it learn of a weekend session
    # A break that an early close forestalls, or that is none, has no length and falls out.
    start, end = np.minimum(halt_start, closes), np.minimum(halt_end, closes)
    halted = start < end
    return Sessions(
        dates,
        np.concatenate([opens, clock[0]])[once],
        np.concatenate([closes, clock[1]])[once],
        start[halted],
        end[halted],
    )


_REGULAR = ("market_open", "market_close")
_BREAK = ("break_start", "break_end")


def _cme_equity(dates: Int, closes: Int, zone: Any) -> tuple[Int, Int, Int]:
    """Closes, halt starts and halt ends of CME equity index futures in the hours of each time, from 2005 on.

    The package knows today's close at 16:00 in Chicago. Until November 2012 the evening trade after the halt of 15:15
    went on to 16:30, and not before a day without a session; then to 16:15 until September 2015. The halt from 15:15 to
    15:30 was given up in June 2021. Early closes are the package's. Checked against E-mini bars of January 2011 and of
    2015; the dates are from memory of the exchange's notices.
    """

    def at(wall: str, days: Int = dates) -> Int:
        """A wall time on the given dates, in ns UTC."""
        import pandas as pd

        hour, minute = map(int, wall.split(":"))
        midnight = pd.DatetimeIndex((days * DAY).view("datetime64[ns]"))
        return _ns((midnight + pd.Timedelta(hours=hour, minutes=minute)).tz_localize(zone))

    def since(text: str) -> Any:
        return dates >= (date.fromisoformat(text) - date(1970, 1, 1)).days

    reopens = np.isin(dates + 1, dates)
    until_2012 = np.where(reopens, at("16:30"), at("15:15"))
    then = np.where(since("2015-09-21"), closes, np.where(since("2012-11-19"), at("16:15"), until_2012))
    then = np.where(closes == at("16:00"), then, closes)
    halt = at("15:15")
    return then, halt, np.where(since("2021-06-28"), halt, halt + 15 * MINUTE)


def _ns(times: Any) -> Int:
    import pandas as pd

    index = pd.DatetimeIndex(times)
    return np.asarray((index.tz_convert("UTC").tz_localize(None) if index.tz else index).as_unit("ns").asi8)
