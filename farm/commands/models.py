"""``farm models``: what an experiment can use, with its defaults, and what is missing to use it."""

import json
from typing import Annotated

import typer


def models_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table, with every default.")] = False,
) -> None:
    """List the models an experiment can use, with what is missing to use them.

    `--json` also tells each model's parameters and their defaults.
    """
    from rich.console import Console
    from rich.markup import escape

    from farm.models import installed
    from farm.run.terminal import table_of

    entries = sorted(installed().items())
    if as_json:
        said = [
            {
                "name": name,
                "family": entry.family,
                "description": entry.description,
                "status": entry.status(),
                "defaults": dict(entry.defaults()),
            }
            for name, entry in entries
        ]
        typer.echo(json.dumps(said, indent=2))
        return
    table = table_of(("name", "family", "status", "description"))
    for name, entry in entries:
        table.add_row(*(escape(text) for text in (name, entry.family, entry.status(), entry.description)))
    console = Console()
    console.print(table)
    console.print(
        "Any scikit-learn classifier or regressor works by import path: uses: sklearn.ensemble.ExtraTreesClassifier",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
