"""Annual Sharpe ratios of returns that remember."""

import math

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import accept_series
from farm.stats.long_run import autocovariances, correlated_window
from farm.stats.sharpe import sharpe_ratio


def autocorrelation_adjusted_sharpe(returns: ArrayLike, periods: int, n_lags: int | None = None) -> float:
    """The Sharpe ratio over `periods` observations, with the autocorrelation that multiplying by sqrt(periods) ignores.

    It is sharpe × q / sqrt(q + 2 Σ (q - k) rho_k), q = `periods`, summed over the first `n_lags` lags. Its standard
    error per observation is `sharpe_standard_error`.

    Parameters
    ----------
    returns : array-like, shape (T,)
    periods : int
        Observations aggregated, such as 252 for a year of sessions; at least 1.
    n_lags : int, optional
        Autocorrelations used, at most q - 1. Default: those up to the last one that stands out of noise, since noise in
        a year's worth of them would swamp the sum.

    Raises
    ------
    ValueError
        For unusable returns, too many lags, or autocorrelations that make the aggregate's variance negative.

    References
    ----------
    Lo (2002), The Statistics of Sharpe Ratios, Financial Analysts Journal 58(4), eq. 20.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> shocks = rng.standard_normal(2001)
    >>> smoothed = 0.05 + shocks[1:] + shocks[:-1]
    >>> plain = sharpe_ratio(smoothed, periods=12)
    >>> round(autocorrelation_adjusted_sharpe(smoothed, 12) / plain, 1)
    0.7
    """
    series = accept_series(returns, at_least=8)
    if periods < 1 or periods != int(periods):
        raise ValueError(f"periods is {periods}; it must be a whole number of observations, at least 1")
    sharpe = sharpe_ratio(series)
    if n_lags is None:
        n_lags = (len(correlated_window(series)[0]) - 1) // 2
    elif not 0 <= n_lags < len(series):
        raise ValueError(f"n_lags is {n_lags}; it must lie from 0 to {len(series) - 1}, one less than the rows")
    lags = np.arange(1, min(n_lags, periods - 1) + 1)
    covariances = autocovariances(series, len(lags))
    variance = periods + 2.0 * float(np.sum((periods - lags) * covariances[1:] / covariances[0]))
    if variance <= 0.0:
        raise ValueError(
            f"n_lags is {n_lags}, and so many autocorrelations give the sum of {periods} periods a variance of "
            f"{variance:.4g} (one period has 1), which must be positive; use fewer lags"
        )
    return float(sharpe) * periods / math.sqrt(variance)
