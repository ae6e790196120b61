"""Many searches at once: whose turn it is, when a batch is answered, and when the budget is spent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from farm.search.adaptive import Adapting, Asked


@dataclass(frozen=True)
class Question:
    """What one search wants to know."""

    search: str
    asked: Asked


class Conductor:
    """Hands out the questions of several searches, each in its turn, and gives each the answers to a whole batch.

    The search that was handed the fewest questions goes first, so that no study waits for another's. Answers may come
    in any order; what a search is asked next depends on the answers alone.

    Parameters
    ----------
    searches
        By name. Equal turns go by the order of the names.
    begin
        Hears of every batch before the first of its questions is handed out: there the ledger is told.
    spent
        Says in words why nothing more may be begun, or None.

    Examples
    --------
    >>> from farm.search.adaptive import Halving
    >>> from farm.search.space import Space
    >>> space = Space(space={"C": {"kind": "float", "low": 0.0, "high": 1.0}})
    >>> search = Halving(rungs=2).begin(space, 4, {}, seed=1, splits=range(4))
    >>> conductor = Conductor({"only": search}, lambda name, batch: None, lambda: None)
    >>> while (question := conductor.next()) is not None:
    ...     conductor.answer(question, abs(question.asked.point["C"] - 0.5))
    >>> [one.state for one in search.tried()].count("finished"), conductor.over
    (2, True)
    """

    def __init__(
        self,
        searches: Mapping[str, Adapting],
        begin: Callable[[str, Sequence[Asked]], None],
        spent: Callable[[], str | None],
    ) -> None:
        self._searches = dict(sorted(searches.items()))
        self._begin, self._spent = begin, spent
        self._waiting: dict[str, list[Asked]] = {name: [] for name in self._searches}
        self._batches: dict[str, list[Asked]] = {name: [] for name in self._searches}
        self._answers: dict[str, dict[int, float]] = {name: {} for name in self._searches}
        self._handed = dict.fromkeys(self._searches, 0)
        self._open = 0
        self._done: set[str] = set()
        self.stopped: str | None = None

    @property
    def over(self) -> bool:
        """Whether there is nothing left to hand out, and nothing left to be answered."""
        return self._open == 0 and (self.stopped is not None or len(self._done) == len(self._searches))

    def next(self) -> Question | None:
        """The next question; None while every search waits for answers, or when all is over."""
        if self.stopped is None:
            self.stopped = self._spent() if len(self._done) < len(self._searches) else None
        if self.stopped is not None:
            return None
        for name in sorted(self._searches, key=lambda name: self._handed[name]):
            if self._fill(name):
                self._handed[name] += 1
                self._open += 1
                return Question(name, self._waiting[name].pop(0))
        return None

    def answer(self, question: Question, loss: float) -> None:
        """The loss that a question came to, infinity where its configuration could not be fitted."""
        self._open -= 1
        name, answers = question.search, self._answers[question.search]
        answers[question.asked.number] = loss
        batch = self._batches[name]
        if len(answers) == len(batch):
            self._tell(name)
        if self.stopped is not None and self._open == 0:
            for unfinished in [name for name, batch in self._batches.items() if batch]:
                self._tell(unfinished)

    def _tell(self, name: str) -> None:
        """Tell a search the answers to its batch; None stands for those that a spent budget left unasked."""
        self._searches[name].tell([self._answers[name].get(asked.number) for asked in self._batches[name]])
        self._batches[name], self._answers[name] = [], {}

    def _fill(self, name: str) -> bool:
        """Whether a search has a question to hand out; it is asked for the next batch when the last one is answered."""
        if not self._waiting[name] and not self._batches[name] and name not in self._done:
            batch = self._searches[name].ask()
            if not batch:
                self._done.add(name)
                return False
            self._begin(name, batch)
            self._batches[name], self._waiting[name] = batch, list(batch)
        return bool(self._waiting[name])
