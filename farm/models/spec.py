"""A model as an experiment names it: ``{uses: lightgbm, params: {num_leaves: 15}}``."""

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, JsonValue, PlainSerializer, ValidationError, model_validator

from farm.bars import Timeframe
from farm.errors import BadInput
from farm.features import FeatureRecipe
from farm.labels import Labels, Sampling
from farm.models.catalog import Catalog
from farm.models.contract import Device, Estimator, Regressor, Scale, Wants
from farm.models.entry import Entry, nearest
from farm.models.imported import wrapped
from farm.section import Section


class Params(Mapping[str, Any]):
    """A frozen mapping of JSON values; what is read from it is a copy, so nothing reached through it changes it.

    >>> params = Params({"layers": [64, 32]})
    >>> params["layers"].append(16)
    >>> dict(params)
    {'layers': [64, 32]}
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._text = json.dumps(dict(values), sort_keys=True, allow_nan=False)

    def __getitem__(self, name: str) -> Any:
        return json.loads(self._text)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(json.loads(self._text))

    def __len__(self) -> int:
        return len(json.loads(self._text))

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    def __repr__(self) -> str:
        return f"Params({self._text})"


FrozenParams = Annotated[
    Mapping[str, JsonValue],
    AfterValidator(Params),
    PlainSerializer(lambda params: dict(params), return_type=dict[str, JsonValue]),
]


class EarlyStopping(Section):
    """Stop training once ``rounds`` rounds brought nothing new on the last ``tail`` of the train rows, purged."""

    rounds: int = Field(default=50, ge=1)
    tail: float = Field(default=0.15, gt=0, le=0.5)


def _not_given(value: object) -> bool:
    return value is None


class Model(Section):
    """A model of an experiment: a catalog name or the import path of a scikit-learn estimator, and its parameters.

    ``scale`` overrides how the model wants its features scaled. ``timeframe``, ``events`` and ``features`` give it
    bars, decisions and features of its own; what is left out is the experiment's. ``labels`` are what it learns; what
    it says is calibrated to, bet on and judged by the experiment's. ``window`` is how many bars an input of a model
    reads that reads windows. ``device: cuda`` trains on a GPU, where equal bits are not promised; without it a fit uses
    the CPU, whatever the machine has.

    Examples
    --------
    >>> from farm.models import builtin
    >>> model = Model(uses="logistic", params={"C": 0.1})
    >>> model.build(seed=7, threads=1, catalog=builtin()).C
    0.1
    """

    uses: str
    params: FrozenParams = Params({})
    early_stopping: EarlyStopping | None = None
    scale: Scale | None = None
    # left out of the written form where not given, so that a model without them keeps its digest
    timeframe: Timeframe | None = Field(default=None, exclude_if=_not_given)
    events: Sampling | None = Field(default=None, exclude_if=_not_given)
    features: FeatureRecipe | None = Field(default=None, exclude_if=_not_given)
    labels: Labels | None = Field(default=None, exclude_if=_not_given)
    window: int | None = Field(default=None, ge=2, le=10_000, exclude_if=_not_given)
    device: Device | None = Field(default=None, exclude_if=_not_given)

    @model_validator(mode="after")
    def _labels_from_the_fill_on(self) -> Self:
        if self.labels is not None and self.labels.entry != "next_open":
            raise ValueError(
                f"labels.entry is {self.labels.entry}, but an order placed at a bar's close fills at the next bar's "
                "open; set next_open, or leave it out"
            )
        return self

    def build(self, seed: int, threads: int, catalog: Catalog) -> Estimator | Regressor:
        """The model, not yet fitted.

        Parameters
        ----------
        seed
            0 or more; what exceeds 31 bits is folded, since the libraries take no more.
        threads
            Threads the model may use, 1 or more.
        catalog
            Where ``uses`` is looked up.

        Raises
        ------
        BadInput
            An unknown model, a missing library, an unknown parameter or a bad value, one that the experiment sets, or
            early stopping of a model that cannot. Nothing was trained by then.
        """
        if seed < 0 or threads < 1:
            raise ValueError(f"seed is {seed} and threads {threads}; give a seed of 0 or more and 1 thread or more")
        entry = catalog.entry(self.uses)
        wants = entry.wants()
        self._check_names(entry, wants)
        if not entry.declares():
            return wrapped(self.uses, self._called(entry, {}), seed % 2**31, threads)
        given: dict[str, Any] = {}
        if wants.seed is not None:
            given[wants.seed] = seed % 2**31
        if wants.threads is not None:
            given[wants.threads] = threads
        if wants.patience is not None:
            given[wants.patience] = None if self.early_stopping is None else self.early_stopping.rounds
        if wants.device is not None:
            given[wants.device] = self.device or "cpu"
        return self._called(entry, given)

    def wants(self, catalog: Catalog) -> Wants:
        """What the model wants of the fit around it, with the section's own ``scale`` and ``window``."""
        wants = catalog.entry(self.uses).wants()
        own: dict[str, Any] = {}
        if self.scale is not None:
            own["scale"] = self.scale
        if self.window is not None and wants.window is not None:
            own["window"] = self.window
        return replace(wants, **own)

    def bars_read(self, catalog: Catalog) -> int | None:
        """How many bars an input reads: the section's ``window``, else the model's; None for one row of features.

        Raises
        ------
        BadInput
            A ``window`` for a model that reads no windows.
        """
        wants = self.wants(catalog)
        if wants.input == "window":
            return self.window or wants.window
        if self.window is not None:
            raise BadInput(f"model {self.uses} reads one row of features a decision, so it has no window; take it out")
        return None

    def source_digest(self, catalog: Catalog) -> str:
        """Digest of the model's source and its libraries' versions: what can change a fit beside the parameters."""
        return catalog.entry(self.uses).source_digest()

    def _check_names(self, entry: Entry, wants: Wants) -> None:
        known, open_ended = _parameters(entry.model())
        for name in self.params:
            if name in wants.reserved:
                raise BadInput(f"model {self.uses}: parameter {name} is set by the experiment; take it out of params")
            if name not in known and not open_ended:
                free = [parameter for parameter in known if parameter not in wants.reserved]
                hint = nearest(name, free) if free else "; it takes none"
                raise BadInput(f"model {self.uses} has no parameter {name!r}{hint}")
        if self.early_stopping is not None and not wants.early_stopping:
            raise BadInput(f"model {self.uses} cannot stop early; take early_stopping out")
        if self.device is not None and wants.device is None:
            raise BadInput(f"model {self.uses} runs on the CPU alone; take device out")
        if self.window is not None and wants.window is None:
            raise BadInput(f"model {self.uses} reads one row of features a decision; take window out")

    def _called(self, entry: Entry, given: Mapping[str, Any]) -> Any:
        try:
            return entry.model()(**{**entry.defaults(), **self.params}, **given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            found = "" if not where else f" {where} is {first['input']!r}:"
            raise BadInput(f"model {self.uses}:{found} {first['msg'].removeprefix('Value error, ')}") from error
        except (TypeError, ValueError) as error:
            raise BadInput(f"model {self.uses} cannot be made with params {dict(self.params)}: {error}") from error


@cache
def _parameters(kind: type) -> tuple[tuple[str, ...], bool]:
    """Names a class takes, and whether it takes any other name beside them."""
    parameters = inspect.signature(kind).parameters.values()
    named = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    return named, any(p.kind is p.VAR_KEYWORD for p in parameters)
