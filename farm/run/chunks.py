"""Fits gathered into chunks of about a second, each with a key that digests all that can change its result."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice

from farm.config import Experiment
from farm.fit import fit_seed
from farm.folds import FoldPlan
from farm.models import Catalog, Model
from farm.run.panels import StoredPanel
from farm.run.prepare import PreparedStudy
from farm.run.source import source_digest
from farm.section import digest
from farm.selection import Selection

CHUNK_SECONDS = 1.0
_SECONDS_PER_CELL = {"xgboost": 1e-5, "catboost": 1.2e-5, "random_forest": 1e-5, "svm": 2e-5}
_OF_FAMILY = {"baseline": 5e-9, "classical": 4e-7, "boosting": 1e-6, "sequence": 1e-6}
_UNKNOWN_SECONDS_PER_CELL = 2e-6
_SELECTION_SECONDS_PER_CELL = {"separation": 5e-8, "mdi": 5e-7, "sfi": 2.5e-6, "mda": 4e-6, "clustered_mda": 4e-6}
_CHOSEN_BY = ("selection", "labels/uniqueness", "folds/splitters", "folds/purge")
_SHARING = 5  # configurations that share one split's binned data, also where one fit alone takes its second
_SHARING_MOST = 16
_TOGETHER = 60  # seconds for one where workers fit together: it takes ten until they are there
_TIMED = 4  # configurations begun together where a budget of time may end the search


@dataclass(frozen=True)
class FitChunk:
    """Fits of one model on splits of one study, or of configurations of a searched model on the same splits.

    It is the unit of dispatch, storage and retry. ``names`` are the trials of its ``models``; ``name`` is the model's
    in the experiment. Configurations of one split have one seed, read the same rows, and share what is made of them.
    ``keys`` are those of the single fits, model by model, and ``key`` digests them.
    ``seconds`` is about what all of it takes. ``shifted``: the sentinel's, fitted on labels of another time, of its
    own for every split. ``members`` are the keys of a pool's panels, which are read up to the session ``sealed``;
    ``workers`` is how many make each of its fits together by an ``engine``, 0 where one makes them.
    ``run`` and ``start`` name the run's folder and which of its starts sent the chunk: by them a worker that outlives
    its driver sees that a later start has taken over.
    """

    key: str
    keys: tuple[str, ...]
    home: str
    symbol: str
    panel_key: str
    plan: FoldPlan
    name: str
    names: tuple[str, ...]
    models: tuple[Model, ...]
    splits: tuple[int, ...]
    seeds: tuple[int, ...]
    threads: int
    keep: int
    selection: Selection
    seconds: float
    shifted: bool = False
    members: tuple[str, ...] = ()
    sealed: int | None = None
    workers: int = 0
    engine: str = "process"
    round: int = 0
    run: str = ""
    start: int = 0

    @property
    def n_fits(self) -> int:
        """How many fits it is: every model on every split."""
        return len(self.models) * len(self.splits)

    def parts(self) -> tuple["FitChunk", ...]:
        """Each model's fits as a chunk of its own: so they are stored where one of the others has failed."""
        if len(self.models) == 1:
            return (self,)
        every = len(self.splits)
        return tuple(
            replace(self, key=digest(list(keys)), keys=keys, names=(name,), models=(model,))
            for at, (name, model) in enumerate(zip(self.names, self.models, strict=True))
            for keys in [self.keys[at * every : (at + 1) * every]]
        )

    @property
    def label(self) -> str:
        """What dashboards and logs call the chunk: symbol/model/splits."""
        first, last = self.splits[0], self.splits[-1]
        who = self.names[0] if len(self.names) == 1 else f"{self.names[0]}-{self.names[-1].rpartition('.')[2]}"
        return f"{self.symbol}/{who}/{first}" + (f"-{last}" if last != first else "")


def chunks_of_model(
    experiment: Experiment,
    prepared: PreparedStudy,
    catalog: Catalog,
    name: str,
    model: Model,
    shifted: bool = False,
) -> Iterator[FitChunk]:
    """All fits of one model, as many consecutive splits together as take about a second."""
    making = replace(_Making.of(experiment, prepared, catalog, name, model), shifted=shifted)
    yield from making.chunks({name: model}, range(len(prepared.plan.splits)), making.size)


def chunks_of_configurations(
    experiment: Experiment, prepared: PreparedStudy, catalog: Catalog, name: str, models: Mapping[str, Model]
) -> Iterator[FitChunk]:
    """All fits of a searched model's configurations: some configurations together, on the same splits.

    The configurations are parted into blocks of a fixed number, in trial order, so that a longer search shares its
    first chunks with a shorter one. A chunk's ``round`` is the number of its block: what a budget of time ends is
    complete up to a round.
    """
    timed = experiment.search is not None and experiment.search.budget.timed
    number = 0
    for own in _by_panel(experiment, catalog, models):
        making = _Making.of(experiment, prepared, catalog, name, next(iter(own.values())))
        block = _TIMED if timed else min(max(making.size, _SHARING), _SHARING_MOST)
        for first in range(0, len(own), block):
            part = dict(islice(own.items(), first, first + block))
            together = max(1, making.size // block)
            yield from making.chunks(part, range(len(prepared.plan.splits)), together, number)
            number += 1


def chunks_of_one_configuration(
    experiment: Experiment,
    prepared: PreparedStudy,
    catalog: Catalog,
    model: tuple[str, str, Model],
    splits: Sequence[int],
) -> Iterator[FitChunk]:
    """Fits of one configuration that a search asks for: (model's name, its own, itself), on some splits of the plan.

    A search that halves goes on from splits to more of them, so there each fit is a chunk.
    """
    searched, name, configured = model
    making = _Making.of(experiment, prepared, catalog, searched, configured)
    halves = experiment.search is not None and experiment.search.sampler.kind == "halving"
    yield from making.chunks({name: configured}, splits, 1 if halves else making.size)


def _by_panel(experiment: Experiment, catalog: Catalog, models: Mapping[str, Model]) -> list[dict[str, Model]]:
    """The configurations that read the same panel, in the order in which the first of them stands."""
    found: dict[str, dict[str, Model]] = {}
    for name, model in models.items():
        found.setdefault(experiment.recipe_of(model, catalog).digest(), {})[name] = model
    return list(found.values())


@dataclass(frozen=True)
class _Making:
    """What all chunks of one model on one panel have in common."""

    experiment: Experiment
    prepared: PreparedStudy
    catalog: Catalog
    name: str
    panel: StoredPanel
    keep: int
    size: int
    seconds: float
    shifted: bool = False
    workers: int = 0

    @classmethod
    def of(
        cls, experiment: Experiment, prepared: PreparedStudy, catalog: Catalog, name: str, model: Model
    ) -> "_Making":
        recipe, wants = experiment.recipe_of(model, catalog), model.wants(catalog)
        panel, keep = prepared.panel_of(recipe), recipe.features.keep
        seconds = _seconds_per_fit(
            experiment.selection,
            panel,
            seconds_per_cell(model, catalog),
            keep,
            selects=wants.selects,
        )
        size = max(1, round(CHUNK_SECONDS / seconds))
        workers = 0
        if experiment.pool is not None and experiment.pool.workers is not None and wants.role == "candidate":
            workers, size = experiment.pool.workers, size * _TOGETHER
        return cls(experiment, prepared, catalog, name, panel, keep, size, seconds, workers=workers)

    def chunks(
        self, models: Mapping[str, Model], splits: Sequence[int], together: int, round: int = 0
    ) -> Iterator[FitChunk]:
        """Chunks of all these models on so many splits each."""
        experiment, prepared, selection = self.experiment, self.prepared, self.experiment.selection
        made_by: list[str] = []
        if self.workers and experiment.pool is not None:
            made_by = [experiment.pool.digest(), source_digest("run/distributed", "run/rows_apart", "run/streamed")]
        chosen_by = [selection.digest(), source_digest(*_CHOSEN_BY), version("scikit-learn"), self.keep]
        sources = [
            [source_digest("fit"), model.source_digest(self.catalog), model.digest()] for model in models.values()
        ]
        plan = prepared.plan.digest()
        for first in range(0, len(splits), together):
            own = tuple(splits[first : first + together])
            seeds = tuple(fit_seed(experiment.seed, self.name, split) for split in own)
            keys = [
                digest(
                    [
                        self.panel.values_digest,
                        plan,
                        source,
                        split,
                        seed,
                        experiment.threads,
                        [*chosen_by, self.shifted, *made_by],
                    ]
                )
                for source in sources
                for split, seed in zip(own, seeds, strict=True)
            ]
            yield FitChunk(
                key=digest(keys),
                keys=tuple(keys),
                home=experiment.where,
                symbol=prepared.symbol,
                panel_key=self.panel.key,
                plan=prepared.plan,
                name=self.name,
                names=tuple(models),
                models=tuple(models.values()),
                splits=own,
                seeds=seeds,
                threads=experiment.threads,
                keep=self.keep,
                selection=selection,
                seconds=self.seconds * len(own) * len(models),
                shifted=self.shifted,
                members=prepared.member_keys,
                sealed=prepared.sealed,
                workers=self.workers,
                engine="process" if not self.workers or experiment.pool is None else experiment.pool.engine,
                round=round,
            )


def seconds_per_cell(model: Model, catalog: Catalog) -> float:
    """What a fit of the model takes for every value it reads, by a fixed estimate for it or for its family."""
    of_family = _OF_FAMILY.get(catalog.entry(model.uses).family, _UNKNOWN_SECONDS_PER_CELL)
    return _SECONDS_PER_CELL.get(model.uses, of_family)


def _seconds_per_fit(selection: Selection, panel: StoredPanel, per_cell: float, keep: int, *, selects: bool) -> float:
    """What a fit takes, by a fixed estimate: chunks must not depend on the machine."""
    if selects and (panel.n_features > keep or selection.max_correlation is not None):
        per_cell += _SELECTION_SECONDS_PER_CELL[selection.kind]
    return 0.002 + per_cell * panel.n_events * panel.n_features * (panel.window or 1)
