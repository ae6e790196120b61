"""What a search looks for, as a loss of predictions on rows with known outcomes: lower is better."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from farm.labels import CLASSES

Float = NDArray[np.float64]
Objective = Literal["log_loss", "net_sharpe", "net_return"]

_SMALLEST = 1e-6
_DOWN, _UP = (CLASSES.index(label) for label in (-1, 1))


class AtDecision(Protocol):
    """What was known at each row's decision: relative volatility, and the cost of a round trip as a return."""

    @property
    def volatility(self) -> Float:
        """Volatilities, as returns."""

    @property
    def cost(self) -> Float:
        """Costs, as returns."""


class Outcomes(Protocol):
    """What is known of rows whose events have ended, one value a row: `farm.stack.Outcomes` is such a thing.

    ``label`` is -1, 0 or 1, ``move`` the log return in units of the row's volatility, ``weight`` its uniqueness.
    """

    @property
    def label(self) -> NDArray[np.int8]:
        """Labels."""

    @property
    def move(self) -> Float:
        """Returns in units of volatility."""

    @property
    def weight(self) -> Float:
        """Weights."""

    def known(self) -> AtDecision:
        """What was known of the same rows when they were decided."""
        ...


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows to be scored on: their outcomes, and what their decisions knew."""

    label: NDArray[np.int8]
    move: Float
    weight: Float
    volatility: Float
    cost: Float

    @classmethod
    def of(cls, outcomes: Outcomes) -> "Rows":
        """The rows of a stack's outcomes."""
        market = outcomes.known()
        return cls(outcomes.label, outcomes.move, outcomes.weight, market.volatility, market.cost)

    def known(self) -> AtDecision:
        """The rows themselves."""
        return self

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Rows":
        """Some of the rows."""
        return Rows(self.label[rows], self.move[rows], self.weight[rows], self.volatility[rows], self.cost[rows])


def loss(objective: Objective, probability: Float, rows: Rows) -> float:
    """The loss of predictions, shape (rows, classes); infinite where there is no row.

    ``log_loss`` is the weighted mean of the negative log probability of what happened: a proper score, so the truth is
    the best answer (Gneiting and Raftery 2007). ``net_return`` and ``net_sharpe`` are economic, and negated: every row
    bets the side whose expected move pays for its round trip, as the stack's sizing does, with a slope fitted on these
    very rows; the return is what is left of the move after the study's costs, a row that does not pay bets nothing and
    returns 0. The Sharpe ratio is one row's, not annual.

    Examples
    --------
    >>> sure = np.array([[0.8, 0.0, 0.2], [0.1, 0.0, 0.9]])
    >>> rows = Rows(np.array([-1, 1], np.int8), np.array([-1.0, 1.0]), np.ones(2), np.full(2, 0.01), np.full(2, 1e-3))
    >>> round(loss("log_loss", sure, rows), 3), round(loss("net_return", sure, rows), 4)
    (0.164, -0.009)
    """
    if len(rows.label) == 0 or not np.isfinite(probability).all():
        return float("inf")
    if objective == "log_loss":
        happened = probability[np.arange(len(rows.label)), rows.label.astype(np.int64) - CLASSES[0]]
        return float(np.average(-np.log(np.maximum(happened, _SMALLEST)), weights=rows.weight))
    net = _net(probability, rows)
    mean = float(np.average(net, weights=rows.weight))
    if objective == "net_return":
        return -mean
    spread = float(np.sqrt(np.average((net - mean) ** 2, weights=rows.weight)))
    return -mean / spread if spread > 0 else 0.0


def _net(probability: Float, rows: Rows) -> Float:
    lean = probability[:, _UP] - probability[:, _DOWN]
    information = float(np.sum(rows.weight * lean**2))
    slope = float(np.sum(rows.weight * lean * rows.move)) / information if information > 0 else 0.0
    expected = max(slope, 0.0) * lean * rows.volatility
    side = np.where(np.abs(expected) > rows.cost, np.sign(expected), 0.0)
    return np.asarray(side * rows.move * rows.volatility - np.abs(side) * rows.cost)
