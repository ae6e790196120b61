"""Structural breaks: in a linear relation at a known row, in the mean of a dependent series at an unknown one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, kolmogorov

from farm.stats.accepted import FloatArray, accept_matrix, accept_series, is_constant
from farm.stats.long_run import newey_west_variance, plug_in_lags


@dataclass(frozen=True, slots=True)
class ChowTest:
    """Chow's test of equal coefficients before and after a known row.

    Attributes
    ----------
    statistic : float
        F with (k, T - 2k) degrees of freedom, k coefficients.
    p_value : float
        Its upper tail.
    """

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class CusumTest:
    """A test of a mean that stays the same, against a break at an unknown row.

    Attributes
    ----------
    statistic : float
        Largest absolute partial sum of deviations from the mean, in units of the long-run deviation of the whole sum.
    p_value : float
        Asymptotic: that a Brownian bridge reaches as far.
    break_after : int
        Rows before the largest partial sum: where the break most likely is, if there is one.
    """

    statistic: float
    p_value: float
    break_after: int


def cusum_test(series: ArrayLike, n_lags: int | None = None) -> CusumTest:
    """CUSUM test that the mean of a dependent series does not change.

    Parameters
    ----------
    series : array-like, shape (T,)
        In time order.
    n_lags : int, optional
        Lags of the Bartlett long-run variance; by default as many as the series' own persistence asks for. Of a series
        as slow as the sample is long no number is enough: what cannot be told from a unit root looks broken too.

    Raises
    ------
    ValueError
        For values that are not finite, or a constant series.

    References
    ----------
    Ploberger & Kramer (1992), The CUSUM Test with OLS Residuals, Econometrica 60(2); with the long-run variance of
    Newey & West (1987), Econometrica 55(3), its lags by Andrews (1991), Econometrica 59(3).

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(1000)
    >>> cusum_test(noise).p_value > 0.1
    True
    >>> found = cusum_test(noise + np.repeat([0.0, 1.0], [300, 700]))
    >>> found.p_value < 1e-6, abs(found.break_after - 300) < 20
    (True, True)
    """
    values = accept_series(series, "series", at_least=12)
    if is_constant(values):
        raise ValueError(f"series is {values[0]} in every row; a constant's mean cannot be tested")
    lags = plug_in_lags(values) if n_lags is None else n_lags
    path = np.abs(np.cumsum(values - values.mean()))
    furthest = int(np.argmax(path))
    statistic = float(path[furthest] / np.sqrt(len(values) * newey_west_variance(values, lags)))
    return CusumTest(statistic, float(kolmogorov(statistic)), furthest + 1)


def chow_test(y: ArrayLike, x: ArrayLike | None, break_after: int) -> ChowTest:
    """Chow's F test that y depends on x in the same way before and after a known break.

    Parameters
    ----------
    y : array-like, shape (T,)
    x : array-like, shape (T,) or (T, p), or None
        Regressors; an intercept is added. None tests the mean alone.
    break_after : int
        Number of rows before the break; both sides need more rows than coefficients.

    Raises
    ------
    ValueError
        For values that are not finite, unequal lengths, collinear regressors or a side that is too short.

    References
    ----------
    Chow (1960), Tests of Equality Between Sets of Coefficients in Two Linear Regressions, Econometrica 28(3).

    Examples
    --------
    >>> y = np.r_[np.zeros(50), np.ones(50)] + np.random.default_rng(0).standard_normal(100) / 10
    >>> chow_test(y, None, 50).p_value < 1e-6
    True
    """
    target = accept_series(y, "y")
    design = _design(x, len(target))
    k = design.shape[1]
    if not k < break_after < len(target) - k:
        raise ValueError(
            f"break_after is {break_after} for {len(target)} rows and {k} coefficients; each side needs more rows than "
            "coefficients, so move the break or use fewer regressors"
        )
    whole = _squared_error(target, design)
    parts = _squared_error(target[:break_after], design[:break_after]) + _squared_error(
        target[break_after:], design[break_after:]
    )
    freedom = len(target) - 2 * k
    if parts <= 1e-24 * max(whole, float(target @ target)):
        raise ValueError("y is explained exactly on both sides of the break, so no error is left to test against")
    statistic = max((whole - parts) / k / (parts / freedom), 0.0)
    return ChowTest(float(statistic), float(fdtrc(k, freedom, statistic)))


def _design(x: ArrayLike | None, n: int) -> FloatArray:
    if x is None:
        return np.ones((n, 1))
    regressors = np.asarray(x, dtype=np.float64)
    regressors = accept_matrix(regressors[:, None] if regressors.ndim == 1 else regressors, "x", columns=1)
    if len(regressors) != n:
        raise ValueError(f"x has {len(regressors)} rows and y {n}; they must be the same rows")
    return np.column_stack([np.ones(n), regressors])


def _squared_error(y: FloatArray, design: FloatArray) -> float:
    coefficients, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    if rank < design.shape[1]:
        raise ValueError("x is constant or collinear on one side of the break; drop the column that repeats others")
    error = y - design @ coefficients
    return float(error @ error)
