"""The times of a text, as nanoseconds UTC of the bars' opens."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa

from farm.bars.clock import NO_TIME, nanoseconds_utc
from farm.bars.frame import Int
from farm.bars.timeframe import DAY, nanoseconds
from farm.data.layout import SINCE_MIDNIGHT, Form, Head
from farm.data.parts import Part
from farm.data.terms import Terms
from farm.errors import BadInput

_DATE_IN_NAME = re.compile(r"(?<!\d)(\d{4})(\d\d)(\d\d)(?!\d)")


def stop_at_wrong_terms(part: Part, form: Form, terms: Terms) -> None:
    """Raise `BadInput` where zone or timeframe do not go with the way a text writes its times."""
    if form.instant and terms.zone not in (None, "UTC"):
        raise BadInput(f"{part.label}: its times are {form.what}, which need no zone; leave --zone {terms.zone} out")
    if form.date_alone and terms.timeframe != "1d":
        raise BadInput(
            f"{part.label}: its times are dates ({form.what}), so its bars are days; declare --timeframe 1d, found "
            f"{terms.timeframe}"
        )
    if terms.zone is None and not form.instant and terms.timeframe != "1d":
        raise BadInput(
            f"{part.label}: its times are on a clock that {terms.layout.name} files do not name; give it by --zone, "
            "such as Europe/Athens or UTC"
        )
    if form.time_format == SINCE_MIDNIGHT and _DATE_IN_NAME.search(_name(part)) is None:
        raise BadInput(
            f"{part.label}: its times are {form.what} of the day in the file's name, as in 20140605_trade.zip; this "
            "name has none"
        )


def opens(part: Part, table: pd.DataFrame, line: Int, head: Head, terms: Terms, wrong: dict[int, str]) -> Int:
    """Each row's open in ns UTC, `NO_TIME` where none can be read; then ``wrong`` gets the position and the rule.

    Bars of a day stand at 00:00 UTC of their session's date, whatever the zone. A time that another form of the layout
    fits is a `BadInput`: epochs of two units in one file would put bars into other centuries.
    """
    form = head.form
    written = _joined(table, head)
    fits = written.str.fullmatch(form.shape).to_numpy(dtype=bool)
    for at in np.flatnonzero(~fits):
        text = written.iloc[at]
        other = next((other for other in terms.layout.forms if other.fits(text)), None)
        if other is not None:
            raise BadInput(
                f"{part.label}, line {line[at]}: time {text} is {other.what}, but the file began with {form.what}; "
                "one file writes its times one way: split it"
            )
        wrong[int(at)] = f"time {text!r} is not {form.what}"
    by_date = terms.timeframe == "1d" and not form.instant
    zone = "UTC" if by_date else None if form.instant else terms.zone
    time = np.full(len(written), NO_TIME, dtype=np.int64)
    time[fits], problems = nanoseconds_utc(_column(part, written[fits], form), form.time_format, zone, part.label)
    places = np.flatnonzero(fits)
    for position, rule in problems:
        wrong[int(places[position])] = f"time {written.iloc[places[position]]!r} {rule}"
    if by_date:
        for at in np.flatnonzero((time != NO_TIME) & (time % DAY != 0)):
            wrong[int(at)] = f"time {written.iloc[at]!r} is not a date alone, as bars of 1d have"
    elif terms.stamp == "close":
        time[time != NO_TIME] -= nanoseconds(terms.timeframe)
    return time


def _joined(table: pd.DataFrame, head: Head) -> "pd.Series[str]":
    first, *more = (table[at].fillna("").str.strip() for at in head.place["time"])
    for column in more:
        first = first.str.cat(column, sep=" ").str.strip()
    return first


def _column(part: Part, texts: "pd.Series[str]", form: Form) -> pa.Array:
    if form.time_format != SINCE_MIDNIGHT:
        return pa.array(texts if form.kept is None else texts.str[: form.kept], type=pa.string())
    found = _DATE_IN_NAME.search(_name(part))
    assert found is not None  # stop_at_wrong_terms has looked
    try:
        midnight = np.datetime64("-".join(found.groups()), "ms")
    except ValueError as error:
        raise BadInput(f"{part.label}: {found[0]} in its name is no date ({error})") from error
    since = texts.to_numpy(dtype=np.int64)
    return pa.array(midnight + since.astype("timedelta64[ms]"), type=pa.timestamp("ms"), mask=since >= DAY // 1_000_000)


def _name(part: Part) -> str:
    """The name that carries a date: the file's, or its member's where the file's has none."""
    return part.file.name if part.member is None or _DATE_IN_NAME.search(part.file.name) else part.member
