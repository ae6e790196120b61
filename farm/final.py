"""The final fit, what would be deployed: bases refitted on the development span, a pipeline on all their OOF rows."""

import hashlib
import importlib.metadata
import json
import pickle
import pickletools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from farm.errors import BadInput
from farm.fit import FittedBase, fit_seed, train_base, with_tail
from farm.labels import CLASSES, Events
from farm.models import Catalog, Model
from farm.panel import Panel
from farm.selection import Selection
from farm.stack.lattice import Lattice, asof
from farm.stack.nested import outcomes_of
from farm.stack.pipeline import Decision, FittedPipeline, Missing, fit_pipeline
from farm.stack.steps import Market, Outcomes, Step

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_OBJECTS, _DESCRIPTION = "model.pickle", "model.json"
_LIBRARIES = {
    "numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn", "lightgbm": "lightgbm", "xgboost": "xgboost",
    "catboost": "catboost", "torch": "torch", "lightning": "lightning",
}  # fmt: skip
_WHOLE_SPAN = -1  # in the place of a split's number: a final fit holds nothing out


@dataclass(frozen=True, eq=False)
class FinalModel:
    """One candidate as it would be deployed: its bases by name, and the pipeline above them.

    A base trained on the whole span has seen more rows than those whose predictions its pipeline learned from:
    ``training_growth`` is the ratio, at least 1. ``max_age`` is how old a base's prediction may be where it is read,
    ns; None for any age.
    """

    bases: Mapping[str, FittedBase]
    pipeline: FittedPipeline
    training_growth: float
    max_age: int | None = None

    def decide(self, panels: Mapping[str, Panel], decided_at: Int, since: int, market: Market) -> Decision:
        """Predictions and bets at moments that nothing here was fitted on.

        Parameters
        ----------
        panels
            Each base's own, by its recipe; of their decisions those after ``since`` are read. `PanelRecipe.serve` gives
            them up to the newest closed bar.
        decided_at
            The clock's decisions, int64 ns UTC, rising; ``market`` is of the same rows. Each has the last prediction
            that a base made by then, after ``since``.
        """
        with threadpool_limits(1):
            inputs = {name: self._served(base, panels[name], decided_at, since) for name, base in self.bases.items()}
            return self.pipeline.apply(inputs, market)

    def _served(self, base: FittedBase, panel: Panel, decided_at: Int, since: int) -> Float:
        """What a base says at each of the clock's decisions, shape (decisions, classes); NaN where it says nothing."""
        times = panel.events.decided_at
        rows = np.flatnonzero((times > since) & (times <= decided_at.max(initial=since)))
        last = asof(decided_at, times[rows], np.full(len(decided_at), since), self.max_age)
        served = np.full((len(decided_at), len(CLASSES)), np.nan)
        if len(rows):
            served[last >= 0] = base.predict_rows(panel, rows)[last[last >= 0]]
        return served


def fit_base_finally(
    panel: Panel, name: str, model: Model, catalog: Catalog, *, seed: int, threads: int, keep: int, selection: Selection
) -> FittedBase:
    """One base refitted on every labelled row of a panel; ``seed`` is the experiment's.

    Early stopping, scaling and selection stay inside, as in every fit.
    """
    events = panel.events
    rows, tail = with_tail(events, np.flatnonzero(events.labelled), model, catalog)
    own_seed = fit_seed(seed, name, _WHOLE_SPAN)
    return train_base(panel, rows, tail, model, catalog, seed=own_seed, threads=threads, keep=keep, selection=selection)


def fit_pipeline_finally(
    steps: Sequence[Step],
    bases: Sequence[str],
    lattice: Lattice,
    events: Events,
    market: Market,
    missing: Missing = "abstain",
) -> FittedPipeline:
    """The pipeline above the bases, fitted on all rows x and other groups h with input p(x|h) and weight 1/(N-1).

    Rows stay in the order of their decisions, each as often as there are other groups.
    """
    rows, other = np.nonzero((lattice.split >= 0) & events.labelled[:, None])
    inputs = {base: lattice.probability[base][rows, other] for base in bases}
    with threadpool_limits(1):  # what BLAS adds up in one order on one machine it would not on another
        return fit_pipeline(
            steps, inputs, _repeated(events, rows, lattice.split.shape[1] - 1), market.take(rows), missing
        )


def _repeated(events: Events, rows: Int, times: int) -> Outcomes:
    once = np.flatnonzero(events.labelled)
    outcomes = outcomes_of(events, once)
    at = np.searchsorted(once, rows)
    return Outcomes(
        label=outcomes.label[at],
        move=outcomes.move[at],
        weight=outcomes.weight[at] / times,
        independent=outcomes.independent,
        start=outcomes.start[at],
        end=outcomes.end[at],
    )


def save_final(model: FinalModel, folder: str | Path) -> None:
    """Write a final model as a folder that appears whole or not at all.

    ``model.pickle`` holds the objects, ``model.json`` their checksum and the versions of Python and of every library
    that they are made of. Pickle, because bases are objects of any library, and no safer format knows them all; the
    checksum tells a damaged file from a whole one, not a friend from a stranger: load only what you saved.

    Raises
    ------
    BadInput
        The folder is there already.
    """
    place = Path(folder)
    if place.exists():
        raise BadInput(f"{place}: is there already; a model is written once, so give another folder or remove this one")
    objects = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
    description = {
        "bases": list(model.bases),
        "checksum": _checksum(objects),
        "made_with": _made_with(objects),
        "training_growth": model.training_growth,
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.parent, prefix=f".{place.name}-") as unfinished:
        whole = Path(unfinished) / "whole"
        whole.mkdir()
        (whole / _OBJECTS).write_bytes(objects)
        (whole / _DESCRIPTION).write_text(json.dumps(description, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        whole.rename(place)


def load_final(folder: str | Path) -> FinalModel:
    """The final model that was saved as this folder; it decides as it did, to the bit.

    Loading runs what the file says: load only what you saved.

    Raises
    ------
    BadInput
        A file is missing or damaged, or another version of Python or of a library is installed than it was made with:
        numbers would not be equal, if the objects could be read at all. Nothing was unpickled by then.
    """
    place = Path(folder)
    missing = [name for name in (_DESCRIPTION, _OBJECTS) if not (place / name).is_file()]
    if missing:
        raise BadInput(f"{place}: has no {' and no '.join(missing)}; give the folder of a saved model")
    objects = (place / _OBJECTS).read_bytes()
    try:
        description: dict[str, Any] = json.loads((place / _DESCRIPTION).read_text(encoding="utf-8"))
        checksum, made_with = description["checksum"], description["made_with"]
    except (ValueError, KeyError) as error:
        raise BadInput(f"{place / _DESCRIPTION}: is damaged ({error!r}); save the model again") from error
    if checksum != _checksum(objects):
        raise BadInput(f"{place / _OBJECTS}: is not what was saved, its checksum differs; save the model again")
    here = _made_with(objects)
    for name, version in made_with.items():
        if here.get(name) != version:
            raise BadInput(
                f"{place}: was saved with {name} {version}, here is {here.get(name, 'none')}; install that version, or "
                "fit the model again"
            )
    model = pickle.loads(objects)
    if not isinstance(model, FinalModel):
        raise BadInput(f"{place / _OBJECTS}: holds a {type(model).__name__}, not a final model")
    return model


def _checksum(objects: bytes) -> str:
    return hashlib.blake2b(objects, digest_size=32).hexdigest()


def _made_with(objects: bytes) -> dict[str, str]:
    """Versions of Python and of the libraries whose objects a pickle names; it is read, not run."""
    named = {text.partition(".")[0] for _, text, _ in pickletools.genops(objects) if isinstance(text, str)}
    versions = {"python": platform.python_version()}
    for module, distribution in _LIBRARIES.items():
        if module in named:
            try:
                versions[distribution] = importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                versions[distribution] = "none"
    return versions
