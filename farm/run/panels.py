"""A study's panels: the clock's, and one for each distinct recipe of its bases; built once, stored once, shared."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from farm.bars import Loaded
from farm.config import Experiment
from farm.errors import BadInput
from farm.models import Catalog
from farm.panel import Panel, PanelRecipe
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store


@dataclass(frozen=True)
class StoredPanel:
    """What planning the fits of a panel needs to know of it."""

    key: str
    values_digest: str
    timeframe: str
    window: int | None
    n_events: int
    n_features: int
    n_bytes: int
    dropped: dict[str, int]
    learns: dict[str, Any] | None = None

    def said(self) -> dict[str, Any]:
        """What a reader of the run should know of a base's panel."""
        return {
            "timeframe": self.timeframe,
            "window": self.window,
            "events": self.n_events,
            "features": self.n_features,
            "learns": self.learns,
            "dropped": self.dropped,
        }


@dataclass(frozen=True, eq=False)
class BuiltPanel:
    """A panel with its key, its recipe, and the names of the models that read it."""

    key: str
    recipe: PanelRecipe
    models: tuple[str, ...]
    panel: Panel

    def describe(self) -> StoredPanel:
        """What is kept of it beside the arrays."""
        return StoredPanel(
            key=self.key,
            values_digest=values_digest(self.panel),
            timeframe=self.recipe.own_timeframe,
            window=self.recipe.window,
            n_events=len(self.panel),
            n_features=len(self.panel.names),
            n_bytes=self.panel.nbytes,
            dropped=self.panel.dropped,
            learns=None if self.recipe.learns is None else self.recipe.learns.model_dump(mode="json"),
        )


def build_panels(
    experiment: Experiment, loaded: Loaded, catalog: Catalog, store: Store | None = None
) -> dict[str, BuiltPanel]:
    """The panels of one symbol by their recipes' digests, the clock's first.

    With a store, panels that it has are not built again, and all are read in place from there.

    Raises
    ------
    BadInput
        What the recipes refuse; a fault of a base's own recipe names the base.
    """
    readers: dict[PanelRecipe, list[str]] = {experiment.panel: []}
    for name, recipe in experiment.recipes(catalog).items():
        readers.setdefault(recipe, []).append(name)
    built = {}
    for recipe, models in readers.items():
        key = panel_key(recipe, loaded)
        try:
            panel = _panel(recipe, loaded, experiment.threads, key, store)
        except BadInput as error:
            raise (error if recipe == experiment.panel else BadInput(f"models.{models[0]}: {error}")) from error
        built[recipe.digest()] = BuiltPanel(key, recipe, tuple(models), panel)
    return built


def _panel(recipe: PanelRecipe, loaded: Loaded, threads: int, key: str, store: Store | None) -> Panel:
    calendar = loaded.instrument.calendar
    if store is None:
        return recipe.build(loaded.bars, calendar, threads=threads)
    if not store.has("panels", key):
        panel = recipe.build(loaded.bars, calendar, threads=threads)
        store.put_arrays("panels", key, panel.arrays(), panel.text())
    return open_panel(store, key)


def open_panel(store: Store, key: str) -> Panel:
    """A stored panel, read in place by every worker of a node."""
    arrays = store.open_arrays("panels", key)
    return Panel.of(arrays, arrays.meta)


def panel_key(recipe: PanelRecipe, loaded: Loaded) -> str:
    """Digest of all that can change a panel: data, recipe, and the source of the rooms that make it."""
    sources = source_digest("bars", "labels", "folds/lockbox", "panel")
    return digest([loaded.report.fingerprint, recipe.digest_parts(), sources])


def values_digest(panel: Panel) -> str:
    """Digest of what a fit can see: feature names and values, windows where there are any, and the events."""
    hasher = hashlib.blake2b(repr(panel.names).encode(), digest_size=16)
    for name, array in sorted(panel.arrays().items()):
        if not name.startswith("bars."):
            hasher.update(name.encode())
            hasher.update(np.ascontiguousarray(array).view(np.uint8).data)
    return hasher.hexdigest()


def panels_by_model(
    store: Store, stored: Mapping[str, StoredPanel], recipes: Mapping[str, PanelRecipe]
) -> dict[str, Panel]:
    """Every model's panel by its name, from the stored panels of a study by their recipes' digests."""
    opened = {recipe: open_panel(store, stored[recipe.digest()].key) for recipe in set(recipes.values())}
    return {name: opened[recipe] for name, recipe in recipes.items()}
