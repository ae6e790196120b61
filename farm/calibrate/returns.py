"""Matrices of trial returns whose truth is known: what the statistics of the verdict are tried on."""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.signal import lfilter

from farm.section import Section

Float = NDArray[np.float64]

SESSIONS_A_YEAR = 252
_WARM_UP = 100
_VOLATILITY_PERSISTENCE, _VOLATILITY_SPREAD = 0.97, 0.5
_LOSING_SHARPE = -2.0


class ReturnCell(Section):
    """One kind of experiment on paper: how many trials, how their daily returns depend, and which have an edge.

    ``common`` is the correlation that one factor gives any two trials; ``blocks`` makes as many factors, each for its
    share of the trials (with ``common`` inside). ``shocks`` are normal, Student's t with 4 degrees of freedom, or
    skewed by -1.4 (``crash``). ``persistence`` is the coefficient of an autoregression of order one, ``holding`` the
    width of a moving average (what bets held over sessions do). ``clustering`` lets one volatility, an exponential
    autoregression, rule all trials. The share ``losing`` of the trials pays costs that bring its Sharpe ratio to -2.
    The first ``edged`` trials have an annual Sharpe ratio of ``edge``, or in equal steps up to it where ``graded``.
    Several ``studies`` are independent and judged as one experiment.
    """

    name: str
    trials: int = Field(default=20, ge=1)
    years: float = Field(default=2.0, gt=0)
    studies: int = Field(default=1, ge=1)
    common: float = Field(default=0.0, ge=0, lt=1)
    blocks: int = Field(default=1, ge=1)
    shocks: Literal["normal", "student", "crash"] = "normal"
    persistence: float = Field(default=0.0, gt=-1, lt=1)
    holding: int = Field(default=1, ge=1)
    clustering: bool = False
    losing: float = Field(default=0.0, ge=0, lt=1)
    edge: float = 0.0
    edged: int = Field(default=0, ge=0)
    graded: bool = False

    @property
    def sessions(self) -> int:
        """Rows of a matrix."""
        return round(self.years * SESSIONS_A_YEAR)

    def sharpes(self) -> Float:
        """True annual Sharpe ratio of every trial, shape (trials,)."""
        found = np.zeros(self.trials)
        steps = np.arange(1, self.edged + 1) / self.edged if self.graded else np.ones(self.edged)
        found[: self.edged] = self.edge * steps
        found[self.trials - round(self.losing * self.trials) :] = _LOSING_SHARPE
        return found

    def simulate(self, seed: int) -> list[Float]:
        """Net returns of one run: a matrix (sessions, trials) a study, every column with a deviation of 1%.

        Examples
        --------
        >>> [matrix.shape for matrix in ReturnCell(name="two studies", trials=3, years=1, studies=2).simulate(0)]
        [(252, 3), (252, 3)]
        """
        rng = np.random.default_rng([int(self.digest()[:8], 16), seed])
        return [self._study(rng) for _ in range(self.studies)]

    def _study(self, rng: np.random.Generator) -> Float:
        rows = self.sessions + _WARM_UP
        own, shared = self._shocks(rng, (rows, self.trials)), self._shocks(rng, (rows, self.blocks))
        block = np.arange(self.trials) * self.blocks // self.trials
        noise = math.sqrt(1 - self.common) * own + math.sqrt(self.common) * shared[:, block]
        if self.clustering:
            noise *= _volatility(rng, rows)[:, None]
        if self.persistence:
            noise = lfilter([math.sqrt(1 - self.persistence**2)], [1, -self.persistence], noise, axis=0)
        if self.holding > 1:
            noise = lfilter(np.full(self.holding, 1 / math.sqrt(self.holding)), [1], noise, axis=0)
        return 0.01 * (noise[_WARM_UP:] + self.sharpes() / math.sqrt(SESSIONS_A_YEAR))

    def _shocks(self, rng: np.random.Generator, shape: tuple[int, int]) -> Float:
        """Independent shocks of mean 0 and variance 1."""
        if self.shocks == "student":
            return rng.standard_t(4, shape) / math.sqrt(2)
        if self.shocks == "crash":
            return (4 - rng.chisquare(4, shape)) / math.sqrt(8)
        return rng.standard_normal(shape)


def _volatility(rng: np.random.Generator, rows: int) -> Float:
    """A path of volatility whose square has mean 1."""
    scale = _VOLATILITY_SPREAD * math.sqrt(1 - _VOLATILITY_PERSISTENCE**2)
    level = lfilter([scale], [1, -_VOLATILITY_PERSISTENCE], rng.standard_normal(rows))
    return np.asarray(np.exp(level - _VOLATILITY_SPREAD**2))


NOTHING = (
    ReturnCell(name="1 trial", trials=1),
    ReturnCell(name="10 trials", trials=10),
    ReturnCell(name="20 trials"),
    ReturnCell(name="100 trials", trials=100),
    ReturnCell(name="1,000 trials", trials=1000),
    ReturnCell(name="20 trials, 1 year", years=1),
    ReturnCell(name="20 trials, 5 years", years=5),
    ReturnCell(name="100 trials, 5 years", trials=100, years=5),
    ReturnCell(name="20 trials, correlation .5", common=0.5),
    ReturnCell(name="20 trials, correlation .9", common=0.9),
    ReturnCell(name="100 trials, correlation .5", trials=100, common=0.5),
    ReturnCell(name="100 trials, correlation .9", trials=100, common=0.9),
    ReturnCell(name="1,000 trials, correlation .5", trials=1000, common=0.5),
    ReturnCell(name="100 trials, 5 clusters of .8", trials=100, common=0.8, blocks=5),
    ReturnCell(name="20 trials, fat tails", shocks="student"),
    ReturnCell(name="100 trials, fat tails", trials=100, shocks="student"),
    ReturnCell(name="20 trials, crashes", shocks="crash"),
    ReturnCell(name="100 trials, crashes", trials=100, shocks="crash"),
    ReturnCell(name="1 trial, autocorrelation .1", trials=1, persistence=0.1),
    ReturnCell(name="20 trials, autocorrelation .1", persistence=0.1),
    ReturnCell(name="20 trials, bets held 3 sessions", holding=3),
    ReturnCell(name="20 trials, volatility clusters", clustering=True),
    ReturnCell(name="100 trials, volatility clusters", trials=100, clustering=True),
    ReturnCell(name="20 trials, half lose to costs", losing=0.5),
    ReturnCell(name="100 trials, half lose to costs", trials=100, losing=0.5),
    ReturnCell(name="5 studies of 20 trials", studies=5),
    ReturnCell(
        name="20 trials, all at once", common=0.5, shocks="student", persistence=0.1, clustering=True, losing=0.3
    ),
)

SOMETHING = (
    *(ReturnCell(name=f"1 trial of Sharpe {edge}", trials=1, edge=edge, edged=1) for edge in (1, 2, 3, 4)),
    *(ReturnCell(name=f"1 of 20 trials of Sharpe {edge}", edge=edge, edged=1) for edge in (1, 2, 3, 4)),
    *(
        ReturnCell(name=f"10 of 20 trials, graded up to {edge}", edge=edge, edged=10, graded=True)
        for edge in (1, 2, 3, 4)
    ),
    *(ReturnCell(name=f"1 of 100 trials of Sharpe {edge}", trials=100, edge=edge, edged=1) for edge in (3, 4)),
    *(ReturnCell(name=f"1 of 20 trials of Sharpe {edge}, 5 years", years=5, edge=edge, edged=1) for edge in (1, 2)),
    ReturnCell(name="1 of 20 trials of Sharpe 3, correlation .5", common=0.5, edge=3, edged=1),
    ReturnCell(
        name="1 of 20 trials of Sharpe 3, all at once",
        common=0.5, shocks="student", persistence=0.1, clustering=True, losing=0.3, edge=3, edged=1,
    ),
)  # fmt: skip
