"""One study after its fits, on a worker: nested pipelines, backtests, evidence; the driver gets a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.backtest import Backtest, session_regimes
from farm.config import Experiment
from farm.evidence import History, StudyEvidence, gather_evidence
from farm.models import installed
from farm.panel import Panel
from farm.run.described import describe_ablation, describe_search, describe_selection, describe_trial
from farm.run.panels import open_panel, panels_by_model
from farm.run.plan import FitChunk, StudyPlan, families_of
from farm.run.pooled_fits import evaluated_pool
from farm.run.source import source_digest
from farm.run.tables import oof_table, returns_table
from farm.run.work import read_chunks
from farm.search import Choices
from farm.section import digest
from farm.sentinels import ALARM, SHIFTED_LABELS, chance_of_shifted
from farm.stack.coverage import coverage_of
from farm.store import Store
from farm.study import STACK, Role, Study, StudyRecipe

Float = NDArray[np.float64]


@dataclass(frozen=True)
class JudgeSpec:
    """One study to judge: its plan, the roles of its models, the keys of earlier trials' returns that count."""

    experiment: Experiment
    study: StudyPlan
    roles: dict[str, Role]
    failed: tuple[str, ...]
    past_returns: tuple[str, ...]
    past_without_returns: int
    n_studies: int


@dataclass(frozen=True)
class StudyJudged:
    """What the driver keeps of a judged study: where its tables are, its evidence, and its part of the summary."""

    symbol: str
    key: str
    evidence: StudyEvidence
    trials: dict[str, dict[str, Any]]
    returns_keys: dict[str, str]
    proof: dict[str, Any]
    sentinels: dict[str, Any]
    selection: dict[str, dict[str, Any]]
    coverage: dict[str, dict[str, Any]]
    ablation: dict[str, Any] | None
    search: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "StudyJudged":
        """The judgement whose ``asdict`` was stored as JSON."""
        return cls(**{**plain, "evidence": StudyEvidence.of(plain["evidence"])})


def stored_judgement(spec: JudgeSpec) -> StudyJudged | None:
    """The judgement of a study that was made from the same fits, rules and earlier trials; None where there is none."""
    store = Store(spec.experiment.where)
    if not store.has("judged", _judgement_key(spec)):
        return None
    judged = StudyJudged.of(store.get_json("judged", _judgement_key(spec)))
    return judged if store.has("oof", judged.key) and store.has("returns", judged.key) else None


def judge_study(spec: JudgeSpec) -> StudyJudged:
    """Evaluate every trial of a study and gather the evidence; tables and judgement are stored."""
    experiment, prepared = spec.experiment, spec.study.prepared
    store = Store(experiment.where)
    key = _study_key(spec)
    recipes = experiment.recipes(installed())
    stack = None if experiment.stack is None else experiment.stack.seeded(experiment.seed)
    families = families_of(experiment, installed())
    recipe = StudyRecipe(spec.roles, stack, experiment.backtest, prepared.instrument, families, _choices(spec))
    panel: Panel
    if prepared.members:
        panel, recipe, study, records = evaluated_pool(recipe, prepared, store, _chunks(spec))
        panels = dict.fromkeys(recipes, panel.members[0])
    else:
        panel = open_panel(store, prepared.panel_key)
        predictions, records = read_chunks(store, _chunks(spec))
        panels = panels_by_model(store, prepared.panels, recipes)
        panels |= {name: panels[model] for name, model in spec.study.configurations.items() if model in panels}
        own = {name: one.events for name, one in panels.items()}
        study = recipe.run(panel, prepared.plan, predictions, records, own)
    configurations = {name: one for picked in study.picked.values() for name, one in picked.headline.items()}
    store.put_table("oof", key, oof_table(panel, study))
    store.put_table("returns", key, returns_table(panel.symbol, study, [one.symbol for one in prepared.members]))
    headlines = {**configurations, **{trial.name: trial.headline for trial in study.trials}}
    returns_keys = {name: _store_returns(store, key, name, headline) for name, headline in headlines.items()}
    sentinels = {"shifted_labels": _shifted_labels(study, panel), "truncation": prepared.about["truncation"]}
    evidence = gather_evidence(
        prepared.symbol,
        study.candidate_returns(),
        _history(store, spec, study.trials[0].headline.sessions, [one.net for one in configurations.values()]),
        sessions_per_year=prepared.sessions_per_year,
        smallest_group=min(group.n_events for group in prepared.plan.groups),
        faults=[*_faults(study, prepared.about["suspicious_features"]), *_alarms(sentinels)],
        thresholds=experiment.verdict,
        n_studies=spec.n_studies,
        seed=experiment.seed,
        stacks={STACK: recipe.bases()},
    )
    regimes = None if prepared.members else session_regimes(panel.bars)
    judged = StudyJudged(
        symbol=prepared.symbol,
        key=key,
        evidence=evidence,
        trials={
            trial.name: describe_trial(trial, panel, regimes, prepared.sessions_per_year, experiment.seed)
            for trial in study.trials
        },
        returns_keys=returns_keys,
        proof={"rows_checked": study.proof.rows_checked, "violations": list(study.proof.violations)},
        sentinels=sentinels,
        selection=describe_selection(
            {name: panels[name].names for name, role in spec.roles.items() if role == "candidate" and name in panels},
            records,
        ),
        ablation=describe_ablation(recipe, study, prepared.sessions_per_year, panel.events, experiment.seed),
        coverage={
            one.base: {**asdict(one), **prepared.panel_of(recipes[one.base]).said()}
            for one in coverage_of(study.lattice)
            if spec.roles.get(one.base) == "candidate" and one.base in recipes
        },
        search={
            name: describe_search(experiment, one, study.picked.get(name), spec.failed, prepared.sessions_per_year)
            for name, one in spec.study.searched.items()
        },
    )
    store.put_json("judged", _judgement_key(spec), asdict(judged))
    return judged


def _chunks(spec: JudgeSpec) -> list[FitChunk]:
    """The stored chunks; of configurations that were fitted together with a failed one, each of the others."""
    chunks = []
    for chunk in spec.study.chunks:
        if not set(chunk.names) & set(spec.failed):
            chunks.append(chunk)
        else:
            chunks += [part for part in chunk.parts() if part.names[0] not in spec.failed]
    aside = {name for one in spec.study.searched.values() for name in one.aside}
    return [chunk for chunk in chunks if not set(chunk.names) <= aside]


def _choices(spec: JudgeSpec) -> Choices:
    search, searched = spec.experiment.search, spec.study.searched
    if search is None:
        return Choices()
    return Choices(
        objective=search.objective,
        searched={model: one.complete for model, one in searched.items()},
        forced={model: one.forced for model, one in searched.items() if one.forced},
    )


def _study_key(spec: JudgeSpec) -> str:
    """Digest of all that can change a study's tables."""
    experiment = spec.experiment
    return digest(
        [
            spec.study.prepared.values_digest,
            spec.study.prepared.instrument.digest(),
            [[one.symbol, one.instrument.digest()] for one in spec.study.prepared.members],
            [chunk.key for chunk in _chunks(spec)],
            _choices(spec).digest(),
            {model: [list(one.models), one.aside] for model, one in spec.study.searched.items()},
            sorted(panel.values_digest for panel in spec.study.prepared.panels.values()),
            None if experiment.stack is None else experiment.stack.digest(),
            experiment.backtest.digest(),
            source_digest(
                "stack",
                "search",
                "backtest",
                "study",
                "pool",
                "pooled_study",
                "run/pooled_fits",
                "labels",
                "folds",
                "run/judge",
                "run/tables",
                "run/described",
                "sentinels",
                "bars/instrument",
            ),
        ]
    )


def _judgement_key(spec: JudgeSpec) -> str:
    """Digest of all that can change what is said of a study."""
    prepared = spec.study.prepared
    return digest(
        [
            _study_key(spec),
            list(spec.past_returns),
            spec.past_without_returns,
            spec.n_studies,
            spec.experiment.verdict.digest(),
            spec.experiment.seed,
            prepared.sessions_per_year,
            prepared.about["suspicious_features"],
            prepared.about["truncation"],
            source_digest("evidence", "stats"),
        ]
    )


def _store_returns(store: Store, study_key: str, name: str, headline: Backtest) -> str:
    key = digest([study_key, name])
    store.put_arrays("trial_returns", key, {"session": headline.sessions, "net": headline.net})
    return key


def _history(store: Store, spec: JudgeSpec, sessions: NDArray[np.int64], configurations: Sequence[Float]) -> History:
    """Earlier trials' returns on this study's sessions, and those of the configurations that its candidates are from.

    An earlier trial whose returns are no longer stored still counts.
    """
    columns = list(configurations)
    without = spec.past_without_returns
    for key in spec.past_returns:
        if not store.has("trial_returns", key):
            without += 1
            continue
        past = store.open_arrays("trial_returns", key)
        column = np.zeros(len(sessions))
        _, here, there = np.intersect1d(sessions, past["session"], assume_unique=True, return_indices=True)
        column[here] = past["net"][there]
        columns.append(column)
    returns = np.column_stack(columns) if columns else np.zeros((len(sessions), 0))
    return History(returns, without)


def _faults(study: Study, suspicious: Sequence[dict[str, Any]]) -> list[str]:
    faults = [f"provenance: {violation}" for violation in study.proof.violations]
    if not study.proof.rows_checked:
        faults.append("provenance: there was no meta row to check")
    faults += [
        f"leak: feature {one['name']} alone separates up from down with an AUC of {one['auc']:.2f}, beyond what an "
        "honest feature of price bars can; it probably knows the future"
        for one in suspicious
    ]
    return faults


def _shifted_labels(study: Study, panel: Panel) -> dict[str, float | None] | None:
    """How likely what was predicted of shifted labels is chance; None when their fits have failed."""
    lattice = study.lattice
    if SHIFTED_LABELS not in lattice.bases:
        return None
    return {"p": chance_of_shifted(lattice.mean(SHIFTED_LABELS), panel.events, lattice.group, panel.sessions())}


def _alarms(sentinels: Mapping[str, Any]) -> list[str]:
    """What failed sentinels say, in words."""
    shifted, violations = sentinels["shifted_labels"], sentinels["truncation"]["violations"]
    alarms = [f"sentinel: {violation}" for violation in violations]
    if shifted is None:
        alarms.append(
            "sentinel: the fits on shifted labels failed, so nobody knows whether they find what is not there"
        )
    elif shifted["p"] is not None and shifted["p"] < ALARM:
        alarms.append(
            f"sentinel: labels of another time are predicted out of fold (p = {shifted['p']:.2g}, alarm below "
            f"{ALARM:g}), which only a leak can do; look at the model, the folds and the features"
        )
    return alarms
