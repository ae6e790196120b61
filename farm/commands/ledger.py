"""``farm ledger``: the journal of trials of a home, shown and verified."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape

from farm.commands.home import Home, home_of
from farm.errors import BadInput

app = typer.Typer(help="The journal of every trial of a home.", no_args_is_help=True)


@app.command("show")
def show_command(
    home: Home = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only trials on this symbol.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every trial, how many candidates each symbol has seen, raw and effective, and every look at a lockbox.

    Example: `farm ledger show --symbol SYN-EDGE`
    """
    import pandas as pd
    from rich.console import Console

    from farm.ledger import all_trials, life_counts, openings
    from farm.run.terminal import table_of
    from farm.store import Store

    folder = home_of(home)
    trials = [one for one in all_trials(folder) if symbol is None or symbol in one.begun.symbols]
    counts = [asdict(one) for one in life_counts(Store(folder), trials) if symbol is None or symbol == one.symbol]
    looks = [asdict(look) for look in openings(folder) if symbol is None or symbol in look.symbols]
    rows = [
        {
            "study": trial.study,
            "trial": trial.begun.name,
            "role": trial.role,
            "status": trial.status,
            "from": str(pd.Timestamp(trial.begun.start, unit="ns").date()),
            "to": str(pd.Timestamp(trial.begun.end, unit="ns").date()),
            "identity": trial.identity,
        }
        for trial in trials
    ]
    if as_json:
        typer.echo(json.dumps({"trials": rows, "counts": counts, "lockbox": looks}, indent=2))
        return
    console = Console()
    table = table_of(("study", "trial", "role", "status", "from", "to"))
    for row in rows:
        table.add_row(*(escape(row[name]) for name in ("study", "trial", "role", "status", "from", "to")))
    console.print(table)
    for line in (*map(_count_line, counts), *map(_look_line, looks)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


@app.command("verify")
def verify_command(
    home: Home = None,
    heads_kept: Annotated[
        list[str] | None,
        typer.Option(
            "--head", metavar="STUDY=HASH", help="A head kept elsewhere, such as MLflow's tag farm.ledger_heads."
        ),
    ] = None,
) -> None:
    """Check every chain of the ledger, and against the heads that runs wrote down; exit 1 when anything is wrong.

    A deleted, edited or reordered segment breaks the chain; a chain cut at its end, or rewritten, lacks a head.

    Example: `farm ledger verify --home ./.farm`
    """
    from farm.ledger import Ledger, studies
    from farm.run import ledger_heads

    folder = home_of(home)
    heads = ledger_heads(folder)
    for kept in heads_kept or ():
        study, head = _kept(kept)
        heads.setdefault(study, []).append(head)
    problems = {
        study: Ledger(folder, study).verify(heads.get(study, ())) for study in sorted({*studies(folder), *heads})
    }
    for study, found in problems.items():
        typer.echo(f"{study}: {'in order' if not found else '; '.join(found)}")
    if any(problems.values()):
        raise typer.Exit(1)


def _kept(said: str) -> tuple[str, str]:
    study, _, head = said.rpartition("=")
    if not study or re.fullmatch(r"[0-9a-f]{64}", head) is None:
        raise BadInput(f"--head {said}: not a head; write STUDY=HASH, the hash being 64 hex digits")
    return study, head


def _count_line(count: dict[str, Any]) -> str:
    return (
        f"{count['symbol']} ({count['instrument']}): {count['raw']} candidates over the ledger's whole life (raw N), "
        f"{count['effective']:.1f} independent ones (effective N); {count['without_returns']} without returns"
    )


def _look_line(look: dict[str, Any]) -> str:
    again = f"; again, because: {look['reason']}" if look["reason"] else ""
    when = datetime.fromtimestamp(look["opened_at"] / 1e9, UTC)
    whose = f"{look['symbol']} ({', '.join(look['pool'])})" if look["pool"] else look["symbol"]
    return f"{whose}: lockbox opened {when:%Y-%m-%d %H:%M} UTC for {look['trial']} of run {look['run']}{again}"
