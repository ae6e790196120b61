"""One base fit, whole and pure: choose rows, scale, select, train, predict the groups that were held out."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.folds import FoldPlan, inner_tail
from farm.labels import CLASSES, Events, average_uniqueness, sample_weights
from farm.models import Catalog, EvalSet, Model
from farm.panel import Panel
from farm.section import digest
from farm.selection import Selection, Separation, TrainRows

Float = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class FitRecord:
    """What a fit did, in words and numbers that the provenance proof reads; equal for equal keys.

    ``train`` and ``tail`` are [start, stop) ranges of panel rows: what was trained on, and the purged last part of it
    that early stopping watched.
    """

    split: int
    seed: int
    train: tuple[tuple[int, int], ...]
    tail: tuple[tuple[int, int], ...]
    n_train: int
    n_tail: int
    n_test: int
    kept: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The record as JSON-able values."""
        return asdict(self)

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "FitRecord":
        """The record that was stored as ``plain()``."""
        pairs = {name: tuple((a, b) for a, b in plain[name]) for name in ("train", "tail")}
        return cls(**{**plain, **pairs, "kept": tuple(plain["kept"])})


@dataclass(frozen=True, eq=False)
class Fitted:
    """Predictions of one fit for the rows it never saw.

    ``rows`` are positions in the panel, ``probability`` has shape (rows, classes), columns in the order of ``CLASSES``.
    """

    rows: Rows
    probability: Float
    record: FitRecord
    cpu_seconds: float


def fit_seed(experiment_seed: int, model: str, split: int) -> int:
    """A 31-bit seed of one fit, from the experiment's seed."""
    return int(digest([experiment_seed, model, split])[:8], 16) & 0x7FFFFFFF


_BY_SEPARATION = Separation()


def fit(
    panel: Panel,
    plan: FoldPlan,
    model: Model,
    catalog: Catalog,
    split: int,
    *,
    seed: int,
    threads: int,
    keep: int,
    selection: Selection = _BY_SEPARATION,
) -> Fitted:
    """Train one model on one split's purged rows and predict its held-out groups.

    Everything that learns (scaling, selection, early stopping, the model) sees training rows only. Training rows
    without a label are left out; test rows without one are predicted, since nobody knew at the time.

    Raises
    ------
    BadInput
        A feature that the model reads is not in the panel, or early stopping leaves no row to fit on, or selection too
        few for its inner folds.
    ValueError
        No labelled row is left to train on, or the model's predictions are no probabilities.
    """
    started = time.process_time()
    events = panel.events
    held_out = plan.splits[split]
    test = plan.test_rows(events.decided_at, held_out)
    train = plan.train_rows(events.decided_at, events.exited_at, held_out)
    train = train[events.labelled[train]]
    if len(train) == 0:
        raise ValueError(f"split {split}: no labelled event is left to train on; give the split more events")
    train, tail = with_tail(events, train, model)
    base = train_base(panel, train, tail, model, catalog, seed=seed, threads=threads, keep=keep, selection=selection)
    probability = base.predict(_take(panel.values, test))
    record = FitRecord(
        split=split,
        seed=seed,
        train=to_ranges(train),
        tail=to_ranges(tail),
        n_train=len(train),
        n_tail=len(tail),
        n_test=len(test),
        kept=tuple(panel.names[i] for i in base.view),
    )
    return Fitted(test, probability, record, time.process_time() - started)


def with_tail(events: Events, train: Rows, model: Model) -> tuple[Rows, Rows]:
    """The rows to train on, and the purged last part of them that early stopping watches (empty without it)."""
    if model.early_stopping is None:
        return train, train[:0]
    return inner_tail(events.decided_at, events.exited_at, train, model.early_stopping.tail)


def train_base(
    panel: Panel,
    train: Rows,
    tail: Rows,
    model: Model,
    catalog: Catalog,
    *,
    seed: int,
    threads: int,
    keep: int,
    selection: Selection = _BY_SEPARATION,
) -> "FittedBase":
    """Select, scale and train on these rows of a panel, watching the ``tail`` to stop early; nothing else is read."""
    events = panel.events
    wants = model.wants(catalog)
    inputs = _take(panel.values, train)
    if wants.columns is None:
        view = selection.choose(_train_rows(events, train, inputs), keep, seed)
        scale = _scaling(_pick(inputs, view), wants.scale)
    else:
        view = _named(panel, wants.columns, model.uses)
        scale = _AS_IT_IS
    estimator = model.build(seed, threads, catalog)
    weight = sample_weights(events, train) if wants.weights else None
    watched = None
    if len(tail):
        tail_weight = sample_weights(events, tail) if wants.weights else None
        watched = EvalSet(scale(_pick(_take(panel.values, tail), view)), events.label[tail], tail_weight)
    estimator.fit(scale(_pick(inputs, view)), events.label[train], sample_weight=weight, eval_set=watched)
    return FittedBase(view, scale, estimator)


@dataclass(frozen=True, eq=False)
class FittedBase:
    """A trained model with the columns it reads and how they are scaled: from panel features to probabilities."""

    view: Rows
    scale: "_Scale"
    estimator: Any

    def predict(self, values: Float) -> Float:
        """Probabilities of ``CLASSES`` for rows of panel features, shape (rows, classes).

        Raises
        ------
        ValueError
            The model gives numbers below 0, or that do not add up to 1.
        """
        inputs = self.scale(_pick(values, self.view))
        probability = _in_class_order(self.estimator.predict_proba(inputs), self.estimator.classes_)
        _require_probabilities(probability)
        return probability


def _train_rows(events: Events, train: Rows, inputs: Float) -> TrainRows:
    uniqueness = average_uniqueness(events.row[train] + 1, events.exit_row[train])
    return TrainRows(inputs, events.label[train], uniqueness, events.decided_at[train], events.exited_at[train])


def _take(values: Float, rows: Rows) -> Float:
    """Rows of a matrix in whole ranges: a purged training set is a few contiguous pieces, and one piece is no copy."""
    pieces = [values[start:stop] for start, stop in to_ranges(rows)]
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else values[:0]


def to_ranges(rows: Rows) -> tuple[tuple[int, int], ...]:
    """Sorted positions as [start, stop) ranges.

    >>> to_ranges(np.array([0, 1, 2, 7, 8]))
    ((0, 3), (7, 9))
    """
    if len(rows) == 0:
        return ()
    breaks = np.flatnonzero(np.diff(rows) > 1)
    starts = rows[np.concatenate(([0], breaks + 1))]
    stops = rows[np.concatenate((breaks, [len(rows) - 1]))] + 1
    return tuple(zip(starts.tolist(), stops.tolist(), strict=True))


def _pick(values: Float, columns: Rows) -> Float:
    return values if len(columns) == values.shape[1] else values[:, columns]


def _named(panel: Panel, columns: tuple[str, ...], model: str) -> Rows:
    missing = [name for name in columns if name not in panel.names]
    if missing:
        raise BadInput(
            f"model {model} reads the feature {missing[0]!r}, which the panel of {panel.symbol} does not have; "
            f"add it to features.include"
        )
    return np.array([panel.names.index(name) for name in columns], dtype=np.int64)


def _scaling(inputs: Float, kind: str) -> "_Scale":
    if kind == "none":
        return _AS_IT_IS
    if kind == "robust":
        low, centre, high = np.percentile(inputs, [25, 50, 75], axis=0)
        return _Scale(centre, np.where(high > low, high - low, 1.0), 5.0)
    # By the range: the computed deviation of a constant column is a rounding error, and dividing by it would blow up
    # whatever other values the held-out rows have.
    moves = np.ptp(inputs, axis=0) > 0
    return _Scale(inputs.mean(axis=0), np.where(moves, inputs.std(axis=0), 1.0), None)


@dataclass(frozen=True, eq=False)
class _Scale:
    centre: Float | None
    spread: Float | None
    clip: float | None

    def __call__(self, inputs: Float) -> Float:
        if self.centre is None or self.spread is None:
            return inputs
        scaled = (inputs - self.centre) / self.spread
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)


_AS_IT_IS = _Scale(None, None, None)


def _require_probabilities(probability: Float) -> None:
    wrong = np.flatnonzero(~((probability >= 0).all(axis=1) & (np.abs(probability.sum(axis=1) - 1) < 1e-6)))
    if len(wrong):
        raise ValueError(
            f"{len(wrong)} of {len(probability)} predictions are no probabilities, the first is "
            f"{probability[wrong[0]].tolist()}; predict_proba gives numbers of 0 or more that add up to 1"
        )


def _in_class_order(probability: Float, classes: NDArray[Any]) -> Float:
    ordered = np.zeros((len(probability), len(CLASSES)))
    for column, label in enumerate(classes):
        ordered[:, CLASSES.index(int(label))] = probability[:, column]
    return ordered
