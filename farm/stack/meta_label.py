"""Meta-label: given a side, learn whether to bet on it."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.section import Section
from farm.stack.design import derived_inputs
from farm.stack.inputs import DOWN, UP, Market, Outcomes, Probabilities, filled, log_odds, present, sign_of
from farm.stack.learners import Fit, Learner, fit_boosted, fit_logistic
from farm.stack.proposal import Proposal

Float = NDArray[np.float64]

_PENALTY = {"logistic": 0.05, "boosted": 0.1}
_LEARNERS: dict[str, Fit] = {"logistic": fit_logistic, "boosted": fit_boosted}


class MetaLabel(Section):
    """Learn whether the primary's side pays for its round trip (López de Prado 2018, section 3.6).

    The primary says the side, this step only whether to take it. It is the prediction so far, or the base that
    ``primary`` names: a model or a rule such as ``momentum_sign``, whose side is taken as it said it, before any map.
    The secondary model reads the side, the primary's log odds, what the bases say together (agreement, entropy,
    confidence, spread), and the panel features named in ``features``, each as it is and times the side. It learns from
    rows on which what the primary says was made by maps that were not fitted on them.

    ``penalty`` is the L2 penalty a row, on standardised inputs or on the leaves of ``boosted``.

    Examples
    --------
    >>> n = 400
    >>> calm = np.tile([1.0, 1.0, -1.0, -1.0], n // 4)
    >>> side, row = np.tile([1.0, -1.0], n // 2), np.arange(n)
    >>> said = np.column_stack(((1 - side) / 2, 0 * side, (1 + side) / 2))
    >>> label = np.where(calm > 0, side, -side).astype(np.int8)   # right only in calm markets
    >>> market = Market(np.full(n, 0.01), np.full(n, 0.001), {"calm": calm})
    >>> outcomes = Outcomes(label, label.astype(float), np.ones(n), float(n), row, row, market)
    >>> fitted = MetaLabel(features=["calm"]).fit(said, {"rule": said}, outcomes)
    >>> fitted.apply(said, {"rule": said}, market).wins[:4].round(1).tolist()
    [0.9, 0.9, 0.1, 0.1]
    """

    kind: Literal["meta_label"] = "meta_label"
    primary: str | None = None
    features: tuple[str, ...] = ()
    uses: Literal["logistic", "boosted"] = "logistic"
    penalty: float | None = Field(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _with_its_penalty(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("penalty") is None:
            return {**data, "penalty": _PENALTY.get(data.get("uses", "logistic"))}
        return data

    def fit(self, primary: Float, bases: Probabilities, outcomes: Outcomes) -> "MetaLabelled":
        """The secondary model, learned on the rows where the primary takes a side.

        ``primary`` has shape (rows, classes) and must have been made by nothing that was fitted on these rows.

        Raises
        ------
        ValueError
            No market is attached to the outcomes, or it lacks a feature.
        """
        market = outcomes.known()
        side = _side(primary)
        shares = outcomes.shares()
        rows = np.flatnonzero(side)
        if len(rows) == 0:
            return MetaLabelled(self.features, shares, None, 0.0, 0.0)
        paid = outcomes.net_return(side)[rows] > 0
        weight, along = outcomes.weight[rows], (side * outcomes.move)[rows]
        columns = _columns(primary, bases, market, self.features, shares)[rows]
        learner = _LEARNERS[self.uses](columns, np.where(paid, UP, DOWN), weight, self.penalty or _PENALTY[self.uses])
        gain, loss = (float(np.average(along[one], weights=weight[one])) if one.any() else 0.0 for one in (paid, ~paid))
        return MetaLabelled(self.features, shares, learner, gain, loss)


@dataclass(frozen=True, eq=False)
class MetaLabelled:
    """A fitted meta-label: how likely the primary's side pays, and the mean moves of bets that did and did not."""

    features: tuple[str, ...]
    shares: Float
    learner: Learner | None
    moved_when_paid: float
    moved_when_not: float

    def apply(self, primary: Float, bases: Probabilities, market: Market) -> Proposal:
        """The primary's side with the probability that it pays; no side where the primary has none."""
        side = _side(primary)
        if self.learner is None:
            return Proposal(0 * side, 0 * side, 0 * side + 1, 0 * side, net=True)
        pays = self.learner(_columns(primary, bases, market, self.features, self.shares))[:, UP]
        expected = pays * self.moved_when_paid + (1 - pays) * self.moved_when_not
        return Proposal(side, pays, 1 - pays, side * np.maximum(expected, 0.0), net=True)


def _side(primary: Float) -> Float:
    return np.where(present(primary), sign_of(primary), 0.0)


def _columns(primary: Float, bases: Probabilities, market: Market, features: tuple[str, ...], shares: Float) -> Float:
    absent = [name for name in features if name not in market.columns]
    if absent:
        raise ValueError(
            f"meta_label: there are no values of {', '.join(absent)}; name features of the panel, and hand them over "
            "as Market.columns"
        )
    there = filled({"": primary}, shares)
    side = _side(primary)
    odds = log_odds(there)
    chosen = [market.columns[name] for name in features]
    return np.column_stack(
        (
            side,
            side * odds[:, 0],
            odds[:, 1],
            derived_inputs(filled(bases, shares)),
            *chosen,
            *(side * values for values in chosen),
        )
    )
