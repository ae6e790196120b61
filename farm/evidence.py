"""What the statistics say of every candidate of a study, counting every trial; the rules it will be held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.section import Section
from farm.stats import (
    Moments,
    SharpeEstimate,
    bootstrap_interval,
    certifiable_sharpe,
    column_sharpes,
    deflated_sharpe_ratio,
    effective_trials,
    minimum_track_record_length,
    probability_of_backtest_overfitting,
)

Float = NDArray[np.float64]

_FEWEST_SESSIONS = 8  # the bootstrap's least; below it no Sharpe ratio says anything
LEAST_TRIALS = 2.0
"""What even a single trial counts for.

A model learns its side from groups before and after the one that it bets on, so that on noise it is right in all of
them or in none: it passes a one-sided test twice as often as something that was told its side.
"""


class Thresholds(Section):
    """The rules of the verdict, frozen before the run.

    ``alpha`` bounds the chance that anything passes in the whole experiment when nothing is there. The PBO rule needs
    at least ``pbo_trials`` trials that moved, and fails a candidate only when the ranking is unstable and the best one
    loses out of sample.
    """

    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    max_certifiable_sharpe: float = Field(default=4.0, gt=0)
    min_events_per_group: int = Field(default=30, ge=1)
    min_active_sessions: int = Field(default=30, ge=1)
    max_pbo: float = Field(default=0.5, gt=0, lt=1)
    max_probability_of_loss: float = Field(default=0.1, gt=0, lt=1)
    pbo_trials: int = Field(default=10, ge=2)
    pbo_blocks: int = Field(default=16, ge=2, le=24, multiple_of=2)


@dataclass(frozen=True, eq=False)
class History:
    """Other trials on the same instrument, from the ledger's whole life: columns of returns, and how many have none.

    ``returns`` has shape (sessions, trials), aligned with the study's sessions, 0 where a trial was not evaluated.
    """

    returns: Float
    without_returns: int = 0


@dataclass(frozen=True)
class PboEvidence:
    """PBO by CSCV over the trials' headline series; None where there are too few trials or sessions for it.

    Source: Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting.
    """

    pbo: float | None
    probability_of_loss: float | None
    slope: float | None


@dataclass(frozen=True)
class Evidence:
    """What the statistics say of one candidate; None is unknown, never 0.

    Sharpe ratios are annual, ``z`` is the Sharpe ratio over its own standard error; ``deflated`` is the verdict's
    probability that the edge is real; the paper's version stands beside it with the raw and the effective N.
    """

    sharpe: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    z: float | None
    deflated: float | None
    paper_deflated_raw: float | None
    paper_deflated_effective: float | None
    min_track_record_years: float | None
    active_sessions: int


@dataclass(frozen=True)
class StudyEvidence:
    """What the statistics say of one study: its candidates, the trials against them, what could be certified.

    The numbers of trials are None when the ledger is missing. ``stacks`` names the candidates that each candidate which
    is a stack stands on.
    """

    symbol: str
    n_sessions: int
    sessions_per_year: float
    raw_trials: int | None
    effective_trials: float | None
    overfitting: PboEvidence
    certifiable_sharpe: float | None
    smallest_group: int
    faults: tuple[str, ...]
    candidates: Mapping[str, Evidence]
    stacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "StudyEvidence":
        """The evidence whose ``asdict`` was stored as JSON."""
        return cls(
            **{
                **plain,
                "overfitting": PboEvidence(**plain["overfitting"]),
                "faults": tuple(plain["faults"]),
                "candidates": {name: Evidence(**evidence) for name, evidence in plain["candidates"].items()},
                "stacks": {name: tuple(bases) for name, bases in plain["stacks"].items()},
            }
        )


def gather_evidence(
    symbol: str,
    candidates: Mapping[str, Float],
    history: History | None,
    *,
    sessions_per_year: float,
    smallest_group: int,
    faults: Sequence[str],
    thresholds: Thresholds,
    n_studies: int,
    seed: int,
    intervals: bool = True,
    stacks: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> StudyEvidence:
    """Evidence on one study's candidates.

    Parameters
    ----------
    candidates
        Trial -> its headline net returns a session, all of one length. Headline series only: paths share their
        data and would make the overfitting statistics look far too good. None at all when every one has failed.
    history
        Other trials of the ledger on this instrument; None when there is no ledger: N is then unknown, and so is
        everything that depends on it.
    faults
        Failed sentinels in words; any makes the study INSUFFICIENT.
    n_studies
        Studies of the experiment: what can be certified depends on Holm's smallest level.
    stacks
        Candidates that are stacks, with the names of those that they stand on.
    intervals
        Bootstrap the Sharpe ratios' intervals, which no ruling reads: thousands of simulations go without.
    """
    faults = list(faults)
    if history is None:
        faults.append("the ledger of trials is missing, so nobody knows how many trials this one is the best of")
    if not candidates:
        faults.append("no candidate is left to judge: all of them failed before they had any returns")
    n_sessions = max(
        [len(returns) for returns in candidates.values()] or [0 if history is None else len(history.returns)]
    )
    others = np.zeros((n_sessions, 0)) if history is None else history.returns
    everything = np.column_stack((*candidates.values(), others))
    raw, effective = (None, None) if history is None else _count(everything, history.without_returns)
    spread = _spread(everything)
    strictest = thresholds.alpha / n_studies
    return StudyEvidence(
        symbol=symbol,
        n_sessions=n_sessions,
        sessions_per_year=sessions_per_year,
        raw_trials=raw,
        effective_trials=effective,
        overfitting=_overfitting(everything, thresholds),
        certifiable_sharpe=None
        if effective is None or n_sessions < _FEWEST_SESSIONS
        else certifiable_sharpe(n_sessions, sessions_per_year, effective, strictest, thresholds.power),
        smallest_group=smallest_group,
        faults=tuple(faults),
        candidates={
            name: _on(returns, spread, raw, effective, sessions_per_year, thresholds, seed if intervals else None)
            for name, returns in candidates.items()
        },
        stacks={name: tuple(bases) for name, bases in stacks.items() if name in candidates},
    )


def _count(everything: Float, without_returns: int) -> tuple[int, float]:
    """Raw and effective number of trials, the latter at least `LEAST_TRIALS`.

    A trial without returns, or on too short a span to correlate, counts one.
    """
    n_trials = everything.shape[1]
    known = n_trials > 0 and len(everything) >= _FEWEST_SESSIONS
    effective = effective_trials(everything).value if known else float(n_trials)
    return n_trials + without_returns, max(effective + without_returns, LEAST_TRIALS)


def _spread(everything: Float) -> float | None:
    """Variance of the trials' Sharpe ratios per session; None where fewer than two are known."""
    if len(everything) < _FEWEST_SESSIONS:
        return None
    sharpes = column_sharpes(everything)
    known = sharpes[~np.isnan(sharpes)]
    return float(np.var(known, ddof=1)) if len(known) > 1 else None


def _on(
    returns: Float,
    spread: float | None,
    raw: int | None,
    effective: float | None,
    sessions_per_year: float,
    thresholds: Thresholds,
    seed: int | None,
) -> Evidence:
    active = int(np.count_nonzero(returns))
    if len(returns) < _FEWEST_SESSIONS:
        return _unknown(None, active)
    annual = float(np.sqrt(sessions_per_year))
    found = SharpeEstimate.of(returns)
    if found is None:
        return _unknown(None, active)
    sharpe = found.moments.sharpe * annual
    if found.z is None or raw is None or effective is None:
        return _unknown(sharpe, active)
    interval = None if seed is None else bootstrap_interval(returns, "sharpe", seed=seed, threads=1)
    track = minimum_track_record_length(found.moments) if sharpe > 0 else None
    return Evidence(
        sharpe=sharpe,
        sharpe_low=None if interval is None else interval.low * annual,
        sharpe_high=None if interval is None else interval.high * annual,
        z=found.z,
        # A handful of bets makes a series so skewed that its error means nothing: one win would look like z = 2.
        deflated=found.deflated(effective) if active >= thresholds.min_active_sessions else None,
        paper_deflated_raw=_paper(found.moments, raw, spread),
        paper_deflated_effective=_paper(found.moments, effective, spread),
        min_track_record_years=None if track is None else track / sessions_per_year,
        active_sessions=active,
    )


def _unknown(sharpe: float | None, active: int) -> Evidence:
    return Evidence(sharpe, None, None, None, None, None, None, None, active)


def _paper(moments: Moments, n_trials: float, spread: float | None) -> float | None:
    if spread is None or n_trials <= 1:
        return None
    return deflated_sharpe_ratio(moments, n_trials=n_trials, trial_sharpe_variance=spread)


def _overfitting(everything: Float, thresholds: Thresholds) -> PboEvidence:
    moving = everything[:, np.ptp(everything, axis=0) > 0]
    if moving.shape[1] < thresholds.pbo_trials or len(moving) < 2 * thresholds.pbo_blocks:
        return PboEvidence(None, None, None)
    found = probability_of_backtest_overfitting(moving, n_blocks=thresholds.pbo_blocks, threads=1)
    return PboEvidence(found.pbo, found.probability_of_loss, found.slope)
