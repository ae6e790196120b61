"""What passes, and why not: one decision over the evidence of all studies of an experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from farm.evidence import Evidence, StudyEvidence, Thresholds
from farm.stats import expected_maximum_sharpe, holm

Ruling = Literal["PASS", "FAIL", "INSUFFICIENT"]


@dataclass(frozen=True)
class Verdict:
    """The ruling on one candidate, with every reason that is not a pass.

    ``required_sharpe`` is the annual Sharpe ratio at which it would have met its level; None where that is unknown.
    """

    ruling: Ruling
    reasons: tuple[str, ...]
    required_sharpe: float | None = None


@dataclass(frozen=True)
class StudyVerdict:
    """The rulings of one study, its p-value, that adjusted for all studies, and the level Holm's step-down gave it.

    ``insufficient`` says why the study as a whole cannot be judged; it stands here too since it may have no candidate.
    """

    p_value: float
    adjusted_p_value: float
    level: float
    insufficient: tuple[str, ...]
    candidates: Mapping[str, Verdict]


def decide(studies: Sequence[StudyEvidence], thresholds: Thresholds, *, n_skipped: int = 0) -> dict[str, StudyVerdict]:
    """The rulings of an experiment, by symbol: Holm over all its studies, so that alpha is the experiment's.

    A study's p-value is 1 less its best candidate's deflated Sharpe probability, 1 where none is known; a study that
    cannot be judged counts as one all the same, and so do the ``n_skipped`` that could not be made at all. A candidate
    passes when its own p-value is within the study's level: alpha over the number of studies whose p-value is not
    smaller, or, from the first study that is above its level on, that study's level (Holm 1979). Equal p-values have
    equal levels, whatever the order of the studies.

    Examples
    --------
    >>> from farm.evidence import History, gather_evidence
    >>> returns = 0.0015 + 0.01 * np.random.default_rng(0).standard_normal(1000)
    >>> study = gather_evidence(
    ...     "SYN", {"model": returns, "idle": np.zeros(1000)}, History(np.zeros((1000, 0))), sessions_per_year=252,
    ...     smallest_group=100, faults=(), thresholds=Thresholds(), n_studies=1, seed=0)
    >>> verdict = decide([study], Thresholds())["SYN"]
    >>> verdict.candidates["model"].ruling, verdict.candidates["idle"].reasons
    ('PASS', ('no bet was ever worth its cost, so there are no returns to judge',))
    """
    p_values = np.array([_p_value(study) for study in studies])
    n_studies = len(studies) + n_skipped
    adjusted = holm(p_values, n_studies)
    levels = thresholds.alpha / (n_studies - np.searchsorted(np.sort(p_values), p_values))
    stopped = levels[p_values > levels]
    levels = np.minimum(levels, stopped.min(initial=np.inf))
    verdicts = {}
    for study, p_value, adjusted_p, level in zip(studies, p_values, adjusted, levels, strict=True):
        insufficient = _insufficient(study, thresholds)
        verdicts[study.symbol] = StudyVerdict(
            p_value=float(p_value),
            adjusted_p_value=float(adjusted_p),
            level=float(level),
            insufficient=tuple(insufficient),
            candidates={
                name: _rule(name, study, insufficient, float(level), thresholds)
                for name, evidence in study.candidates.items()
            },
        )
    return verdicts


def _p_value(study: StudyEvidence) -> float:
    deflated = [evidence.deflated for evidence in study.candidates.values() if evidence.deflated is not None]
    return 1 - max(deflated) if deflated else 1.0


def _insufficient(study: StudyEvidence, thresholds: Thresholds) -> list[str]:
    reasons = list(study.faults)
    if study.smallest_group < thresholds.min_events_per_group:
        reasons.append(
            f"a group has only {study.smallest_group} events; {thresholds.min_events_per_group} are needed to judge it"
        )
    sharpe = study.certifiable_sharpe
    if study.effective_trials is None:
        return reasons
    if sharpe is None:
        reasons.append("the span is too short to certify any Sharpe ratio")
    elif sharpe > thresholds.max_certifiable_sharpe:
        reasons.append(
            f"this span and {study.effective_trials:.1f} effective trials certify only an annual Sharpe ratio above "
            f"{sharpe:.1f} (limit {thresholds.max_certifiable_sharpe:g}); more history or fewer trials would help"
        )
    return reasons


def _rule(
    name: str,
    study: StudyEvidence,
    insufficient: list[str],
    level: float,
    thresholds: Thresholds,
) -> Verdict:
    evidence = study.candidates[name]
    if insufficient:
        return Verdict("INSUFFICIENT", tuple(insufficient))
    if evidence.sharpe is None:
        return Verdict("FAIL", ("no bet was ever worth its cost, so there are no returns to judge",))
    if 0 < evidence.active_sessions < thresholds.min_active_sessions:
        return Verdict(
            "INSUFFICIENT",
            (
                f"it earned or lost something in only {evidence.active_sessions} "
                f"session{'s' if evidence.active_sessions > 1 else ''}; "
                f"{thresholds.min_active_sessions} are needed before a Sharpe ratio's error means anything",
            ),
        )
    if evidence.deflated is None:
        return Verdict("INSUFFICIENT", ("the standard error of its Sharpe ratio is unknown: its returns hardly vary",))
    reasons = []
    if 1 - evidence.deflated > level:
        reasons.append(
            f"the deflated Sharpe probability is {evidence.deflated:.3f}; {1 - level:.3f} is needed after counting "
            f"{study.raw_trials} trials ({study.effective_trials:.1f} effective) and every study of the experiment"
        )
    over = study.overfitting
    if (
        over.pbo is not None
        and over.probability_of_loss is not None
        and over.pbo > thresholds.max_pbo
        and over.probability_of_loss > thresholds.max_probability_of_loss
    ):
        reasons.append(
            f"the ranking of trials does not last (PBO {over.pbo:.2f}) and the best one in sample loses out of sample "
            f"with probability {over.probability_of_loss:.2f}"
        )
    reasons += _no_better_than_a_base(name, study)
    return Verdict("FAIL" if reasons else "PASS", tuple(reasons), _required_sharpe(evidence, study, level))


def _no_better_than_a_base(name: str, study: StudyEvidence) -> list[str]:
    """Why a stack is not worth deploying: a base of it, alone, has earned as much for its risk."""
    own = study.candidates[name].sharpe
    bases = {base: study.candidates[base].sharpe for base in study.stacks.get(name, ()) if base in study.candidates}
    known = {base: sharpe for base, sharpe in bases.items() if sharpe is not None}
    if own is None or not known or own > max(known.values()):
        return []
    best = max(known, key=lambda base: known[base])
    return [
        f"it does not beat its best base: {best} alone has a Sharpe ratio of {known[best]:.2f}, the stack {own:.2f}"
    ]


def _required_sharpe(evidence: Evidence, study: StudyEvidence, level: float) -> float | None:
    """The Sharpe ratio at which this candidate's own standard error would have let it pass at the level."""
    if evidence.sharpe is None or not evidence.z or study.effective_trials is None:
        return None
    needed_z = expected_maximum_sharpe(study.effective_trials, exact=True) - float(ndtri(level))
    return evidence.sharpe / evidence.z * needed_z
