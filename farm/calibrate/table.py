"""What ``farm calibrate`` prints: the rate at which anything passed, a cell a row."""

from collections.abc import Sequence

from rich.table import Table

from farm.calibrate.grid import CellResult


def rates_table(results: Sequence[CellResult]) -> Table:
    """A table of cells: runs, runs in which anything passed, the rate with its 95% interval, mean Sharpe ratios."""
    table = Table(
        caption="The interval is Wilson's. Best: the best candidate's annual net Sharpe ratio, mean over runs."
    )
    for heading in ("market", "edge", "runs", "passed", "rate (95%)", "oracle", "best"):
        table.add_column(heading, justify="left" if heading == "market" else "right")
    for one in results:
        table.add_row(
            one.cell.name,
            f"{one.cell.edge:.4f}",
            str(one.runs),
            str(one.passed),
            f"{one.passed / one.runs:.2f} ({one.low:.2f} … {one.high:.2f})",
            "—" if one.oracle_mean is None else f"{one.oracle_mean:.2f}",
            "—" if one.best_sharpe_mean is None else f"{one.best_sharpe_mean:.2f}",
        )
    return table
