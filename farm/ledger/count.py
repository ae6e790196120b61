"""What verdicts count: the trials of a whole home, over its whole life."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from farm.ledger.journal import studies
from farm.ledger.ledger import Ledger
from farm.ledger.record import Trial


@dataclass(frozen=True)
class Told:
    """The trials of all studies of a home, by study and then in the order of their first start, and who tells them.

    ``heads`` has the head of every study's chain: the records up to it, and no later ones, give these trials again.
    """

    trials: tuple[Trial, ...]
    heads: Mapping[str, str]

    def heads_on(self, symbols: Iterable[str]) -> dict[str, str]:
        """The heads of the studies that have a trial on one of the symbols."""
        wanted = set(symbols)
        there = {trial.study for trial in self.trials if not wanted.isdisjoint(trial.begun.symbols)}
        return {study: head for study, head in self.heads.items() if study in there}


def told(home: str) -> Told:
    """What the whole ledger of a home tells, in one pass: group it by symbol where many symbols are to be counted."""
    names = studies(home)
    with ThreadPoolExecutor(16) as pool:  # on an object store the time goes into waiting
        replays = list(pool.map(lambda study: Ledger(home, study).told(), names))
    return Told(
        tuple(trial for trials, _ in replays for trial in trials),
        {study: head for study, (_, head) in zip(names, replays, strict=True)},
    )


def all_trials(home: str) -> tuple[Trial, ...]:
    """The trials of all studies of a home, by study and then in the order of their first start."""
    return told(home).trials


def trials_on(home: str, symbol: str) -> tuple[Trial, ...]:
    """The trials of all studies of a home that were made on one symbol, alone or in a pool."""
    return tuple(trial for trial in all_trials(home) if symbol in trial.begun.symbols)


def candidates_over(trials: Iterable[Trial], start: int, end: int) -> tuple[Trial, ...]:
    """The distinct candidates whose evaluated spans overlap ``start`` to ``end`` (ns UTC, both included), by identity.

    Their number is N of the verdict. A trial that several studies made is there once, as told by the first of them.

    >>> from farm.ledger import TrialStart
    >>> start = TrialStart("c0ffee", "boosted", "candidate", "NIFTY", "index", start=10, end=20)
    >>> twice = [Trial("first", start), Trial("second", start)]
    >>> len(candidates_over(twice, 20, 30)), len(candidates_over(twice, 21, 30))
    (1, 0)
    """
    distinct: dict[str, Trial] = {}
    for trial in trials:
        if trial.role == "candidate" and trial.begun.start <= end and start <= trial.begun.end:
            distinct.setdefault(trial.identity, trial)
    return tuple(distinct[identity] for identity in sorted(distinct))
