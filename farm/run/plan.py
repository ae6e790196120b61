"""The plan of a run: the fits of every study in chunks, and the trials that the ledger must know before them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from farm.config import Experiment
from farm.config.experiment import BASELINES
from farm.ledger import TrialStart
from farm.models import Catalog, Model
from farm.run.chunks import FitChunk, chunks_of_configurations, chunks_of_model, seconds_per_cell
from farm.run.prepare import PreparedStudy
from farm.section import digest
from farm.sentinels import SHIFTED_LABELS
from farm.stack.ablation import variants
from farm.study import STACK, Role

__all__ = [
    "FitChunk",
    "Found",
    "Searched",
    "StudyPlan",
    "cheapest_model",
    "families_of",
    "plan_study",
    "roles_of",
    "trial_names",
    "trials_of",
]


@dataclass(frozen=True)
class Searched:
    """The configurations of one searched model on one study, by name in trial order.

    ``aside`` says in words why a configuration has no place in the choice: it was pruned, failed or given up before it
    was fitted on every split. It stays a trial that counts. ``forced`` names, for each group, the one configuration
    that a search of its own chose for it; empty where the choice is made on D_g.
    """

    models: dict[str, Model]
    aside: dict[str, str] = field(default_factory=dict)
    forced: tuple[str, ...] = ()

    @property
    def complete(self) -> tuple[str, ...]:
        """The configurations that may be chosen."""
        return tuple(name for name in self.models if name not in self.aside)


@dataclass(frozen=True)
class Found:
    """What a search that adapts came to: its configurations, and the stored fits of those that may be chosen."""

    searched: Searched
    chunks: tuple[FitChunk, ...]


@dataclass(frozen=True)
class StudyPlan:
    """One study's fits and trials; ``searched`` has its configurations by searched model."""

    prepared: PreparedStudy
    chunks: tuple[FitChunk, ...]
    trials: tuple[TrialStart, ...]
    searched: dict[str, Searched] = field(default_factory=dict)

    def aside_of(self, trial: str) -> str | None:
        """Why a configuration has no place in the choice; None for every other trial."""
        return next((one.aside[trial] for one in self.searched.values() if trial in one.aside), None)

    @property
    def configurations(self) -> dict[str, str]:
        """Configuration -> the searched model that it is of."""
        return {name: model for model, searched in self.searched.items() for name in searched.models}

    @property
    def symbol(self) -> str:
        """The study's symbol."""
        return self.prepared.symbol

    @property
    def ledger_name(self) -> str:
        """The study's name in the ledger."""
        return f"{self.trials[0].experiment}/{self.symbol}"


def roles_of(experiment: Experiment, catalog: Catalog) -> dict[str, Role]:
    """Model name -> role of its trial; a searched model has one role, for what is picked of its configurations."""
    models = {**experiment.models, **BASELINES}
    roles: dict[str, Role] = {name: model.wants(catalog).role for name, model in models.items()}
    return {**roles, SHIFTED_LABELS: "sentinel"}


def families_of(experiment: Experiment, catalog: Catalog) -> dict[str, str]:
    """Model name -> its family, such as boosting."""
    return {name: catalog.entry(model.uses).family for name, model in {**experiment.models, **BASELINES}.items()}


def cheapest_model(experiment: Experiment, catalog: Catalog) -> Model:
    """The candidate on the clock's panel that takes the least to fit: what the shifted labels are tried on.

    Where every candidate reads bars of its own, a logistic regression.
    """
    on_the_clock = [
        model
        for model in experiment.models.values()
        if model.wants(catalog).selects and experiment.recipe_of(model, catalog) == experiment.panel
    ]
    return min(on_the_clock or [Model(uses="logistic")], key=lambda model: seconds_per_cell(model, catalog))


def plan_study(
    experiment: Experiment,
    prepared: PreparedStudy,
    catalog: Catalog,
    found: Mapping[str, Found] = MappingProxyType({}),
) -> StudyPlan:
    """The fits of one study in chunks, and the trials that the ledger must know before the first of them starts.

    ``found`` has, by model, what a search that adapts came to on this study; without it such a model is planned as the
    one that the experiment names.
    """
    experiment = experiment.of(prepared.symbol)
    configured = experiment.configurations()
    chunks: list[FitChunk] = []
    searched: dict[str, Searched] = {}
    for name, model in {**experiment.models, **BASELINES}.items():
        if name in found:
            chunks += found[name].chunks
            searched[name] = found[name].searched
        elif configured.get(name):
            chunks += chunks_of_configurations(experiment, prepared, catalog, name, configured[name])
            searched[name] = Searched(configured[name])
        else:
            chunks += chunks_of_model(experiment, prepared, catalog, name, model)
    cheapest = cheapest_model(experiment, catalog)
    chunks += chunks_of_model(experiment, prepared, catalog, SHIFTED_LABELS, cheapest, shifted=True)
    return StudyPlan(prepared, tuple(chunks), _trials(experiment, prepared, catalog, searched), searched)


def trial_names(trials: Sequence[TrialStart], role: Role) -> list[str]:
    """Names of the trials with a role."""
    return [trial.name for trial in trials if trial.role == role]


def _trials(
    experiment: Experiment, prepared: PreparedStudy, catalog: Catalog, searched: Mapping[str, Searched]
) -> tuple[TrialStart, ...]:
    models = {**experiment.models, **BASELINES}
    roles = roles_of(experiment, catalog)
    described: dict[str, tuple[Role, Mapping[str, Any]]] = {}
    for name, model in models.items():
        said = model.model_dump(mode="json")
        if name in searched and experiment.search is not None:
            for configuration, one in searched[name].models.items():
                described[configuration] = (roles[name], one.model_dump(mode="json"))
            said = {"model": said, "search": experiment.search.model_dump(mode="json", exclude={"models"})}
            said["configurations"] = [one.model_dump(mode="json") for one in searched[name].models.values()]
        described[name] = (roles[name], said)
    candidates = [name for name, role in roles.items() if role == "candidate"]
    if experiment.stack is not None and len(candidates) > 1:
        bases = {name: described[name][1] for name in candidates}
        role: Role = "candidate" if experiment.stack.nesting == "pairs" else "ablation"
        stack = experiment.stack.model_dump(mode="json", exclude={"ablation"})
        described[STACK] = (role, {"bases": bases, **stack})
        if experiment.stack.ablation:
            families = families_of(experiment, catalog)
            apart = variants({name: families[name] for name in dict.fromkeys((*bases, *experiment.stack.primaries()))})
            for variant in apart:
                described[variant.name] = ("ablation", {"bases": list(variant.bases), "kind": variant.kind, **stack})
    described["buy_and_hold"] = ("baseline", {})
    described[SHIFTED_LABELS] = ("sentinel", cheapest_model(experiment, catalog).model_dump(mode="json"))
    return _started(experiment, prepared, described)


def trials_of(
    experiment: Experiment, prepared: PreparedStudy, catalog: Catalog, models: Mapping[str, Model]
) -> tuple[TrialStart, ...]:
    """The trials of configurations that a search is about to ask about, by name."""
    described = {name: (model.wants(catalog).role, model.model_dump(mode="json")) for name, model in models.items()}
    return _started(experiment, prepared, described)


def _started(
    experiment: Experiment, prepared: PreparedStudy, described: Mapping[str, tuple[Role, Mapping[str, Any]]]
) -> tuple[TrialStart, ...]:
    recipe = [
        experiment.panel.digest_parts(),
        experiment.folds.digest(),
        experiment.selection.digest(),
        experiment.seed,
        None if experiment.stack is None else experiment.stack.model_copy(update={"ablation": False}).digest(),
    ]
    if experiment.pool is not None:
        recipe.append(experiment.pool.engine)
        symbols = list(prepared.symbols)
        described = {name: (role, {**params, "pool": symbols}) for name, (role, params) in described.items()}
    start, end = prepared.span
    return tuple(
        TrialStart(
            identity=digest([prepared.symbol, recipe, "" if role == "candidate" else name, params]),
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
