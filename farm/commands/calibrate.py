"""``farm calibrate``: how often the verdict passes when nothing, or something of known size, is there."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer


def calibrate_command(
    experiment_file: Annotated[
        Path, typer.Argument(metavar="EXPERIMENT.yaml", help="What to run on every market; its bars are synthetic.")
    ] = Path("experiments/calibrate.yaml"),
    tier: Annotated[
        Literal["statistics", "pipeline"],
        typer.Option(
            help="statistics: the verdict on simulated returns. pipeline: from bars to verdict on artificial markets."
        ),
    ] = "pipeline",
    runs: Annotated[int, typer.Option(min=1, help="Runs of every cell of the statistics.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="Markets with an edge, for every cell of the pipeline.")] = 5,
    null_seeds: Annotated[
        int | None, typer.Option(min=1, help="Markets without; default: three times as many.")
    ] = None,
    oracle: Annotated[
        list[float] | None, typer.Option(min=0.1, help="Annual net Sharpe ratio of an oracle; default: 1, 2, 3 and 4.")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="A value in place.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Run many experiments of known truth to their verdict and print how often anything passed.

    What is finished is stored in the experiment's home, and the same command goes on from there.
    """
    from farm.calibrate import calibrate_pipeline, calibrate_statistics, pipeline_table, statistics_table
    from farm.calibrate.markets import NOTHING as MARKETS
    from farm.calibrate.markets import with_edge
    from farm.calibrate.returns import NOTHING, SOMETHING
    from farm.config import load_experiment

    experiment = load_experiment(experiment_file, overrides or [])
    if tier == "statistics":
        matrices = list(calibrate_statistics((*NOTHING, *SOMETHING), experiment, runs=runs))
        _print([one.plain() for one in matrices] if as_json else statistics_table(matrices))
        return
    cells = [
        *((cell, null_seeds or 3 * seeds) for cell in MARKETS),
        *((with_edge(sharpe), seeds) for sharpe in oracle or (1.0, 2.0, 3.0, 4.0)),
    ]
    markets = list(calibrate_pipeline(cells, experiment))
    _print([one.plain() for one in markets] if as_json else pipeline_table(markets))


def _print(found: object) -> None:
    from rich.console import Console

    if isinstance(found, list):
        typer.echo(json.dumps(found, indent=2))
    else:
        Console().print(found)
