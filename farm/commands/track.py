"""The ``farm track`` command."""

import typer

from farm.commands.home import Home, home_of


def track_command(home: Home = None) -> None:
    """Deliver to MLflow the runs that it could not take when they finished; exit 1 when some are still pending.

    A run never waits for MLflow: what it cannot deliver stays pending, and the next run of the same home tries again.

    Example: `farm track --home ./.farm`
    """
    from farm.run.tracking import deliver_pending

    still = 0
    for run, found in deliver_pending(home_of(home)):
        pending = found["status"] == "pending"
        still += pending
        typer.echo(f"{run}: {found['status']}" + (f": {found['error']}" if pending else ""))
    if still:
        raise typer.Exit(1)
