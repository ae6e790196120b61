"""The probability that picking the best backtest picks a loser: PBO by combinatorially symmetric cross-validation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from farm.stats.accepted import FloatArray, accept_matrix
from farm.stats.cscv import Halves, halves_of, sum_blocks
from farm.stats.threads import available_threads

_MOST_BLOCKS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Overfitting:
    """What cross-validating the choice of the best trial shows; arrays have one entry a split, in combination order.

    Attributes
    ----------
    pbo : float
        Share of splits in which the in-sample best ended in the lower half out of sample.
    logits : array, shape (C,)
        log(w / (1 - w)) of its relative rank w out of sample; at most 0 is overfit.
    in_sample, out_of_sample : arrays, shape (C,)
        Its Sharpe ratio per observation in sample and out of sample: the degradation pairs.
    selected : int array, shape (C,)
        Its column.
    slope, intercept : float
        Least squares of out_of_sample on in_sample.
    probability_of_loss : float
        Share of splits in which it lost money out of sample.
    """

    pbo: float
    logits: FloatArray
    in_sample: FloatArray
    out_of_sample: FloatArray
    selected: NDArray[np.int64]
    slope: float
    intercept: float
    probability_of_loss: float


def probability_of_backtest_overfitting(
    returns: ArrayLike,
    n_blocks: int = 16,
    *,
    at_median: Literal["overfit", "sound"] = "overfit",
    ties: Literal["average", "lowest"] = "average",
    rank_over: Literal["n_plus_1", "n"] = "n_plus_1",
    remainder: Literal["keep", "drop_last", "drop_first"] = "keep",
    threads: int | None = None,
) -> Overfitting:
    """The probability of backtest overfitting of a set of trials, with the degradation of the selected ones.

    The rows are cut into `n_blocks` blocks. Every half of the blocks in turn selects the trial with the best Sharpe
    ratio (sample deviation; 0 where a trial is constant, by its range), and the other half ranks it. It measures
    whether the ranking holds, not whether there is an edge: equal trials of any quality score about a half.

    Parameters
    ----------
    returns : array-like, shape (T, N)
        Time first, one column a trial, aligned in time; at least two columns and two rows a block.
    n_blocks : int
        Even, 2 to 24.
    at_median : "overfit" or "sound"
        Whether a trial exactly at the median (logit 0, possible when N is odd) counts as overfit. The paper's
        distribution function at zero counts it.
    ties : "average" or "lowest"
        The rank of trials that do equally well.
    rank_over : "n_plus_1" or "n"
        What a rank is divided by. With "n" the best rank has an infinite logit.
    remainder : "keep", "drop_last" or "drop_first"
        What becomes of T mod n_blocks rows. "keep" makes the first blocks one row longer.
    threads : int, optional
        Default: the cores this process may use. The result does not depend on it.

    Raises
    ------
    ValueError
        For a matrix that is not finite, too small or idle in every column, an odd or too large number of blocks.

    References
    ----------
    Bailey, Borwein, Lopez de Prado & Zhu (2017), The Probability of Backtest Overfitting, J. of Computational Finance
    20(4), sections 2 and 3.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((400, 10))
    >>> noise[:, 3] += 0.3
    >>> probability_of_backtest_overfitting(noise, n_blocks=8).pbo
    0.0
    """
    _accept_choice(at_median, "at_median", ("overfit", "sound"))
    _accept_choice(ties, "ties", ("average", "lowest"))
    _accept_choice(rank_over, "rank_over", ("n_plus_1", "n"))
    matrix = blocks_matrix(returns, n_blocks, remainder)
    halves = halves_of(sum_blocks(matrix, n_blocks), available_threads(threads))
    logits = _logits(halves, matrix.shape[1], ties, rank_over)
    slope, intercept = _line(halves.in_sample, halves.out_of_sample)
    return Overfitting(
        pbo=float(np.mean(logits <= 0.0 if at_median == "overfit" else logits < 0.0)),
        logits=logits,
        in_sample=halves.in_sample,
        out_of_sample=halves.out_of_sample,
        selected=halves.selected,
        slope=slope,
        intercept=intercept,
        probability_of_loss=float(np.mean(halves.out_of_sample < 0.0)),
    )


def blocks_matrix(
    returns: ArrayLike, n_blocks: int, remainder: Literal["keep", "drop_last", "drop_first"] = "keep"
) -> FloatArray:
    """The matrix whose rows are cut into blocks, checked."""
    _accept_choice(remainder, "remainder", ("keep", "drop_last", "drop_first"))
    if n_blocks != int(n_blocks) or n_blocks % 2 or not 2 <= n_blocks <= _MOST_BLOCKS:
        raise ValueError(f"n_blocks is {n_blocks}; it must be even, from 2 to {_MOST_BLOCKS}, such as 16")
    matrix = accept_matrix(returns)
    if len(matrix) < 2 * n_blocks:
        raise ValueError(
            f"n_blocks is {n_blocks} for {len(matrix)} rows; a block needs at least 2 rows, so use at most "
            f"{max(len(matrix) // 4 * 2, 2)} blocks or a longer span"
        )
    if (matrix[1] == matrix[0]).all() and (matrix == matrix[0]).all():
        raise ValueError("returns is constant in every column, so no trial can be ranked; leave idle trials out")
    over = len(matrix) % n_blocks
    if remainder == "keep" or over == 0:
        return matrix
    return matrix[:-over] if remainder == "drop_last" else matrix[over:]


def _logits(halves: Halves, n_trials: int, ties: str, rank_over: str) -> FloatArray:
    rank = halves.below + (0.5 * (halves.level + 1) if ties == "average" else 1.0)
    highest = n_trials + 1 if rank_over == "n_plus_1" else n_trials
    with np.errstate(divide="ignore"):  # the best of N over N: plus infinity is meant
        return np.log(rank) - np.log(highest - rank)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Least-squares slope and intercept; a flat line through the mean where x does not vary."""
    dx = x - x.mean()
    spread = float(np.sum(dx * dx))  # not a BLAS product: starting its threads costs more than the work
    slope = float(np.sum(dx * (y - y.mean()))) / spread if spread > 0.0 else 0.0
    return slope, float(y.mean() - slope * x.mean())


def _accept_choice(value: str, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}")
