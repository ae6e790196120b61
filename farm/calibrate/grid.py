"""Tier two of ``farm calibrate``: whole experiments on artificial markets, and the rate at which anything passes."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from farm.calibrate.edge import edge_for_oracle
from farm.calibrate.markets import MarketCell
from farm.calibrate.pipeline import Outcome, judge_studies
from farm.calibrate.rate import Rate
from farm.calibrate.studies import MarketStudy, run_studies
from farm.config import Experiment
from farm.evidence import Thresholds
from farm.run.executor import Work, executor_for
from farm.run.progress import Steps
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store

_MAKE_STUDIES = (
    *("bars", "features", "labels", "folds", "selection", "models", "backtest", "stack", "panel", "fit", "study"),
    *("run/plan", "run/prepare", "calibrate/oracle", "calibrate/own", "calibrate/studies"),
)
_JUDGE = ("stats", "evidence", "verdict", "calibrate/own", "calibrate/pipeline")


@dataclass(frozen=True)
class PipelineResult:
    """One cell: how often anything passed, and means over its runs.

    ``undeflated`` is how often somebody would have passed a test that counts neither trials nor studies, ``trading``
    the share of candidates that ever traded. ``own_sharpe`` is that of the best candidates on fresh bars, ``chance``
    how often independent returns of that Sharpe ratio pass the same deflation: what the power is held against. None
    where nothing was planted. ``seconds`` are those of one core that the runs took when they were computed.
    """

    cell: MarketCell
    passed: Rate
    insufficient: Rate
    undeflated: Rate
    trading: float
    edge: float
    effective_trials: float | None
    oracle: float | None
    best_sharpe: float | None
    own_sharpe: float | None
    chance: float | None
    seconds: float

    def plain(self) -> dict[str, Any]:
        """JSON-able values."""
        return {**asdict(self), "cell": self.cell.model_dump(mode="json")}


@dataclass(frozen=True)
class MarketSpec:
    """One run of one cell; small enough to travel."""

    experiment: Experiment
    cell: MarketCell
    edge: float
    seed: int


def calibrate_pipeline(cells: Sequence[tuple[MarketCell, int]], experiment: Experiment) -> Iterator[PipelineResult]:
    """Run the cells, each over its number of seeds, through the whole pipeline; finished seeds are not run again."""
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        for cell, seeds in cells:
            edge = _edge(cell, experiment)
            specs = [MarketSpec(experiment, cell, edge, seed) for seed in range(seeds)]
            outcomes: list[dict[str, Any]] = []
            with Steps(cell.name, len(specs)) as steps:
                for outcome in executor.map(Work("judge markets", judge_one), specs):
                    outcomes.append(outcome)
                    steps.advance(cpu_seconds=outcome["seconds"])
            yield _summarise(cell, edge, sorted(outcomes, key=lambda outcome: int(outcome["seed"])))
    finally:
        executor.close()


def judge_one(spec: MarketSpec) -> dict[str, Any]:
    """The outcome of one market, from the store or computed and stored.

    What its studies returned is stored apart from what the verdict says of it: after a change of the rules the same
    returns are judged again, and nothing is fitted.
    """
    experiment = spec.cell.experiment(spec.experiment, edge=spec.edge, seed=spec.seed)
    store, measured = Store(experiment.where), spec.cell.oracle is not None
    whatever_the_rules = experiment.model_copy(update={"verdict": Thresholds()}).results_digest()
    made_by = [source_digest(room) for room in _MAKE_STUDIES]
    studied = digest(["market", whatever_the_rules, measured, made_by])
    judged = digest(["judged", studied, experiment.verdict.digest(), [source_digest(room) for room in _JUDGE]])
    if not store.has("calibration", judged):
        if not store.has("calibration", studied):
            _store_studies(store, studied, experiment, measured)
        started = time.process_time()
        studies, seconds = _stored_studies(store, studied)
        outcome = _plain(judge_studies(experiment, studies, measured=measured))
        outcome["seconds"] = seconds + time.process_time() - started
        store.put_json("calibration", judged, outcome)
    return dict(store.get_json("calibration", judged))


def _store_studies(store: Store, key: str, experiment: Experiment, measure_worth: bool) -> None:
    started = time.process_time()
    studies = run_studies(experiment, measure_worth=measure_worth)
    plain = {
        symbol: {name: value for name, value in vars(study).items() if name != "returns"}
        for symbol, study in studies.items()
    }
    returns = {symbol: study.returns for symbol, study in studies.items()}
    about = {"studies": plain, "seconds": time.process_time() - started}
    store.put_arrays("calibration", key, returns, about)


def _stored_studies(store: Store, key: str) -> tuple[Mapping[str, MarketStudy], float]:
    """The studies as they were stored, and the seconds that they took."""
    returns = store.open_arrays("calibration", key)
    studies = {}
    for symbol, plain in returns.meta["studies"].items():
        names = {name: tuple(plain[name]) for name in ("candidates", "faults")}
        studies[symbol] = MarketStudy(**{**plain, **names, "returns": returns[symbol]})
    return studies, float(returns.meta["seconds"])


def _edge(cell: MarketCell, experiment: Experiment) -> float:
    """The edge at which the cell's oracle earns what it should, found once."""
    if cell.oracle is None:
        return 0.0
    store = Store(experiment.where)
    rooms = ("bars", "labels", "backtest", "panel", "calibrate/oracle", "calibrate/edge")
    key = digest(["edge", experiment.results_digest(), cell.oracle, [source_digest(room) for room in rooms]])
    if not store.has("calibration", key):
        store.put_json("calibration", key, edge_for_oracle(experiment, cell.oracle))
    return float(store.get_json("calibration", key))


def _plain(outcome: Outcome) -> dict[str, Any]:
    known = [sharpe for sharpe in outcome.sharpes.values() if sharpe is not None]
    worth = list(outcome.worth.values())
    return {
        "seed": outcome.seed,
        "passed": outcome.passed,
        "insufficient": all(ruling == "INSUFFICIENT" for ruling in outcome.rulings.values()),
        "undeflated": outcome.undeflated,
        "trading": outcome.trading,
        "effective_trials": _mean(list(outcome.effective_trials.values())),
        "oracle": _mean(list(outcome.oracle.values())),
        "best_sharpe": max(known) if known else None,
        "own_sharpe": _mean([one.own_sharpe for one in worth]),
        "chance": _mean([one.chance for one in worth]),
        "rulings": {f"{symbol} {trial}": ruling for (symbol, trial), ruling in outcome.rulings.items()},
    }


def _summarise(cell: MarketCell, edge: float, outcomes: Sequence[dict[str, Any]]) -> PipelineResult:
    return PipelineResult(
        cell=cell,
        passed=Rate.of(outcome["passed"] for outcome in outcomes),
        insufficient=Rate.of(outcome["insufficient"] for outcome in outcomes),
        undeflated=Rate.of(outcome["undeflated"] for outcome in outcomes),
        trading=sum(outcome["trading"] for outcome in outcomes) / len(outcomes),
        edge=edge,
        effective_trials=_mean([outcome["effective_trials"] for outcome in outcomes]),
        oracle=None if cell.oracle is None else _mean([outcome["oracle"] for outcome in outcomes]),
        best_sharpe=_mean([outcome["best_sharpe"] for outcome in outcomes]),
        own_sharpe=_mean([outcome["own_sharpe"] for outcome in outcomes]),
        chance=_mean([0.0 if cell.oracle is not None and one["chance"] is None else one["chance"] for one in outcomes]),
        seconds=sum(outcome["seconds"] for outcome in outcomes),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
