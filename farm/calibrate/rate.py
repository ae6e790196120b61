"""How often something happened in simulated runs, with what that says of the true rate."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True)
class Rate:
    """``count`` of ``runs``, with a 95% Wilson interval and exact one-sided 95% bounds below and above.

    >>> Rate.of([True, False, False, False])
    Rate(count=1, runs=4, low=0.0456, high=0.6994, at_least=0.0127, at_most=0.7514)
    """

    count: int
    runs: int
    low: float
    high: float
    at_least: float
    at_most: float

    @classmethod
    def of(cls, happened: Iterable[bool]) -> "Rate":
        """The rate of these runs, at least one."""
        each = list(happened)
        return cls.counted(sum(each), len(each))

    @classmethod
    def counted(cls, count: int, runs: int) -> "Rate":
        """The rate of runs that somebody counted, at least one; its bounds to four decimals."""
        bounds = (*wilson_interval(count, runs), lower_bound(count, runs), upper_bound(count, runs))
        return cls(count, runs, *(round(bound, 4) for bound in bounds))

    @property
    def value(self) -> float:
        """The share of the runs."""
        return self.count / self.runs


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Confidence interval of a rate: Wilson (1927), without continuity correction.

    >>> [round(end, 3) for end in wilson_interval(2, 40)]
    [0.014, 0.165]
    """
    z = float(ndtri(0.5 + confidence / 2))
    rate = successes / trials
    centre = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * math.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def upper_bound(successes: int, trials: int, confidence: float = 0.95) -> float:
    """One-sided upper bound of a rate: Clopper and Pearson (1934), exact.

    >>> round(upper_bound(0, 59), 4)
    0.0495
    """
    from scipy.special import betaincinv

    return 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, confidence))


def lower_bound(successes: int, trials: int, confidence: float = 0.95) -> float:
    """One-sided lower bound of a rate: Clopper and Pearson (1934), exact.

    >>> round(lower_bound(59, 59), 4)
    0.9505
    """
    from scipy.special import betaincinv

    return 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, 1 - confidence))
