"""The experiment file's schema: sections whose objects live in their rooms, composed."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from farm.backtest import Account
from farm.bars import BarSource
from farm.bars.symbols import nearest_symbols
from farm.bars.timeframe import has_length, nanoseconds
from farm.config.each import Each, differing, fitting
from farm.evidence import Thresholds
from farm.features import FeatureRecipe
from farm.folds import Folds
from farm.labels import Every, Labels
from farm.models import Catalog, Model, installed
from farm.panel import Decisions, PanelRecipe
from farm.pool import POOL, SHARED_OUT, Pool
from farm.search import Search
from farm.section import Section, digest, nearest
from farm.selection import Selection, Separation
from farm.sentinels import SHIFTED_LABELS
from farm.stack import Stack
from farm.stack.ablation import PREFIX
from farm.stack.choose import CHOSEN
from farm.stack.combine import COMBINED
from farm.study import STACK

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


def _fit_for_a_path(name: str) -> str:
    if re.fullmatch(_NAME, name) is None:
        raise ValueError(
            f"the name {name!r} is no part of a path: write letters, digits, _ . or - (at most 64, none of _.- first)"
        )
    return name


def _not_given(value: object) -> bool:
    return value is None


Name = Annotated[str, AfterValidator(_fit_for_a_path), Field(json_schema_extra={"pattern": _NAME})]


class Execution(Section):
    """Where and how wide the fits run; nothing here can change a result.

    ``on: ray`` uses the cluster at ``address``, or starts a local Ray with ``workers`` CPUs; ``process`` runs
    everything in this process. ``max_failed_fits`` is how many fits may fail before the run itself counts as failed.
    """

    on: Literal["ray", "process"] = "ray"
    address: str | None = None
    workers: int | None = Field(default=None, ge=1)
    max_failed_fits: int = Field(default=0, ge=0)


class Track(Section):
    """MLflow tracking; without a ``uri`` a SQLite file in the home."""

    uri: str | None = None


class Experiment(Section):
    """One experiment: everything that decides its numbers, and where it runs."""

    name: Name
    seed: int = Field(ge=0, lt=2**31)
    threads: int = Field(default=1, ge=1)
    home: str | None = None
    bars: BarSource
    decisions: Decisions
    features: FeatureRecipe = Field(default_factory=FeatureRecipe)
    labels: Labels
    folds: Folds
    selection: Selection = Separation()
    models: dict[Name, Model] = Field(min_length=1)
    search: Search | None = None
    pool: Pool | None = Field(default=None, exclude_if=_not_given)
    stack: Stack | None = Stack()
    backtest: Account
    verdict: Thresholds = Field(default_factory=Thresholds)
    execution: Execution = Field(default_factory=Execution)
    track: Track | None = Track()
    each: Each = Field(default_factory=dict)

    @field_validator("models")
    @classmethod
    def _no_reserved_names(cls, models: dict[str, Model]) -> dict[str, Model]:
        for name in models:
            if name in (STACK, COMBINED, CHOSEN, SHIFTED_LABELS, *BASELINES) or name.startswith(PREFIX):
                raise ValueError(f"{name} is a name that the report uses itself; give the model another one")
        return models

    @model_validator(mode="after")
    def _rooms_that_fit_together(self) -> Self:
        # Each message begins with the key it is about: that is where the file's line comes from.
        needs = "but studies are judged on pairs: cpcv with test_groups 2, one model for every pair of groups"
        if self.folds.kind != "cpcv":
            raise ValueError(f"folds.kind is {self.folds.kind}, {needs}")
        if self.folds.test_groups != 2:
            raise ValueError(f"folds.test_groups is {self.folds.test_groups}, {needs}")
        if self.labels.entry != "next_open":
            raise ValueError(
                f"labels.entry is {self.labels.entry}, but an order placed at a bar's close fills at the next bar's "
                "open; set next_open, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _bases_that_fit_the_clock(self) -> Self:
        for name, model in self.models.items():
            key, own = f"models.{name}", model.timeframe or self.decisions.timeframe
            if model.timeframe is not None:
                _refuse_timeframe(f"{key}.timeframe", own, self.decisions.timeframe, self.bars.timeframe)
                if model.events is not None and nanoseconds(own) < nanoseconds(self.decisions.timeframe):
                    raise ValueError(
                        f"{key}.events has no place beside timeframe {own}: a base that is finer than the decisions' "
                        f"{self.decisions.timeframe} decides when they do; take it out"
                    )
            if model.timeframe is None and model.features is None:
                continue
            recipe = model.features or self.features
            for higher in recipe.timeframes:
                if nanoseconds(higher) <= nanoseconds(own):
                    at, cure = (
                        (f"{key}.timeframe", "give it features of its own")
                        if model.features is None
                        else (f"{key}.features.timeframes", "name longer ones only")
                    )
                    raise ValueError(f"{at}: its features are read on {higher}, which is not longer than {own}; {cure}")
        return self

    @model_validator(mode="after")
    def _a_search_that_fits(self) -> Self:
        if self.search is None:
            return self
        if self.stack is not None and self.stack.nesting == "none":
            raise ValueError(
                "search: the choice among configurations is nested on pairs, and stack.nesting is none; leave one out"
            )
        if self.stack is not None and self.stack.ablation:
            raise ValueError(
                "search: a stack of searched models is not taken apart; search first, then write stack.ablation with "
                "what was found"
            )
        for name in self.search.models or ():
            if name not in self.models:
                raise ValueError(f"search.models.{name}: no such model; {nearest(name, self.models)}")
        for name in self.models:
            searched, _, number = name.rpartition(".")
            if number.isdigit() and searched in self.models:
                raise ValueError(f"models.{name} has the name of a configuration of {searched}; give it another one")
        return self

    @model_validator(mode="after")
    def _a_pool_of_one_kind(self) -> Self:
        if self.pool is None:
            return self
        if self.each:
            raise ValueError("each: nothing may differ among the symbols of a pool, which one model reads; take it out")
        if self.search is not None:
            raise ValueError("search: models of a pool are not searched; search on single symbols, or leave one out")
        if self.bars.on_bad_symbol == "skip":
            raise ValueError("bars.on_bad_symbol is skip, and a pool has the symbols it was announced with; set stop")
        if POOL in self.bars.symbols:
            raise ValueError(f"bars.symbols: {POOL} is what the study of a pool is called; give the file another name")
        if self.pool.engine != "process" and self.execution.on != "ray":
            raise ValueError(
                f"pool.engine {self.pool.engine} needs workers on Ray, and execution.on is process; set ray"
            )
        for name, model in self.models.items():
            if model.uses not in SHARED_OUT.get(self.pool.engine, (model.uses,)):
                raise ValueError(
                    f"models.{name}.uses is {model.uses}, and pool.engine {self.pool.engine} trains "
                    f"{' and '.join(SHARED_OUT[self.pool.engine])} alone; use engine process"
                )
            for key in ("timeframe", "events", "features", "labels", "window"):
                if getattr(model, key) is not None:
                    raise ValueError(f"models.{name}.{key}: models of a pool read one panel a symbol; take it out")
        return self

    @property
    def n_studies(self) -> int:
        """How many studies it has: one a symbol, or one in all."""
        return len(self.bars.symbols) if self.pool is None else 1

    @model_validator(mode="after")
    def _each_makes_an_experiment(self) -> Self:
        fits = {symbol: fitting(self.each, symbol) for symbol in self.bars.symbols} if self.each else {}
        for pattern in self.each:
            if not any(pattern in patterns for patterns in fits.values()):
                raise ValueError(f"each.{pattern} fits no symbol; {nearest_symbols(pattern, self.bars.symbols)}")
        examples = {patterns: symbol for symbol, patterns in reversed(fits.items()) if patterns}
        for patterns in sorted(examples, key=len):
            symbol = examples[patterns]
            try:
                self.of(symbol)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                key = ".".join(str(part) for part in first["loc"] if part != self.bars.source)
                raise ValueError(
                    f"each.{patterns[-1]} makes no experiment for {symbol}: {key}: "
                    f"{first['msg'].removeprefix('Value error, ')}"
                ) from error
        return self

    def of(self, symbol: str) -> Self:
        """The experiment of one symbol alone, with all that is otherwise for it.

        What travels with a study is this, so that it is as small for ten thousand symbols as for ten. The study of a
        pool has all of it.
        """
        if self.pool is not None and symbol == POOL:
            return self
        own = self.model_copy(update={"bars": self.bars.only(symbol), "each": {}})
        parts = [self.each[pattern].model_dump(mode="json") for pattern in fitting(self.each, symbol)]
        if not parts:
            return own
        values = own.model_dump(mode="json")
        for part in parts:
            values = differing(values, part)
        if "markets" not in values["bars"]:  # artificial ones name themselves; another source has taken the whole place
            values = differing(values, {"bars": {"symbols": [symbol]}})
        return self.model_validate(values)

    @property
    def where(self) -> str:
        """The home: this file's, else FARM_HOME, else ``.farm`` in the working directory; a path is made absolute."""
        home = self.home or os.environ.get("FARM_HOME") or ".farm"
        return home if "://" in home else str(Path(home).expanduser().absolute())

    @property
    def panel(self) -> PanelRecipe:
        """The part that makes panels."""
        return PanelRecipe(self.decisions, self.features, self.labels, self.folds.lockbox)

    def recipe_of(self, model: Model, catalog: Catalog) -> PanelRecipe:
        """What makes the panel that a model reads: ``panel`` itself, unless the model has something of its own."""
        own = model.timeframe if model.timeframe != self.decisions.timeframe else None
        longer = own is not None and nanoseconds(own) > nanoseconds(self.decisions.timeframe)
        usual = Every() if longer else self.decisions.events
        return replace(
            self.panel,
            features=model.features or self.features,
            timeframe=own,
            events=model.events if model.events != usual else None,
            window=model.bars_read(catalog),
            learns=model.labels if model.labels != self.labels else None,
        )

    def recipes(self, catalog: Catalog) -> dict[str, PanelRecipe]:
        """Every model's recipe, baselines included, by its name."""
        return {name: self.recipe_of(model, catalog) for name, model in self.all_models().items()}

    def configurations(self) -> dict[str, dict[str, Model]]:
        """Searched model -> its configurations by name, in trial order; none beforehand where the sampler adapts.

        Raises
        ------
        BadInput
            As `farm.search.Search.configurations`.
        """
        if self.search is None:
            return {}
        catalog = installed()
        return {
            name: self.search.configurations(name, self.models[name], self, catalog, self.seed)
            for name in self.search.searched(self.models, catalog)
        }

    def all_models(self) -> dict[str, Model]:
        """All that is fitted: the models, configurations in place of a searched one, and the baselines of every table.

        A model that is searched by a sampler that adapts stands for the configurations that will be found.
        """
        found = self.configurations()
        models = [found.get(name) or {name: model} for name, model in self.models.items()]
        return {name: model for part in (*models, BASELINES) for name, model in part.items()}

    def results_digest(self) -> str:
        """Digest of what decides the results: neither where the run happens nor where it is kept."""
        return digest(self.model_dump(mode="json", exclude={"home", "execution", "track"}))


def _refuse_timeframe(key: str, own: str, clock: str, data: str) -> None:
    """Raise ValueError for a base's timeframe that the data cannot give, or that does not meet the decisions' clock."""
    length, ticks = nanoseconds(own), nanoseconds(clock)
    if has_length(data) and (length < nanoseconds(data) or length % nanoseconds(data)):
        what = "finer than" if length < nanoseconds(data) else "no multiple of"
        raise ValueError(f"{key} is {own}, {what} the data's {data}; choose a multiple of {data}")
    if length % ticks and ticks % length:
        raise ValueError(
            f"{key} is {own}, neither a multiple of the decisions' {clock} nor a divisor of it, so that its bars do "
            "not close when decisions are made; choose one that is"
        )


BASELINES = {name: Model(uses=name) for name in ("majority", "momentum_sign", "random")}
