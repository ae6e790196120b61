"""``farm data``: vendors' files imported, data files described."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from farm.commands.home import Home, home_of
from farm.errors import BadInput

app = typer.Typer(help="Import vendors' files, and describe data files.", no_args_is_help=True)

_LINE_EVERY = 5.0

Timeframe = Annotated[str | None, typer.Option(help="The length of the bars, such as 1min.")]
Stamp = Annotated[str | None, typer.Option(help="Whether times are the bars' open or close.")]
Zone = Annotated[str | None, typer.Option(help="The clock of times that carry no zone, such as UTC.")]
Prices = Annotated[str | None, typer.Option(help="quoted or adjusted, where the files have both closes.")]
Instrument = Annotated[str | None, typer.Option(help="The instrument, where the symbol's name fits none.")]


@app.command("import")
def import_command(
    layout: Annotated[
        str,
        typer.Argument(metavar="LAYOUT", help="binance, databento, histdata, lean, mt5, ninjatrader or yfinance."),
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The vendor's files, in any order.")],
    symbol: Annotated[str, typer.Option(help="The symbol in Farm, and the name of the file.")],
    to: Annotated[Path, typer.Option(help="The folder for SYMBOL.parquet and SYMBOL.card.yaml.")],
    timeframe: Timeframe = None,
    zone: Zone = None,
    stamp: Stamp = None,
    prices: Prices = None,
    price_divisor: Annotated[float | None, typer.Option(help="What the written prices are divided by.")] = None,
    vendor_symbol: Annotated[str | None, typer.Option(help="The symbol in the files, where it is another.")] = None,
    instrument: Instrument = None,
    on_bad_rows: Annotated[str, typer.Option(help="stop, or quarantine: dropped and listed in the card.")] = "stop",
    source: Annotated[str | None, typer.Option(help="For the card: where the files come from.")] = None,
    licence: Annotated[str | None, typer.Option(help="For the card: on what terms.")] = None,
    acquired: Annotated[str | None, typer.Option(help="For the card: the day they were got, 2026-01-31.")] = None,
    dvc: Annotated[bool, typer.Option("--dvc", help="Write SYMBOL.parquet.dvc, too.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that is another.")] = False,
) -> None:
    """Make one Parquet file of a vendor's files, with a card that says where it comes from.

    Times become the bars' opens in UTC. Every row is checked; nothing is repaired, and nothing is written unless all
    of it is in order.

    Examples:

    - `farm data import binance FILUSDT-1m-*.zip --symbol FILUSDT --to bars --timeframe 1min`

    - `farm data import mt5 EURUSD_M5.csv --symbol EURUSD --to bars --timeframe 5min --zone Europe/Athens`

    - `farm data import yfinance AAPL.csv --symbol AAPL --to bars --prices adjusted`
    """
    from rich.console import Console

    from farm.data import asked
    from farm.data.terminal import show_imported

    wanted = asked(
        layout=layout,
        files=files,
        symbol=symbol,
        to=to,
        timeframe=timeframe,
        zone=zone,
        stamp=stamp,
        prices=prices,
        price_divisor=price_divisor,
        vendor_symbol=vendor_symbol,
        instrument=instrument,
        on_bad_rows=on_bad_rows,
        source=source,
        licence=licence,
        acquired=acquired,
        dvc=dvc,
        replace=replace,
    )
    console = Console(stderr=True, highlight=False, markup=False)
    with console.status("reading", spinner="line") as status:
        read, told = 0, time.monotonic()

        def progress(name: str) -> None:
            nonlocal read, told
            read += 1
            status.update(f"reading {read}: {name}")
            if not console.is_terminal and time.monotonic() - told > _LINE_EVERY:
                told = time.monotonic()
                console.print(f"reading {read}: {name}", soft_wrap=True)

        imported = wanted.run(progress)
    show_imported(imported)


@app.command("describe")
def describe_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV or Parquet files, one a symbol.")],
    timeframe: Timeframe = None,
    stamp: Stamp = None,
    zone: Zone = None,
    time_format: Annotated[str | None, typer.Option(help="iso (default), epoch_ms, or a strptime pattern.")] = None,
    instrument: Instrument = None,
    prices: Prices = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with plots to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say what data files hold: span, sessions, holes against the calendar, and quirks. Repairs nothing.

    What the options do not say is taken from the card beside a file, where there is one.

    Examples:

    - `farm data describe bars/FILUSDT.parquet`

    - `farm data describe ES.csv --timeframe 1min --stamp open --zone UTC --html ES.html`
    """
    from farm.data.describe import describe
    from farm.data.page import write_page
    from farm.data.terminal import show_description

    said = {
        "timeframe": timeframe,
        "stamp": stamp,
        "zone": zone,
        "time_format": time_format,
        "instrument": instrument,
        "prices": prices,
    }
    found = [describe(file, **said) for file in files]
    if html is not None:
        write_page(found, html)
    if as_json:
        typer.echo(json.dumps([one.plain() for one in found], indent=2))
        return
    for one in found:
        show_description(one)
    if html is not None:
        typer.echo(f"page: {html}")


@app.command("card")
def card_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder, or an experiment (its latest run).")],
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only this symbol's card.")] = None,
    home: Home = None,
) -> None:
    """Print the cards of the data that a run's results come from: source, licence, span, digests of the vendor's files.

    Example: `farm data card real --symbol FILUSDT`
    """
    from farm.run.folder import run_at

    folder = run_at(home_of(home), run)
    manifest = folder.manifest()
    cards = manifest.get("cards", {})
    if symbol is not None and symbol not in manifest.get("data", {}):
        known = ", ".join(manifest.get("data", {})) or "none"
        raise BadInput(f"{folder.place}: no study of {symbol}; there are {known}")
    wanted = cards if symbol is None else {symbol: cards[symbol]} if symbol in cards else {}
    if not wanted:
        typer.echo("its data have no card; farm data import makes one")
        return
    typer.echo(json.dumps(wanted, indent=2))
