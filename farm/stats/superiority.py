"""Whether the best of many trials beats a benchmark once the search is counted: White's reality check, Hansen's SPA."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from farm.stats.accepted import FloatArray, accept_matrix, accept_series
from farm.stats.bootstrap import accept_block_length, accept_resamples
from farm.stats.resample import resampled_sums
from farm.stats.threads import available_threads

_COLUMNS_AT_ONCE = 64  # whose spectra are held at a time


@dataclass(frozen=True, slots=True)
class RealityCheck:
    """White's reality check.

    Attributes
    ----------
    statistic : float
        sqrt(T) × the largest mean excess return.
    p_value : float
        Share of resamples whose largest centred mean exceeds it.
    best : int
        The column it belongs to.
    block_length : float
        Mean block length of the resamples.
    """

    statistic: float
    p_value: float
    best: int
    block_length: float


@dataclass(frozen=True, slots=True, eq=False)
class SuperiorAbility:
    """Hansen's test for superior predictive ability.

    Attributes
    ----------
    statistic : float
        The largest studentised mean excess return, at least 0.
    p_value : float
        The consistent p-value, `p_consistent`.
    p_lower, p_consistent, p_upper : float
        With trials that look bad left out, left out when clearly bad, and kept at the benchmark.
    best : int
        The column with the largest studentised mean.
    deviations : array, shape (N,)
        Deviation of sqrt(T) × mean excess return, by column; 0 for one that never differs from the benchmark.
    block_length : float
        Mean block length of the resamples.
    """

    statistic: float
    p_value: float
    p_lower: float
    p_consistent: float
    p_upper: float
    best: int
    deviations: FloatArray
    block_length: float


def reality_check(
    returns: ArrayLike,
    benchmark: ArrayLike | float = 0.0,
    *,
    n_resamples: int = 10_000,
    block_length: float | None = None,
    seed: int = 0,
    rows: ArrayLike | None = None,
    threads: int | None = None,
) -> RealityCheck:
    """White's reality check: the p-value of "no trial has a higher mean return than the benchmark".

    Not studentised, so a trial of large variance counts for more than its share and many poor ones weaken it: `spa`
    cures both.

    Parameters
    ----------
    returns : array-like, shape (T, N)
        One column a trial, higher is better (negate losses).
    benchmark : float or array-like, shape (T,)
        The return to beat.
    n_resamples : int
        At least 100.
    block_length : float, optional
        Mean block length of the stationary bootstrap. Default: the mean of the optimal ones of the columns.
    seed : int
        Of the resamples.
    rows : int array-like, shape (n_resamples, T), optional
        Row numbers of resamples made elsewhere, in place of our own.
    threads : int, optional
        Default: the cores this process may use; no effect on the result.

    Raises
    ------
    ValueError
        For returns that are not finite or too short, or no trial that ever differs from the benchmark.

    References
    ----------
    White (2000), A Reality Check for Data Snooping, Econometrica 68(5), section 2; Politis & Romano (1994).

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((300, 5))
    >>> reality_check(noise, n_resamples=500).p_value > 0.05
    True
    >>> reality_check(noise + [0, 0, 0, 0, 0.3], n_resamples=500).p_value
    0.0
    """
    excess = _excess(returns, benchmark)
    length = accept_block_length(excess, block_length)
    means = excess.mean(axis=0)
    deviations = _resampled_means(excess - means, n_resamples, length, seed, rows, threads)
    root = np.sqrt(len(excess))
    statistic = root * means.max()
    return RealityCheck(
        statistic=float(statistic),
        p_value=float(np.mean(root * deviations.max(axis=1) > statistic)),
        best=int(means.argmax()),
        block_length=length,
    )


def spa(
    returns: ArrayLike,
    benchmark: ArrayLike | float = 0.0,
    *,
    n_resamples: int = 10_000,
    block_length: float | None = None,
    seed: int = 0,
    rows: ArrayLike | None = None,
    threads: int | None = None,
) -> SuperiorAbility:
    """Hansen's test of superior predictive ability: the reality check, studentised and without the hopeless trials.

    The deviation of each mean is the one the stationary bootstrap converges to, from the sample's autocovariances
    weighted by ((T - i) (1 - q)^i + i (1 - q)^(T - i)) / T, q = 1 / block_length. A trial whose studentised mean is
    below -sqrt(2 log log T) is taken to be worse than the benchmark by the consistent p-value.

    Parameters
    ----------
    returns, benchmark, n_resamples, block_length, seed, rows, threads
        As for `reality_check`.

    Raises
    ------
    ValueError
        As for `reality_check`.

    References
    ----------
    Hansen (2005), A Test for Superior Predictive Ability, J. of Business & Economic Statistics 23(4), sections 3 and 4.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal((300, 5))
    >>> spa(noise + [0, 0, 0, 0, 0.3], n_resamples=500).p_value
    0.0
    """
    excess = _excess(returns, benchmark)
    n = len(excess)
    length = accept_block_length(excess, block_length)
    means = excess.mean(axis=0)
    deviations = _mean_deviations(excess, 1.0 / length)
    per_deviation = np.divide(np.sqrt(n), deviations, out=np.zeros_like(deviations), where=deviations > 0.0)
    studentised = per_deviation * means
    statistic = max(float(studentised.max()), 0.0)
    centred = per_deviation * _resampled_means(excess - means, n_resamples, length, seed, rows, threads)

    def p_value(recentre: FloatArray) -> float:
        # A trial that is not set back to the benchmark keeps its own (poor) mean in every resample.
        return float(np.mean(np.maximum((centred + per_deviation * recentre).max(axis=1), 0.0) > statistic))

    hopeless = studentised < -np.sqrt(2.0 * np.log(np.log(n)))
    consistent = p_value(np.where(hopeless, means, 0.0))
    return SuperiorAbility(
        statistic=statistic,
        p_value=consistent,
        p_lower=p_value(np.minimum(means, 0.0)),
        p_consistent=consistent,
        p_upper=p_value(np.zeros_like(means)),
        best=int(studentised.argmax()),
        deviations=deviations,
        block_length=length,
    )


def _excess(returns: ArrayLike, benchmark: ArrayLike | float) -> FloatArray:
    matrix = accept_matrix(returns, rows=8, columns=1)
    against = np.asarray(benchmark, dtype=np.float64)
    if against.ndim:
        against = accept_series(against, "benchmark")[:, None]
        if len(against) != len(matrix):
            raise ValueError(f"benchmark has {len(against)} rows and returns {len(matrix)}; align them in time first")
    elif not np.isfinite(against):
        raise ValueError(f"benchmark is {against}; it must be finite")
    excess = matrix - against
    if (np.ptp(excess, axis=0) == 0.0).all():
        raise ValueError("returns never differs from benchmark but by a constant, so nothing can be tested")
    return excess


def _resampled_means(
    deviations: FloatArray,
    n_resamples: int,
    block_length: float,
    seed: int,
    rows: ArrayLike | None,
    threads: int | None,
) -> FloatArray:
    """Mean of each column over each resample, shape (n_resamples, N)."""
    n = len(deviations)
    if rows is None:
        accept_resamples(n_resamples)
        return resampled_sums(deviations, n_resamples, block_length, seed, available_threads(threads)) / n
    given = np.asarray(rows)
    if given.ndim != 2 or given.shape[1] != n or not np.issubdtype(given.dtype, np.integer):
        raise ValueError(
            f"rows has shape {given.shape} and type {given.dtype}; row numbers of shape (n_resamples, {n}) are needed"
        )
    if given.min() < 0 or given.max() >= n:
        raise ValueError(f"rows holds row numbers from {given.min()} to {given.max()}; they must lie in 0 … {n - 1}")
    return _counts(given, n) @ deviations / n


def _counts(rows: NDArray[np.integer], n: int) -> FloatArray:
    """How often each resample holds each row."""
    keys = rows + n * np.arange(len(rows))[:, None]
    return np.bincount(keys.ravel(), minlength=n * len(rows)).reshape(len(rows), n).astype(np.float64)


def _mean_deviations(excess: FloatArray, q: float) -> FloatArray:
    n = len(excess)
    deviation = excess - excess.mean(axis=0)
    size = 1 << (2 * n - 1).bit_length()
    lags = np.arange(1, n)
    weights = ((n - lags) * (1.0 - q) ** lags + lags * (1.0 - q) ** (n - lags)) / n
    variances = np.empty(excess.shape[1])
    for start in range(0, excess.shape[1], _COLUMNS_AT_ONCE):
        part = slice(start, start + _COLUMNS_AT_ONCE)
        spectrum = np.fft.rfft(np.ascontiguousarray(deviation[:, part].T), size)
        covariances = np.fft.irfft(np.abs(spectrum) ** 2, size)[:, :n] / n
        variances[part] = covariances[:, 0] + 2.0 * np.sum(weights * covariances[:, 1:], axis=1)
    idle = np.ptp(excess, axis=0) == 0.0
    return np.where(idle, 0.0, np.sqrt(np.maximum(variances, 0.0)))
