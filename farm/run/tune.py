"""Searches that adapt, driven by Ray Tune: one Tuner for all of a run's searches, its workers kept from trial to trial.

Tune is handed a searcher of Farm's own, which asks the conductor for the next question and tells it the answer. What
Tune decides is when and where a question is answered, never which one comes next, so a search is the same on any
cluster, and the same as in one process.
"""

import logging
import os
import pickle
import shutil
import tempfile
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any

# Read by Tune when it is imported: no files of its own beside the trials, no handler of its own for Ctrl-C.
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "3600")
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # the new one prints tables even where it is told to be silent

from ray import tune
from ray.exceptions import WorkerCrashedError
from ray.tune.search import Searcher

from farm.models.threads import pinned
from farm.run.again import Tried
from farm.run.executor import Dialogue, Raised, attempt
from farm.run.faults import Fault, fault_of
from farm.search import Question


def tuned(
    name: str,
    evaluate: Callable[[Question], Any],
    dialogue: Dialogue,
    threads: int,
    width: int,
    lost: Callable[[Fault], None],
) -> None:
    """Answer every question of a dialogue, ``width`` at a time, each on a worker with so many CPUs.

    ``lost`` counts the attempts that came to nothing; the dialogue hears of each.
    """
    folder = tempfile.mkdtemp(prefix="farm-tune-")
    searcher = Asking(dialogue, lost)
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    try:
        trainable = tune.with_parameters(_Answering, evaluate=evaluate, threads=threads)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": threads}),
            tune_config=tune.TuneConfig(
                search_alg=searcher,
                num_samples=-1,
                max_concurrent_trials=width,
                reuse_actors=True,
                metric="loss",
                mode="min",
            ),
            run_config=tune.RunConfig(
                storage_path=folder,
                name=name,
                verbose=0,
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Tune deprecates within itself
            tuner.fit()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if searcher.failed is not None:
        raise searcher.failed


class Asking(Searcher):
    """Tune's searcher over a dialogue: what it suggests are its questions, and again those that were lost.

    A lost one is asked again as often as its fault deserves. Where it deserves to be alone nothing else is asked until
    it is answered, and it waits for what is under way.
    """

    def __init__(self, dialogue: Dialogue, lost: Callable[[Fault], None]) -> None:
        super().__init__(metric="loss", mode="min")
        self._dialogue, self._lost = dialogue, lost
        self._asked: dict[str, tuple[Question, Tried | None]] = {}
        self._again: deque[tuple[Question, Tried]] = deque()
        self.failed: BaseException | None = None

    def suggest(self, trial_id: str) -> Any:
        """The next question as a trial's configuration; None while there is none to ask."""
        if self.failed is not None:
            return Searcher.FINISHED
        if any(tried is not None and tried.alone for _, tried in self._asked.values()):
            return None
        if self._again:
            if self._again[0][1].alone and self._asked:
                return None
            self._asked[trial_id] = self._again.popleft()
            return {"question": self._asked[trial_id][0]}
        try:
            question = self._dialogue.next()
        except BaseException as failed:  # noqa: BLE001  # the ledger may refuse; it is raised when Tune has ended
            self.failed = failed
            return Searcher.FINISHED
        if question is None:
            return Searcher.FINISHED if self._dialogue.over else None
        self._asked[trial_id] = (question, None)
        return {"question": question}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Tell the dialogue the answer, unless the question was lost and is to be asked again."""
        question, tried = self._asked.pop(trial_id)
        if error or not result or "answer" not in result:
            answer: Any = Raised(WorkerCrashedError(), "")
        else:
            answer = pickle.loads(result["answer"])
        if isinstance(answer, Raised):
            fault, said = fault_of(answer.error), str(answer.error)
            now = Tried(1, fault, said) if tried is None else tried.and_then(fault, said)
            if fault.attempts > 1:
                self._lost(fault)
                self._dialogue.lost(question, fault, now.attempts, said)
                if not now.given_up:
                    self._again.append((question, now))
                    return
        try:
            self._dialogue.answer(question, answer)
        except BaseException as failed:  # noqa: BLE001  # Tune would swallow it; it is raised when Tune has ended
            self.failed = failed

    def save(self, checkpoint_path: str) -> None:
        """Nothing: a search is replayed from its stored fits."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing, as above."""


class _Answering(tune.Trainable):
    """A worker that answers one question a trial, and lives on for the next trial."""

    def setup(self, config: dict[str, Any], **given: Any) -> None:
        self._evaluate, self._threads = given["evaluate"], given["threads"]
        self._question: Question = config["question"]

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._question = new_config["question"]
        return True

    def step(self) -> dict[str, Any]:
        with pinned(self._threads):
            answer = attempt(self._evaluate, self._question, self._threads)
        return {"loss": 0.0, "answer": pickle.dumps(answer), "done": True}
