"""Size: how much to bet on what is proposed."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.backtest import average_active, bet_size, break_even_probability, discretise, kelly
from farm.section import Section
from farm.stack.inputs import Market, Outcomes
from farm.stack.proposal import Proposal, proposed

Float = NDArray[np.float64]

_HALF = 0.5


class Size(Section):
    """Turn what is proposed into a signed size in [-1, 1]: 0 where the bet does not pay for its round trip.

    ``expected_return`` bets all or nothing: the side whose expected move exceeds the cost. The expected move, in units
    of volatility, is a slope times (p_up - p_down), after a meta-label times the move that it expects; the slope is a
    weighted least-squares fit through the origin, shrunk towards zero by its own noise (positive-part James-Stein) and
    never negative.

    ``probability`` bets ``2 Φ(z) - 1`` with ``z = (p - 1/n) / sqrt(p (1 - p))`` for n classes (López de Prado 2018,
    section 10.3). ``kelly`` bets a ``fraction`` (0.5 where none is written) of Kelly's share of a stake that a loss
    takes whole: far below what would grow fastest, since a size of 1 invests the capital and risks no more than a stop.
    Both bet nothing below the probability at which a win, as large as wins were, pays for losses and cost.

    ``average_active`` replaces each size by the mean over the bets that are open at its decision (section 10.4),
    ``step`` rounds to its multiples (section 10.5), and ``cap`` is the largest size.

    Examples
    --------
    >>> up = np.array([0.2, 0.4, 0.6, 0.8])
    >>> probability = np.column_stack((1 - up, np.zeros(4), up))
    >>> label, move, row = np.array([-1, -1, 1, 1], np.int8), np.array([-2.0, -0.7, 0.6, 1.9]), np.arange(4)
    >>> outcomes = Outcomes(label, move, np.ones(4), 4.0, row, row)
    >>> fitted = Size().fit(probability, outcomes)
    >>> fitted.apply(probability, Market(volatility=np.full(4, 0.01), cost=np.full(4, 0.01))).tolist()
    [-1.0, 0.0, 0.0, 1.0]
    """

    kind: Literal["size"] = "size"
    rule: Literal["expected_return", "probability", "kelly"] = "expected_return"
    fraction: float | None = Field(default=None, gt=0, le=1)
    cap: float = Field(default=1.0, gt=0, le=1)
    step: float | None = Field(default=None, gt=0, le=1)
    average_active: bool = False

    @model_validator(mode="after")
    def _a_fraction_of_kelly(self) -> Self:
        if self.fraction is not None and self.rule != "kelly":
            raise ValueError(f"fraction is Kelly's, and rule {self.rule} has none; leave it out, or use rule kelly")
        return self

    def fit(self, said: Float | Proposal, outcomes: Outcomes) -> "Sized":
        """What these rows support; ``said`` is a prediction of shape (rows, classes) or what a step made of one."""
        proposal = proposed(said)
        if self.rule == "expected_return":
            return Sized(self, slope=_shrunk_slope(proposal.expected, outcomes))
        classes = 2 if proposal.net else max(2, len(outcomes.met()))
        won, lost = proposal.results(outcomes)
        along = proposal.side * outcomes.move
        gain, loss = (_mean(amount[rows], outcomes.weight[rows]) for amount, rows in ((along, won), (-along, lost)))
        return Sized(self, gain=gain, loss=loss, classes=classes)


@dataclass(frozen=True)
class Sized:
    """A fitted bet.

    ``slope`` is the move in units of volatility that one unit of what is expected brings, ``gain`` and ``loss`` the
    mean moves of bets that won and lost, in the same units; 0 where there were none, and then nothing is bet.
    """

    bet: Size
    slope: float = 0.0
    gain: float = 0.0
    loss: float = 0.0
    classes: int = 2

    def apply(self, said: Float | Proposal, market: Market) -> Float:
        """Signed sizes, one a row."""
        proposal = proposed(said)
        if self.bet.rule == "expected_return":
            move = self.slope * proposal.expected * market.volatility
            size = np.where(np.abs(move) > market.cost, np.sign(move), 0.0)
        elif self.gain <= 0 or self.loss <= 0:
            size = np.zeros(len(proposal.side))
        else:
            size = self._by_probability(proposal, market)
        size = np.clip(size, -self.bet.cap, self.bet.cap)
        if self.bet.average_active:
            if market.start is None or market.end is None:
                raise ValueError("size: average_active needs the bars at which bets start and end; give Market both")
            size = average_active(market.start, market.end, size)
        return size if self.bet.step is None else np.clip(discretise(size, self.bet.step), -self.bet.cap, self.bet.cap)

    def _by_probability(self, proposal: Proposal, market: Market) -> Float:
        moved = proposal.wins + proposal.loses
        decided = np.divide(proposal.wins, moved, out=np.zeros(len(moved)), where=moved > 0)
        # A row that ends flat pays its cost too, so the cost is borne by the share that does not.
        cost = np.divide(market.cost, moved, out=np.full(len(moved), np.inf), where=moved > 0)
        gain, loss = self.gain * market.volatility, self.loss * market.volatility
        pays = (market.volatility > 0) & (proposal.side != 0)
        pays &= decided > break_even_probability(
            np.where(pays, gain, 1.0), np.where(pays, loss, 1.0), np.where(pays, cost, 0.0)
        )
        if self.bet.rule == "probability":
            size = bet_size(np.clip(proposal.wins, 0.0, 1.0), self.classes)
        else:
            odds = np.divide(gain - cost, loss + cost, out=np.ones(len(gain)), where=pays)
            size = kelly(decided, odds, fraction=self.bet.fraction or _HALF)
        return np.where(pays, proposal.side * np.maximum(size, 0.0), 0.0)


def _mean(values: Float, weight: Float) -> float:
    return float(np.average(values, weights=weight)) if weight.sum() > 0 else 0.0


def _shrunk_slope(expected: Float, outcomes: Outcomes) -> float:
    information = float(np.sum(outcomes.weight * expected**2))
    if information == 0:
        return 0.0
    slope = float(np.sum(outcomes.weight * expected * outcomes.move)) / information
    total = float(np.sum(outcomes.weight))
    noise = np.sum(outcomes.weight * (outcomes.move - slope * expected) ** 2) / total
    # Rows that overlap, or that stand here once for every other group, repeat one another: of their whole weight only
    # ``independent`` rows count as evidence.
    variance = noise / information * total / max(outcomes.independent, 1.0)
    if slope <= 0 or variance >= slope**2:
        return 0.0
    return slope * (1 - variance / slope**2)
