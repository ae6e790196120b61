"""The four numbers the Sharpe family needs of a return series."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray, accept_series, is_constant


@dataclass(frozen=True, slots=True)
class Moments:
    """Sharpe ratio and shape of one return series; stands in for `returns` wherever the Sharpe family takes them.

    Parameters
    ----------
    sharpe : float
        Sharpe ratio per observation (not annualised).
    n_obs : int
        Number of observations, at least 2.
    skew : float
        Third standardised moment.
    kurtosis : float
        Fourth standardised moment, NOT excess: 3 for a normal series.

    Raises
    ------
    ValueError
        When a number is not finite or there are fewer than 2 observations.

    Examples
    --------
    >>> Moments(sharpe=0.1, n_obs=250)
    Moments(sharpe=0.1, n_obs=250, skew=0.0, kurtosis=3.0)
    """

    sharpe: float
    n_obs: int
    skew: float = 0.0
    kurtosis: float = 3.0

    def __post_init__(self) -> None:
        for name in ("sharpe", "skew", "kurtosis"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name)}; it must be finite, so leave the series out instead")
        if self.n_obs < 2:
            raise ValueError(f"n_obs is {self.n_obs}; a Sharpe ratio needs at least 2 observations")

    @classmethod
    def of(cls, returns: ArrayLike, *, ddof: int = 1, unbiased: bool = False) -> Self:
        """The moments of a return series.

        By default the Sharpe ratio divides by the sample deviation (``ddof=1``) and skewness and kurtosis are the
        plain moment ratios m3/m2^1.5 and m4/m2^2. Libraries differ here; the effect on a PSR is of the order of 1/T.

        Parameters
        ----------
        returns : array-like, shape (T,)
            Returns per observation, in excess of the risk-free rate if that matters.
        ddof : int
            0 or 1: what is taken from T in the Sharpe ratio's deviation.
        unbiased : bool
            Correct skewness (G1) and kurtosis (G2 + 3) for the sample's size, as pandas does; needs 4 observations.

        Raises
        ------
        ValueError
            For a series that is not finite, too short, or constant (its Sharpe ratio is unknown).

        Examples
        --------
        >>> Moments.of([0.01, -0.01, 0.02, 0.0, 0.03]).n_obs
        5
        """
        series = accept_series(returns, at_least=4 if unbiased else 2)
        if ddof not in (0, 1):
            raise ValueError(f"ddof is {ddof}; it must be 0 (population) or 1 (sample)")
        if is_constant(series):
            raise ValueError(
                f"returns is constant ({series[0]} in all {len(series)} rows), so its Sharpe ratio is unknown; "
                "leave the series out or report it as unknown"
            )
        n = len(series)
        mean = series.mean()
        deviation = series - mean
        # In units of the largest deviation, so that neither tiny nor huge returns under- or overflow a fourth power.
        unit = np.abs(deviation).max()
        deviation /= unit
        second = np.mean(deviation**2)
        skew = np.mean(deviation**3) / second**1.5
        kurtosis = np.mean(deviation**4) / second**2
        if unbiased:
            skew *= np.sqrt(n * (n - 1)) / (n - 2)
            kurtosis = 3.0 + (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (kurtosis - 3.0) + 6.0)
        sharpe = (mean / unit) / np.sqrt(second * n / (n - ddof))
        return cls(sharpe=float(sharpe), n_obs=n, skew=float(skew), kurtosis=float(kurtosis))


def column_sharpes(matrix: FloatArray, *, ddof: int = 1) -> FloatArray:
    """The Sharpe ratio of each column of a matrix, to the bit that of `Moments.of`; NaN for a constant one.

    >>> column_sharpes(np.array([[0.01, 0.0], [-0.01, 0.0], [0.03, 0.0]])).round(9).tolist()
    [0.5, nan]
    """
    known = np.full(matrix.shape[1], np.nan)
    moving = np.flatnonzero(np.ptp(matrix, axis=0) > 0.0)
    series = np.ascontiguousarray(matrix.T[moving])  # a row a series: sums run as they do over one series
    if len(moving) == 0:
        return known
    n = series.shape[1]
    mean = series.mean(axis=1)
    deviation = series - mean[:, None]
    unit = np.abs(deviation).max(axis=1)
    deviation /= unit[:, None]
    known[moving] = (mean / unit) / np.sqrt(np.mean(deviation**2, axis=1) * n / (n - ddof))
    return known


def as_moments(returns: "ArrayLike | Moments") -> Moments:
    """Moments as given, or those of a series."""
    return returns if isinstance(returns, Moments) else Moments.of(returns)
