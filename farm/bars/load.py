"""From a file's rows to checked bars of one symbol, with an account of every row."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from farm.bars.activity import Activity
from farm.bars.calendar import AlwaysOpen, Calendar
from farm.bars.check import OnBadRows, on_grid, sound_rows
from farm.bars.continuous import Roll
from farm.bars.fingerprint import fingerprint
from farm.bars.frame import Bars, Int
from farm.bars.instrument import Instrument
from farm.bars.jump import Jump, OnJumps, Split, jumps, stop_at_jumps
from farm.bars.rows import BadRow, FileRows, Rows
from farm.bars.segment import place
from farm.bars.sessions import OUTSIDE
from farm.bars.timeframe import DAY, nanoseconds
from farm.errors import BadInput

Stamp = Literal["open", "close"]
OutsideSession = Literal["drop", "stop"]


@dataclass(frozen=True)
class Hole:
    """Open market without bars, long enough to start a new segment: from ``start`` to ``end``, in ns UTC.

    ``trading_time`` is what of it the calendar has open, in ns.
    """

    start: int
    end: int
    trading_time: int


@dataclass(frozen=True)
class Report:
    """What became of every row of a file, before bars by activity are made of them.

    ``rows`` = ``bars`` + ``not_held`` + ``outside_session`` + the number of ``quarantined``. ``missing_time`` is the
    open market that no bar covers, in ns: the holes and the gaps too short to break a segment. ``adjusted`` counts the
    bars whose prices a declared split changed, ``jumps`` lists the moves that were accepted though no market makes
    them. Of contracts that were joined, ``not_held`` counts the bars of those not held, which ``bars`` leaves out, and
    ``rolls`` lists the changes.
    """

    file: str
    rows: int
    bars: int
    outside_session: int
    quarantined: tuple[BadRow, ...]
    extra_columns: tuple[str, ...]
    holes: tuple[Hole, ...]
    missing_time: int
    sessions: int
    segments: int
    fingerprint: str
    adjusted: int = 0
    jumps: tuple[Jump, ...] = ()
    not_held: int = 0
    rolls: tuple[Roll, ...] = ()


@dataclass(frozen=True, eq=False)
class Loaded:
    """Checked bars of one symbol, what is traded, and what became of every row."""

    bars: Bars
    instrument: Instrument
    report: Report


def load(
    content: FileRows,
    *,
    symbol: str,
    timeframe: str,
    stamp: Stamp,
    instrument: Instrument,
    on_bad_rows: OnBadRows,
    outside_session: OutsideSession,
    max_gap: str,
    adjustments: tuple[Split, ...] = (),
    on_jumps: OnJumps = "stop",
    activity: Activity | None = None,
) -> Loaded:
    """Bars from rows: checked, with those outside the sessions dropped, in sessions and segments.

    A bar of ``1d`` is its session; where sessions are not days of UTC, a row is placed by its date, at 00:00 UTC.
    """
    step = nanoseconds(timeframe)
    if step > DAY:
        raise BadInput(f"{content.file}: bars of {timeframe} are longer than a session; the longest is 1d")
    by_date = step == DAY and not isinstance(instrument.calendar, AlwaysOpen)
    if by_date and stamp == "close":
        raise BadInput(
            f"{content.file}: daily bars of {instrument.name} are placed by their session's date at 00:00 UTC, which "
            "is not their close; declare `stamp: open`"
        )
    rows, quarantined = sound_rows(content, on_bad_rows)
    open_time = rows.time - (step if stamp == "close" else 0)
    if by_date:
        open_time = _opens(rows.time, instrument.calendar)
    inside = instrument.calendar.session_of(open_time) != OUTSIDE
    if outside_session == "stop" and not inside.all():
        _stop_outside(content, rows, inside, instrument)
    rows, open_time = rows.where(inside), open_time[inside]
    if len(rows):
        sessions = instrument.calendar.sessions(int(open_time[0]), int(open_time[-1]))
        offset = rows.time % DAY if by_date else open_time - sessions.open[sessions.begun(open_time)]
        fits, off_grid = on_grid(content, rows, offset, step, timeframe, on_bad_rows)
        quarantined = tuple(sorted((*quarantined, *off_grid), key=lambda each: each.row))
        rows, open_time = rows.where(fits), open_time[fits]
    n_outside = int((~inside).sum())
    if not len(rows):
        first = f" (row {quarantined[0].row}: {quarantined[0].rule})" if quarantined else ""
        raise BadInput(
            f"{content.file}: no bar left of {content.n_rows} rows, {n_outside} outside the sessions of "
            f"{instrument.name} and {len(quarantined)} bad{first}; see `stamp`, `zone` and the instrument's calendar"
        )
    # Some sessions are longer than a day: a daily bar closes with its session, whenever that is.
    placed = place(open_time, 7 * DAY if by_date else step, instrument.calendar, nanoseconds(max_gap))
    bars = Bars(
        symbol=symbol,
        timeframe=timeframe,
        open_time=open_time,
        available_at=placed.available_at,
        open=rows.open,
        high=rows.high,
        low=rows.low,
        close=rows.close,
        volume=rows.volume,
        session=placed.session,
        segment=placed.segment,
    )
    unadjusted = bars.open
    for split in adjustments:
        bars = split.apply(bars)
    found = jumps(bars, rows.row)
    if on_jumps == "stop":
        stop_at_jumps(content, found, symbol)
    made = bars
    if activity is not None:
        made = activity.make(bars, instrument.calendar, instrument.point_value)
        if not len(made):
            raise BadInput(
                f"{content.file}: holds not one {activity.kind} bar of {activity.size:g}; choose a smaller size"
            )
    report = Report(
        file=content.file,
        rows=content.n_rows,
        bars=len(bars),
        outside_session=n_outside,
        quarantined=quarantined,
        extra_columns=content.extra_columns,
        holes=tuple(
            Hole(*map(int, hole)) for hole in zip(placed.hole_start, placed.hole_end, placed.hole_time, strict=True)
        ),
        missing_time=placed.missing_time,
        sessions=len(np.unique(bars.session)),
        segments=int(bars.segment[-1]) + 1,
        fingerprint=fingerprint(made, instrument),
        adjusted=int((bars.open != unadjusted).sum()),
        jumps=found,
    )
    return Loaded(made, instrument, report)


def _opens(date_time: Int, calendar: Calendar) -> Int:
    """The open of the session of each time's UTC date; the time before all sessions where the date has none."""
    if not len(date_time):
        return date_time
    sessions = calendar.sessions(int(date_time.min()), int(date_time.max()) + DAY - 1)
    if not len(sessions):
        return date_time
    at = np.minimum(np.searchsorted(sessions.date, date_time // DAY), len(sessions) - 1)
    return np.where(sessions.date[at] == date_time // DAY, sessions.open[at], sessions.close[at])


def _stop_outside(content: FileRows, rows: Rows, inside: np.ndarray, instrument: Instrument) -> None:
    first = int(np.flatnonzero(~inside)[0])
    at = np.datetime64(int(rows.time[first]), "ns").astype("datetime64[s]")
    raise BadInput(
        f"{content.name(int(rows.row[first]))}: {at} UTC is outside the sessions of {instrument.name}, as "
        f"are {int((~inside).sum())} rows; drop and count them by `outside_session: drop`, or see `stamp` and `zone`"
    )
