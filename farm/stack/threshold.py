"""Threshold: bet only where the pipeline is sure enough."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.section import Section
from farm.stack.inputs import Outcomes
from farm.stack.proposal import Proposal, proposed

Float = NDArray[np.float64]

_TENTHS = 10


class Threshold(Section):
    """Bet only where the probability that the side wins (after ``meta_label``: that it pays) reaches a cut.

    ``at`` fixes the cut. Left out, it is learned: which tenth of the bets, the least sure first, would have been better
    left out by net return, all of them included. That share is shrunk towards none by its own noise (positive-part
    James-Stein): what was gained by leaving bets out counts as far as it exceeds its standard error.

    Examples
    --------
    >>> n = 300
    >>> sure, row = np.linspace(0.5, 0.8, n), np.arange(n)
    >>> said = np.column_stack((1 - sure, 0 * sure, sure))
    >>> move = np.where(sure > 0.65, 1.0, -1.0)
    >>> from farm.stack.inputs import Market
    >>> market = Market(np.full(n, 0.01), np.zeros(n))
    >>> fitted = Threshold().fit(said, Outcomes(np.sign(move).astype(np.int8), move, np.ones(n), n, row, row, market))
    >>> round(fitted.at, 2)
    0.65
    """

    kind: Literal["threshold"] = "threshold"
    at: float | None = Field(default=None, ge=0, le=1)

    def fit(self, said: Float | Proposal, outcomes: Outcomes) -> "Cut":
        """The cut that these rows support."""
        if self.at is not None:
            return Cut(self.at)
        proposal = proposed(said)
        placed = np.flatnonzero(proposal.side)
        if len(placed) == 0:
            return Cut(0.0)
        wins = proposal.wins[placed]
        worth = (outcomes.weight * outcomes.net_return(proposal.side))[placed]
        shares = np.arange(_TENTHS + 1) / _TENTHS
        cuts = [*np.quantile(wins, shares[:-1]), np.inf]
        gained = np.array([-worth[wins < cut].sum() for cut in cuts])
        best = int(np.argmax(gained))
        left_out = worth[wins < cuts[best]]
        if gained[best] <= 0:
            return Cut(0.0)
        # Overlapping labels repeat one another: only ``independent`` of the rows count as evidence.
        repeated = len(outcomes.label) / max(outcomes.independent, 1.0)
        variance = float(np.sum((left_out - left_out.mean()) ** 2)) * repeated
        share = shares[best] * max(0.0, 1 - variance / gained[best] ** 2)
        return Cut(float(np.quantile(wins, share)) if share < 1 else np.inf)


@dataclass(frozen=True)
class Cut:
    """A fitted cut: below ``at`` nothing is bet."""

    at: float

    def apply(self, said: Float | Proposal) -> Proposal:
        """The proposal without the bets that are not sure enough."""
        proposal = proposed(said)
        sure = proposal.wins >= self.at
        return replace(
            proposal, side=np.where(sure, proposal.side, 0.0), expected=np.where(sure, proposal.expected, 0.0)
        )
