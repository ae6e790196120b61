"""The command line."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import farm
from farm.commands import data, ledger, stats, store
from farm.commands.calibrate import calibrate_command
from farm.commands.compare import compare_command
from farm.commands.home import Home, home_of
from farm.commands.lockbox import lockbox_command
from farm.commands.models import models_command
from farm.commands.report import report_command
from farm.commands.reproduce import reproduce_command
from farm.commands.submit import submit_command
from farm.commands.track import track_command
from farm.errors import BadInput, Failed

app = typer.Typer(
    name="farm",
    help="Experiments on price bars whose results can be believed.",
    epilog="Start with `farm run experiments/quickstart.yaml`. `farm plan` says beforehand what a run would cost and "
    "could show; `farm COMMAND --help` explains a command.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

ExperimentFile = Annotated[Path, typer.Argument(metavar="EXPERIMENT.yaml", help="The experiment file.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="A.B=VALUE", help="A value in place of the file's (YAML); may be given more than once."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

EXIT_FAILED, EXIT_BAD_INPUT, EXIT_NO_PASS, EXIT_INTERRUPTED = 1, 2, 3, 130


@app.callback(invoke_without_command=True)
def _farm(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"farm {farm.__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("run")
def run_command(
    experiment_file: ExperimentFile,
    overrides: Overrides = None,
    address: Annotated[
        str | None, typer.Option("--address", help="A Ray cluster; default: RAY_ADDRESS, else a local Ray.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Fit everything again, stored or not.")] = False,
    require_pass: Annotated[bool, typer.Option("--require-pass", help="Exit with 3 when nothing passes.")] = False,
) -> None:
    """Run an experiment, or go on where it stopped: what is stored is not computed again.

    Exit codes: 0 done, 1 failed while running, 2 bad input, 3 nothing passed under --require-pass, 130 interrupted.

    Examples:

    - `farm run experiments/quickstart.yaml`

    - `farm run x.yaml --set folds.groups=8 --set 'features.timeframes=[15min, 1h]'`

    - `farm run x.yaml --address auto --require-pass`
    """
    from farm.config import experiment_at_hand
    from farm.run import run
    from farm.run.terminal import show_result

    overrides = [*(overrides or []), *([f"execution.address={address}"] if address else [])]
    try:
        with experiment_at_hand(experiment_file, overrides) as experiment:
            result = run(experiment, fresh=fresh)
    except KeyboardInterrupt:
        sys.stderr.write("\nfarm: interrupted; what was finished is stored, and the same command goes on from there\n")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    show_result(result.folder.path, result.summary, result.fits, result.efficiency)
    if result.failed:
        raise typer.Exit(EXIT_FAILED)
    if require_pass and result.summary["verdict"] != "PASS":
        raise typer.Exit(EXIT_NO_PASS)


@app.command("plan")
def plan_command(experiment_file: ExperimentFile, overrides: Overrides = None, as_json: AsJson = False) -> None:
    """Say what a run would do: fits, trials, memory, time, and the Sharpe ratio it could certify. Writes nothing.

    Example: `farm plan experiments/quickstart.yaml --set folds.groups=10`
    """
    from farm.config import experiment_at_hand
    from farm.run import forecast
    from farm.run.terminal import show_plan

    with experiment_at_hand(experiment_file, overrides or []) as experiment:
        found = forecast(experiment)
    if as_json:
        _print_json(found)
        return
    show_plan(found)


@app.command("check")
def check_command(
    paths: Annotated[
        list[str], typer.Argument(metavar="EXPERIMENT.yaml|DATA…", help="Experiments, data files, or folders of them.")
    ],
    overrides: Overrides = None,
    declared: Annotated[
        Path | None, typer.Option("--declared", metavar="CATALOGUE.yaml", help="Folder: what each of its files is.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option(help="Data: the length of its bars, such as 1min.")] = None,
    stamp: Annotated[str | None, typer.Option(help="Data: whether its times are the bars' open or close.")] = None,
    zone: Annotated[str | None, typer.Option(help="Data: the clock of times that carry no zone, such as UTC.")] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Data: iso (default), epoch_ms, or a strptime pattern.")
    ] = None,
    instrument: Annotated[
        str | None, typer.Option(help="Data: the instrument, where the file's name fits none.")
    ] = None,
) -> None:
    """Validate experiments with their data, or data files alone; exit 2 with the reason when something is wrong.

    Examples:

    - `farm check experiments/quickstart.yaml`

    - `farm check ES.csv --timeframe 1min --stamp open --zone UTC --instrument cme_equity_micro`

    - `farm check data/ --declared experiments/catalogues/real.yaml`
    """
    from farm.config import experiment_at_hand
    from farm.run import check, check_data, check_declared

    if not all(path.strip() for path in paths):
        raise BadInput("check: one of the paths is empty, perhaps a variable that is not set; name a file or a folder")
    for path in map(Path, paths):
        if declared is not None:
            for line in check_declared(path, declared):
                typer.echo(line)
        elif path.suffix in (".yaml", ".yml"):
            with experiment_at_hand(path, overrides or []) as experiment:
                for line in check(experiment):
                    typer.echo(f"{path}: {line}")
        else:
            typer.echo(
                check_data(
                    path, timeframe=timeframe, stamp=stamp, zone=zone, time_format=time_format, instrument=instrument
                )
            )


@app.command("runs")
def runs_command(home: Home = None, as_json: AsJson = False) -> None:
    """List the runs of a home: status, verdict, fits. A stopped run goes on when its experiment is run again."""
    from farm.run import list_runs
    from farm.run.terminal import show_runs

    runs = list_runs(home_of(home))
    if as_json:
        _print_json(runs)
        return
    if not runs:
        typer.echo(f"no runs in {home_of(home)}")
        return
    show_runs(runs)


@app.command("schema")
def schema_command() -> None:
    """Print the JSON schema of experiment files, for editors and checkers."""
    from farm.config import experiment_schema

    _print_json(experiment_schema())


app.add_typer(stats.app, name="stats")
app.add_typer(ledger.app, name="ledger")
app.add_typer(store.app, name="store")
app.add_typer(data.app, name="data")
app.command("report")(report_command)
app.command("compare")(compare_command)
app.command("reproduce")(reproduce_command)
app.command("calibrate")(calibrate_command)
app.command("track")(track_command)
app.command("lockbox")(lockbox_command)
app.command("models")(models_command)
app.command("submit")(submit_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; bad input ends with one message and exit code 2, never with a traceback."""
    try:
        app(None if arguments is None else list(arguments), prog_name="farm")
    except BadInput as error:
        sys.stderr.write(f"farm: {error}\n")
        sys.exit(EXIT_BAD_INPUT)
    except Failed as error:
        sys.stderr.write(f"farm: {error}\n")
        sys.exit(EXIT_FAILED)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2))


if __name__ == "__main__":
    main()
