"""What a data file holds: its span, its sessions, the holes in it, and what is odd about it."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from farm.bars import Bars, Loaded, instrument_for
from farm.bars.frame import Float, Int
from farm.bars.rows import BadRow
from farm.bars.timeframe import HOUR
from farm.data.declared import declared_bars
from farm.errors import BadInput

_LARGEST = 5
_KINDS = (("copy", "exact copies of the row before"), ("grid", "off the grid of the timeframe"))
_OTHERS = "against the contract of bars"


@dataclass(frozen=True)
class Gap:
    """Open market without bars, for longer than an hour: opens in ISO 8601, and the trading hours that are missing."""

    start: str
    end: str
    trading_hours: float


@dataclass(frozen=True)
class Move:
    """A move from one bar's close to the next one's in a segment, as a share; ``time`` is the second one's open."""

    time: str
    move: float


@dataclass(frozen=True)
class BadRows:
    """Rows that were left out for one kind of reason: how many, and the first with its rule."""

    what: str
    rows: int
    first: str


@dataclass(frozen=True, eq=False)
class Description:
    """What a data file holds. Shares are of bars; times are UTC.

    ``sessions`` have bars, ``sessions_open`` were open by the calendar between the first and the last of them.
    ``missing_share`` is open market without a bar, of all open market in the span.
    """

    file: str
    symbol: str
    instrument: str
    calendar: str
    timeframe: str
    first: str
    last: str
    rows: int
    n_bars: int
    outside_session: int
    sessions: int
    sessions_open: int
    segments: int
    missing_share: float
    holes: int
    largest_holes: tuple[Gap, ...]
    zero_volume: float
    flat: float
    lowest: float
    highest: float
    largest_moves: tuple[Move, ...]
    jumps: tuple[str, ...]
    bad_rows: tuple[BadRows, ...]
    extra_columns: tuple[str, ...]
    card: str | None
    bars: Bars

    def plain(self) -> dict[str, Any]:
        """The description without the bars, for JSON."""
        values = asdict(self)
        del values["bars"]
        return values


def describe(file: Path, **said: str | None) -> Description:
    """What a file holds, as its card and ``said`` (see `declared_bars`) declare it.

    Raises
    ------
    BadInput
        The declarations are wrong or missing, or nothing of the file can be put in order.
    """
    source = declared_bars(file, **said)
    symbol = source.symbols[0]
    try:
        instrument_for(symbol, source.instruments)
    except BadInput as error:
        raise BadInput(f"{file}: {error}. Here: --instrument NAME") from error
    return _of(source.read(symbol), file)


def _of(loaded: Loaded, file: Path) -> Description:
    from farm.data.card import card_path

    bars, report, instrument = loaded.bars, loaded.report, loaded.instrument
    start, end = bars.open_time[:1], bars.available_at[-1:]
    dates = instrument.calendar.sessions(int(start[0]), int(end[0]) - 1)
    opened = int(instrument.calendar.trading_time(start, end)[0])
    flat = (bars.open == bars.high) & (bars.high == bars.low) & (bars.low == bars.close)
    holes = sorted(report.holes, key=lambda hole: (-hole.trading_time, hole.start))
    return Description(
        file=str(file),
        symbol=bars.symbol,
        instrument=instrument.name,
        calendar=getattr(instrument.calendar, "name", instrument.calendar.kind),
        timeframe=bars.timeframe,
        first=_iso(int(start[0])),
        last=_iso(int(end[0])),
        rows=report.rows,
        n_bars=len(bars),
        outside_session=report.outside_session,
        sessions=report.sessions,
        sessions_open=len(dates),
        segments=report.segments,
        missing_share=report.missing_time / opened if opened else 0.0,
        holes=len(holes),
        largest_holes=tuple(
            Gap(_iso(hole.start), _iso(hole.end), hole.trading_time / HOUR) for hole in holes[:_LARGEST]
        ),
        zero_volume=float(np.mean(bars.volume == 0)),
        flat=float(np.mean(flat)),
        lowest=float(bars.low.min()),
        highest=float(bars.high.max()),
        largest_moves=_largest_moves(bars.close, bars.open_time, bars.segment),
        jumps=tuple(
            f"row {jump.row} ({_iso(jump.time)}): opens at {jump.after:g} after a close of {jump.before:g}"
            for jump in report.jumps
        ),
        bad_rows=_by_kind(report.quarantined),
        extra_columns=report.extra_columns,
        card=card_path(file).name if card_path(file).is_file() else None,
        bars=bars,
    )


def _largest_moves(close: Float, time: Int, segment: Int) -> tuple[Move, ...]:
    moves = np.diff(close) / close[:-1]
    moves[segment[1:] != segment[:-1]] = 0.0
    order = np.argsort(-np.abs(moves), kind="stable")[:_LARGEST]
    return tuple(Move(_iso(int(time[at + 1])), float(moves[at])) for at in order if moves[at] != 0)


def _by_kind(bad: tuple[BadRow, ...]) -> tuple[BadRows, ...]:
    kinds: dict[str, list[BadRow]] = {}
    for row in bad:
        kind = next((what for word, what in _KINDS if word in row.rule.split()), _OTHERS)
        kinds.setdefault(kind, []).append(row)
    return tuple(BadRows(what, len(rows), f"row {rows[0].row}: {rows[0].rule}") for what, rows in kinds.items())


def _iso(time: int) -> str:
    return f"{np.datetime64(time, 'ns').astype('datetime64[s]')}Z"
