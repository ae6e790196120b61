"""``farm stats``: the statistics on anyone's returns, from a CSV or Parquet file with one column a strategy."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="The statistics on anyone's returns: a CSV or Parquet file, time first, one column a strategy.",
    no_args_is_help=True,
)

ReturnsFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV or Parquet; columns that are not numbers are times.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Column = Annotated[str | None, typer.Option("--column", help="Only this strategy; default: all.")]


@app.command("pbo")
def pbo_command(
    file: ReturnsFile,
    blocks: Annotated[int, typer.Option(help="Blocks of time, an even number.")] = 16,
    as_json: AsJson = False,
) -> None:
    """Probability of backtest overfitting, by combinatorially symmetric cross-validation over the columns."""
    from farm.stats import probability_of_backtest_overfitting

    found = _accepted(file, lambda returns: probability_of_backtest_overfitting(returns, n_blocks=blocks))
    row = {
        "pbo": found.pbo,
        "probability_of_loss": found.probability_of_loss,
        "slope": found.slope,
        "intercept": found.intercept,
        "combinations": len(found.logits),
    }
    _print([row], as_json)


@app.command("psr")
def psr_command(
    file: ReturnsFile,
    benchmark: Annotated[float, typer.Option(help="Sharpe ratio to beat, per observation.")] = 0.0,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Probability that each strategy's Sharpe ratio is above the benchmark."""
    from farm.stats import probabilistic_sharpe_ratio, sharpe_ratio

    _each(
        file, column, as_json,
        lambda series: {"sharpe": sharpe_ratio(series), "psr": probabilistic_sharpe_ratio(series, benchmark)},
    )  # fmt: skip


@app.command("dsr")
def dsr_command(
    file: ReturnsFile,
    trials: Annotated[
        float | None, typer.Option(help="Trials that were made; default: the effective number of the columns.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Deflated Sharpe ratio of each strategy: the verdict's, and the paper's with the columns' own variance."""
    import numpy as np

    from farm.stats import deflated_sharpe_ratio, effective_trials, known_sharpe, verdict_deflated_sharpe

    frame = read_returns(file)
    matrix = frame.to_numpy()
    count = trials if trials is not None else _accepted(file, lambda returns: effective_trials(returns).value)
    known = [value for value in (known_sharpe(series) for series in matrix.T) if value is not None]
    spread = float(np.var(known, ddof=1)) if len(known) > 1 else None

    def row(series: Any) -> dict[str, Any]:
        paper = None
        if spread is not None and count > 1 and known_sharpe(series) is not None:
            paper = deflated_sharpe_ratio(series, n_trials=count, trial_sharpe_variance=spread)
        return {
            "sharpe": known_sharpe(series),
            "trials": count,
            "dsr_verdict": verdict_deflated_sharpe(series, count),
            "dsr_paper": paper,
        }

    _each(file, None, as_json, row)


@app.command("mintrl")
def mintrl_command(
    file: ReturnsFile,
    benchmark: Annotated[float, typer.Option(help="Sharpe ratio to beat, per observation.")] = 0.0,
    confidence: Annotated[float, typer.Option(help="Confidence wanted.")] = 0.95,
    column: Column = None,
    as_json: AsJson = False,
) -> None:
    """Minimum track record length of each strategy, in observations."""
    from farm.stats import minimum_track_record_length

    _each(
        file, column, as_json,
        lambda series: {
            "observations": len(series),
            "mintrl": minimum_track_record_length(series, benchmark, confidence),
        },
    )  # fmt: skip


@app.command("effective-trials")
def effective_trials_command(file: ReturnsFile, as_json: AsJson = False) -> None:
    """How many independent trials the columns amount to."""
    from farm.stats import effective_trials

    found = _accepted(file, effective_trials)
    row = {name: getattr(found, name) for name in ("value", "spectral", "clustered", "raw", "idle")}
    _print([row], as_json)


def read_returns(file: Path) -> "pd.DataFrame":
    """The numeric columns of a CSV or Parquet file; BadInput names what is wrong with it."""
    import pandas as pd

    if not file.is_file():
        raise BadInput(f"{file}: there is no such file")
    try:
        frame = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    except (ValueError, OSError) as error:
        raise BadInput(
            f"{file}: cannot be read as {'Parquet' if file.suffix == '.parquet' else 'CSV'}: {error}"
        ) from error
    numbers = frame.select_dtypes("number")
    words = [name for name in frame.columns if name not in numbers.columns]
    if words and not _is_time(frame[words[0]]):
        raise BadInput(f"{file}: column {words[0]} holds text; returns are numbers, one column a strategy, times first")
    if len(words) > 1:
        raise BadInput(f"{file}: column {words[1]} holds text beside the times in {words[0]}; returns are numbers")
    if numbers.shape[1] == 0:
        raise BadInput(f"{file}: no column of numbers; give one column a strategy")
    return numbers


def _is_time(column: "pd.Series[Any]") -> bool:
    import pandas as pd

    try:
        pd.to_datetime(column)
    except (ValueError, TypeError):
        return False
    return True


def _accepted(file: Path, statistic: Any) -> Any:
    """The statistic of the whole matrix; what it refuses is bad input of the file."""
    matrix = read_returns(file).to_numpy()
    try:
        return statistic(matrix)
    except ValueError as error:
        raise BadInput(f"{file}: {error}") from error


def _each(file: Path, column: str | None, as_json: bool, row: Any) -> None:
    frame = read_returns(file)
    if column is not None and column not in frame.columns:
        raise BadInput(f"{file}: no column {column!r}; there are {', '.join(map(str, frame.columns))}")
    rows = []
    for name in frame.columns if column is None else [column]:
        try:
            rows.append({"strategy": str(name), **row(frame[name].to_numpy())})
        except ValueError as error:
            raise BadInput(f"{file}: column {name}: {error}") from error
    _print(rows, as_json)


def _print(rows: list[dict[str, Any]], as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = [{name: _plain(value) for name, value in row.items()} for row in rows]
    if as_json:
        typer.echo(json.dumps(rows[0] if len(rows) == 1 else rows, indent=2))
        return
    table = Table()
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "strategy" else "right")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    Console().print(table)


def _plain(value: Any) -> Any:
    """A JSON-able value: unknown and infinite are None."""
    import math

    if isinstance(value, str) or value is None:
        return value
    number = value.item() if hasattr(value, "item") else value
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    return value if isinstance(value, str) else f"{value:.6g}"
