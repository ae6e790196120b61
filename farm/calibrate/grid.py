"""``farm calibrate``: cells of artificial markets, many seeds each, and the rate at which anything passes."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scipy.special import ndtri

from farm.calibrate.oracle import edge_with_oracle_sharpe, with_market
from farm.calibrate.pipeline import Outcome, judge_market
from farm.config import Experiment
from farm.run.executor import executor_for
from farm.run.progress import Steps
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store


@dataclass(frozen=True)
class Cell:
    """One kind of market: what is planted, and the oracle Sharpe ratio it was planted for (None: nothing is there)."""

    name: str
    edge: float
    drift: float
    oracle: float | None


@dataclass(frozen=True)
class CellResult:
    """How often any candidate passed in a cell, with a 95% Wilson interval, and what the oracle earned there."""

    cell: Cell
    runs: int
    passed: int
    low: float
    high: float
    oracle_mean: float | None
    best_sharpe_mean: float | None

    def plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return asdict(self)


@dataclass(frozen=True)
class MarketSpec:
    """One run of one cell; small enough to travel."""

    experiment: Experiment
    cell: Cell
    seed: int


def calibrate_pipeline(
    experiment: Experiment, *, edge_seeds: int, null_seeds: int, oracle: float
) -> Iterator[CellResult]:
    """Run the edge cell and the no-edge cell through the whole pipeline; finished seeds are not run again."""
    cells = [
        (Cell(f"oracle Sharpe {oracle:g}", edge_with_oracle_sharpe(experiment, oracle), 0.0, oracle), edge_seeds),
        (Cell("nothing, drifting class rates", 0.0, 0.8, None), null_seeds),
    ]
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        for cell, seeds in cells:
            specs = [MarketSpec(experiment, cell, seed) for seed in range(seeds)]
            outcomes: list[dict[str, Any]] = []
            with Steps(cell.name, len(specs)) as steps:
                for outcome in executor.map(judge_one, specs, "judge markets"):
                    outcomes.append(outcome)
                    steps.advance()
            yield _rate(cell, outcomes)
    finally:
        executor.close()


def judge_one(spec: MarketSpec) -> dict[str, Any]:
    """The outcome of one market, from the store or computed and stored."""
    experiment = with_market(spec.experiment, edge=spec.cell.edge, drift=spec.cell.drift, seed=spec.seed)
    store = Store(experiment.where)
    key = digest([experiment.results_digest(), source_digest(".")])
    if not store.has("calibration", key):
        store.put_json("calibration", key, _plain(judge_market(experiment)))
    return dict(store.get_json("calibration", key))


def _plain(outcome: Outcome) -> dict[str, Any]:
    known = [sharpe for sharpe in outcome.sharpes.values() if sharpe is not None]
    return {
        "seed": outcome.seed,
        "passed": outcome.passed,
        "oracle": outcome.oracle["SYN"],
        "best_sharpe": max(known) if known else None,
        "rulings": {trial: ruling for (_, trial), ruling in outcome.rulings.items()},
    }


def _rate(cell: Cell, outcomes: Sequence[dict[str, Any]]) -> CellResult:
    passed = sum(outcome["passed"] for outcome in outcomes)
    low, high = wilson_interval(passed, len(outcomes))
    return CellResult(
        cell=cell,
        runs=len(outcomes),
        passed=passed,
        low=low,
        high=high,
        oracle_mean=_mean([outcome["oracle"] for outcome in outcomes]),
        best_sharpe_mean=_mean([outcome["best_sharpe"] for outcome in outcomes]),
    )


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a rate: Wilson (1927), without continuity correction.

    >>> [round(end, 3) for end in wilson_interval(2, 40)]
    [0.014, 0.165]
    """
    z = float(ndtri(0.5 + confidence / 2))
    rate = successes / trials
    centre = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
