"""Confidence intervals by the stationary bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray, accept_matrix, accept_probability, accept_series
from farm.stats.resample import optimal_block_length, resampled_rows, resampled_sums
from farm.stats.threads import available_threads

_ROWS_AT_ONCE = 2_000_000  # row numbers held at a time for a statistic that is called


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes
    ----------
    low, high : float
        Its ends.
    estimate : float
        The statistic of the series itself.
    standard_error : float
        Deviation of the statistic over the resamples.
    confidence : float
        The share of such intervals that hold the true value.
    block_length : float
        Mean block length of the resamples.
    """

    low: float
    high: float
    estimate: float
    standard_error: float
    confidence: float
    block_length: float


def bootstrap_interval(
    returns: ArrayLike,
    statistic: Literal["mean", "sharpe"] | Callable[[FloatArray], float] = "sharpe",
    *,
    confidence: float = 0.95,
    n_resamples: int = 10_000,
    block_length: float | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Interval:
    """A confidence interval of a statistic of dependent returns: percentiles of stationary-bootstrap resamples.

    Measured coverage of a nominal .95, mean and Sharpe ratio, T = 250 to 1,000, 600 series a figure: independent normal
    and t(4) returns .93-.96; AR(1) of .3 .90-.94; AR(1) of .6 .86-.92. Blocks always miss part of a strong dependence.

    Parameters
    ----------
    returns : array-like, shape (T,), or (T, N) for a statistic of several columns resampled together
        At least 8 rows.
    statistic : "mean", "sharpe" or callable
        The Sharpe ratio is per observation (multiply the ends by sqrt(periods) for a year); a resample that holds one
        value only counts as 0. A function is given one resample, shaped like `returns`, and returns a number.
    confidence : float
        Between 0 and 1.
    n_resamples : int
        At least 100.
    block_length : float, optional
        Mean length of the blocks. Default: `optimal_block_length`, its mean over the columns of a matrix.
    seed : int
        Of the resamples; the same seed gives the same interval, whatever `threads`.
    threads : int, optional
        Default: the cores this process may use. A function is called in one.

    Raises
    ------
    ValueError
        For returns that are not finite or too short, a constant series with "sharpe", impossible arguments.

    References
    ----------
    Politis & Romano (1994), The Stationary Bootstrap, J. of the American Statistical Association 89(428).

    Examples
    --------
    >>> returns = 0.1 + np.random.default_rng(0).standard_normal(500)
    >>> found = bootstrap_interval(returns, "mean")
    >>> bool(found.low < returns.mean() < found.high)
    True
    """
    values = np.asarray(returns, dtype=np.float64)
    values = accept_matrix(values, rows=8, columns=1) if values.ndim == 2 else accept_series(values, at_least=8)
    tail = 0.5 * (1.0 - accept_probability(confidence, "confidence"))
    block_length = accept_block_length(values, block_length)
    accept_resamples(n_resamples)
    if callable(statistic):
        estimate, resampled = _called(values, statistic, n_resamples, block_length, seed)
    elif statistic in ("mean", "sharpe"):
        estimate, resampled = _summed(
            accept_series(values), statistic, n_resamples, block_length, seed, available_threads(threads)
        )
    else:
        raise ValueError(f"statistic is {statistic!r}; it must be 'mean', 'sharpe' or a function of a resample")
    low, high = np.quantile(resampled, [tail, 1.0 - tail])
    return Interval(
        low=float(low),
        high=float(high),
        estimate=estimate,
        standard_error=float(np.std(resampled, ddof=1)),
        confidence=confidence,
        block_length=block_length,
    )


def accept_block_length(values: FloatArray, block_length: float | None) -> float:
    """The mean block length asked for, or the one that suits the series (the mean over the columns of a matrix)."""
    if block_length is None:
        columns = values.reshape(len(values), -1).T
        return float(np.mean([optimal_block_length(column) for column in columns]))
    if not 1.0 <= block_length <= len(values):
        raise ValueError(f"block_length is {block_length}; it must lie from 1 to the {len(values)} rows there are")
    return float(block_length)


def accept_resamples(n_resamples: int) -> None:
    """Raise a ValueError where there are too few resamples to read a percentile from."""
    if n_resamples < 100:
        raise ValueError(f"n_resamples is {n_resamples}; at least 100 are needed for a percentile, 10000 are usual")


def _summed(
    series: FloatArray, statistic: str, n_resamples: int, block_length: float, seed: int, threads: int
) -> tuple[float, FloatArray]:
    n, mean = len(series), float(series.mean())
    deviation = series - mean  # small sums keep their digits
    if statistic == "mean":
        return mean, mean + resampled_sums(deviation[:, None], n_resamples, block_length, seed, threads)[:, 0] / n
    unit = float(np.abs(deviation).max())
    if np.ptp(series) == 0.0:
        raise ValueError(f"returns is constant ({series[0]}), so its Sharpe ratio is unknown; leave the series out")
    deviation /= unit
    sums = resampled_sums(np.column_stack([deviation, deviation**2]), n_resamples, block_length, seed, threads)
    estimate = mean / unit / float(np.sqrt(np.sum(deviation**2) / (n - 1)))
    centre = sums[:, 0] / n
    variance = (sums[:, 1] - sums[:, 0] * centre) / (n - 1)
    # A resample that happens to hold one value only never traded: it counts as 0.
    moving = variance * (n - 1) > 1e-12 * np.sum(deviation**2)
    ratio = (mean / unit + centre) / np.sqrt(np.where(moving, variance, 1.0))
    return estimate, np.where(moving, ratio, 0.0)


def _called(
    values: FloatArray, statistic: Callable[[FloatArray], float], n_resamples: int, block_length: float, seed: int
) -> tuple[float, FloatArray]:
    resampled = np.empty(n_resamples)
    at_once = max(_ROWS_AT_ONCE // len(values), 1)
    for start in range(0, n_resamples, at_once):
        rows = resampled_rows(len(values), min(at_once, n_resamples - start), block_length, seed, start)
        for i, chosen in enumerate(rows, start=start):
            resampled[i] = statistic(values[chosen])
    if not np.isfinite(resampled).all():
        raise ValueError(
            "statistic is not finite for some resamples; define it for short or constant stretches, or use 'mean'"
        )
    return float(statistic(values)), resampled
