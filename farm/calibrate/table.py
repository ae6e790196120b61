"""What ``farm calibrate`` prints: a cell a row."""

from collections.abc import Sequence

from rich.table import Table

from farm.calibrate.grid import PipelineResult
from farm.calibrate.rate import Rate
from farm.calibrate.statistics import COMPONENTS, StatisticsResult, applies


def statistics_table(results: Sequence[StatisticsResult]) -> Table:
    """The rate at which every component found something, in percent, and that of wrong passes with its interval."""
    table = Table(
        caption="Percent of runs in which each found an edge; wrong: a trial without an edge passed (Wilson)."
    )
    table.add_column("cell")
    for heading in ("runs", "N", *(name.replace("_", " ") for name in COMPONENTS), "wrong (95%)", "insufficient"):
        table.add_column(heading, justify="right")
    for one in results:
        table.add_row(
            one.cell.name,
            str(one.wrong.runs),
            f"{one.effective_trials:.1f}",
            *(f"{100 * one.rates[name].value:.1f}" if applies(name, one.cell) else "—" for name in COMPONENTS),
            percent(one.wrong),
            f"{100 * one.insufficient.value:.0f}",
        )
    return table


def pipeline_table(results: Sequence[PipelineResult]) -> Table:
    """Runs, runs in which anything passed, the rate with its interval, mean Sharpe ratios, and the power to expect."""
    table = Table(
        caption="Passed in percent (Wilson). Sharpe ratios are annual and net: the oracle's, the best candidate's as "
        "judged, and its own on fresh bars. Expected: how often independent returns of that own Sharpe ratio pass."
    )
    table.add_column("market")
    for heading in ("runs", "passed (95%)", "N", "oracle", "best", "own", "expected", "power of it"):
        table.add_column(heading, justify="right")
    for one in results:
        table.add_row(
            one.cell.name,
            str(one.passed.runs),
            percent(one.passed),
            number(one.effective_trials, 1),
            number(one.oracle),
            number(one.best_sharpe),
            number(one.own_sharpe),
            "—" if one.chance is None else f"{100 * one.chance:.1f}",
            number(one.passed.value / one.chance if one.chance else None),
        )
    return table


def percent(rate: Rate) -> str:
    """A rate with its interval in percent."""
    return f"{100 * rate.value:.1f} ({100 * rate.low:.1f} … {100 * rate.high:.1f})"


def number(value: float | None, digits: int = 2) -> str:
    """A number, or a dash where it is unknown."""
    return "—" if value is None else f"{value:.{digits}f}"
