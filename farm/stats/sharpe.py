"""The Sharpe ratio and what is known about its sampling: PSR, DSR, expected maximum, minimum lengths."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr, ndtri

from farm.stats.accepted import FloatArray, accept_matrix, accept_probability
from farm.stats.moments import Moments, as_moments, column_sharpes
from farm.stats.quadrature import unit_nodes


def sharpe_ratio(returns: ArrayLike | Moments, periods: float | None = None, *, ddof: int = 1) -> float | FloatArray:
    """The Sharpe ratio of a series, or of each column of a matrix.

    Parameters
    ----------
    returns : array-like, shape (T,) or (T, N), or Moments
        Returns per observation. Subtract a risk-free rate or a benchmark first for an excess Sharpe or an
        information ratio.
    periods : float, optional
        Observations per year: the result is then annual, multiplied by sqrt(periods). Default: per observation.
    ddof : int
        1 (default) divides by the sample deviation, 0 by the population's.

    Returns
    -------
    float, or array of shape (N,) for a matrix

    Raises
    ------
    ValueError
        For returns that are not finite, too short or constant (unknown, not zero: see `known_sharpe`).

    Examples
    --------
    >>> round(sharpe_ratio([0.03, 0.01, -0.01, 0.02]), 4)
    0.7319
    >>> round(sharpe_ratio([0.03, 0.01, -0.01, 0.02], periods=12), 4)
    2.5355
    """
    factor = 1.0 if periods is None else math.sqrt(_positive(periods, "periods"))
    if isinstance(returns, Moments):
        return returns.sharpe * factor
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] > 1:
        columns = accept_matrix(values)
        idle = np.flatnonzero(np.ptp(columns, axis=0) == 0.0)
        if len(idle):
            raise ValueError(
                f"returns is constant in column {idle[0]} ({len(idle)} such columns), so its Sharpe ratio is unknown; "
                "leave those columns out"
            )
        return column_sharpes(columns, ddof=ddof) * factor
    return Moments.of(values, ddof=ddof).sharpe * factor


def probabilistic_sharpe_ratio(returns: ArrayLike | Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio exceeds `benchmark`, given skewness and kurtosis (iid returns).

    Parameters
    ----------
    returns : array-like, shape (T,), or Moments
    benchmark : float
        Sharpe ratio per observation to beat.

    Raises
    ------
    ValueError
        For unusable returns, or moments no series can have (a negative variance of the Sharpe ratio).

    References
    ----------
    Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, J. of Risk 15(2), eq. 11.

    Examples
    --------
    >>> round(probabilistic_sharpe_ratio(Moments(0.458, 24, skew=-2.448, kurtosis=10.164)), 3)
    0.913
    """
    moments = as_moments(returns)
    error = math.sqrt(_usable_variance(moments) / (moments.n_obs - 1))
    return float(ndtr((moments.sharpe - benchmark) / error))


def deflated_sharpe_ratio(returns: ArrayLike | Moments, *, n_trials: float, trial_sharpe_variance: float) -> float:
    """Probability that the true Sharpe ratio exceeds what the best of `n_trials` worthless trials would show.

    Parameters
    ----------
    returns : array-like, shape (T,), or Moments
        The chosen trial.
    n_trials : float
        Number of independent trials made, at least 1 (at 1 the result is the PSR).
    trial_sharpe_variance : float
        Variance over the trials of their Sharpe ratios, per observation (an annual variance is divided by the periods).

    Raises
    ------
    ValueError
        For unusable returns, fewer than one trial or a negative variance.

    References
    ----------
    Bailey & Lopez de Prado (2014), The Deflated Sharpe Ratio, J. of Portfolio Management 40(5), eq. 2.

    Examples
    --------
    >>> example = Moments(sharpe=2.5 / 250**0.5, n_obs=1250, skew=-3, kurtosis=10)
    >>> round(deflated_sharpe_ratio(example, n_trials=100, trial_sharpe_variance=0.5 / 250), 4)
    0.9004
    """
    return probabilistic_sharpe_ratio(returns, expected_maximum_sharpe(n_trials, trial_sharpe_variance))


def expected_maximum_sharpe(n_trials: float, variance: float = 1.0, *, exact: bool = False) -> float:
    """Expected largest of `n_trials` independent Sharpe ratios of true value 0 and the given variance.

    The default is the papers' extreme-value approximation, so that published numbers come out. It is an asymptotic
    formula: 8% low at 2 trials, 2.5% high at 5, 0.4% high at 1,000, and minus infinity at one. The largest of one is
    its mean, so one trial gives 0, and nothing below 0 is ever returned. ``exact=True`` integrates the true
    expectation.

    Parameters
    ----------
    n_trials : float
        At least 1; an effective number need not be whole.
    variance : float
        Variance of the Sharpe ratios over the trials, in the square of the unit wanted back.
    exact : bool
        Integrate the density of the maximum in place of the approximation.

    Raises
    ------
    ValueError
        For fewer than one trial or a negative variance.

    References
    ----------
    Bailey, Borwein, Lopez de Prado & Zhu (2014), Pseudo-Mathematics and Financial Charlatanism, Notices of the AMS
    61(5), proposition 1.

    Examples
    --------
    >>> round(expected_maximum_sharpe(100), 4), round(expected_maximum_sharpe(100, exact=True), 4)
    (2.5306, 2.5076)
    """
    if not (math.isfinite(n_trials) and n_trials >= 1):
        raise ValueError(f"n_trials is {n_trials}; it must be a finite number of at least 1, the trial itself")
    if not (math.isfinite(variance) and variance >= 0):
        raise ValueError(f"variance is {variance}; it must be finite and not negative")
    if n_trials == 1:
        return 0.0
    largest = _exact_expected_maximum(n_trials) if exact else _approximate_expected_maximum(n_trials)
    return math.sqrt(variance) * max(largest, 0.0)


def minimum_track_record_length(
    returns: ArrayLike | Moments, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Number of observations at which the PSR of these moments against `benchmark` reaches `confidence`.

    Infinite when the Sharpe ratio does not exceed the benchmark: no length would do. Only the moments matter, not how
    many observations they came from.

    Raises
    ------
    ValueError
        For unusable returns or a confidence outside (0, 1).

    References
    ----------
    Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, J. of Risk 15(2), eq. 13.

    Examples
    --------
    >>> moments = Moments(sharpe=2 / 250**0.5, n_obs=250)
    >>> round(minimum_track_record_length(moments, benchmark=1 / 250**0.5) / 250, 4)
    2.7312
    """
    moments = as_moments(returns)
    quantile = float(ndtri(accept_probability(confidence, "confidence")))
    edge = moments.sharpe - benchmark
    if edge <= 0.0:
        return math.inf
    return 1.0 + _usable_variance(moments) * (quantile / edge) ** 2


def minimum_backtest_length(n_trials: float, sharpe: float = 1.0, *, exact: bool = False) -> float:
    """Length under which the best of `n_trials` worthless trials is expected to show the Sharpe ratio `sharpe`.

    Parameters
    ----------
    n_trials : float
        Independent trials, at least 1.
    sharpe : float
        In-sample Sharpe ratio, positive; an annual one gives years, one per observation gives observations.
    exact : bool
        Use the exact expected maximum in place of the approximation.

    Raises
    ------
    ValueError
        For fewer than one trial or a Sharpe ratio that is not positive.

    References
    ----------
    Bailey, Borwein, Lopez de Prado & Zhu (2014), Notices of the AMS 61(5), theorem 1 (bounded by 2 ln N / sharpe²).

    Examples
    --------
    >>> round(minimum_backtest_length(45), 3)
    4.998
    """
    return (expected_maximum_sharpe(n_trials, exact=exact) / _positive(sharpe, "sharpe")) ** 2


def sharpe_variance(moments: Moments) -> float:
    """Variance of sqrt(T - 1) × the estimated Sharpe ratio for independent returns of these moments.

    References
    ----------
    Mertens (2002), Comments on variance of the IID estimator in Lo (2002).
    """
    return 1.0 - moments.skew * moments.sharpe + (moments.kurtosis - 1.0) / 4.0 * moments.sharpe**2


def _usable_variance(moments: Moments) -> float:
    variance = sharpe_variance(moments)
    if variance <= 0.0:
        raise ValueError(
            f"skew {moments.skew} and kurtosis {moments.kurtosis} give the Sharpe ratio {moments.sharpe} a variance of "
            f"{variance}, which must be positive; kurtosis is not excess (3 for a normal) and is at least 1 + skew²"
        )
    return variance


def _approximate_expected_maximum(n_trials: float) -> float:
    return float(
        (1.0 - np.euler_gamma) * ndtri(1.0 - 1.0 / n_trials) + np.euler_gamma * ndtri(1.0 - 1.0 / (n_trials * math.e))
    )


@lru_cache(maxsize=256)
def _exact_expected_maximum(n_trials: float) -> float:
    # E[max] = integral over x > 0 of (1 - F(x)^N) - F(-x)^N. Beyond 12 nothing is left for any N below 1e30.
    nodes, weights = unit_nodes()
    at = 12.0 * nodes
    integrand = -np.expm1(n_trials * log_ndtr(at)) - np.exp(n_trials * log_ndtr(-at))
    return float(12.0 * np.sum(weights * integrand))


def _positive(value: float, name: str) -> float:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; it must be finite and positive")
    return float(value)
