"""Long-run variance of a dependent series: what its mean's variance is, times T."""

import numpy as np

from farm.stats.accepted import FloatArray


def autocovariances(series: FloatArray, n_lags: int) -> FloatArray:
    """Sample autocovariances at lags 0 … `n_lags` (divided by T, so the sequence is positive semi-definite)."""
    n = len(series)
    size = 1 << (n + n_lags).bit_length()  # room enough that nothing wraps around
    spectrum = np.fft.rfft(series - series.mean(), size)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.fft.irfft(power, size)[: n_lags + 1] / n)


def newey_west_variance(series: FloatArray, n_lags: int | None = None) -> float:
    """Long-run variance with Bartlett weights; by default 4 (T / 100)^(2/9) lags. Never negative, low when few lags.

    References
    ----------
    Newey & West (1987), Econometrica 55(3); the default lag: Newey & West (1994), Review of Economic Studies 61(4).
    """
    lags = int(4.0 * (len(series) / 100.0) ** (2.0 / 9.0)) if n_lags is None else n_lags
    lags = min(lags, len(series) - 1)
    covariances = autocovariances(series, lags)
    weights = 1.0 - np.arange(1, lags + 1) / (lags + 1.0)
    return float(covariances[0] + 2.0 * np.sum(weights * covariances[1:]))


def flat_top_variance(series: FloatArray) -> float:
    """Long-run variance with the flat-top window of `correlated_window`; nearly unbiased, may be negative.

    References
    ----------
    Politis & Romano (1995), J. of Time Series Analysis 16(1).
    """
    covariances, weights = correlated_window(series)
    return float(covariances[0] + 2.0 * np.sum(weights[1:] * covariances[1:]))


def correlated_window(series: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Autocovariances from lag 0 to the window's end, and their flat-top weights.

    The window reaches to twice the last correlated lag m (at least 1): weights are 1 up to m and fall in a line to 0.
    m is the smallest lag after which K = max(5, sqrt(log10 T)) autocorrelations in a row lie inside
    ±2 sqrt(log10(T) / T); it is searched up to sqrt(T).

    References
    ----------
    Politis & White (2004), Econometric Reviews 23(1), section 3.2; corrected by Patton, Politis & White (2009),
    Econometric Reviews 28(4).
    """
    n = len(series)
    run = max(5, int(np.sqrt(np.log10(n))))
    furthest = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    covariances = autocovariances(series, furthest)
    noisy = np.abs(covariances[1:]) >= 2.0 * np.sqrt(np.log10(n) / n) * covariances[0]
    window = min(2 * max(_last_before_quiet(noisy, run), 1), furthest)
    weights = np.clip(2.0 * (1.0 - np.arange(window + 1) / window), 0.0, 1.0)
    return covariances[: window + 1], weights


def _last_before_quiet(noisy: np.ndarray, run: int) -> int:
    """The lag before the first `run` quiet ones; where there is no such run, the last noisy lag."""
    quiet = 0
    for lag, loud in enumerate(noisy, start=1):
        quiet = 0 if loud else quiet + 1
        if quiet == run:
            return lag - run
    return int(np.flatnonzero(noisy)[-1]) + 1 if noisy.any() else 0


def plug_in_lags(series: FloatArray) -> int:
    """Lags of the Bartlett window that suit a series as persistent as this one, by its first autocorrelation.

    It is 1.1447 (a T)^(1/3), a = 4 rho² / (1 - rho²)², for rho up to 0.97 and at most half of the rows: a constant
    rule's few lags would make the long-run variance of a slow series far too small.

    References
    ----------
    Andrews (1991), Econometrica 59(3), equations 6.2 and 6.4; the bound on rho: Andrews & Monahan (1992),
    Econometrica 60(4).
    """
    covariances = autocovariances(series, 1)
    rho = float(np.clip(covariances[1] / covariances[0], -0.97, 0.97))
    slope = 4.0 * rho**2 / (1.0 - rho**2) ** 2
    return min(int(1.1447 * (slope * len(series)) ** (1.0 / 3.0)), len(series) // 2)
