"""``farm ledger``: the journal of trials of a home, shown and verified."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The journal of every trial of a home.", no_args_is_help=True)

Home = Annotated[str | None, typer.Option("--home", help="The home; default: FARM_HOME, else .farm here.")]


@app.command("show")
def show_command(
    home: Home = None,
    symbol: Annotated[str | None, typer.Option("--symbol", help="Only trials on this symbol.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every trial: study, name, role, status, evaluated span."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    from farm.ledger import all_trials

    trials = [one for one in all_trials(_home(home)) if symbol is None or one.begun.symbol == symbol]
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
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(caption=f"{len(rows)} trials; candidates count in N of the verdict")
    for name in ("study", "trial", "role", "status", "from", "to"):
        table.add_column(name)
    for row in rows:
        table.add_row(*(row[name] for name in ("study", "trial", "role", "status", "from", "to")))
    Console().print(table)


@app.command("verify")
def verify_command(home: Home = None) -> None:
    """Check every chain of the ledger, and against the heads that runs wrote down; exit 1 when anything is wrong."""
    from farm.ledger import Ledger, studies
    from farm.run import ledger_heads

    folder = _home(home)
    heads = ledger_heads(folder)
    problems = {
        study: Ledger(folder, study).verify(heads.get(study, ())) for study in sorted({*studies(folder), *heads})
    }
    for study, found in problems.items():
        typer.echo(f"{study}: {'in order' if not found else '; '.join(found)}")
    if any(problems.values()):
        raise typer.Exit(1)


def _home(home: str | None) -> str:
    return str(Path(home or os.environ.get("FARM_HOME") or ".farm").expanduser().absolute())
