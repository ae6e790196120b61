"""The choice that every kind of selection makes from its own importances."""

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.section import Section
from farm.selection.rows import Float, TrainRows

Columns = NDArray[np.int64]


class Chooser(Section):
    """Keeps the most important columns; with ``max_correlation`` never two that say nearly the same.

    A kind has a ``kind`` to be named by and an ``importance``; everything else is the same for all.
    """

    max_correlation: float | None = Field(
        None, gt=0, lt=1, description="of two columns more correlated than this, either sign, the more important stays"
    )

    @abstractmethod
    def importance(self, rows: TrainRows, seed: int) -> Float:
        """Importance of each column, shape (columns,): finite, larger is better; equal seeds give equal bits."""

    def keeps_all(self, n: int, keep: int) -> bool:
        """Whether all of ``n`` columns are kept, whatever their values."""
        return n <= keep and self.max_correlation is None

    def choose(self, rows: TrainRows, keep: int, seed: int) -> Columns:
        """At most ``keep`` columns, in column order; all of them where there are no more and none may be dropped.

        Columns of equal importance stand in the order of how well they separate the classes, then in their own.
        """
        n = rows.inputs.shape[1]
        if self.keeps_all(n, keep):
            return np.arange(n)
        ranked = np.lexsort((-separation(rows), -self.importance(rows, seed)))
        if self.max_correlation is not None:
            ranked = _unlike(ranked, np.abs(correlation(rows)), self.max_correlation)
        return np.sort(ranked[:keep])


def separation(rows: TrainRows) -> Float:
    """Share of each column's weighted variance that lies between the classes (eta squared, a function of one-way F).

    A column of one value separates nothing; its range tells, for its computed variance is a rounding error and not 0.

    Source: Fisher, Statistical Methods for Research Workers (1925), chapter 7, with weights.
    """
    weight = rows.uniqueness
    centred = rows.inputs - weight @ rows.inputs / weight.sum()
    between = np.zeros(rows.inputs.shape[1])
    for label in np.unique(rows.target):
        own = np.where(rows.target == label, weight, 0.0)
        between += (own @ centred) ** 2 / own.sum()
    total = weight @ centred**2
    return np.divide(between, total, out=np.zeros_like(between), where=np.ptp(rows.inputs, axis=0) > 0)


def correlation(rows: TrainRows) -> Float:
    """Weighted correlation of the columns, shape (columns, columns); of a column of one value 0, with itself 1."""
    weight = rows.uniqueness / rows.uniqueness.sum()
    centred = rows.inputs - weight @ rows.inputs
    deviation = np.sqrt(weight @ centred**2)
    moves = np.ptp(rows.inputs, axis=0) > 0
    standard = np.divide(centred, deviation, out=np.zeros_like(centred), where=moves & (deviation > 0))
    found = np.clip((standard * weight[:, None]).T @ standard, -1.0, 1.0)
    np.fill_diagonal(found, 1.0)
    return found


def _unlike(ranked: Columns, alike: Float, most: float) -> Columns:
    """The columns in their rank, without those that are more alike to a better one than ``most``."""
    chosen: list[int] = []
    for column in ranked.tolist():
        if not chosen or alike[column, chosen].max() <= most:
            chosen.append(column)
    return np.array(chosen, dtype=np.int64)
