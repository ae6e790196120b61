"""The ledger of one study."""

from collections.abc import Iterable, Sequence
from typing import Any

from farm.ledger.journal import FileJournal, Journal
from farm.ledger.record import (
    LockboxOpening,
    Outcome,
    Record,
    Trial,
    TrialEnd,
    TrialRecord,
    TrialStart,
    after,
    replayed,
)
from farm.ledger.segment import GENESIS, BrokenChain, SecondWriter, chain, encode


class Ledger:
    """The trials of one study in a home's ledger; the package's docstring has the laws.

    What was read is remembered and every call reads only the segments that came since. A pickled ledger forgets it, so
    it is cheap to send.

    Parameters
    ----------
    home
        A path or the URI of an object store.
    study
        The study's name, any text.
    journal
        Where the segments are kept, if not in files of the home.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> ledger = Ledger(folder.name, "nifty")
    >>> first = TrialStart("c0ffee", "boosted", "candidate", "NIFTY", "index", start=0, end=9)
    >>> len(ledger.start([first])), len(ledger.start([first]))
    (1, 0)
    >>> ledger.finish("c0ffee", "finished", returns_key="00ab")
    True
    >>> [(trial.begun.name, trial.status) for trial in ledger.replay()], ledger.verify()
    ([('boosted', 'finished')], [])
    >>> folder.cleanup()
    """

    _last: tuple[int, str]  # number and hash of the last segment read
    _trials: dict[str, Trial]
    _openings: tuple[LockboxOpening, ...]

    def __init__(self, home: str, study: str, *, journal: Journal | None = None) -> None:
        if not study:
            raise ValueError("study is empty; name the study that the ledger is of")
        self.study = study
        self._journal = journal if journal is not None else FileJournal(home, study)
        self._forget()

    def start(self, trials: Sequence[TrialStart]) -> tuple[TrialStart, ...]:
        """Those of the trials that were news, recorded in one segment; call it before the first fit is dispatched.

        News are new identities, and known ones that are now a candidate or evaluated on a longer span.
        """
        return tuple(record for record in self._record(trials) if isinstance(record, TrialStart))

    def finish(
        self, identity: str, status: Outcome = "finished", returns_key: str | None = None, reason: str = ""
    ) -> bool:
        """True when the trial's end was news; ValueError where the trial was never started."""
        return bool(self.end([TrialEnd(identity, status, returns_key, reason)]))

    def fail(self, identity: str, reason: str) -> bool:
        """True when this failure of the trial was news. A failed trial may still finish, and counts either way."""
        return self.finish(identity, "failed", reason=reason)

    def end(self, ends: Sequence[TrialEnd]) -> tuple[TrialEnd, ...]:
        """Those of the ends that were news, recorded in one segment."""
        return tuple(record for record in self._record(ends) if isinstance(record, TrialEnd))

    def replay(self) -> tuple[Trial, ...]:
        """All trials of the study as their records tell them, in the order of their first start."""
        self._catch_up()
        return tuple(self._trials.values())

    def told(self) -> tuple[tuple[Trial, ...], str]:
        """All trials, and the head of the chain that tells them: one moment, whoever writes meanwhile."""
        self._catch_up()
        return tuple(self._trials.values()), self._last[1]

    def openings(self) -> tuple[LockboxOpening, ...]:
        """Every look that this study took at a lockbox, first one first."""
        self._catch_up()
        return self._openings

    def note_opening(self, opening: LockboxOpening) -> None:
        """Record a look at a lockbox; ``open_lockbox`` decides whether it may be taken."""
        self._catch_up()
        self._append([opening])

    def head(self) -> str:
        """Hash of the last segment, 64 hex digits, zeros where there is none; kept elsewhere, it proves the chain."""
        self._catch_up()
        return self._last[1]

    def verify(self, heads: Iterable[str] = ()) -> list[str]:
        """Everything that is wrong with the study's ledger, read anew; empty where all is well.

        Parameters
        ----------
        heads
            Heads that were taken earlier, each of which the chain must still contain.
        """
        segments, problems = chain(self.study, self._journal.read(1))
        known = {GENESIS, *(segment.hash for segment in segments)}
        problems += [
            f"head {head} is not in the chain: segments up to it were removed or rewritten"
            for head in ([heads] if isinstance(heads, str) else heads)
            if head not in known
        ]
        if not problems:
            try:
                replayed(self.study, (record for segment in segments for record in segment.records), {})
            except ValueError as error:
                problems.append(str(error))
        return problems

    def _record(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        self._catch_up()
        trials = dict(self._trials)
        news: list[TrialRecord] = []
        for record in records:
            known = trials.get(record.identity)
            trial = after(self.study, known, record)
            if trial is not known:
                news.append(record)
                trials[record.identity] = trial
        if news:
            self._append(news)
        return news

    def _append(self, records: Sequence[Record]) -> None:
        number, head = self._last
        try:
            self._journal.append(number + 1, encode(self.study, number + 1, head, records))
        except FileExistsError as error:
            raise SecondWriter.at(self.study, number + 1) from error

    def _catch_up(self) -> None:
        segments, problems = chain(self.study, self._journal.read(self._last[0] + 1), self._last)
        if problems:
            raise BrokenChain.study(self.study, problems)
        if segments:
            records = [record for segment in segments for record in segment.records]
            try:
                self._trials = replayed(self.study, records, self._trials)
            except ValueError as error:
                raise BrokenChain.study(self.study, [str(error)]) from error
            self._openings += tuple(record for record in records if isinstance(record, LockboxOpening))
            self._last = (segments[-1].number, segments[-1].hash)

    def _forget(self) -> None:
        self._last = (0, GENESIS)
        self._trials = {}
        self._openings = ()

    def __getstate__(self) -> dict[str, Any]:
        return {"study": self.study, "_journal": self._journal}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()
