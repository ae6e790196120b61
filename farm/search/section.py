"""The section ``search:`` of an experiment: what is searched, how, for what, and how much of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol

from pydantic import Field, model_validator

from farm.errors import BadInput
from farm.features import FeatureRecipe
from farm.labels import Labels
from farm.models import Catalog, Model
from farm.models.settings import settings_of
from farm.search.adaptive import Adapting, Halving, Tpe
from farm.search.constraint import Constraint, names_in
from farm.search.dimension import Dimension
from farm.search.objective import Objective
from farm.search.samplers import Grid, QuasiRandom, Random
from farm.search.space import Point, Space
from farm.section import Section, digest

Sampler = Annotated[QuasiRandom | Random | Grid | Tpe | Halving, Field(discriminator="kind")]

RECIPES = ("features", "labels")  # what a configuration may have of its own: a panel's, not the model's
_OBJECTIVES = "log_loss (a proper score), net_return or net_sharpe (after the study's costs)"


class Recipes(Protocol):
    """What the models of a study read and learn that have nothing of their own: an experiment is such a thing."""

    @property
    def features(self) -> FeatureRecipe:
        """What they read."""
        ...

    @property
    def labels(self) -> Labels:
        """What they learn."""
        ...


class Budget(Section):
    """How much may be searched: ``trials`` a model and study, ``minutes`` and ``cpu_hours`` of the whole run's fits.

    When minutes or CPU hours are spent no further configuration is begun; what was finished is judged, and the same
    command goes on with what is left. Where that happens depends on the machine, and the summary says so.
    """

    trials: int = Field(default=20, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    cpu_hours: float | None = Field(default=None, gt=0)

    @property
    def timed(self) -> bool:
        """Whether the clock may end the search."""
        return self.minutes is not None or self.cpu_hours is not None


class SearchedModel(Section):
    """What is searched of one model; what is left out is as in the space that comes with the model.

    ``space`` takes that one's place whole. Beside parameters it may hold keys of the recipes, such as
    ``features.keep``, ``labels.max_bars``, or ``labels`` for whole ones to choose from: a configuration then reads
    features, or learns labels, of its own.
    """

    space: dict[str, Dimension] | None = Field(default=None, min_length=1)
    constraints: tuple[Constraint, ...] | None = None


class Search(Section):
    """A search over the parameters of models; every configuration is a trial that the ledger counts.

    The choice among a model's configurations is nested at no extra fits: for each group it is made on the pair lattice
    by the ``objective``, on D_g alone. A sampler that adapts (tpe, halving) has looked at every group by then, and the
    report says so; ``nested: strict`` runs one such search for every group, on the pairs that hold it out. ``models``
    names what is searched; left out, every candidate is, in the space that comes with it.
    """

    objective: Objective
    sampler: Sampler = QuasiRandom()
    budget: Budget = Budget()
    nested: Literal["pairs", "strict"] = "pairs"
    models: dict[str, SearchedModel] | None = Field(default=None, min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _for_something(cls, data: Any) -> Any:
        if isinstance(data, dict) and "objective" not in data:
            raise ValueError(f"a search needs an objective, chosen before anything is seen: give {_OBJECTIVES}")
        return data

    @model_validator(mode="after")
    def _strict_where_it_matters(self) -> "Search":
        if self.nested == "strict" and not self.adapts:
            raise ValueError(
                f"nested is strict, but the sampler {self.sampler.kind} looks at no result, so its choice is nested by "
                "pairs already; leave nested out, or choose tpe or halving"
            )
        return self

    @property
    def adapts(self) -> bool:
        """Whether what is tried next depends on what was found."""
        return isinstance(self.sampler, Tpe | Halving)

    def searched(self, models: Mapping[str, Model], catalog: Catalog) -> tuple[str, ...]:
        """The names of the models that are searched, in the experiment's order.

        Raises
        ------
        BadInput
            A searched model is not among the experiment's.
        """
        candidates = [name for name, model in models.items() if model.wants(catalog).role == "candidate"]
        if self.models is None:
            return tuple(candidates)
        for name in self.models:
            if name not in candidates:
                raise BadInput(
                    f"search.models.{name}: the experiment has no such model that could be searched; it has "
                    f"{', '.join(candidates)}"
                )
        return tuple(name for name in candidates if name in self.models)

    def space_of(self, name: str, model: Model, catalog: Catalog) -> Space:
        """The space of a searched model: the experiment's own, or the one that comes with the model.

        Of the latter, what the experiment gives under ``params`` is not searched.

        Raises
        ------
        BadInput
            Neither says where to search.
        """
        own = (self.models or {}).get(name, SearchedModel())
        settings = catalog.entry(model.uses).settings
        known = settings_of(settings) if settings else None
        space: Mapping[str, Any] = own.space or {}
        if own.space is None and known is not None:
            space = {key: dimension for key, dimension in known.space.items() if key not in model.params}
        if not space:
            raise BadInput(
                f"search: no search space comes with {model.uses}; write one under search.models.{name}.space, such as "
                "{C: {kind: float, low: 0.01, high: 100, log: true}}"
            )
        constraints = own.constraints
        if constraints is None:  # those that come with the model, as far as they are about what is searched
            given = known.constraints if known is not None else ()
            constraints = tuple(one for one in given if set(names_in(one)) & set(space))
        return Space.model_validate({"space": dict(space), "constraints": constraints})

    def configurations(self, name: str, model: Model, study: Recipes, catalog: Catalog, seed: int) -> dict[str, Model]:
        """The configurations of a searched model by name, in trial order; a sampler that adapts has none beforehand.

        ``study`` has the recipes of a model that says nothing of its own.

        Raises
        ------
        BadInput
            As `space_of`; the grid is larger than the budget; or a configuration is no model.
        """
        if isinstance(self.sampler, Tpe | Halving):
            return {}
        space = self.space_of(name, model, catalog)
        points = self.sampler.points(space, self.budget.trials, fixed(model, catalog), search_seed(seed, name))
        if not points:
            raise BadInput(f"search.models.{name}: no point of the space meets {' and '.join(space.constraints)}")
        return {
            configured_name(name, number): configured(model, point, study)
            for number, point in enumerate(points, start=1)
        }

    def begin(self, name: str, model: Model, catalog: Catalog, seed: int, splits: Sequence[int]) -> Adapting:
        """A search over one model that asks about these splits and adapts to the answers.

        Raises
        ------
        BadInput
            As `space_of`; the space holds features or labels; TPE's library is missing; halving has too few splits.
        """
        if not isinstance(self.sampler, Tpe | Halving):
            raise ValueError(f"the sampler {self.sampler.kind} does not adapt; its configurations are known beforehand")
        space = self.space_of(name, model, catalog)
        _require_parameters(name, space)
        return self.sampler.begin(space, self.budget.trials, fixed(model, catalog), seed, splits)


def _require_parameters(name: str, space: Space) -> None:
    for key in space.space:
        if recipe_of(key) is not None:
            raise BadInput(
                f"search.models.{name}.space: {key} is searched by samplers that do not adapt, since the panels are "
                "built before anything is asked; choose quasi_random, random or grid, or take it out"
            )


def configured_name(model: str, number: int) -> str:
    """The trial's name of a configuration: the model's, and its number in the search."""
    return f"{model}.{number}"


def recipe_of(key: str) -> str | None:
    """The recipe that a searched key is of: ``labels`` for ``labels`` and ``labels.up``; None for a parameter."""
    recipe = key.partition(".")[0]
    return recipe if recipe in RECIPES else None


def configured(model: Model, point: Point, study: Recipes) -> Model:
    """The model with a point's parameters, and features and labels of its own where the point has any.

    >>> from types import SimpleNamespace
    >>> from farm.labels import TripleBarrier
    >>> study = SimpleNamespace(features=FeatureRecipe(), labels=TripleBarrier(up=2, down=2, max_bars=50))
    >>> model = Model(uses="logistic", params={"C": 1.0, "max_iter": 50})
    >>> dict(configured(model, {"C": 0.1}, study).params)
    {'C': 0.1, 'max_iter': 50}
    >>> configured(model, {"features.keep": 7}, study).features.keep
    7
    >>> configured(model, {"labels.max_bars": 20}, study).labels.max_bars
    20
    """
    params = {**model.params, **{key: value for key, value in point.items() if recipe_of(key) is None}}
    changed: dict[str, Any] = {"params": params}
    for recipe in RECIPES:
        own = {key.partition(".")[2]: value for key, value in point.items() if recipe_of(key) == recipe}
        if not own:
            continue
        usual: Section = getattr(model, recipe) or getattr(study, recipe)
        whole = own.pop("", usual.model_dump(mode="json"))
        changed[recipe] = {**whole, **own} if isinstance(whole, dict) else whole
    return Model.model_validate({**model.model_dump(mode="json"), **changed})


def fixed(model: Model, catalog: Catalog) -> dict[str, Any]:
    """Parameters that a search leaves alone: what the experiment gives, else the model's defaults."""
    return {**catalog.entry(model.uses).defaults(), **model.params}


def search_seed(seed: int, *names: str) -> int:
    """A 31-bit seed of one search, from the experiment's seed and what is searched.

    >>> search_seed(7, "boosted") == search_seed(7, "boosted") != search_seed(8, "boosted")
    True
    """
    return int(digest([seed, "search", *names])[:8], 16) & 0x7FFFFFFF
