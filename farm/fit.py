"""One base fit, whole and pure: choose rows, scale, select, train, predict the groups that were held out."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.errors import BadInput
from farm.folds import FoldPlan, inner_tail
from farm.labels import CLASSES, Events, average_uniqueness, sample_weights
from farm.models import Catalog, EvalSet, Model, Wants
from farm.models.moves import TAIL, FromMoves
from farm.models.views import BarWindows, RowRanges, Scaling, columns_of
from farm.panel import Panel
from farm.section import digest
from farm.selection import Selection, Separation, TrainRows

Float = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class FitRecord:
    """What a fit did, in words and numbers that the provenance proof reads; equal for equal keys.

    ``train`` and ``tail`` are [start, stop) ranges of panel rows: what was trained on, and the purged last part of it
    that early stopping watched, or that a regressor's number was mapped to classes on. ``remark`` is what the model
    says of its fit, such as that it learned from a part of the rows.
    """

    split: int
    seed: int
    train: tuple[tuple[int, int], ...]
    tail: tuple[tuple[int, int], ...]
    n_train: int
    n_tail: int
    n_test: int
    kept: tuple[str, ...]
    remark: str = ""

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
_PIECES = 64  # of more, each is so small that looking them up costs more than the copy


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
    train, tail = with_tail(events, train, model, catalog)
    base = train_base(panel, train, tail, model, catalog, seed=seed, threads=threads, keep=keep, selection=selection)
    probability = base.predict_rows(panel, test)
    remarks = (str(getattr(base.estimator, "remark_", "")), _never_met(events, train, model, catalog))
    record = FitRecord(
        split=split,
        seed=seed,
        train=to_ranges(train),
        tail=to_ranges(tail),
        n_train=len(train),
        n_tail=len(tail),
        n_test=len(test),
        kept=tuple(panel.names[i] for i in base.view),
        remark="; ".join(filter(None, remarks)),
    )
    return Fitted(test, probability, record, time.process_time() - started)


def _never_met(events: Events, train: Rows, model: Model, catalog: Catalog) -> str:
    """What is to be said where a class that the study has is not among the rows that a classifier learned from."""
    if model.wants(catalog).learns != "class":
        return ""
    missing = np.setdiff1d(events.label[events.labelled], events.label[train])
    return f"met no row of class {', '.join(map(str, missing))}, which it gives no chance" if len(missing) else ""


def with_tail(events: Events, train: Rows, model: Model, catalog: Catalog) -> tuple[Rows, Rows]:
    """The rows to train on, and the purged last part of them that early stopping watches.

    A regressor's number is mapped to classes on such a tail, too, since it is told more truly by rows that were not
    learned from. Other models without early stopping have an empty tail.
    """
    if model.early_stopping is not None:
        return inner_tail(events.decided_at, events.exited_at, train, model.early_stopping.tail)
    if model.wants(catalog).learns == "move":
        return inner_tail(events.decided_at, events.exited_at, train, TAIL)
    return train, train[:0]


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
    """Select, scale and train on these rows of a panel, watching the ``tail`` to stop early; nothing else is learned.

    Columns are chosen and scaled by the train rows' own bars, also where the model reads the bars before them: those
    may lie in a held-out group, and no value of such a group may shift a scale.
    """
    events = panel.events
    wants = model.wants(catalog)
    if wants.columns is not None:
        view, scaling = _named(panel, wants.columns, model.uses), Scaling()
    else:
        view, scaling = _chosen(panel, train, wants, keep, selection, seed)
    estimator: Any = model.build(seed, threads, catalog)
    base = FittedBase(view, scaling, estimator, wants.window, wants.in_place)
    learned = events.label if wants.learns == "class" else _numbers(events, train)
    watched = None
    if model.early_stopping is not None:
        watched = EvalSet(
            base.inputs(panel, tail), learned[tail], sample_weights(events, tail) if wants.weights else None
        )
    weight = sample_weights(events, train) if wants.weights else None
    estimator.fit(base.inputs(panel, train), learned[train], sample_weight=weight, eval_set=watched)
    if wants.learns == "class":
        return base
    weight = sample_weights(events, tail)
    mapped = FromMoves.of(estimator, base.inputs(panel, tail), events.label[tail], weight, threads)
    return replace(base, estimator=mapped)


def _chosen(
    panel: Panel, train: Rows, wants: Wants, keep: int, selection: Selection, seed: int
) -> tuple[Rows, Scaling]:
    """Columns to keep and how to scale them; the copy of the train rows that this takes is gone before the model's."""
    every = np.arange(panel.values.shape[1])
    selects = wants.selects and not selection.keeps_all(len(every), keep)
    if not selects and wants.scale == "none":
        return every, Scaling()
    inputs = np.asarray(_take(panel.values, train))
    view = selection.choose(_train_rows(panel.events, train, inputs), keep, seed) if selects else every
    return view, Scaling.fitted(columns_of(inputs, view), wants.scale)


@dataclass(frozen=True, eq=False)
class FittedBase:
    """A trained model with the columns it reads and how they are scaled: from panel features to probabilities.

    ``window`` is how many bars it reads at once; None for one row of features a decision. ``in_place``: it can read
    the panel's rows without a copy.
    """

    view: Rows
    scaling: Scaling
    estimator: Any
    window: int | None = None
    in_place: bool = False

    def predict(self, values: Float) -> Float:
        """Probabilities of ``CLASSES`` for rows of panel features, shape (rows, classes).

        Raises
        ------
        ValueError
            The model reads windows, or gives numbers below 0, or that do not add up to 1.
        """
        if self.window is not None:
            raise ValueError(f"the model reads windows of {self.window} bars, not rows; give predict_rows a panel")
        return self._probability(self.scaling(columns_of(values, self.view)))

    def predict_rows(self, panel: Panel, rows: Rows) -> Float:
        """Probabilities of ``CLASSES`` for these events of a panel, shape (rows, classes).

        Raises
        ------
        ValueError
            The model gives numbers below 0, or that do not add up to 1.
        """
        return self._probability(self.inputs(panel, rows))

    def inputs(self, panel: Panel, rows: Rows) -> Any:
        """What the model is shown of these events: (rows, columns), or windows of them, scaled.

        Raises
        ------
        ValueError
            The model reads windows and the panel keeps no history.
        """
        if self.window is None:
            taken = _take(panel.values, rows)
            as_they_are = self.scaling.centre is None and len(self.view) == panel.values.shape[1]
            if self.in_place and as_they_are and isinstance(taken, RowRanges):
                return taken
            return self.scaling(columns_of(np.asarray(taken), self.view))
        if panel.history is None or panel.history_row is None:
            raise ValueError(f"{panel.symbol}: the model reads windows, and its panel was built without a history")
        return BarWindows(panel.history, panel.history_row[rows], self.window, self.view, self.scaling)

    def _probability(self, inputs: Any) -> Float:
        probability, classes = self.estimator.predict_proba(inputs), self.estimator.classes_
        if probability.shape != (len(inputs), len(classes)):
            raise ValueError(
                f"predict_proba gives shape {probability.shape} for {len(inputs)} rows and the classes "
                f"{classes.tolist()}; it gives one row a row and one column a class"
            )
        ordered = _in_class_order(probability, classes)
        _require_probabilities(ordered)
        return ordered


def _numbers(events: Events, train: Rows) -> Float:
    """What a model of moves learns, by event: the labels where they are numbers, else the move.

    A move is the log return in units of volatility at the decision, timeouts with their sign. Labels that are classes
    stand as such in ``target``, which the train rows tell.
    """
    if np.isin(events.target[train], CLASSES).all():
        return events.ret * events.entry_price / events.volatility
    return events.target


def _train_rows(events: Events, train: Rows, inputs: Float) -> TrainRows:
    uniqueness = average_uniqueness(events.row[train] + 1, events.exit_row[train])
    return TrainRows(inputs, events.label[train], uniqueness, events.decided_at[train], events.exited_at[train])


def _take(values: Float, rows: Rows) -> Float | RowRanges:
    """Rows of a matrix in whole ranges: a purged training set is a few of them, and no copy before one is needed."""
    pieces = [values[start:stop] for start, stop in to_ranges(rows)]
    if len(pieces) == 1:
        return pieces[0]
    if len(pieces) > _PIECES:
        return np.concatenate(pieces)
    return RowRanges(pieces) if pieces else values[:0]


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


def _named(panel: Panel, columns: tuple[str, ...], model: str) -> Rows:
    missing = [name for name in columns if name not in panel.names]
    if missing:
        raise BadInput(
            f"model {model} reads the feature {missing[0]!r}, which the panel of {panel.symbol} does not have; "
            f"add it to features.include"
        )
    return np.array([panel.names.index(name) for name in columns], dtype=np.int64)


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
