"""Does a series have a unit root (augmented Dickey-Fuller), or is it stationary (KPSS): two nulls, opposite."""

import math
import warnings
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray, accept_series, is_constant
from farm.stats.long_run import plug_in_lags

Bound = Literal["", "<", ">"]


@dataclass(frozen=True, slots=True)
class UnitRootTest:
    """The outcome of `adf` or `kpss`.

    Attributes
    ----------
    statistic : float
    p_value : float
    bound : str
        ``<`` or ``>`` where the tables end: the p-value is then only known to lie below or above ``p_value``; else
        empty.
    lags : int
        Lags of the regression or of the long-run variance.
    n_obs : int
        Rows the statistic was computed from.
    """

    statistic: float
    p_value: float
    bound: Bound
    lags: int
    n_obs: int

    @property
    def p_text(self) -> str:
        """The p-value as it may be printed: ``0.034``, ``<0.010``, ``>0.100``.

        >>> UnitRootTest(0.9, 0.01, "<", 5, 500).p_text, UnitRootTest(-9.0, 1e-15, "", 5, 500).p_text
        ('<0.010', '<0.001')
        """
        return "<0.001" if self.p_value < 0.001 else f"{self.bound}{self.p_value:.3f}"


def adf(
    series: ArrayLike, *, regression: Literal["n", "c", "ct"] = "c", lags: int | Literal["aic"] | None = None
) -> UnitRootTest:
    """The augmented Dickey-Fuller test; the null is a unit root, so a small p-value speaks for stationarity.

    Parameters
    ----------
    series : array-like, shape (T,)
        In time order, evenly spaced.
    regression : str
        What stands beside the lag: nothing, a constant, or a constant and a linear trend.
    lags : int or "aic", optional
        Lagged differences; ``aic`` chooses up to Schwert's 12 (T / 100)^(1/4), rounded up, which is the default without
        choosing: it keeps the size under moving-average errors, at some power.

    Raises
    ------
    ValueError
        For values that are not finite, a constant series or one too short for its lags.

    References
    ----------
    Said & Dickey (1984), Biometrika 71(3); lags: Schwert (1989), J. of Business & Economic Statistics 7(2). P-values
    from the response surface of MacKinnon (1994), J. of Business & Economic Statistics 12(2): approximate, and 0 or 1
    where the surface ends, which ``bound`` tells.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal(500)
    >>> adf(noise).p_text, adf(np.cumsum(noise)).p_value > 0.1
    ('<0.001', True)
    """
    from statsmodels.tsa.stattools import adfuller

    values = _accept(series)
    furthest = math.ceil(12.0 * (len(values) / 100.0) ** 0.25) if lags is None or lags == "aic" else lags
    if not 0 <= furthest < len(values) // 2 - 2:
        raise ValueError(f"lags is {furthest} for {len(values)} rows; use fewer lags or give a longer span")
    found = adfuller(
        values, maxlag=furthest, regression=regression, autolag="AIC" if lags == "aic" else None, result_object=True
    )
    p_value = float(found.pvalue)
    bound: Bound = "<" if p_value == 0.0 else ">" if p_value == 1.0 else ""
    return UnitRootTest(float(found.statistic), p_value, bound, int(found.lags), int(found.nobs))


def kpss(series: ArrayLike, *, regression: Literal["c", "ct"] = "c", lags: int | None = None) -> UnitRootTest:
    """The test of Kwiatkowski, Phillips, Schmidt and Shin; the null is stationarity, a small p-value speaks against it.

    Parameters
    ----------
    series : array-like, shape (T,)
        In time order, evenly spaced.
    regression : str
        Stationary around a constant, or around a linear trend.
    lags : int, optional
        Lags of the Bartlett long-run variance; by default as many as the series' own persistence asks for. Measured at
        T = 4000 with a nominal 5%: .04-.08 of first-order autoregressions with a coefficient up to .97 are rejected,
        .17 with .99, .86 of random walks.

    Returns
    -------
    UnitRootTest
        Its p-value is read from the published table, which ends at 0.01 and 0.10: beyond them ``bound`` tells the side.

    Raises
    ------
    ValueError
        For values that are not finite, a constant series or more lags than rows.

    References
    ----------
    Kwiatkowski, Phillips, Schmidt & Shin (1992), J. of Econometrics 54, table 1; lags: Andrews (1991), Econometrica
    59(3), equations 6.2 and 6.4.

    Examples
    --------
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal(500)
    >>> kpss(noise).p_text, kpss(noise + np.repeat([0.0, 2.0], 250)).p_text
    ('>0.100', '<0.010')
    """
    from statsmodels.tools.sm_exceptions import InterpolationWarning
    from statsmodels.tsa.stattools import kpss as tabulated

    values = _accept(series)
    if lags is not None and not 0 <= lags < len(values):
        raise ValueError(f"lags is {lags} for {len(values)} rows; it must lie from 0 to one less than the rows")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterpolationWarning)  # what it says is in ``bound``
        found = tabulated(
            values, regression=regression, nlags=plug_in_lags(values) if lags is None else lags, result_object=True
        )
    ends = found.critical_values
    bound: Bound = "<" if found.statistic >= ends["1%"] else ">" if found.statistic <= ends["10%"] else ""
    return UnitRootTest(float(found.statistic), float(found.pvalue), bound, int(found.lags), len(values))


def _accept(series: ArrayLike) -> FloatArray:
    values = accept_series(series, "series", at_least=12)
    if is_constant(values):
        raise ValueError(f"series is {values[0]} in every row; a constant has neither a unit root nor a variance")
    return values
