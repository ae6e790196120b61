"""Whole experiments on artificial markets, bars to verdict, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from farm.calibrate.own import chance_on_independent_returns
from farm.calibrate.studies import MarketStudy, run_studies
from farm.config import Experiment
from farm.evidence import History, StudyEvidence, gather_evidence
from farm.stats import probabilistic_sharpe_ratio
from farm.study import STACK
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

    ``undeflated`` is whether anybody would have passed a test that counts neither trials nor studies. ``worth`` has an
    entry a symbol where that was asked for and somebody ever traded.
    """

    seed: int
    rulings: Mapping[tuple[str, str], Ruling]
    sharpes: Mapping[tuple[str, str], float | None]
    deflated: Mapping[tuple[str, str], float | None]
    effective_trials: Mapping[str, float | None]
    oracle: Mapping[str, float | None]
    undeflated: bool
    worth: Mapping[str, Worth]

    @property
    def passed(self) -> bool:
        """Whether anything passed on any symbol: the experiment is the error unit."""
        return "PASS" in self.rulings.values()

    @property
    def trading(self) -> float:
        """The share of the candidates that ever traded."""
        return sum(sharpe is not None for sharpe in self.sharpes.values()) / len(self.sharpes)


def judge_market(experiment: Experiment, *, measure_worth: bool = False) -> Outcome:
    """Run one experiment in memory, in this process, and judge it as a run would."""
    return judge_studies(experiment, run_studies(experiment, measure_worth=measure_worth), measured=measure_worth)


def judge_studies(experiment: Experiment, studies: Mapping[str, MarketStudy], *, measured: bool) -> Outcome:
    """Judge the studies of an experiment by the code that judges runs; ``measured``: their worth is known."""
    evidences = {symbol: _evidence(experiment, symbol, study) for symbol, study in studies.items()}
    verdicts = decide(list(evidences.values()), experiment.verdict)
    each = {(symbol, trial): one for symbol, study in evidences.items() for trial, one in study.candidates.items()}
    return Outcome(
        seed=experiment.seed,
        rulings={key: verdicts[key[0]].candidates[key[1]].ruling for key in each},
        sharpes={key: one.sharpe for key, one in each.items()},
        deflated={key: one.deflated for key, one in each.items()},
        effective_trials={symbol: one.effective_trials for symbol, one in evidences.items()},
        oracle={symbol: study.oracle for symbol, study in studies.items()},
        undeflated=any(_undeflated(study, experiment.verdict.alpha) for study in studies.values()),
        worth={
            symbol: _worth(experiment, studies[symbol], one, best)
            for symbol, one in evidences.items()
            if measured and (best := studies[symbol].best) is not None
        },
    )


def _evidence(experiment: Experiment, symbol: str, study: MarketStudy) -> StudyEvidence:
    return gather_evidence(
        symbol,
        dict(zip(study.candidates, np.ascontiguousarray(study.returns.T), strict=True)),
        History(np.zeros((len(study.returns), 0))),
        sessions_per_year=study.sessions_per_year,
        smallest_group=study.smallest_group,
        faults=study.faults,
        thresholds=experiment.verdict,
        n_studies=len(experiment.bars.symbols),
        seed=experiment.seed,
        intervals=False,
        stacks={STACK: tuple(experiment.models)},
    )


def _undeflated(study: MarketStudy, alpha: float) -> bool:
    moving = study.returns[:, np.ptp(study.returns, axis=0) > 0]
    return any(1 - probabilistic_sharpe_ratio(series) <= alpha for series in moving.T)


def _worth(experiment: Experiment, study: MarketStudy, evidence: StudyEvidence, best: str) -> Worth:
    chance = chance_on_independent_returns(
        study.own_sharpe or 0.0,
        sessions=evidence.n_sessions,
        sessions_per_year=evidence.sessions_per_year,
        n_trials=max(evidence.effective_trials or 1.0, 1.0),
        thresholds=experiment.verdict,
        seed=experiment.seed,
    )
    return Worth(best, study.own_sharpe, chance)
