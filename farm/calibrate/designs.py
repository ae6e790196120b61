"""Rows with features and labels of known nature, to show what stacking finds where nothing is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.labels import Events

Float = NDArray[np.float64]

ROWS = 3000


@dataclass(frozen=True, eq=False)
class Rows:
    """``features`` of shape (rows, columns), and the events that they are to predict."""

    features: Float
    events: Events


@dataclass(frozen=True)
class Design:
    """A way to make rows, and how many rows a label spans."""

    name: str
    says: str
    watched: int
    make: Callable[[int], Rows]


def _drifting(seed: int) -> Rows:
    """Noise features; the share of up labels swings slowly, as trends make it."""
    rng = np.random.default_rng(seed)
    rate = _swing(rng)
    label = np.where(rng.random(ROWS) < rate, 1, -1)
    return Rows(rng.standard_normal((ROWS, 5)), _events(label, label * rng.exponential(1.0, ROWS), 1))


def _overlapping(seed: int) -> Rows:
    """Noise features; every label is the sign of the next twelve steps of a random walk: neighbours share outcomes."""
    rng = np.random.default_rng(seed)
    move = _sums(rng.standard_normal(ROWS + OVERLAP), OVERLAP)
    return Rows(rng.standard_normal((ROWS, 5)), _events(np.where(move > 0, 1, -1), move, OVERLAP))


def _remembered(seed: int) -> Rows:
    """As overlapping, with features that move slowly: who remembers the neighbours in feature space knows the time."""
    rng = np.random.default_rng(seed)
    move = _sums(rng.standard_normal(ROWS + OVERLAP), OVERLAP)
    slow = np.cumsum(rng.standard_normal((ROWS, 2)), axis=0) / np.sqrt(ROWS)
    features = np.column_stack((slow, 0.1 * rng.standard_normal((ROWS, 3))))
    return Rows(features, _events(np.where(move > 0, 1, -1), move, OVERLAP))


def _signal(seed: int) -> Rows:
    """As overlapping, but the first two features know a little of the steps to come."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((ROWS, 5))
    step = rng.standard_normal(ROWS + OVERLAP)
    move = _sums(step, OVERLAP) + 0.5 * (features[:, 0] + np.tanh(2 * features[:, 1])) * np.sqrt(OVERLAP) * 0.5
    return Rows(features, _events(np.where(move > 0, 1, -1), move, OVERLAP))


OVERLAP = 12

DESIGNS = (
    Design("drift", "noise features, drifting class rates", 1, _drifting),
    Design("overlap", "noise features, labels that overlap", OVERLAP, _overlapping),
    Design("memory", "features that tell the time, labels that overlap", OVERLAP, _remembered),
    Design("signal", "two features know something, labels overlap", OVERLAP, _signal),
)


def _swing(rng: np.random.Generator) -> Float:
    return 0.5 + 0.3 * np.sin(2 * np.pi * (np.arange(ROWS) / ROWS * 1.5 + rng.random()))


def _sums(steps: Float, width: int) -> Float:
    """The sum of the ``width`` steps that follow each row."""
    total = np.concatenate(([0.0], np.cumsum(steps)))
    return total[width : width + ROWS] - total[:ROWS]


def _events(label: NDArray[np.int64], move: Float, watched: int) -> Events:
    row = np.arange(ROWS)
    exit_row = row + watched
    ones, no = np.ones(ROWS), np.zeros(ROWS, dtype=bool)
    classes = label.astype(np.int8)
    return Events(
        row=row, decided_at=row + 1, entered_at=row + 1, exited_at=exit_row + 1, entry_row=row + 1, exit_row=exit_row,
        entry_price=100 * ones, exit_price=100 * ones, volatility=ones, label=classes, labelled=~no,
        target=classes.astype(np.float64), ret=0.01 * move, touch=classes, ambiguous=no, resolved=no,
    )  # fmt: skip
