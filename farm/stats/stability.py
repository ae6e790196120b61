"""How alike the sets are that a selection keeps from one fit to the next."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from farm.stats.accepted import accept_probability


@dataclass(frozen=True, slots=True)
class SelectionStability:
    """Stability of a selection over fits, with an interval.

    Attributes
    ----------
    value : float or None
        1 when every fit keeps the same columns, 0 as for columns drawn by lot, negative when less alike than that. None
        where it is undefined: a single fit, or fits that keep all columns or none.
    low, high : float or None
        The interval that holds for independent fits. Fits of overlapping train rows are more alike than that: read it
        as the narrowest it can be.
    """

    value: float | None
    low: float | None
    high: float | None


def selection_stability(kept: ArrayLike, *, confidence: float = 0.95) -> SelectionStability:
    """Stability of the kept sets, corrected for what chance would give, whatever the sizes of the sets.

    Parameters
    ----------
    kept : bool array-like, shape (fits, columns)
        Whether each fit kept each column.
    confidence : float
        Of the interval.

    Raises
    ------
    ValueError
        When it is no matrix of true and false.

    References
    ----------
    Nogueira, Sechidis & Brown (2018), On the Stability of Feature Selection Algorithms, J. of Machine Learning Research
    18(174), definition 4 and theorem 7.

    Examples
    --------
    >>> selection_stability([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0]]).value
    1.0
    >>> round(selection_stability([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]).value, 3)
    0.333
    """
    accept_probability(confidence, "confidence")
    chosen = np.asarray(kept, dtype=np.float64)
    if chosen.ndim != 2 or not np.isin(chosen, (0.0, 1.0)).all():
        raise ValueError(f"kept has shape {chosen.shape}; a matrix (fits, columns) of true and false is needed")
    n_fits, n_columns = chosen.shape
    share = chosen.mean(axis=0) if n_fits else np.zeros(n_columns)
    mean = float(share.sum()) / n_columns if n_columns else 0.0
    by_chance = mean * (1.0 - mean)
    if n_fits < 2 or not 0 < np.count_nonzero(chosen) < chosen.size:
        return SelectionStability(None, None, None)
    value = 1.0 - n_fits / (n_fits - 1) * float(np.mean(share * (1.0 - share))) / by_chance
    size = chosen.mean(axis=1)
    agreement = (chosen * share).mean(axis=1) - size * mean
    influence = (agreement + value / 2.0 * (2.0 * size * mean - size - mean + 1.0)) / by_chance
    error = 2.0 / n_fits * float(np.sqrt(np.sum((influence - influence.mean()) ** 2)))
    reach = float(ndtri(0.5 + confidence / 2.0)) * error
    return SelectionStability(value, value - reach, value + reach)


def selection_frequency(kept: Sequence[Sequence[str]], names: Sequence[str]) -> dict[str, float]:
    """Share of the fits that kept each column, in the order of ``names``.

    >>> selection_frequency([["a"], ["a", "b"]], ["a", "b", "c"])
    {'a': 1.0, 'b': 0.5, 'c': 0.0}
    """
    return {name: sum(name in one for one in kept) / len(kept) for name in names}
