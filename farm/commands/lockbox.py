"""The ``farm lockbox`` command."""

import json
from typing import Annotated, Any

import typer

from farm.commands.home import Home, home_of


def lockbox_command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder, or an experiment (its latest run).")],
    symbol: Annotated[
        str | None, typer.Option("--symbol", help="The candidate's symbol, or pool; default: what passed.")
    ] = None,
    trial: Annotated[str | None, typer.Option("--trial", help="The candidate's name; default: what passed.")] = None,
    reopen: Annotated[
        str, typer.Option("--reopen", metavar="REASON", help="Why a span that was opened is looked at again.")
    ] = "",
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Open a study's sealed last span for one candidate, once: the only test on bars that nothing has seen.

    The candidate is refitted on the whole development span, as it would be deployed. The look is recorded in the ledger
    before it is taken; a second one needs a reason, which is recorded too. A look at a pool is one at each of its
    symbols. The verdict does not change.

    Examples:

    - `farm lockbox real --symbol NIFTY50_index_1m_nse_2012_2021 --trial stack`

    - `farm lockbox real --trial boosted --reopen "the costs were wrong"`
    """
    from farm.run.folder import run_at
    from farm.run.lockbox import open_sealed

    where = home_of(home)
    found = open_sealed(run_at(where, run), where, symbol=symbol, trial=trial, reopen=reopen)
    typer.echo(json.dumps(found, indent=2) if as_json else _told(found))


def _told(found: dict[str, Any]) -> str:
    import pandas as pd

    first, last = (pd.Timestamp(found[key], unit="ns").date() for key in ("start", "end"))
    sharpe = found["metrics"]["sharpe"]
    if sharpe is None:
        return (
            f"{found['symbol']}, {found['trial']}: {first} to {last}, {found['sessions']} sessions: no bet was worth "
            "its cost, so the sealed span says nothing"
        )
    apart = "".join(_told_of(one) for one in found["by_symbol"])
    interval = "" if found["sharpe_low"] is None else f" ({found['sharpe_low']:.2f} to {found['sharpe_high']:.2f})"
    return (
        f"{found['symbol']}, {found['trial']}: {first} to {last}, {found['sessions']} sessions: annual net Sharpe "
        f"ratio {sharpe:.2f}{interval}, {_development(found)} in development; net return "
        f"{found['metrics']['net_return']:.2%} on the capital, {found['metrics']['trades']} trades{apart}"
    )


def _told_of(one: dict[str, Any]) -> str:
    """What one symbol of a pool earned, on a line of its own."""
    if not one["sessions"]:
        return f"\n  {one['symbol']}: it ended before the sealed span"
    sharpe = "no bet" if one["sharpe"] is None else f"Sharpe ratio {one['sharpe']:.2f}"
    return f"\n  {one['symbol']}: {sharpe}, net return {one['net_return']:.2%}, {one['trades']} trades"


def _development(found: dict[str, Any]) -> str:
    sharpe = found["development_sharpe"]
    return "unknown" if sharpe is None else f"{sharpe:.2f}"
