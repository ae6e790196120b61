"""What the terminal shows of plans and runs: tables of 80 columns, long names folded and never cut, reasons below."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

_COLOUR = {"PASS": "green", "FAIL": "red", "INSUFFICIENT": "yellow"}


def show_plan(found: dict[str, Any]) -> None:
    """Print a forecast: a row a study, then the sum, then what to expect of the verdict."""
    console = Console()
    table = table_of(("study",), ("events", "features", "fits", "candidates", "seconds", "Sharpe"))
    for study in found["studies"]:
        table.add_row(
            escape(study["symbol"]),
            f"{'~' if study['estimated'] else ''}{study['events']:,}",
            str(study["features"]),
            str(study["fits"]),
            f"{study['candidates']}" + (f" + {study['earlier']}" if study["earlier"] else ""),
            f"{study['fit_seconds']:.1f}",
            _number(study["certifiable_sharpe"], 2, unknown="none"),
        )
    console.print(f"[bold]{escape(found['experiment'])}[/]: what would run")
    console.print(table)
    console.print("seconds: the study's fits on one core. Sharpe: the smallest annual one that could be certified.")
    if any(study["earlier"] for study in found["studies"]):
        console.print("candidates: this experiment's, + those that the ledger has of earlier ones on the same span.")
    if found["estimated_studies"]:
        console.print("~: estimated in proportion to the studies without it, whose panels are stored or were built.")
    console.print(
        f"{found['fits']} fits ({found['stored']} stored already), about {found['wall_seconds']:.0f} s on "
        f"{_counted(found['workers'], 'worker')}, "
        f"panels of {found['memory_mib']:.1f} MiB in memory."
    )
    for warning in found["warnings"]:
        console.print(f"[yellow]{escape(warning)}[/]")


def show_runs(runs: Sequence[dict[str, Any]]) -> None:
    """Print runs as ``list_runs`` gives them, a row each."""
    table = table_of(("experiment", "run", "status", "verdict"), ("fits", "reused"))
    table.columns[1].no_wrap = True
    for one in runs:
        fits, reused = ("" if one[key] is None else str(one[key]) for key in ("fits", "reused"))
        table.add_row(escape(one["name"]), one["run_id"], one["status"], one["verdict"] or "", fits, reused)
    Console().print(table)


def show_result(folder: Path, summary: dict[str, Any], fits: dict[str, int], efficiency: dict[str, Any]) -> None:
    """Print a finished run: a row a candidate, each reason and error once, and where the report is."""
    console = Console()
    table = table_of(("study", "trial", "verdict"), ("deflated", "Sharpe (95%)"))
    for study in summary["studies"]:
        for candidate in study["candidates"]:
            evidence, ruling = candidate["evidence"], candidate["verdict"]
            sharpe = _number(evidence["sharpe"], 2)
            if evidence["sharpe_low"] is not None:
                sharpe += f" ({evidence['sharpe_low']:.2f} … {evidence['sharpe_high']:.2f})"
            table.add_row(
                escape(study["symbol"]),
                escape(candidate["trial"]),
                f"[{_COLOUR[ruling]}]{ruling}[/]",
                _number(evidence["deflated"], 3),
                sharpe,
            )
    if table.row_count:
        console.print(table)
    for line in (*_reasons(summary), *_skipped(summary), *_failures(summary)):
        console.print(f"- {escape(line)}", highlight=False)
    console.print(f"fits: {fits['done']} done, {fits['reused']} reused, {fits['failed']} failed")
    if efficiency["efficiency"] is not None:
        console.print(
            f"fit phase: {efficiency['fit_wall_seconds']:.1f} s on {_counted(efficiency['cores'], 'core')}, "
            f"{efficiency['fit_cpu_seconds']:.1f} s of CPU in fits, efficiency {efficiency['efficiency']:.2f}"
        )
    console.print(f"verdict: [bold {_COLOUR[summary['verdict']]}]{summary['verdict']}[/]")
    console.print(f"report: {folder / 'report.html'}", soft_wrap=True, highlight=False, markup=False)


def table_of(names: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """An empty table: names fold where they are long, a column of numbers is never narrower than its heading."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in names:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _number(value: float | None, digits: int, unknown: str = "unknown") -> str:
    return unknown if value is None else f"{value:.{digits}f}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _reasons(summary: dict[str, Any]) -> list[str]:
    """Each reason once a study, with the trials it is about where these are not all."""
    lines = []
    for study in summary["studies"]:
        about: dict[str, list[str]] = {}
        for candidate in study["candidates"]:
            for reason in candidate["reasons"]:
                about.setdefault(reason, []).append(candidate["trial"])
        for reason, trials in about.items():
            whom = "" if len(trials) == len(study["candidates"]) else f", {', '.join(trials)}"
            lines.append(f"{study['symbol']}{whom}: {reason}")
    return lines


def _skipped(summary: dict[str, Any]) -> list[str]:
    """The symbols that were left out, and why."""
    return [f"{one['symbol']}: left out, counted as INSUFFICIENT: {one['reason']}" for one in summary["skipped"]]


def _failures(summary: dict[str, Any]) -> list[str]:
    """Each error once a study and trial, with the number of fits that it ended."""
    counts: dict[tuple[str, str, str], int] = {}
    for one in summary["failed_fits"]:
        key = (one["symbol"], one["trial"], one["error"])
        counts[key] = counts.get(key, 0) + 1
    return [
        f"{symbol}, {trial}: {_counted(count, 'fit')} failed: {error}"
        for (symbol, trial, error), count in counts.items()
    ]
