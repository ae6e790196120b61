"""How far two series of session returns lie apart, with intervals that know how alike the two are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.stats.bootstrap import accept_block_length
from farm.stats.resample import resampled_sums

Float = NDArray[np.float64]

_RESAMPLES = 10_000
_SAME = 1e-12  # of the capital: what lies nearer together differs by rounding alone
_FEWEST_SESSIONS = 8  # the bootstrap's least


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval."""

    value: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Difference:
    """The second series less the first: annual Sharpe ratio and annual return; None where unknown."""

    sharpe: Estimate | None
    annual_return: Estimate | None


def paired_difference(first: Float, second: Float, periods: float, seed: int = 0) -> Difference:
    """The second series less the first, the same resampled sessions drawn from both.

    Two candidates on one market share most of their luck, so their difference is known better than either of them.

    Parameters
    ----------
    first, second : array, shape (sessions,)
        Net returns of the same sessions in the same order.
    periods : float
        Sessions a year.

    References
    ----------
    Ledoit and Wolf (2008), Robust Performance Hypothesis Testing with the Sharpe Ratio, section 3.2, with the
    stationary bootstrap of Politis and Romano (1994) and percentile intervals.

    Examples
    --------
    >>> market = 0.01 * np.random.default_rng(0).standard_normal(500)
    >>> found = paired_difference(market, market + 0.0005, periods=252)
    >>> round(found.annual_return.value, 3), found.sharpe.apart
    (0.126, True)
    """
    if len(first) < _FEWEST_SESSIONS:
        return Difference(None, None)
    if np.allclose(first, second, rtol=0, atol=_SAME):
        second = first
    both = np.column_stack((first, second))
    mean = both.mean(axis=0)
    deviation = both - mean  # small sums keep their digits
    block = accept_block_length(np.column_stack((both, second - first)), None)
    sums = resampled_sums(np.column_stack((deviation, deviation**2)), _RESAMPLES, block, seed, threads=1)
    centre = sums[:, :2] / len(both)
    annual = _estimate(np.diff(mean)[0] * periods, np.diff(mean + centre)[:, 0] * periods)
    if (np.ptp(both, axis=0) == 0).any():
        return Difference(None, annual)
    spread = (deviation**2).sum(axis=0)
    squares = sums[:, 2:] - sums[:, :2] * centre
    moving = squares > 1e-12 * spread  # a resample of one value only never traded: its Sharpe ratio counts as 0
    root = np.sqrt(periods * (len(both) - 1))
    ratio = np.where(moving, (mean + centre) / np.sqrt(np.where(moving, squares, 1.0)), 0.0)
    return Difference(_estimate(root * np.diff(mean / np.sqrt(spread))[0], root * np.diff(ratio)[:, 0]), annual)


def _estimate(value: float, resampled: Float) -> Estimate:
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))
