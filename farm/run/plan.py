"""The plan of a run: studies × trials × splits as fits with keys, gathered into chunks of about a second."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from farm.config import Experiment
from farm.fit import fit_seed
from farm.folds import FoldPlan
from farm.ledger import TrialStart
from farm.models import Catalog, Model
from farm.run.prepare import PreparedStudy
from farm.run.source import source_digest
from farm.section import digest
from farm.selection import Selection
from farm.study import STACK, Role

CHUNK_SECONDS = 1.0
_SECONDS_PER_CELL = {"baseline": 5e-9, "classical": 4e-7, "boosting": 1e-6}
_UNKNOWN_SECONDS_PER_CELL = 2e-6
_SELECTION_SECONDS_PER_CELL = {"separation": 5e-8, "mdi": 5e-7, "sfi": 2.5e-6, "mda": 4e-6, "clustered_mda": 4e-6}
_CHOSEN_BY = ("selection", "labels/uniqueness", "folds/splitters", "folds/purge")


@dataclass(frozen=True)
class FitChunk:
    """Fits of one model on consecutive splits of one study: the unit of dispatch, storage and retry.

    ``run`` and ``start`` name the run's folder and which of its starts sent the chunk: by them a worker that outlives
    its driver sees that a later start has taken over.
    """

    key: str
    home: str
    symbol: str
    panel_key: str
    plan: FoldPlan
    name: str
    model: Model
    splits: tuple[int, ...]
    seeds: tuple[int, ...]
    threads: int
    keep: int
    selection: Selection
    run: str = ""
    start: int = 0

    @property
    def label(self) -> str:
        """What dashboards and logs call the chunk: symbol/model/splits."""
        first, last = self.splits[0], self.splits[-1]
        return f"{self.symbol}/{self.name}/{first}" + (f"-{last}" if last > first else "")


@dataclass(frozen=True)
class StudyPlan:
    """One study's fits and trials."""

    prepared: PreparedStudy
    chunks: tuple[FitChunk, ...]
    trials: tuple[TrialStart, ...]

    @property
    def symbol(self) -> str:
        """The study's symbol."""
        return self.prepared.symbol

    @property
    def ledger_name(self) -> str:
        """The study's name in the ledger."""
        return f"{self.trials[0].experiment}/{self.symbol}"


def roles_of(experiment: Experiment, catalog: Catalog) -> dict[str, Role]:
    """Model name -> role of its trial."""
    return {name: model.wants(catalog).role for name, model in experiment.all_models().items()}


def plan_study(experiment: Experiment, prepared: PreparedStudy, catalog: Catalog) -> StudyPlan:
    """The fits of one study in chunks, and the trials that the ledger must know before the first of them starts."""
    chunks: list[FitChunk] = []
    selection = experiment.selection
    chosen_by = [selection.digest(), source_digest(*_CHOSEN_BY), version("scikit-learn"), experiment.features.keep]
    for name, model in experiment.all_models().items():
        source = [source_digest("fit"), model.source_digest(catalog), model.digest()]
        seeds = [fit_seed(experiment.seed, name, split) for split in range(len(prepared.plan.splits))]
        keys = [
            digest(
                [
                    prepared.values_digest,
                    prepared.plan.digest(),
                    source,
                    split,
                    seed,
                    experiment.threads,
                    chosen_by,
                ]
            )
            for split, seed in enumerate(seeds)
        ]
        selects = model.wants(catalog).columns is None
        size = _fits_per_chunk(experiment, prepared, catalog.entry(model.uses).family, selects=selects)
        for start in range(0, len(keys), size):
            splits = tuple(range(start, min(start + size, len(keys))))
            chunks.append(
                FitChunk(
                    key=digest([keys[split] for split in splits]),
                    home=experiment.where,
                    symbol=prepared.symbol,
                    panel_key=prepared.panel_key,
                    plan=prepared.plan,
                    name=name,
                    model=model,
                    splits=splits,
                    seeds=tuple(seeds[split] for split in splits),
                    threads=experiment.threads,
                    keep=experiment.features.keep,
                    selection=selection,
                )
            )
    return StudyPlan(prepared, tuple(chunks), _trials(experiment, prepared, catalog))


def trial_names(trials: Sequence[TrialStart], role: Role) -> list[str]:
    """Names of the trials with a role."""
    return [trial.name for trial in trials if trial.role == role]


def _fits_per_chunk(experiment: Experiment, prepared: PreparedStudy, family: str, *, selects: bool) -> int:
    """Fits that together take about a second, by a fixed estimate: chunks must not depend on the machine."""
    per_cell = _SECONDS_PER_CELL.get(family, _UNKNOWN_SECONDS_PER_CELL)
    chosen_by = experiment.selection
    if selects and (prepared.n_features > experiment.features.keep or chosen_by.max_correlation is not None):
        per_cell += _SELECTION_SECONDS_PER_CELL[chosen_by.kind]
    seconds = 0.002 + per_cell * prepared.n_events * prepared.n_features
    return max(1, round(CHUNK_SECONDS / seconds))


def _trials(experiment: Experiment, prepared: PreparedStudy, catalog: Catalog) -> tuple[TrialStart, ...]:
    models = experiment.all_models()
    roles = roles_of(experiment, catalog)
    described: dict[str, tuple[Role, Mapping[str, Any]]] = {
        name: (roles[name], model.model_dump(mode="json")) for name, model in models.items()
    }
    candidates = [name for name, role in roles.items() if role == "candidate"]
    if experiment.stack is not None and len(candidates) > 1:
        bases = {name: models[name].model_dump(mode="json") for name in candidates}
        role: Role = "candidate" if experiment.stack.nesting == "pairs" else "ablation"
        described[STACK] = (role, {"bases": bases, **experiment.stack.model_dump(mode="json")})
    described["buy_and_hold"] = ("baseline", {})
    recipe = [
        experiment.panel.digest_parts(),
        experiment.folds.digest(),
        experiment.selection.digest(),
        experiment.seed,
        None if experiment.stack is None else experiment.stack.digest(),
    ]
    start, end = prepared.span
    return tuple(
        TrialStart(
            identity=digest([prepared.symbol, recipe, name if role == "baseline" else "", params]),
            name=name,
            role=role,
            symbol=prepared.symbol,
            instrument=prepared.instrument.name,
            start=start,
            end=end,
            params=json.dumps(params, sort_keys=True),
            experiment=experiment.name,
        )
        for name, (role, params) in described.items()
    )
