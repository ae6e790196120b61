"""``farm report``: the page of a run written again, or the index of all runs of a home."""

from typing import Annotated

import typer

from farm.commands.home import Home, home_of
from farm.errors import BadInput


def report_command(
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="A run's id or folder, or an experiment (its latest run)."),
    ] = None,
    home: Home = None,
    index: Annotated[bool, typer.Option("--index", help="Write the page of all runs of the home instead.")] = False,
) -> None:
    """Write a run's report again from its files, or the index of all runs, and say where it is.

    Examples:

    - `farm report quickstart`

    - `farm report --index`
    """
    if (run is None) == (not index):
        raise BadInput("report: give one RUN, or --index for the page of all runs of the home")
    typer.echo(_index(home_of(home)) if run is None else _report(home_of(home), run))


def _report(home: str, run: str) -> str:
    from farm.report import write_report
    from farm.run.folder import run_at

    folder = run_at(home, run)
    write_report(folder.fetch())
    folder.keep("report.html")
    return f"{folder.place}/report.html"


def _index(home: str) -> str:
    from farm.run.index import write_index

    return write_index(home)
