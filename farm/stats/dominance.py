"""Whether picking the in-sample best is better than picking any trial: stochastic dominance over the CSCV splits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray
from farm.stats.cscv import count_outcomes, halves_of, sum_blocks
from farm.stats.overfitting import blocks_matrix
from farm.stats.threads import available_threads


@dataclass(frozen=True, slots=True, eq=False)
class StochasticDominance:
    """Out-of-sample Sharpe ratios of the selected trials against those of all trials, over every split.

    Attributes
    ----------
    first_order : bool
        The selected ones' distribution function nowhere lies above the one of all trials: anyone would rather select.
    second_order : bool
        Its integral nowhere does: anyone averse to risk would.
    points : array, shape (P,)
        Sharpe ratios per observation, equally spaced over all outcomes, at which the functions are compared.
    selected, all_trials : arrays, shape (P,)
        The distribution functions there.
    """

    first_order: bool
    second_order: bool
    points: FloatArray
    selected: FloatArray
    all_trials: FloatArray


def stochastic_dominance(
    returns: ArrayLike, n_blocks: int = 16, *, n_points: int = 1000, threads: int | None = None
) -> StochasticDominance:
    """The distribution of what selection brings out of sample beside that of a trial taken at random.

    Parameters
    ----------
    returns : array-like, shape (T, N)
        As for `probability_of_backtest_overfitting`.
    n_blocks : int
        Even, 2 to 24.
    n_points : int
        Points of comparison, at least 2.
    threads : int, optional
        Default: the cores this process may use; no effect on the result.

    Raises
    ------
    ValueError
        As for `probability_of_backtest_overfitting`.

    References
    ----------
    Bailey, Borwein, Lopez de Prado & Zhu (2017), J. of Computational Finance 20(4), section 3.4.

    Examples
    --------
    >>> trials = np.random.default_rng(0).standard_normal((400, 10))
    >>> trials[:, 3] += 0.5
    >>> stochastic_dominance(trials, n_blocks=8).first_order
    True
    """
    if n_points < 2:
        raise ValueError(f"n_points is {n_points}; at least 2 are needed, 1000 are usual")
    blocks = sum_blocks(blocks_matrix(returns, n_blocks), n_blocks)
    outcomes = halves_of(blocks, available_threads(threads)).out_of_sample
    points, counts = count_outcomes(blocks, n_points)
    selected = np.searchsorted(np.sort(outcomes), points, side="right") / len(outcomes)
    everything = np.cumsum(counts) / counts.sum()
    excess = selected - everything
    rounding = 1e-12
    return StochasticDominance(
        first_order=bool((excess <= rounding).all()),
        second_order=bool((np.cumsum(excess) <= rounding * n_points).all()),
        points=points,
        selected=selected,
        all_trials=everything,
    )
