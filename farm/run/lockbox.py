"""Opening a study's lockbox: one candidate, refitted on the development span, on the span that nobody has seen."""

import dataclasses
import getpass
import os
import platform
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from farm.backtest import Backtest, metrics
from farm.errors import BadInput
from farm.ledger import LockboxOpening, open_lockbox
from farm.models import installed
from farm.pooled_study import parts_of
from farm.report import write_report
from farm.run.folder import RunFolder
from farm.run.refit import refit
from farm.run.reproduce import experiment_of
from farm.run.sealed import bets_on, sealed_study
from farm.stats import bootstrap_interval, probabilistic_sharpe_ratio

FILE = "lockbox.json"
_FEWEST_SESSIONS = 8  # the bootstrap's least


def open_sealed(
    folder: RunFolder, home: str, *, symbol: str | None = None, trial: str | None = None, reopen: str = ""
) -> dict[str, Any]:
    """Evaluate one candidate of a finished run on its lockbox; the look is recorded before it is taken.

    Parameters
    ----------
    symbol, trial
        Which candidate; by default the one that passed.
    reopen
        Why the span is looked at again, when it was before; the reason stands in the ledger.

    Returns
    -------
    dict
        The opening and what came of it, as it is added to the run's ``lockbox.json``.

    Raises
    ------
    BadInput
        Nothing or more than one candidate passed and none was named; the run sealed nothing; its fits are not stored,
        or its data has changed; the span was opened before and there is no reason.
    """
    experiment, catalog = experiment_of(folder).model_copy(update={"home": home}), installed()
    if not experiment.folds.lockbox:
        raise BadInput(f"{folder.place}: folds.lockbox is 0, so this run sealed nothing; nothing is left to open")
    summary = folder.read_json("summary.json")
    if summary is None:
        raise BadInput(f"{folder.place}: this run did not finish; run its experiment again first")
    candidate = _chosen(summary, symbol, trial, folder.place)
    experiment = experiment.of(candidate["symbol"])
    sealed = sealed_study(experiment, catalog, candidate["symbol"])
    final, panel = refit(experiment, catalog, sealed.plan, candidate["trial"])
    prepared, (start, end) = sealed.plan.prepared, sealed.span
    opening = LockboxOpening(
        symbol=candidate["symbol"],
        start=start,
        end=end,
        trial=candidate["trial"],
        run=folder.run_id,
        opened_at=time.time_ns(),
        reason=reopen,
        pool=tuple(one.symbol for one in prepared.members),
    )
    try:
        open_lockbox(home, sealed.plan.ledger_name, opening)
    except BadInput as error:
        asked = {"symbol": opening.symbol, "trial": opening.trial, "by": _person(), "asked_at": opening.opened_at}
        _note(folder, "refusals", {**asked, "said": str(error)})
        raise
    found = bets_on(experiment, catalog, sealed, final)
    told = {
        **dataclasses.asdict(opening),
        "pool": list(opening.pool),
        **_described(found, prepared.sessions_per_year, experiment.seed),
        "by_symbol": _by_symbol(opening.pool, found, prepared.sessions_per_year),
        "development_sharpe": candidate["sharpe"],
        "development_events": len(panel),
        "training_growth": final.training_growth,
        "by": _person(),
    }
    _note(folder, "openings", told)
    return told


def _note(folder: RunFolder, kind: Literal["openings", "refusals"], told: Mapping[str, Any]) -> None:
    """Add to the run's ``lockbox.json`` and to its report what was looked at, or what was not to be."""
    said = {"openings": [], "refusals": []} | (folder.read_json(FILE) or {})
    folder.write_json(FILE, {**said, kind: [*said[kind], told]})
    write_report(folder.fetch())
    folder.keep("report.html")


def _person() -> str:
    try:
        return f"{getpass.getuser()} on {platform.node()}"
    except (OSError, KeyError):  # a container may run as a number that has no name
        return f"user {os.getuid()} on {platform.node()}"


def _chosen(summary: Mapping[str, Any], symbol: str | None, trial: str | None, place: str) -> dict[str, Any]:
    known = [
        {
            "symbol": study["symbol"],
            "trial": one["trial"],
            "verdict": one["verdict"],
            "sharpe": one["evidence"]["sharpe"],
        }
        for study in summary["studies"]
        for one in study["candidates"]
    ]
    named = symbol is not None or trial is not None
    fitting = [
        one
        for one in known
        if (one["symbol"] == symbol or symbol is None)
        and (one["trial"] == trial or trial is None)
        and (named or one["verdict"] == "PASS")
    ]
    if len(fitting) == 1:
        return fitting[0]
    listed = ", ".join(f"{one['symbol']}/{one['trial']} ({one['verdict']})" for one in fitting or known)
    what = (
        ("several candidates fit" if named else "several candidates passed")
        if fitting
        else ("no candidate fits" if named else "nothing passed")
    )
    raise BadInput(
        f"{place}: {what}; a lockbox is opened for one candidate, so name it by --symbol and --trial: {listed}"
    )


def _described(found: Backtest, sessions_per_year: float, seed: int) -> dict[str, Any]:
    measured = dataclasses.asdict(metrics(found, sessions_per_year))
    low = high = above_zero = None
    if len(found.net) >= _FEWEST_SESSIONS and np.ptp(found.net) > 0:
        interval = bootstrap_interval(found.net, "sharpe", seed=seed, threads=1)
        annual = float(np.sqrt(sessions_per_year))
        low, high = interval.low * annual, interval.high * annual
        above_zero = float(probabilistic_sharpe_ratio(found.net))
    return {
        "sessions": len(found.net),
        "sharpe_low": low,
        "sharpe_high": high,
        "probabilistic_sharpe": above_zero,
        "metrics": measured,
    }


def _by_symbol(symbols: Sequence[str], found: Backtest, sessions_per_year: float) -> list[dict[str, Any]]:
    """What each symbol of a pool earned there, in its own account; nothing is known of one that ended before."""
    told = []
    for symbol, part in zip(symbols, parts_of(found), strict=True):
        own = metrics(part, sessions_per_year) if len(part.sessions) else None
        told.append(
            {
                "symbol": symbol,
                "sessions": len(part.sessions),
                "sharpe": None if own is None else own.sharpe,
                "net_return": None if own is None else own.net_return,
                "trades": len(part.trades),
            }
        )
    return told
