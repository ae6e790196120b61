"""``farm submit``: an experiment as a job on a Ray cluster."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def submit_command(
    experiment_file: Annotated[Path, typer.Argument(metavar="EXPERIMENT.yaml", help="The experiment file.")],
    address: Annotated[str, typer.Option("--address", help="The cluster's dashboard, such as http://HOST:8265.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="A value in place of the file's (YAML); may be repeated."),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Fit everything again, stored or not.")] = False,
    require_pass: Annotated[bool, typer.Option("--require-pass", help="Exit with 3 when nothing passes.")] = False,
) -> None:
    """Run an experiment as a Ray job: its log is streamed, and its exit code is this command's.

    The working folder travels with the job, except for what `.gitignore` and `.rayignore` name. The home must be one
    that all nodes share. Ctrl-C ends the streaming and leaves the job alone.

    Example: `FARM_HOME=/shared/farm farm submit experiments/quickstart.yaml --address http://10.0.0.1:8265`
    """
    from farm.config import experiment_at_hand
    from farm.run.submit import submit

    arguments = [part for override in overrides or [] for part in ("--set", override)]
    arguments += ["--fresh"] if fresh else []
    arguments += ["--require-pass"] if require_pass else []
    with experiment_at_hand(experiment_file, overrides or []) as experiment:
        try:
            code = submit(experiment, experiment_file, arguments, address, _say)
        except KeyboardInterrupt:
            sys.stderr.write("\nfarm: no longer listening; the job goes on\n")
            raise typer.Exit(130) from None
    if code:
        raise typer.Exit(code)


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
