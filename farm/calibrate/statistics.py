"""Tier one of ``farm calibrate``: the verdict's own code on simulated matrices of trial returns, thousands of runs."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from farm.calibrate.matrices import Examined, examine, trial_names
from farm.calibrate.rate import Rate
from farm.calibrate.returns import ReturnCell
from farm.config import Experiment
from farm.evidence import StudyEvidence, Thresholds
from farm.run.executor import Work, executor_for
from farm.run.progress import Steps
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store
from farm.verdict import decide

RUNS_A_BATCH = 25
_GATHER = ("stats", "evidence", "calibrate/returns", "calibrate/matrices")
_DEFAULT = Thresholds()

COMPONENTS = {
    "psr": "PSR, nothing deflated",
    "paper": "the paper's DSR, raw N",
    "paper_effective": "the paper's DSR, effective N",
    "reality_check": "reality check",
    "spa": "SPA",
    "pbo": "PBO rule alone",
    "deflated": "the verdict's DSR",
    "verdict": "verdict",
}


@dataclass(frozen=True)
class Found:
    """What each component said of one run: whether it found an edge, where there is one if there is any.

    The Sharpe family speaks of trials: in a run with true edges only finding one of those counts, and ``wrong`` says
    that the verdict passed a trial without one. Reality check and SPA speak of the whole matrix. ``pbo`` is whether the
    PBO rule would let the study pass; ``insufficient``, whether the verdict could not judge some study.
    """

    psr: bool
    paper: bool
    paper_effective: bool
    reality_check: bool
    spa: bool
    pbo: bool
    deflated: bool
    verdict: bool
    wrong: bool
    insufficient: bool
    effective_trials: float


@dataclass(frozen=True)
class StatisticsResult:
    """One cell: the rate of every component, that of wrong passes, and the mean effective number of trials.

    ``seconds`` are those of one core that the runs took when they were computed.
    """

    cell: ReturnCell
    rates: Mapping[str, Rate]
    wrong: Rate
    insufficient: Rate
    effective_trials: float
    seconds: float

    def plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return {**asdict(self), "cell": self.cell.model_dump(mode="json")}


@dataclass(frozen=True)
class Batch:
    """Runs ``first`` to ``last`` - 1 of one cell; small enough to travel."""

    cell: ReturnCell
    thresholds: Thresholds
    home: str
    first: int
    last: int


def calibrate_statistics(
    cells: Sequence[ReturnCell], experiment: Experiment, *, runs: int
) -> Iterator[StatisticsResult]:
    """Rates of every cell over seeds 0 to ``runs`` - 1, a cell at a time; finished batches are not run again.

    Of the experiment only the verdict's thresholds, the home and the execution are read.
    """
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        for cell in cells:
            batches = [
                Batch(cell, experiment.verdict, experiment.where, first, min(first + RUNS_A_BATCH, runs))
                for first in range(0, runs, RUNS_A_BATCH)
            ]
            found: list[Found] = []
            seconds: list[float] = []
            with Steps(cell.name, runs) as steps:
                for part, took in executor.map(Work("judge matrices", judge_batch), batches):
                    found.extend(part)
                    seconds.append(took)
                    steps.advance(len(part), cpu_seconds=took)
            yield summarise(cell, found, math.fsum(seconds))
    finally:
        executor.close()


def applies(component: str, cell: ReturnCell) -> bool:
    """Whether a component has anything to say of a cell: one trial has no spread, and few have no ranking to test."""
    fewest = {"paper": 2, "paper_effective": 2, "pbo": _DEFAULT.pbo_trials}
    return cell.trials >= fewest.get(component, 1)


def summarise(cell: ReturnCell, found: Sequence[Found], seconds: float = 0.0) -> StatisticsResult:
    """The rates over runs, in whatever order they came."""
    return StatisticsResult(
        cell=cell,
        rates={name: Rate.of(getattr(one, name) for one in found) for name in COMPONENTS},
        wrong=Rate.of(one.wrong for one in found),
        insufficient=Rate.of(one.insufficient for one in found),
        effective_trials=math.fsum(one.effective_trials for one in found) / len(found),
        seconds=seconds,
    )


def judge_batch(batch: Batch) -> tuple[list[Found], float]:
    """What was found in the runs of a batch and the seconds it took, from stored evidence or gathered and stored.

    The verdict is made of the evidence every time: after a change of what it demands, nothing is simulated again.
    """
    store = Store(batch.home)
    sources = [source_digest(room) for room in _GATHER]
    key = digest([batch.cell.digest(), batch.thresholds.digest(), batch.first, batch.last, sources])
    if not store.has("calibration", key):
        started = time.process_time()
        runs = [examine(batch.cell, seed, batch.thresholds).plain() for seed in range(batch.first, batch.last)]
        store.put_json("calibration", key, {"runs": runs, "seconds": time.process_time() - started})
    stored = store.get_json("calibration", key)
    found = [judge(batch.cell, Examined.of(run), batch.thresholds) for run in stored["runs"]]
    return found, float(stored["seconds"])


def judge_matrices(cell: ReturnCell, seed: int, thresholds: Thresholds) -> Found:
    """Simulate one run of a cell, and judge it by the code that judges experiments."""
    return judge(cell, examine(cell, seed, thresholds), thresholds)


def judge(cell: ReturnCell, run: Examined, thresholds: Thresholds) -> Found:
    """What each component and the verdict say of one run."""
    names = trial_names(cell)
    has_edge = cell.sharpes() > 0
    searched = set(names[has_edge] if has_edge.any() else names)
    verdicts = decide(run.studies, thresholds)
    judged = [(study, verdicts[study.symbol], name) for study in run.studies for name in study.candidates]
    passed = [name for _, verdict, name in judged if verdict.candidates[name].ruling == "PASS"]
    share = thresholds.alpha / cell.studies

    def paper(field: str) -> bool:
        known = [getattr(study.candidates[name], field) for study, _, name in judged if name in searched]
        return any(value is not None and 1 - value <= share for value in known)

    return Found(
        psr=any(name in searched for chosen in run.promising for name in chosen),
        paper=paper("paper_deflated_raw"),
        paper_effective=paper("paper_deflated_effective"),
        reality_check=any(p_value <= share for p_value in run.reality_check),
        spa=any(p_value <= share for p_value in run.spa),
        pbo=not any(_vetoed(study, thresholds) for study in run.studies),
        deflated=any(
            deflated is not None and 1 - deflated <= verdict.level
            for study, verdict, name in judged
            if name in searched
            for deflated in (study.candidates[name].deflated,)
        ),
        verdict=any(name in searched for name in passed),
        wrong=any(not has_edge[int(name.split()[1])] for name in passed),
        insufficient=any(verdict.insufficient for verdict in verdicts.values()),
        effective_trials=math.fsum(study.effective_trials or 0.0 for study in run.studies) / len(run.studies),
    )


def _vetoed(study: StudyEvidence, thresholds: Thresholds) -> bool:
    found = study.overfitting
    if found.pbo is None or found.probability_of_loss is None:
        return False
    return found.pbo > thresholds.max_pbo and found.probability_of_loss > thresholds.max_probability_of_loss
