"""The run's summary: per study and trial what was found, and the verdict; nothing of when or where it ran."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from farm.config import Experiment
from farm.run.judge import StudyJudged
from farm.run.plan import StudyPlan
from farm.run.skipped import Skipped
from farm.run.work import Failure
from farm.verdict import Ruling, StudyVerdict


def summarise(
    experiment: Experiment,
    studies: Sequence[StudyPlan],
    judged: Mapping[str, StudyJudged],
    verdicts: Mapping[str, StudyVerdict],
    failures: Sequence[Failure],
    skipped: Sequence[Skipped] = (),
    stopped: str | None = None,
) -> dict[str, Any]:
    """Everything a reader of the run needs, as JSON-able values; unknown is None."""
    described = [_study(study, judged[study.symbol], verdicts[study.symbol]) for study in studies]
    rulings = [candidate["verdict"] for study in described for candidate in study["candidates"]]
    return _known(
        {
            "experiment": experiment.name,
            "experiment_digest": experiment.results_digest(),
            "seed": experiment.seed,
            "alpha": experiment.verdict.alpha,
            "thresholds": experiment.verdict.model_dump(mode="json"),
            "verdict": overall(rulings),
            "passed": [
                {"symbol": study["symbol"], "trial": candidate["trial"]}
                for study in described
                for candidate in study["candidates"]
                if candidate["verdict"] == "PASS"
            ],
            "failed_fits": [
                {"symbol": failure.symbol, "trial": failure.model, "split": failure.split, "error": failure.error}
                for failure in sorted(failures, key=lambda one: (one.symbol, one.model, one.split))
            ],
            "skipped": [asdict(one) for one in skipped],
            "search_stopped": stopped,
            "studies": described,
        }
    )


def overall(rulings: Sequence[Ruling]) -> Ruling:
    """PASS if anything passed, else FAIL if anything could be judged, else INSUFFICIENT."""
    for ruling in ("PASS", "FAIL"):
        if ruling in rulings:
            return ruling
    return "INSUFFICIENT"


def _study(study: StudyPlan, judged: StudyJudged, verdict: StudyVerdict) -> dict[str, Any]:
    prepared, evidence = study.prepared, judged.evidence
    names = [trial.name for trial in study.trials]  # the experiment's order, whether judged now or read back
    candidates = []
    for trial in (name for name in names if name in verdict.candidates):
        ruled = verdict.candidates[trial]
        candidates.append(
            {
                "trial": trial,
                "verdict": ruled.ruling,
                "reasons": list(ruled.reasons),
                "evidence": {**asdict(evidence.candidates[trial]), "required_sharpe": ruled.required_sharpe},
                **judged.trials[trial],
            }
        )
    others = [
        {"trial": name, **judged.trials[name]}
        for name in names
        if name in judged.trials and name not in verdict.candidates
    ]
    return {
        "symbol": study.symbol,
        "instrument": prepared.instrument.name,
        "currency": prepared.currency,
        "span_ns": list(prepared.span),
        "events": prepared.n_events,
        "features": prepared.n_features,
        "sessions": evidence.n_sessions,
        "sessions_per_year": evidence.sessions_per_year,
        "raw_trials": evidence.raw_trials,
        "effective_trials": evidence.effective_trials,
        "certifiable_sharpe": evidence.certifiable_sharpe,
        "overfitting": asdict(evidence.overfitting),
        "faults": list(evidence.faults),
        "insufficient": list(verdict.insufficient),
        "p_value": verdict.p_value,
        "level": verdict.level,
        "candidates": candidates,
        "others": others,
        "proof": judged.proof,
        "sentinels": judged.sentinels,
        "selection": judged.selection,
        "search": judged.search,
        "coverage": judged.coverage,
        "ablation": judged.ablation,
        **prepared.about,
    }


def _known(value: Any) -> Any:
    """The value with None where a number is not a number: unknown is null."""
    if isinstance(value, dict):
        return {str(key): _known(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
