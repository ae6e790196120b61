"""``farm compare``: two runs side by side, with intervals on the differences."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.commands.home import Home, home_of

if TYPE_CHECKING:
    from farm.report.compare import Change, Comparison
    from farm.stats.difference import Estimate

_RUN = "A run's id or folder, or an experiment (its latest run)."


def compare_command(
    a: Annotated[str, typer.Argument(metavar="A", help=_RUN)],
    b: Annotated[str, typer.Argument(metavar="B", help=_RUN)],
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page as well.")] = None,
) -> None:
    """Show what differs between two runs, and what that did to the candidates they share, with intervals.

    A difference is B less A over the sessions both have; its 95% interval is a stationary bootstrap's that draws the
    same sessions from both, so luck that they share cancels.

    Examples:

    - `farm compare baseline wider_barriers`

    - `farm compare 20260101T120000-aaaaaa 20260102T120000-bbbbbb --html difference.html`
    """
    from farm.report import compare_runs, write_comparison
    from farm.run import find_run

    folder = home_of(home)
    comparison = compare_runs(find_run(folder, a), find_run(folder, b))
    if as_json:
        typer.echo(json.dumps(comparison.plain(), indent=2, allow_nan=False))
    else:
        _show(comparison)
    if html is not None:
        written = write_comparison(comparison, html)
        typer.echo(f"page: {written}", err=as_json)


def _show(comparison: "Comparison") -> None:
    from rich.console import Console
    from rich.markup import escape

    from farm.report.compare_page import statement
    from farm.report.wording import number, signed, signed_percent
    from farm.run.terminal import table_of

    console = Console()
    for letter, run in (("A", comparison.a), ("B", comparison.b)):
        about = run.manifest
        console.print(f"{letter}: {escape(about['name'])} {about['run_id']}  {run.summary['verdict']}", highlight=False)
    _show_changes("parameters", comparison.parameters)
    _show_changes("data", comparison.data)
    _show_changes("code and environment", comparison.environment)
    table = table_of(("study", "trial"), ("verdict", "Sharpe", "difference (95%)", "a year (95%)"))
    for one in comparison.trials:
        before, after = one.verdicts
        sharpes = (number(about.get("metrics", {}).get("sharpe")) for about in (one.a, one.b))
        table.add_row(
            escape(one.symbol),
            escape(one.trial),
            before if before == after else f"{before}\n→ {after}",
            "\n→ ".join(sharpes),
            _interval(one.difference.sharpe, signed),
            _interval(one.difference.annual_return, signed_percent),
        )
    console.print(table)
    for letter, only in (("A", comparison.only_a), ("B", comparison.only_b)):
        if only:
            names = ", ".join(f"{trial} on {symbol}" for symbol, trial in only)
            console.print(f"only in {letter}: {escape(names)}", highlight=False)
    console.print(statement(comparison), highlight=False, markup=False)


def _show_changes(what: str, changes: "Sequence[Change]") -> None:
    from rich.console import Console
    from rich.markup import escape

    from farm.report.compare import written
    from farm.run.terminal import table_of

    console = Console()
    if not changes:
        console.print(f"{what}: the same")
        return
    table = table_of((what, "A", "B"))
    for change in changes:
        table.add_row(*(escape(written(one)) for one in (change.what, change.a, change.b)))
    console.print(table)


def _interval(found: "Estimate | None", text: Any) -> str:
    if found is None:
        return "unknown"
    return f"{text(found.value)}\n({text(found.low)} … {text(found.high)})"
