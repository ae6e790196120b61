"""The experiment file's schema: sections whose objects live in their rooms, composed."""

import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from farm.backtest import Account
from farm.bars import BarSource
from farm.evidence import Thresholds
from farm.features import FeatureRecipe
from farm.folds import Folds
from farm.labels import Labels
from farm.models import Model
from farm.panel import Decisions, PanelRecipe
from farm.section import Section, digest
from farm.selection import Selection, Separation
from farm.stack import Stack
from farm.study import STACK

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


def _fit_for_a_path(name: str) -> str:
    if re.fullmatch(_NAME, name) is None:
        raise ValueError(
            f"the name {name!r} is no part of a path: write letters, digits, _ . or - (at most 64, none of _.- first)"
        )
    return name


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
    stack: Stack | None = Stack()
    backtest: Account
    verdict: Thresholds = Field(default_factory=Thresholds)
    execution: Execution = Field(default_factory=Execution)
    track: Track | None = Track()

    @field_validator("models")
    @classmethod
    def _no_reserved_names(cls, models: dict[str, Model]) -> dict[str, Model]:
        for name in (STACK, *BASELINES):
            if name in models:
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
        if self.labels.learns == "number":
            key, instead = (
                ("kind", "choose another") if self.labels.kind == "regression" else ("timeout", "set neutral or sign")
            )
            raise ValueError(
                f"labels.{key} is regression, which needs models that predict a number, and there are classifiers "
                f"only; {instead}"
            )
        return self

    @property
    def where(self) -> str:
        """The home: this file's, else FARM_HOME, else ``.farm`` in the working directory; a path is made absolute."""
        home = self.home or os.environ.get("FARM_HOME") or ".farm"
        return home if "://" in home else str(Path(home).expanduser().absolute())

    @property
    def panel(self) -> PanelRecipe:
        """The part that makes panels."""
        return PanelRecipe(self.decisions, self.features, self.labels, self.folds.lockbox)

    def all_models(self) -> dict[str, Model]:
        """The experiment's models, and the baselines that stand in every table."""
        return {**self.models, **BASELINES}

    def results_digest(self) -> str:
        """Digest of what decides the results: neither where the run happens nor where it is kept."""
        return digest(self.model_dump(mode="json", exclude={"home", "execution", "track"}))


BASELINES = {name: Model(uses=name) for name in ("majority", "momentum_sign", "random")}
