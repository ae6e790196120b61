"""The expected largest of correlated normals, and how many independent ones reach as far."""

import math

import numpy as np

from farm.stats.accepted import FloatArray
from farm.stats.quadrature import unit_nodes

_MOST_DRAWS, _FEWEST_DRAWS = 16384, 2048
_WORK = 2**31  # multiplications for one expectation: bounds the time for thousands of trials


def expected_width(correlation: FloatArray, seed: int) -> float:
    """Expected largest of normals of this correlation, by simulation with both signs of every draw.

    The symmetric root keeps equal trials equal to rounding, so a set of copies has the width of one: zero.
    """
    n = len(correlation)
    values, vectors = np.linalg.eigh(correlation)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    n_draws = int(np.clip(_WORK // (n * n), _FEWEST_DRAWS, _MOST_DRAWS))
    rng = np.random.default_rng(seed)
    total = 0.0
    for start in range(0, n_draws, _FEWEST_DRAWS):
        draws = rng.standard_normal((min(_FEWEST_DRAWS, n_draws - start), n)) @ root
        total += float(np.sum(draws.max(axis=1) - draws.min(axis=1)))
    return total / (2.0 * n_draws)


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


def _sphere_coordinate(dimension: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log distribution of one coordinate of a random direction at ±nodes, and weights in units of a normal's length."""
    from scipy.special import betaincc

    nodes, weights = unit_nodes()
    furthest = min(1.0, 12.0 / math.sqrt(dimension))
    at = furthest * nodes
    upper_tail = 0.5 * betaincc(0.5, 0.5 * (dimension - 1), at**2)
    # a normal vector's length: sqrt(2) Gamma((d + 1) / 2) / Gamma(d / 2)
    length = math.sqrt(2.0) * math.exp(math.lgamma(0.5 * (dimension + 1)) - math.lgamma(0.5 * dimension))
    with np.errstate(divide="ignore"):  # beyond the farthest coordinate: the log of nothing
        log_below = np.log(upper_tail)
    return np.log1p(-upper_tail), log_below, furthest * weights * length
