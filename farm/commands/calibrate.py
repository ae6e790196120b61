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
        Literal["pipeline"], typer.Option(help="pipeline: the whole way from bars to verdict on artificial markets.")
    ] = "pipeline",
    seeds: Annotated[int, typer.Option(min=1, help="Markets with an edge.")] = 20,
    null_seeds: Annotated[int | None, typer.Option(min=1, help="Markets without; default: twice as many.")] = None,
    oracle: Annotated[float, typer.Option(min=0.1, help="Annual net Sharpe ratio of the oracle on the edge.")] = 3.0,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="A value in place.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Run many artificial markets to their verdict and print how often anything passed. Finished markets are kept."""
    from rich.console import Console

    from farm.calibrate import calibrate_pipeline, rates_table
    from farm.config import load_experiment

    del tier  # one tier exists so far; the option names it so that commands keep their meaning
    experiment = load_experiment(experiment_file, overrides or [])
    results = list(calibrate_pipeline(experiment, edge_seeds=seeds, null_seeds=null_seeds or 2 * seeds, oracle=oracle))
    if as_json:
        typer.echo(json.dumps([result.plain() for result in results], indent=2))
        return
    Console().print(rates_table(results))
