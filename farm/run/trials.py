"""A run and the ledger: that its trials start, how they end, and which ones others made before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from farm.config import Experiment
from farm.ledger import Ledger, Trial, TrialEnd, TrialStart, candidates_over
from farm.run.folder import RunFolder
from farm.run.judge import StudyJudged
from farm.run.plan import StudyPlan
from farm.run.work import Failure
from farm.study import STACK


def start_trials(experiment: Experiment, studies: Sequence[StudyPlan], folder: RunFolder) -> None:
    """Record every trial in the ledger, before the first fit."""
    for study in studies:
        trials = [replace(trial, run=folder.run_id) for trial in study.trials]
        Ledger(experiment.where, study.ledger_name).start(trials)


def by_symbol(trials: Iterable[Trial]) -> Mapping[str, Sequence[Trial]]:
    """Trials by the symbols that they were made on: those of a pool by each of its symbols."""
    found: defaultdict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        for symbol in trial.begun.symbols:
            found[symbol].append(trial)
    return found


def earlier_trials(study: StudyPlan, tried: Mapping[str, Sequence[Trial]]) -> list[Trial]:
    """Candidates that other experiments tried on the study's span and symbols: they count against its own."""
    own = {trial.identity for trial in study.trials}
    told_of = [trial for symbol in study.prepared.symbols for trial in tried.get(symbol, ())]
    return [trial for trial in candidates_over(told_of, *study.prepared.span) if trial.identity not in own]


def finish_trials(
    experiment: Experiment, studies: Sequence[StudyPlan], judged: dict[str, StudyJudged], failures: Sequence[Failure]
) -> dict[str, str]:
    """Record how every trial ended; the heads of the studies' ledgers."""
    heads = {}
    reasons = {(failure.symbol, failure.model): failure.error for failure in failures}
    for study in studies:
        ledger = Ledger(experiment.where, study.ledger_name)
        ends = []
        for trial in study.trials:
            key = judged[study.symbol].returns_keys.get(trial.name)
            sound = trial.role == "sentinel" and (study.symbol, trial.name) not in reasons
            if key is None and not sound:
                aside = study.aside_of(trial.name)
                reason = aside or reasons.get((study.symbol, trial.name), "a base failed")
                ends.append(TrialEnd(trial.identity, "failed" if aside is None else "killed", reason=reason))
            else:
                ends.append(TrialEnd(trial.identity, "finished", returns_key=key))
        ledger.end(ends)
        heads[study.ledger_name] = ledger.head()
    return heads


def lost_trials(study: StudyPlan, failed: set[str]) -> list[TrialStart]:
    """Trials without a result: models with a failed fit, configurations that were set aside, what rests on them."""
    gone = set(failed)
    for model, searched in study.searched.items():
        gone |= searched.aside.keys()
        if not set(searched.complete) - gone or gone & set(searched.forced):
            gone.add(model)
    bases = {trial.name for trial in study.trials if trial.role == "candidate"} - study.configurations.keys()
    return [trial for trial in study.trials if trial.name in gone or (trial.name == STACK and gone & bases)]
