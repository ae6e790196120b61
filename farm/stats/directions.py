"""The expected largest of correlated normals, and how many independent ones reach as far."""

import math
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from farm.stats.accepted import FloatArray
from farm.stats.quadrature import unit_nodes
from farm.stats.sharpe import expected_maximum_sharpe

_MOST_DRAWS, _FEWEST_DRAWS = 8192, 512
_WORK = 2**32  # multiplications for one expectation: bounds the time for thousands of trials


def expected_width(units: FloatArray, seed: int) -> float:
    """Expected largest of normals that are correlated as these columns of length 1 are, by simulation.

    Half the width of the columns' shadow on a random direction is the mean of the largest for the direction and for its
    opposite. The lengths of normal vectors are not drawn but put in by their mean, and where the columns span as many
    dimensions as they are, the width that independent normals have along the same directions, whose mean is known,
    takes out most of what is left. Equal columns have equal shadows, so a set of copies has the width of one: zero.

    Single precision is far finer than the simulation; the result does not depend on the number of threads.
    """
    columns = units.shape[1]
    with _blas().limit(limits=1, user_api="blas"):  # what threads would add up in another order
        axes = _axes(units).astype(np.float32)
        dimension = len(axes)
        n_draws = int(np.clip(_WORK // (dimension * columns), _FEWEST_DRAWS, _MOST_DRAWS))
        directions, independent = _directions(dimension, n_draws, seed)
        widths = np.concatenate([np.ptp(axes.T @ drawn, axis=0) for drawn in directions]).astype(np.float64)
    length = _normal_length(dimension)
    if dimension < columns:
        return float(widths.mean()) * length / 2.0
    known = 2.0 * expected_maximum_sharpe(columns, exact=True) / length
    deviation = independent - independent.mean()
    slope = float(np.sum(deviation * widths)) / float(np.sum(deviation * deviation))
    return max(float(widths.mean()) - slope * (float(independent.mean()) - known), 0.0) * length / 2.0


@lru_cache(maxsize=2)
def _directions(dimension: int, n_draws: int, seed: int) -> tuple[tuple[NDArray[np.float32], ...], FloatArray]:
    """Random directions, a column each in parts of 512, and the width along each of what spans every dimension.

    At most 24 MB (the draws are bounded by the work), and the same for every study of as many trials.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for start in range(0, n_draws, _FEWEST_DRAWS):
        drawn = rng.standard_normal((dimension, min(_FEWEST_DRAWS, n_draws - start)), dtype=np.float32)
        drawn /= np.sqrt(np.sum(drawn * drawn, axis=0))
        drawn.flags.writeable = False
        parts.append(drawn)
    return tuple(parts), np.concatenate([np.ptp(drawn, axis=0) for drawn in parts]).astype(np.float64)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def _axes(units: FloatArray) -> FloatArray:
    """The columns in as few dimensions as they span, the diagonal not negative."""
    if len(units) <= units.shape[1]:
        return units
    upper = np.asarray(np.linalg.qr(units, mode="r"), dtype=np.float64)
    upper *= np.where(np.diag(upper) < 0.0, -1.0, 1.0)[:, None]
    return upper


def count_matching_width(width: float, dimension: int) -> float:
    """How many independent random directions in `dimension` dimensions reach as far as `width`; at least 1."""
    if width <= 0.0:
        return 1.0
    log_cdf_above, log_cdf_below, weights = _sphere_coordinate(dimension)

    def reach(log_count: float) -> float:
        count = math.exp(log_count)
        return float(np.sum(weights * (-np.expm1(count * log_cdf_above) - np.exp(count * log_cdf_below))))

    low, high = 0.0, 1.0
    while reach(high) < width and high < 60.0:
        low, high = high, high + 1.0
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if reach(middle) < width else (low, middle)
    return math.exp(0.5 * (low + high))


@lru_cache(maxsize=8)
def _sphere_coordinate(dimension: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log distribution of one coordinate of a random direction at ±nodes, and weights in units of a normal's length."""
    from scipy.special import betaincc

    nodes, weights = unit_nodes()
    furthest = min(1.0, 12.0 / math.sqrt(dimension))
    at = furthest * nodes
    upper_tail = 0.5 * betaincc(0.5, 0.5 * (dimension - 1), at**2)
    length = _normal_length(dimension)
    with np.errstate(divide="ignore"):  # beyond the farthest coordinate: the log of nothing
        log_below = np.log(upper_tail)
    return np.log1p(-upper_tail), log_below, furthest * weights * length


def _normal_length(dimension: int) -> float:
    """Expected length of a normal vector: sqrt(2) Gamma((d + 1) / 2) / Gamma(d / 2)."""
    return math.sqrt(2.0) * math.exp(math.lgamma(0.5 * (dimension + 1)) - math.lgamma(0.5 * dimension))
