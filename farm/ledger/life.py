"""How many trials a symbol has seen over the ledger's whole life, raw and effective."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.ledger.count import candidates_over
from farm.ledger.record import Trial
from farm.stats import effective_trials
from farm.store import Arrays, Store

_FEWEST_SESSIONS = 8  # fewer say nothing about how trials move together: then each counts one


@dataclass(frozen=True)
class LifeCount:
    """The candidates of one symbol, whenever they were made: ``raw`` of them, which amount to ``effective``.

    ``without_returns`` of them failed, were killed, or have lost their returns; each counts one.
    """

    symbol: str
    instrument: str
    raw: int
    effective: float
    without_returns: int


def life_counts(store: Store, trials: Iterable[Trial]) -> list[LifeCount]:
    """Raw and effective number of trials of every symbol among the trials, by symbol.

    Returns of trials that were evaluated on different sessions are set side by side over all of them, 0 where a trial
    was idle. A verdict counts less where spans do not overlap: it asks for the trials that saw its own span.
    """
    by_symbol: dict[str, list[Trial]] = {}
    for trial in trials:
        for symbol in trial.begun.symbols:
            by_symbol.setdefault(symbol, []).append(trial)
    return [_count(store, symbol, by_symbol[symbol]) for symbol in sorted(by_symbol)]


def _count(store: Store, symbol: str, trials: Sequence[Trial]) -> LifeCount:
    ever = np.iinfo(np.int64)
    candidates = candidates_over(trials, ever.min, ever.max)
    keys = [one.returns_key for one in candidates if one.returns_key is not None]
    have = store.have("trial_returns", keys)
    columns = [store.open_arrays("trial_returns", key) for key in keys if key in have]
    none = np.zeros(0, dtype=np.int64)
    sessions = np.unique(np.concatenate([none, *(column["session"] for column in columns)]))
    without = len(candidates) - len(columns)
    effective = float(len(columns))
    if len(sessions) >= _FEWEST_SESSIONS:
        effective = effective_trials(np.column_stack([_on(sessions, column) for column in columns])).value
    return LifeCount(symbol, trials[0].begun.instrument, len(candidates), effective + without, without)


def _on(sessions: NDArray[np.int64], column: Arrays) -> NDArray[np.float64]:
    returns = np.zeros(len(sessions))
    returns[np.searchsorted(sessions, column["session"])] = column["net"]
    return returns
