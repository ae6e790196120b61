"""From a file's rows to checked bars of one symbol, with an account of every row."""

from dataclasses import dataclass

import numpy as np

from farm.bars.activity import Activity
from farm.bars.check import OnBadRows, on_grid, sound_rows, stop_at_two_of_a_span
from farm.bars.continuous import Roll
from farm.bars.fingerprint import fingerprint
from farm.bars.frame import Bars
from farm.bars.gaps import Gaps
from farm.bars.hours import OutsideSession, stop_at_daily_holes, stop_outside
from farm.bars.imbalance import Imbalance
from farm.bars.instrument import Instrument
from farm.bars.jump import Jump, OnJumps, Split, jumps, stop_at_jumps
from farm.bars.rows import BadRow, FileRows
from farm.bars.segment import place
from farm.bars.sessions import OUTSIDE
from farm.bars.stamp import Stamp, is_by_date, spans
from farm.bars.timeframe import DAY, has_length, nanoseconds
from farm.errors import BadInput


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
    open market that no bar of the file covers, in ns: the holes and the ``short_gaps``, too short to break a segment;
    ``closures`` are the gaps that the calendar expects. ``filled`` counts the bars that stand in for short gaps,
    beside the file's. ``adjusted`` counts the bars whose prices a declared split changed, ``jumps`` lists the moves
    that were accepted though no market makes them. Of contracts that were joined, ``not_held`` counts the bars of
    those not held, which ``bars`` leaves out, and ``rolls`` lists the changes.
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
    closures: int = 0
    short_gaps: int = 0
    filled: int = 0


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
    gaps: Gaps,
    activity: Activity | Imbalance | None = None,
) -> Loaded:
    """Bars from rows: checked, with those outside the sessions dropped, in sessions and segments."""
    calendar = instrument.calendar
    rows, quarantined = sound_rows(content, on_bad_rows)
    span = spans(rows.time, timeframe, stamp, calendar, content.file, instrument.name)
    inside = calendar.session_of(span.open_time) != OUTSIDE
    by_clock = has_length(timeframe) and not is_by_date(timeframe, calendar)
    stop_outside(content, span.open_time, rows.row, inside, instrument, outside_session, by_clock)
    rows, span = rows.where(inside), span.where(inside)
    if len(rows) and has_length(timeframe):
        sessions = calendar.sessions(int(span.open_time[0]), int(span.open_time[-1]))
        offset = rows.time % DAY if not by_clock else span.open_time - sessions.open[sessions.begun(span.open_time)]
        fits, off_grid = on_grid(content, rows, offset, nanoseconds(timeframe), timeframe, on_bad_rows)
        quarantined = tuple(sorted((*quarantined, *off_grid), key=lambda each: each.row))
        rows, span = rows.where(fits), span.where(fits)
    n_outside = int((~inside).sum())
    if not len(rows):
        first = f" (row {quarantined[0].row}: {quarantined[0].rule})" if quarantined else ""
        raise BadInput(
            f"{content.file}: no bar left of {content.n_rows} rows, {n_outside} outside the sessions of "
            f"{instrument.name} and {len(quarantined)} bad{first}; see `stamp`, `zone` and the instrument's calendar"
        )
    stop_at_two_of_a_span(content, rows, span.open_time)
    placed = place(span.open_time, span.close, calendar, nanoseconds(max_gap), span.began)
    bars = Bars(
        symbol=symbol,
        timeframe=timeframe,
        open_time=span.open_time,
        available_at=placed.available_at,
        open=rows.open,
        high=rows.high,
        low=rows.low,
        close=rows.close,
        volume=rows.volume,
        session=placed.session,
        segment=placed.segment,
    )
    stop_at_daily_holes(content, bars, placed, instrument)
    unadjusted = bars.open
    for split in adjustments:
        bars = split.apply(bars)
    found = jumps(bars, rows.row)
    if on_jumps == "stop":
        stop_at_jumps(content, found, symbol)
    whole = gaps.fill(bars, calendar)
    made = whole
    if activity is not None:
        made = activity.make(whole, calendar, instrument.point_value)
        if not len(made):
            raise BadInput(f"{content.file}: holds not one {activity.says}; choose a smaller size")
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
        closures=placed.closures,
        short_gaps=placed.short_gaps,
        filled=len(whole) - len(bars),
    )
    return Loaded(made, instrument, report)
