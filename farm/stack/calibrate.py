"""Calibrate: turn what a base says into frequencies."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.errors import BadInput
from farm.labels import CLASSES
from farm.section import Section
from farm.stack.inputs import SMALLEST, Outcomes, Probabilities, log_odds, present
from farm.stack.memo import remembered
from farm.stack.softmax import Softmax, fit_softmax

Float = NDArray[np.float64]
Int = NDArray[np.int64]

FEWEST_FOR_ISOTONIC = 300
_PENALTY = 0.001
_HOTTEST = 20.0


class Calibrate(Section):
    """Turn each base's probabilities into frequencies, by a map of its own.

    ``sigmoid`` is a multinomial logistic map of the log odds (Platt 1999) with an L2 ``penalty`` a row, ``temperature``
    divides all log probabilities by one number (Guo et al. 2017), and ``isotonic`` fits a rising step function a class
    and normalises the three (Zadrozny and Elkan 2002): free in shape, so it needs 300 rows. A class that was never met
    keeps probability 0. A row without a prediction stays without one.

    Raises
    ------
    BadInput
        Too few rows for the isotonic map.

    Examples
    --------
    >>> sure = np.array([[0.98, 0, 0.02], [0.02, 0, 0.98]] * 50)
    >>> label, row = np.array([-1, -1, 1, 1] * 25, np.int8), np.arange(100)
    >>> outcomes = Outcomes(label, label.astype(float), np.ones(100), 100.0, row, row)
    >>> fitted = Calibrate(method="temperature").fit({"base": sure}, outcomes)
    >>> fitted.apply({"base": sure})["base"][0].round(2).tolist()   # it was right every other time
    [0.55, 0.0, 0.45]
    """

    kind: Literal["calibrate"] = "calibrate"
    method: Literal["sigmoid", "isotonic", "temperature"] = "sigmoid"
    penalty: float | None = Field(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _with_its_penalty(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("penalty") is None and data.get("method", "sigmoid") == "sigmoid":
            return {**data, "penalty": _PENALTY}
        return data

    @model_validator(mode="after")
    def _penalised_only_where_it_works(self) -> Self:
        if self.penalty is not None and self.method != "sigmoid":
            raise ValueError(f"penalty is for method sigmoid; {self.method} has none, so leave it out")
        return self

    def fit(self, inputs: Probabilities, outcomes: Outcomes) -> "Calibrated":
        """One map a base, fitted on the rows that it predicted."""
        read = (outcomes.label, outcomes.weight)
        return Calibrated(
            {
                name: remembered(self.digest(), (p, *read), partial(self._map, name, p, outcomes))
                for name, p in inputs.items()
            }
        )

    def _map(self, name: str, probability: Float, outcomes: Outcomes) -> Callable[[Float], Float]:
        rows = np.flatnonzero(present(probability))
        if len(rows) == 0:
            return _Unchanged()
        said, learned = probability[rows], outcomes.take(rows)
        if self.method == "sigmoid":
            return _sigmoid(said, learned, self.penalty or _PENALTY)
        if self.method == "temperature":
            return _temperature(said, learned)
        if len(rows) < FEWEST_FOR_ISOTONIC:
            raise BadInput(
                f"stack.steps calibrate: method isotonic found {len(rows)} rows of {name} to learn from and needs "
                f"{FEWEST_FOR_ISOTONIC}; use method sigmoid or temperature, or give the groups more events"
            )
        return _isotonic(said, learned)


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Fitted calibration: a map of probabilities a base."""

    maps: Mapping[str, Callable[[Float], Float]]

    def apply(self, inputs: Probabilities) -> dict[str, Float]:
        """Frequencies by base, for the bases that were calibrated; NaN where there is no prediction."""
        return {
            name: np.where(present(inputs[name])[:, None], map_(inputs[name]), np.nan)
            for name, map_ in self.maps.items()
        }


@dataclass(frozen=True)
class _Unchanged:
    def __call__(self, probability: Float) -> Float:
        return probability


@dataclass(frozen=True, eq=False)
class _Sigmoid:
    regression: Softmax

    def __call__(self, probability: Float) -> Float:
        return self.regression(log_odds({"": probability}))


def _sigmoid(probability: Float, outcomes: Outcomes, penalty: float) -> _Sigmoid:
    return _Sigmoid(fit_softmax(log_odds({"": probability}), outcomes.classes(), outcomes.weight, penalty))


@dataclass(frozen=True)
class _Temperature:
    temperature: float
    met: tuple[int, ...]

    def __call__(self, probability: Float) -> Float:
        logs = np.log(np.maximum(probability[:, self.met], SMALLEST)) / self.temperature
        return _normalised(np.exp(logs), self.met)


def _temperature(probability: Float, outcomes: Outcomes) -> _Temperature:
    from scipy.optimize import minimize_scalar

    met, truth = outcomes.met(), outcomes.classes()
    row = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        said = _Temperature(float(np.exp(log_temperature)), met)(probability)[row, truth]
        return float(-np.average(np.log(said), weights=outcomes.weight))

    widest = float(np.log(_HOTTEST))
    found = minimize_scalar(loss, bounds=(-widest, widest), method="bounded", options={"xatol": 1e-6})
    return _Temperature(float(np.exp(found.x)), met)


@dataclass(frozen=True, eq=False)
class _Isotonic:
    steps: tuple[tuple[Float, Float], ...]
    met: tuple[int, ...]

    def __call__(self, probability: Float) -> Float:
        columns = [np.interp(probability[:, k], *steps) for k, steps in zip(self.met, self.steps, strict=True)]
        return _normalised(np.maximum(np.column_stack(columns), SMALLEST), self.met)


def _isotonic(probability: Float, outcomes: Outcomes) -> _Isotonic:
    from sklearn.isotonic import IsotonicRegression

    met, truth = outcomes.met(), outcomes.classes()
    steps = []
    for k in met:
        model = IsotonicRegression().fit(probability[:, k], truth == k, sample_weight=outcomes.weight)
        steps.append((model.X_thresholds_, model.y_thresholds_))
    return _Isotonic(tuple(steps), met)


def _normalised(values: Float, columns: tuple[int, ...]) -> Float:
    probability = np.zeros((len(values), len(CLASSES)))
    probability[:, columns] = values / values.sum(axis=1, keepdims=True)
    return probability
