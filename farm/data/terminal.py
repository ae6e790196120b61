"""What the terminal shows of imports and descriptions."""

import math
from collections.abc import Sequence

import typer

from farm.data.buckets import buckets
from farm.data.describe import Description
from farm.data.intake import Imported

_WIDTH = 56
_MOVES = 2
_JUMPS = 5
_BLOCKS = "▁▂▃▄▅▆▇█"


def show_imported(imported: Imported) -> None:
    """Print what was written, what was assumed of it, and the section that reads it."""
    card = imported.card
    rows = card.rows
    typer.echo(
        f"{imported.paths[0]}: {rows.written:,} bars of {card.reading.timeframe} from {card.span.first} to "
        f"{card.span.last}, of {rows.read:,} rows in {_counted(len(card.files), 'file')}"
    )
    if rows.of_other_symbols:
        typer.echo(f"{rows.of_other_symbols:,} rows of other symbols were left out")
    if rows.dropped:
        first = card.dropped[0]
        typer.echo(f"{rows.dropped:,} bad rows were dropped; the first: {first.file}, row {first.row}: {first.rule}")
    if imported.assumed:
        typer.echo(f"not said, so as {card.reading.layout} has it: {', '.join(imported.assumed)}")
    for note in imported.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"with it: {', '.join(path.name for path in imported.paths[1:])}")
    keys = [f"{key}: {_flow(value)}" for key, value in card.bars.items()]
    typer.echo("\nbars:\n" + "\n".join(f"  {key}" for key in keys))


def show_description(found: Description) -> None:
    """Print a description: facts a line each, and the price and volume over time, blank where there are no bars."""
    typer.echo(f"{found.file}: {found.n_bars:,} bars of {found.timeframe}, {found.instrument} ({found.calendar})")
    over_time = buckets(found.bars, _WIDTH)
    lines = [
        ("span", f"{found.first} to {found.last}"),
        ("price", f"{sparkline(over_time.close.tolist())}  {found.lowest:g} … {found.highest:g}"),
        ("volume", sparkline(over_time.volume.tolist())),
        (
            "sessions",
            f"{found.sessions:,} of {found.sessions_open:,} that were open; {_counted(found.segments, 'segment')}",
        ),
        ("missing", f"{found.missing_share:.2%} of the open market; {_counted(found.holes, 'hole')}"),
        *(("", f"{gap.start} to {gap.end}: {gap.trading_hours:,.1f} open hours") for gap in found.largest_holes),
        ("zero volume", f"{found.zero_volume:.2%} of bars"),
        ("flat", f"{found.flat:.2%} of bars have one price"),
        ("moves", "; ".join(f"{move.move:+.2%} at {move.time}" for move in found.largest_moves[:_MOVES]) or "none"),
        ("jumps", f"{len(found.jumps)} that no market makes" if found.jumps else "none"),
        *(("", jump) for jump in found.jumps[:_JUMPS]),
        ("rows", f"{found.rows:,} read, {found.outside_session:,} outside sessions, {_bad(found)}"),
        *(("", f"{kind.rows:,} {kind.what}; the first, {kind.first}") for kind in found.bad_rows),
        ("other columns", ", ".join(found.extra_columns) or "none"),
        ("card", found.card or "none"),
    ]
    for name, text in lines:
        typer.echo(f"  {name:<13} {text}".rstrip())


def _bad(found: Description) -> str:
    return f"{sum(kind.rows for kind in found.bad_rows):,} bad"


def sparkline(values: Sequence[float]) -> str:
    """Values as blocks of eight heights; a blank where a value is NaN.

    >>> sparkline([1.0, 2.0, float("nan"), 8.0])
    '▁▂ █'
    """
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return " " * len(values)
    low, high = min(known), max(known)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if math.isnan(value) else _BLOCKS[round((value - low) * scale)] for value in values)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {each}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return f'"{value}"' if "{" in str(value) else str(value)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
