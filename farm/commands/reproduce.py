"""The ``farm reproduce`` command."""

import tempfile
from typing import Annotated

import typer

from farm.commands.home import Home, home_of


def reproduce_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder, or an experiment (its latest run).")],
    home: Home = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="HOME", help="An empty home to build in and keep; default: a temporary one."),
    ] = None,
) -> None:
    """Build a run again from its own records and compare every result file byte by byte; exit 1 when any differs.

    What has changed since (code, libraries, machine) is said first. Other data end the command at once: nothing could
    be equal.

    Example: `farm reproduce quickstart`
    """
    from farm.run.folder import run_at
    from farm.run.reproduce import changed_since, data_changed_since, reproduce

    folder = run_at(home_of(home), run)
    typer.echo(f"run {folder.run_id}")
    changed = changed_since(folder)
    for difference in changed:
        typer.echo(f"not as it was: {difference}")
    other_data = data_changed_since(folder)
    for difference in other_data:
        typer.echo(f"not as it was: {difference}")
    if other_data:
        typer.echo("the bars are not those of the run, so it was not built again")
        raise typer.Exit(1)
    with tempfile.TemporaryDirectory(prefix="farm-reproduce-") as temporary:
        compared = reproduce(folder, home_of(home), home_of(to or temporary))
    for one in compared:
        typer.echo(f"{one.file}: {'equal' if not one.differs else 'differs: ' + '; '.join(one.differs)}")
    if not any(one.differs for one in compared):
        typer.echo("reproduced: every result file is equal, byte by byte")
        return
    typer.echo(
        "not reproduced; what is said above to have changed may explain it"
        if changed
        else "not reproduced, though code, libraries, machine and data are recorded as the same"
    )
    raise typer.Exit(1)
