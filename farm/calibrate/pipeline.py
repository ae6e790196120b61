"""Whole experiments on artificial markets, bars to verdict, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from farm.backtest import metrics
from farm.calibrate.oracle import oracle_backtest, synthetic
from farm.calibrate.own import chance_on_independent_returns, own_sharpe
from farm.config import Experiment
from farm.evidence import History, StudyEvidence, gather_evidence
from farm.fit import FitRecord, fit, fit_seed
from farm.folds import FoldPlan
from farm.models import Catalog, installed
from farm.panel import Panel
from farm.run.plan import roles_of
from farm.run.prepare import describe, panel_key
from farm.study import Study, StudyRecipe
from farm.verdict import Ruling, decide


@dataclass(frozen=True)
class Worth:
    """What the best candidate of a symbol is worth on fresh bars, and how often returns of that worth pass.

    ``chance`` is that of independent returns of ``own_sharpe`` against the same number of effective trials.
    """

    candidate: str
    own_sharpe: float | None
    chance: float


@dataclass(frozen=True)
class Outcome:
    """One experiment on artificial markets: rulings, annual Sharpe ratios by (symbol, trial), and the oracle's.

    ``worth`` has an entry a symbol where that was asked for and somebody ever traded.
    """

    seed: int
    rulings: Mapping[tuple[str, str], Ruling]
    sharpes: Mapping[tuple[str, str], float | None]
    deflated: Mapping[tuple[str, str], float | None]
    effective_trials: Mapping[str, float | None]
    oracle: Mapping[str, float | None]
    worth: Mapping[str, Worth]

    @property
    def passed(self) -> bool:
        """Whether anything passed on any symbol: the experiment is the error unit."""
        return "PASS" in self.rulings.values()


@dataclass(frozen=True, eq=False)
class _Judged:
    panel: Panel
    plan: FoldPlan
    study: Study
    evidence: StudyEvidence
    oracle: float | None


def judge_market(experiment: Experiment, *, measure_worth: bool = False) -> Outcome:
    """Run one experiment in memory, in this process, and judge it as a run would."""
    catalog = installed()
    with threadpool_limits(experiment.threads):
        judged = {symbol: _study(experiment, symbol, catalog) for symbol in experiment.bars.symbols}
        worth = {
            symbol: found
            for symbol, one in judged.items()
            if measure_worth and (found := _worth(experiment, symbol, one, catalog)) is not None
        }
    evidences = [one.evidence for one in judged.values()]
    verdicts = decide(evidences, experiment.verdict)
    keys = [(one.symbol, trial) for one in evidences for trial in one.candidates]
    return Outcome(
        seed=experiment.seed,
        rulings={key: verdicts[key[0]].candidates[key[1]].ruling for key in keys},
        sharpes={key: judged[key[0]].evidence.candidates[key[1]].sharpe for key in keys},
        deflated={key: judged[key[0]].evidence.candidates[key[1]].deflated for key in keys},
        effective_trials={one.symbol: one.effective_trials for one in evidences},
        oracle={symbol: one.oracle for symbol, one in judged.items()},
        worth=worth,
    )


def _study(experiment: Experiment, symbol: str, catalog: Catalog) -> _Judged:
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
                seed=seed, threads=experiment.threads, keep=experiment.features.keep, selection=experiment.selection,
            )  # fmt: skip
            predictions.setdefault(name, {})[split] = (panel.events.decided_at[done.rows], done.probability)
            records.setdefault(name, {})[split] = done.record
    recipe = StudyRecipe(roles_of(experiment, catalog), experiment.stack, experiment.backtest, loaded.instrument)
    study = recipe.run(panel, prepared.plan, predictions, records)
    n_sessions = len(study.trials[0].headline.sessions)
    evidence = gather_evidence(
        symbol,
        study.candidate_returns(),
        History(np.zeros((n_sessions, 0))),
        sessions_per_year=prepared.sessions_per_year,
        smallest_group=min(group.n_events for group in prepared.plan.groups),
        faults=[f"provenance: {violation}" for violation in study.proof.violations],
        thresholds=experiment.verdict,
        n_studies=len(experiment.bars.symbols),
        seed=experiment.seed,
        intervals=False,
    )
    market = synthetic(experiment).market(symbol)
    earned = metrics(
        oracle_backtest(experiment, market, loaded.bars, panel.bars, panel.events), prepared.sessions_per_year
    ).sharpe
    return _Judged(panel, prepared.plan, study, evidence, earned)


def _worth(experiment: Experiment, symbol: str, judged: _Judged, catalog: Catalog) -> Worth | None:
    evidence = judged.evidence
    known = {name: one.deflated for name, one in evidence.candidates.items() if one.deflated is not None}
    if not known or evidence.effective_trials is None:
        return None
    best = max(known, key=known.__getitem__)
    own = own_sharpe(experiment, symbol, judged.panel, judged.plan, judged.study.lattice, best, catalog)
    chance = chance_on_independent_returns(
        own or 0.0,
        sessions=evidence.n_sessions,
        sessions_per_year=evidence.sessions_per_year,
        n_trials=max(evidence.effective_trials, 1.0),
        thresholds=experiment.verdict,
        seed=experiment.seed,
    )
    return Worth(best, own, chance)
