"""The whole pipeline on one artificial market, bars to verdict, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from farm.backtest import metrics
from farm.calibrate.oracle import oracle_backtest, synthetic
from farm.config import Experiment
from farm.evidence import History, StudyEvidence, gather_evidence
from farm.fit import FitRecord, fit, fit_seed
from farm.models import Catalog, installed
from farm.run.plan import roles_of
from farm.run.prepare import describe, panel_key
from farm.study import StudyRecipe
from farm.verdict import Ruling, decide


@dataclass(frozen=True)
class Outcome:
    """One experiment on artificial markets: rulings, annual Sharpe ratios by (symbol, trial), and the oracle's."""

    seed: int
    rulings: Mapping[tuple[str, str], Ruling]
    sharpes: Mapping[tuple[str, str], float | None]
    deflated: Mapping[tuple[str, str], float | None]
    oracle: Mapping[str, float | None]

    @property
    def passed(self) -> bool:
        """Whether anything passed on any symbol: the experiment is the error unit."""
        return "PASS" in self.rulings.values()


def judge_market(experiment: Experiment) -> Outcome:
    """Run one experiment in memory, in this process, and judge it as a run would."""
    catalog = installed()
    evidences = []
    oracle: dict[str, float | None] = {}
    with threadpool_limits(experiment.threads):
        for symbol in experiment.bars.symbols:
            evidence, oracle[symbol] = _study(experiment, symbol, catalog)
            evidences.append(evidence)
    verdicts = decide(evidences, experiment.verdict)
    keys = [(one.symbol, trial) for one in evidences for trial in one.candidates]
    by_symbol = {one.symbol: one for one in evidences}
    return Outcome(
        seed=experiment.seed,
        rulings={key: verdicts[key[0]].candidates[key[1]].ruling for key in keys},
        sharpes={key: by_symbol[key[0]].candidates[key[1]].sharpe for key in keys},
        deflated={key: by_symbol[key[0]].candidates[key[1]].deflated for key in keys},
        oracle=oracle,
    )


def _study(experiment: Experiment, symbol: str, catalog: Catalog) -> tuple[StudyEvidence, float | None]:
    loaded = synthetic(experiment).read(symbol)
    panel = experiment.panel.build(loaded.bars, loaded.instrument.calendar)
    prepared = describe(experiment, loaded, panel, panel_key(experiment, loaded))
    predictions: dict[str, dict[int, tuple[np.ndarray, np.ndarray]]] = {}
    records: dict[str, dict[int, FitRecord]] = {}
    for name, model in experiment.all_models().items():
        for split in range(len(prepared.plan.splits)):
            seed = fit_seed(experiment.seed, name, split)
            done = fit(
                panel, prepared.plan, model, catalog, split,
                seed=seed, threads=experiment.threads, keep=experiment.features.keep,
            )  # fmt: skip
            predictions.setdefault(name, {})[split] = (panel.events.decided_at[done.rows], done.probability)
            records.setdefault(name, {})[split] = done.record
    recipe = StudyRecipe(roles_of(experiment, catalog), experiment.stack, experiment.backtest, loaded.instrument)
    study = recipe.run(panel, prepared.plan, predictions, records)
    candidates = {trial.name: trial.headline.net for trial in study.trials if trial.role == "candidate"}
    n_sessions = len(study.trials[0].headline.sessions)
    evidence = gather_evidence(
        symbol,
        candidates,
        History(np.zeros((n_sessions, 0))),
        sessions_per_year=prepared.sessions_per_year,
        smallest_group=min(group.n_events for group in prepared.plan.groups),
        faults=[f"provenance: {violation}" for violation in study.proof.violations],
        thresholds=experiment.verdict,
        n_studies=len(experiment.bars.symbols),
        seed=experiment.seed,
    )
    market = synthetic(experiment).market(symbol)
    earned = metrics(
        oracle_backtest(experiment, market, loaded.bars, panel.bars, panel.events), prepared.sessions_per_year
    ).sharpe
    return evidence, earned
