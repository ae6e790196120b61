"""Tier one of ``farm calibrate``: the verdict's own code on simulated matrices of trial returns, thousands of runs."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from farm.calibrate.rate import Rate
from farm.calibrate.returns import SESSIONS_A_YEAR, ReturnCell
from farm.config import Experiment
from farm.evidence import History, StudyEvidence, Thresholds, gather_evidence
from farm.run.executor import Work, executor_for
from farm.run.progress import Steps
from farm.run.source import source_digest
from farm.section import digest
from farm.stats import optimal_block_length, reality_check, spa
from farm.store import Store
from farm.verdict import decide

Float = NDArray[np.float64]

RUNS_A_BATCH = 25
_ROOMS = ("stats", "evidence", "verdict", "calibrate/returns", "calibrate/statistics")
_RESAMPLES = 200
_DEFAULT = Thresholds()
_COLUMNS_OF_BLOCK_LENGTH = 20
_MANY_EVENTS = 1_000_000

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
    """What was found in the runs of a batch and the seconds it took, from the store or computed and stored."""
    store = Store(batch.home)
    sources = [source_digest(room) for room in _ROOMS]
    key = digest([batch.cell.digest(), batch.thresholds.digest(), batch.first, batch.last, sources])
    if not store.has("calibration", key):
        started = time.process_time()
        found = [asdict(judge_matrices(batch.cell, seed, batch.thresholds)) for seed in range(batch.first, batch.last)]
        store.put_json("calibration", key, {"found": found, "seconds": time.process_time() - started})
    stored = store.get_json("calibration", key)
    return [Found(**one) for one in stored["found"]], float(stored["seconds"])


def judge_matrices(cell: ReturnCell, seed: int, thresholds: Thresholds) -> Found:
    """Judge one run of a cell by the code that judges experiments.

    Only trials that an undeflated test would let pass are handed over as candidates, the others as the ledger's: no
    ruling on anybody differs, for deflation only ever takes away.
    """
    matrices = cell.simulate(seed)
    names = np.array([f"trial {number}" for number in range(cell.trials)])
    has_edge = cell.sharpes() > 0
    searched = set(names[has_edge] if has_edge.any() else names)
    critical = float(ndtri(1 - thresholds.alpha))
    promising = [psr_z(matrix) >= critical for matrix in matrices]
    studies = [
        _evidence(f"study {number}", names, matrix, chosen, thresholds, cell.studies, seed)
        for number, (matrix, chosen) in enumerate(zip(matrices, promising, strict=True))
    ]
    verdicts = decide(studies, thresholds)
    judged = [(study, verdicts[study.symbol], name) for study in studies for name in study.candidates]
    passed = [name for _, verdict, name in judged if verdict.candidates[name].ruling == "PASS"]
    share = thresholds.alpha / cell.studies
    resampled = [_resampled_tests(matrix, seed) for matrix in matrices]

    def paper(field: str) -> bool:
        known = [getattr(study.candidates[name], field) for study, _, name in judged if name in searched]
        return any(value is not None and 1 - value <= share for value in known)

    return Found(
        psr=any(name in searched for chosen in promising for name in names[chosen]),
        paper=paper("paper_deflated_raw"),
        paper_effective=paper("paper_deflated_effective"),
        reality_check=any(p_value <= share for p_value, _ in resampled),
        spa=any(p_value <= share for _, p_value in resampled),
        pbo=not any(_vetoed(study, thresholds) for study in studies),
        deflated=any(
            deflated is not None and 1 - deflated <= verdict.level
            for study, verdict, name in judged
            if name in searched
            for deflated in (study.candidates[name].deflated,)
        ),
        verdict=any(name in searched for name in passed),
        wrong=any(not has_edge[int(name.split()[1])] for name in passed),
        insufficient=any(verdict.insufficient for verdict in verdicts.values()),
        effective_trials=float(np.mean([study.effective_trials or 0.0 for study in studies])),
    )


def psr_z(matrix: Float) -> Float:
    """The z value of the probabilistic Sharpe ratio of every column against 0 (Bailey and López de Prado 2012)."""
    unit = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    sharpe = matrix.mean(axis=0) / matrix.std(axis=0, ddof=1)
    square = unit * unit
    skew, kurtosis = np.mean(square * unit, axis=0), np.mean(square * square, axis=0)
    variance = 1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2
    return np.asarray(sharpe * np.sqrt((len(matrix) - 1) / variance))


def _evidence(
    symbol: str,
    names: NDArray[np.str_],
    matrix: Float,
    chosen: NDArray[np.bool_],
    thresholds: Thresholds,
    n_studies: int,
    seed: int,
) -> StudyEvidence:
    chosen = chosen.copy()
    chosen[int(np.argmax(matrix.mean(axis=0)))] = True  # a study without any candidate cannot be judged
    return gather_evidence(
        symbol,
        {str(names[column]): matrix[:, column] for column in np.flatnonzero(chosen)},
        History(matrix[:, ~chosen]),
        sessions_per_year=SESSIONS_A_YEAR,
        smallest_group=_MANY_EVENTS,
        faults=(),
        thresholds=thresholds,
        n_studies=n_studies,
        seed=seed,
        intervals=False,
    )


def _vetoed(study: StudyEvidence, thresholds: Thresholds) -> bool:
    found = study.overfitting
    if found.pbo is None or found.probability_of_loss is None:
        return False
    return found.pbo > thresholds.max_pbo and found.probability_of_loss > thresholds.max_probability_of_loss


def _resampled_tests(matrix: Float, seed: int) -> tuple[float, float]:
    """The p-values of the reality check and the SPA test, on the same resamples."""
    some = matrix[:, :_COLUMNS_OF_BLOCK_LENGTH]  # all trials of a cell depend on time alike
    length = float(np.mean([optimal_block_length(column) for column in some.T]))
    how: dict[str, Any] = {"n_resamples": _RESAMPLES, "block_length": length, "seed": seed, "threads": 1}
    return reality_check(matrix, **how).p_value, spa(matrix, **how).p_value
