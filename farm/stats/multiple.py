"""p-values of many tests at once."""

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray


def holm(p_values: ArrayLike, n_tests: int | None = None) -> FloatArray:
    """Adjusted p-values that bound the chance of any false rejection, whatever the dependence.

    Parameters
    ----------
    p_values : array-like, shape (m,)
    n_tests : int, optional
        How many tests there were when some have no p-value (they count as 1). Default: m.

    Returns
    -------
    array, shape (m,)
        Reject at alpha where the adjusted value is at most alpha.

    Raises
    ------
    ValueError
        For values outside [0, 1] or fewer tests than values.

    References
    ----------
    Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian J. of Statistics 6(2).

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values, m = _accept(p_values, n_tests)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * (m - np.arange(len(values))))
    return _unsort(np.minimum(stepped, 1.0), order)


def benjamini_hochberg(p_values: ArrayLike, n_tests: int | None = None) -> FloatArray:
    """Adjusted p-values that bound the expected share of false rejections among rejections (independent tests).

    Parameters, result and errors as for `holm`.

    References
    ----------
    Benjamini & Hochberg (1995), Controlling the False Discovery Rate, J. of the Royal Statistical Society B 57(1).

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    values, m = _accept(p_values, n_tests)
    order = np.argsort(values, kind="stable")
    ratios = values[order] * np.maximum(m / np.arange(1, len(values) + 1), 1.0)
    return _unsort(np.minimum(np.minimum.accumulate(ratios[::-1])[::-1], 1.0), order)


def benjamini_yekutieli(p_values: ArrayLike, n_tests: int | None = None) -> FloatArray:
    """Adjusted p-values that bound the expected share of false rejections among rejections, whatever the dependence.

    Studies of one market's instruments move together, which `benjamini_hochberg` does not allow for in every case; the
    price is a factor of about ln(m) + 0.58. Parameters, result and errors as for `holm`.

    References
    ----------
    Benjamini & Yekutieli (2001), The Control of the False Discovery Rate in Multiple Testing under Dependency, Annals
    of Statistics 29(4), Theorem 1.3.

    Examples
    --------
    >>> benjamini_yekutieli([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.0833, 0.1111, 0.1111, 1.0]
    """
    values, m = _accept(p_values, n_tests)
    order = np.argsort(values, kind="stable")
    rank = np.arange(1, len(values) + 1)
    ratios = values[order] * np.maximum(m / rank, 1.0) * np.sum(1.0 / np.arange(1, m + 1))
    return _unsort(np.minimum(np.minimum.accumulate(ratios[::-1])[::-1], 1.0), order)


def _accept(p_values: ArrayLike, n_tests: int | None) -> tuple[FloatArray, int]:
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"p_values has shape {values.shape}; one value a test, (m,), is needed")
    bad = np.flatnonzero(~((values >= 0.0) & (values <= 1.0)))
    if len(bad):
        raise ValueError(
            f"p_values is {values[bad[0]]} at position {bad[0]}; every value must lie in [0, 1], and a test without "
            "one is left out and counted in n_tests"
        )
    m = len(values) if n_tests is None else n_tests
    if m < len(values):
        raise ValueError(f"n_tests is {m} for {len(values)} p_values; it must be at least as many")
    return values, m


def _unsort(values: FloatArray, order: np.ndarray) -> FloatArray:
    placed = np.empty_like(values)
    placed[order] = values
    return placed
