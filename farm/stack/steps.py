"""The steps a pipeline above the bases is made of; each is fitted on the rows it is given and on nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from farm.labels import CLASSES
from farm.section import Section

Float = NDArray[np.float64]
Probabilities = Mapping[str, Float]

_SMALLEST = 1e-4
_DOWN, _FLAT, _UP = (CLASSES.index(label) for label in (-1, 0, 1))


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What is known of the rows a pipeline learns from; one value a row.

    ``move`` is the event's log return in units of its volatility, ``weight`` its uniqueness among these rows, which are
    worth ``independent`` rows that do not overlap. ``start`` and ``end`` are the bars of decision and exit; rows are in
    the order of their decisions.
    """

    label: NDArray[np.int8]
    move: Float
    weight: Float
    independent: float
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> "Outcomes":
        """These rows alone; what they are worth shrinks in proportion."""
        share = len(rows) / max(len(self.label), 1)
        kept = (self.label[rows], self.move[rows], self.weight[rows])
        return Outcomes(*kept, self.independent * share, self.start[rows], self.end[rows])


@dataclass(frozen=True, eq=False)
class Market:
    """What is known of a row at its decision: relative ``volatility``, and the ``cost`` of a round trip as a return."""

    volatility: Float
    cost: Float


class Calibrate(Section):
    """Turn each base's probabilities into frequencies: a multinomial logistic map of its log odds (Platt 1999)."""

    kind: Literal["calibrate"] = "calibrate"
    method: Literal["sigmoid"] = "sigmoid"
    penalty: float = Field(default=0.001, gt=0)

    def fit(self, inputs: Probabilities, outcomes: Outcomes) -> "LogisticMap":
        """One map a base, fitted on these rows."""
        return LogisticMap(
            {name: ((name,), _logistic({name: p}, outcomes, self.penalty)) for name, p in inputs.items()}
        )


class Combine(Section):
    """One prediction out of many: a strongly regularised logistic regression on the log odds of all bases.

    ``penalty`` is the L2 penalty a row on standardised inputs.
    """

    kind: Literal["combine"] = "combine"
    uses: Literal["logistic"] = "logistic"
    penalty: float = Field(default=0.02, gt=0)

    def fit(self, inputs: Probabilities, outcomes: Outcomes) -> "LogisticMap":
        """A map of all bases to the one prediction ``combined``."""
        return LogisticMap({"combined": (tuple(inputs), _logistic(inputs, outcomes, self.penalty))})


class Size(Section):
    """Bet the side whose expected move pays for the round trip, and nothing otherwise.

    The expected move, in units of volatility, is a slope times (p_up - p_down); the slope is a weighted least-squares
    fit through the origin, shrunk towards zero by its own noise (positive-part James-Stein) and never negative.

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
    rule: Literal["expected_return"] = "expected_return"

    def fit(self, probability: Float, outcomes: Outcomes) -> "SizeByExpectedReturn":
        """The slope that these rows support."""
        lean = _lean(probability)
        information = float(np.sum(outcomes.weight * lean**2))
        if information == 0:
            return SizeByExpectedReturn(0.0)
        slope = float(np.sum(outcomes.weight * lean * outcomes.move)) / information
        noise = np.sum(outcomes.weight * (outcomes.move - slope * lean) ** 2) / np.sum(outcomes.weight)
        # Overlapping labels repeat one another: only ``independent`` of the rows count as evidence.
        variance = noise / information * len(lean) / max(outcomes.independent, 1.0)
        if slope <= 0 or variance >= slope**2:
            return SizeByExpectedReturn(0.0)
        return SizeByExpectedReturn(slope * (1 - variance / slope**2))


Step = Annotated[Calibrate | Combine | Size, Field(discriminator="kind")]


@dataclass(frozen=True, eq=False)
class LogisticMap:
    """Fitted logistic maps: output name -> (names of the bases it reads, regression)."""

    maps: Mapping[str, tuple[tuple[str, ...], "_Logistic"]]

    def apply(self, inputs: Probabilities) -> dict[str, Float]:
        """Probabilities after the map, by output name."""
        return {
            out: regression(_log_odds({base: inputs[base] for base in reads}))
            for out, (reads, regression) in self.maps.items()
        }


@dataclass(frozen=True)
class SizeByExpectedReturn:
    """A fitted bet: expected move in units of volatility = ``slope`` × (p_up - p_down)."""

    slope: float

    def apply(self, probability: Float, market: Market) -> Float:
        """-1, 0 or 1 a row: the side whose expected return exceeds the cost of its round trip."""
        expected = self.slope * _lean(probability) * market.volatility
        return np.where(np.abs(expected) > market.cost, np.sign(expected), 0.0)


def sign_of(probability: Float) -> Float:
    """Always in the market: the more probable side of every row, 0 at a tie."""
    return np.sign(_lean(probability))


def _lean(probability: Float) -> Float:
    return np.asarray(probability[:, _UP] - probability[:, _DOWN])


def _log_odds(inputs: Probabilities) -> Float:
    columns = []
    for probability in inputs.values():
        logs = np.log(np.maximum(probability, _SMALLEST))
        columns += [logs[:, _UP] - logs[:, _DOWN], logs[:, _FLAT] - (logs[:, _UP] + logs[:, _DOWN]) / 2]
    return np.column_stack(columns)


@dataclass(frozen=True, eq=False)
class _Logistic:
    centre: Float
    spread: Float
    coefficients: Float
    intercepts: Float
    columns: tuple[int, ...]

    def __call__(self, odds: Float) -> Float:
        scores = np.tile(self.intercepts, (len(odds), 1))
        # Added up column by column: a matrix product would round a row differently in other company.
        for column, coefficient in zip(((odds - self.centre) / self.spread).T, self.coefficients.T, strict=True):
            scores += column[:, None] * coefficient
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        probability = np.zeros((len(odds), len(CLASSES)))
        probability[:, self.columns] = scores / scores.sum(axis=1, keepdims=True)
        return probability


def _logistic(inputs: Probabilities, outcomes: Outcomes, penalty: float) -> _Logistic:
    from sklearn.linear_model import LogisticRegression

    odds = _log_odds(inputs)
    centre, spread = odds.mean(axis=0), odds.std(axis=0)
    spread = np.where(spread > 1e-12, spread, 1.0)
    present = np.unique(outcomes.label)
    columns = tuple(CLASSES.index(int(label)) for label in present)
    if len(present) == 1:
        return _Logistic(centre, spread, np.zeros((1, odds.shape[1])), np.zeros(1), columns)
    strength = 1 / (penalty * float(outcomes.weight.sum()))
    model = LogisticRegression(C=strength, tol=1e-6, max_iter=1000)
    model.fit((odds - centre) / spread, outcomes.label, sample_weight=outcomes.weight)
    coefficients, intercepts = model.coef_, model.intercept_
    if len(present) == 2:
        coefficients = np.vstack((np.zeros_like(coefficients), coefficients))
        intercepts = np.concatenate(([0.0], intercepts))
    return _Logistic(centre, spread, coefficients, intercepts, columns)
