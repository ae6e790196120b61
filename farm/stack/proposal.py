"""What may be bet on: a side for every row and how sure the pipeline is of it, before a size is put to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.stack.inputs import DOWN, UP, Outcomes, lean, sign_of

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Proposal:
    """A bet proposed for every row: its ``side`` (-1, 0, 1), and the probabilities that it ``wins`` and ``loses``.

    Of a bare prediction, to win is that the label is of the side; a flat label neither wins nor loses. Of a meta-label
    (``net``) it is that the bet pays for its round trip, and everything else loses. ``expected`` is the signed move
    that is expected, up to a factor.
    """

    side: Float
    wins: Float
    loses: Float
    expected: Float
    net: bool

    @classmethod
    def of(cls, probability: Float) -> "Proposal":
        """The more probable side of each row."""
        side = sign_of(probability)
        up, down = probability[:, UP], probability[:, DOWN]
        return cls(side, np.maximum(up, down), np.minimum(up, down), lean(probability), net=False)

    def take(self, rows: NDArray[np.int64] | Bool) -> "Proposal":
        """These rows alone."""
        return Proposal(self.side[rows], self.wins[rows], self.loses[rows], self.expected[rows], self.net)

    def results(self, outcomes: Outcomes) -> tuple[Bool, Bool]:
        """Which of these bets won and which lost."""
        placed = self.side != 0
        if self.net:
            paid = outcomes.net_return(self.side) > 0
            return placed & paid, placed & ~paid
        return placed & (outcomes.label == self.side), placed & (outcomes.label == -self.side)


def proposed(said: "Float | Proposal") -> Proposal:
    """A prediction of shape (rows, classes) as the bet that it proposes."""
    return said if isinstance(said, Proposal) else Proposal.of(said)


def concatenated(parts: Sequence[Proposal]) -> Proposal:
    """The proposals of several blocks of rows, one after another."""

    def joined(name: str) -> Float:
        return np.concatenate([getattr(part, name) for part in parts])

    return Proposal(joined("side"), joined("wins"), joined("loses"), joined("expected"), parts[0].net)
