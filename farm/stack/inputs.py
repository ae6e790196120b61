"""What a pipeline reads: predictions by name, outcomes to learn from, and what is known at a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Probabilities = Mapping[str, Float]

DOWN, FLAT, UP = (CLASSES.index(label) for label in (-1, 0, 1))
SMALLEST = 1e-4


@dataclass(frozen=True, eq=False)
class Market:
    """What is known of a row at its decision; one value a row.

    ``volatility`` is relative, ``cost`` that of a round trip as a return. ``columns`` holds the panel features that a
    step asks for by name. ``start`` and ``end`` are the bars of decision and exit, for steps that look at the bets that
    are still open: of an earlier bet it is known whether it has ended.
    """

    volatility: Float
    cost: Float
    columns: Mapping[str, Float] = field(default_factory=dict)
    start: Int | None = None
    end: Int | None = None

    def take(self, rows: Int | Bool) -> "Market":
        """These rows alone."""
        return Market(
            self.volatility[rows],
            self.cost[rows],
            {name: values[rows] for name, values in self.columns.items()},
            None if self.start is None else self.start[rows],
            None if self.end is None else self.end[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence["Market"]) -> "Market":
        """Several blocks of rows, one after another."""
        starts = [part.start for part in parts if part.start is not None]
        ends = [part.end for part in parts if part.end is not None]
        return cls(
            np.concatenate([part.volatility for part in parts]),
            np.concatenate([part.cost for part in parts]),
            {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns},
            np.concatenate(starts) if len(starts) == len(parts) else None,
            np.concatenate(ends) if len(ends) == len(parts) else None,
        )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What is known of the rows a pipeline learns from; one value a row.

    ``move`` is the event's log return in units of its volatility, ``weight`` its uniqueness among these rows, which are
    worth ``independent`` rows that do not overlap. ``start`` and ``end`` are when it was decided and ended; rows are in
    the order of their decisions. ``market`` is what was known of the same rows when they were decided: steps that weigh
    a bet against its cost need it.
    """

    label: NDArray[np.int8]
    move: Float
    weight: Float
    independent: float
    start: Int
    end: Int
    market: Market | None = None

    def take(self, rows: Int) -> "Outcomes":
        """These rows alone; what they are worth shrinks in proportion."""
        share = len(rows) / max(len(self.label), 1)
        kept = (self.label[rows], self.move[rows], self.weight[rows])
        market = None if self.market is None else self.market.take(rows)
        return Outcomes(*kept, self.independent * share, self.start[rows], self.end[rows], market)

    def at(self, market: Market) -> "Outcomes":
        """The same rows with what was known of them at their decisions."""
        return replace(self, market=market)

    def known(self) -> Market:
        """The rows' market, or a ValueError."""
        if self.market is None:
            raise ValueError("outcomes: no market is attached, and this step weighs bets against costs; use at(market)")
        return self.market

    def net_return(self, size: Float) -> Float:
        """What bets of these signed sizes returned after the cost of their round trips."""
        market = self.known()
        return size * self.move * market.volatility - np.abs(size) * market.cost

    def shares(self) -> Float:
        """Weighted shares of the classes, shape (classes,); equal ones where there is no row."""
        totals = np.array([self.weight[self.label == label].sum() for label in CLASSES])
        return totals / totals.sum() if totals.sum() > 0 else np.full(len(CLASSES), 1 / len(CLASSES))

    def met(self) -> tuple[int, ...]:
        """Positions in ``CLASSES`` of the classes that these rows have."""
        return tuple(CLASSES.index(int(label)) for label in np.unique(self.label))

    def classes(self) -> Int:
        """The position in ``CLASSES`` of every row's label."""
        return np.searchsorted(CLASSES, self.label)


def lean(probability: Float) -> Float:
    """p_up - p_down of every row."""
    return np.asarray(probability[:, UP] - probability[:, DOWN])


def sign_of(probability: Float) -> Float:
    """Always in the market: the more probable side of every row, 0 at a tie."""
    return np.sign(lean(probability))


def log_odds(inputs: Probabilities) -> Float:
    """Two columns a base: log odds of up against down, and of flat against the two."""
    columns = []
    for probability in inputs.values():
        logs = np.log(np.maximum(probability, SMALLEST))
        columns += [logs[:, UP] - logs[:, DOWN], logs[:, FLAT] - (logs[:, UP] + logs[:, DOWN]) / 2]
    return np.column_stack(columns)


def only(inputs: Probabilities) -> Float:
    """The one prediction that is left, or a ValueError."""
    if len(inputs) != 1:
        raise ValueError(f"a bet needs one prediction, not {len(inputs)} ({', '.join(inputs)}); combine them first")
    return next(iter(inputs.values()))


def present(probability: Float) -> Bool:
    """Rows that the base predicted at all."""
    return ~np.isnan(probability[:, 0])


def filled(inputs: Probabilities, shares: Float) -> dict[str, Float]:
    """Predictions with the class shares in the place of those that are not there."""
    return {name: np.where(present(p)[:, None], p, shares) for name, p in inputs.items()}


def log_loss(probability: Float, outcomes: Outcomes) -> float:
    """Weighted mean log-loss; no probability counts as less than 0.0001."""
    said = probability[np.arange(len(probability)), outcomes.classes()]
    return float(-np.average(np.log(np.maximum(said, SMALLEST)), weights=outcomes.weight))
