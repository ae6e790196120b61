"""How many independent trials a set of correlated trials amounts to."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray, accept_matrix, accept_seed
from farm.stats.directions import count_matching_width, expected_width

_CLUSTER_CORRELATION = 0.5**0.5  # members share more than half of their variance


@dataclass(frozen=True)
class EffectiveTrials:
    """Estimates of the number of independent trials behind N columns of returns.

    Attributes
    ----------
    value : float
        The recommended one, `equivalent`: between 1 and `raw`.
    equivalent : float
        Number of independent trials whose best is expected to look as good as the best of these.
    raw : int
        Number of columns.
    idle : int
        Constant columns, each counted as one trial of its own in every estimate.
    """

    value: float
    equivalent: float
    raw: int
    idle: int
    _units: FloatArray = field(repr=False, compare=False)

    @cached_property
    def spectral(self) -> float:
        """N less the excess over 1 of each correlation eigenvalue that stands above sampling noise.

        With one common correlation rho it is rho + (1 - rho) N.
        """
        return self.idle + (_spectral(self._correlation, len(self._units)) if self._units.size else 0.0)

    @cached_property
    def clustered(self) -> float:
        """Number of clusters by average linkage, cut where members share half of their variance."""
        return float(self.idle + (_clustered(self._correlation) if self._units.size else 0))

    @cached_property
    def _correlation(self) -> FloatArray:
        correlation = np.clip(self._units.T @ self._units, -1.0, 1.0)
        np.fill_diagonal(correlation, 1.0)
        return correlation


def effective_trials(returns: ArrayLike, *, seed: int = 0) -> EffectiveTrials:
    """The effective number of independent trials, from the correlation of the trials' returns.

    What deflation needs is how high the best of N worthless trials is expected to stand. `equivalent` measures just
    that: the expected largest of N normals that are correlated as the trials are, turned back into a number of
    independent ones. Copies of a trial add nothing, an independent one adds one, a correlated one its share. The
    expectation is taken by simulation over directions in sample space, from a fixed seed, to about 1%. The other two
    estimates are computed when they are read.

    A correlation estimated from T rows is noisy: N independent columns are N points on a sphere in T - 1 dimensions
    and a little crowded there. The turning back uses the expected largest of independent POINTS ON THAT SPHERE, so
    independent columns come out at N for any T.

    Measured, the verdict's 5% test of the best of 20 null trials (T = 500, 400 runs a structure) with this number:
    independent trials pass .003-.008 of the time, one common correlation of .5 .013, of .72 .018, of .9 .043, four
    blocks of five .005-.015, copies of one .05. `spectral` is as safe (.003-.02) but gives away power; `clustered` is
    not safe (.10 at a correlation of .72 or .9, where it sees one trial).

    Parameters
    ----------
    returns : array-like, shape (T, N)
        One column a trial, time first, over a common span; a constant (idle) column counts one.
    seed : int
        Of the directions.

    Raises
    ------
    ValueError
        For a matrix that is not finite or has fewer than 4 rows.

    References
    ----------
    The sphere: Chernozhukov, Chetverikov & Kato (2013), Annals of Statistics 41(6) (the maximum of a correlated
    Gaussian vector from the sample itself). Spectral: Bailey & Lopez de Prado (2014), appendix 3, generalised from one
    mean correlation to the spectrum; noise edge by Marchenko & Pastur (1967) and Johnstone (2001).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> independent = rng.standard_normal((500, 20))
    >>> round(effective_trials(independent).value)
    20
    >>> round(effective_trials(np.repeat(independent[:, :2], 10, axis=1)).value)
    2
    """
    matrix = accept_matrix(returns, rows=4, columns=1)
    raw = matrix.shape[1]
    active = matrix[:, np.ptp(matrix, axis=0) > 0.0]
    idle = raw - active.shape[1]
    units = _unit_columns(active)
    equivalent = idle + _equivalent(units, accept_seed(seed))
    return EffectiveTrials(equivalent, equivalent, raw, idle, units)


def _unit_columns(active: FloatArray) -> FloatArray:
    """Columns centred and scaled to length 1, safe for very small and very large returns."""
    if active.shape[1] == 0:
        return active
    centred = active - active.mean(axis=0)
    centred /= np.abs(centred).max(axis=0)
    return centred / np.sqrt(np.sum(centred**2, axis=0))


def _equivalent(units: FloatArray, seed: int) -> float:
    n_rows, n_trials = units.shape
    if n_trials < 2:
        return float(n_trials)
    count = count_matching_width(expected_width(units, seed), n_rows - 1)
    return min(max(count, 1.0), float(n_trials))


def _spectral(correlation: FloatArray, n_rows: int) -> float:
    eigenvalues = np.linalg.eigvalsh(correlation)
    above = eigenvalues[eigenvalues > _noise_edge(len(correlation), n_rows)]
    return float(len(correlation) - np.sum(above - 1.0))


def _noise_edge(n_columns: int, n_rows: int) -> float:
    """What the largest eigenvalue of independent columns' correlation exceeds once in a hundred samples."""
    freedom = n_rows - 1
    root = np.sqrt(freedom) + np.sqrt(n_columns)
    scale = root * (1.0 / np.sqrt(freedom) + 1.0 / np.sqrt(n_columns)) ** (1.0 / 3.0)
    return float((root**2 + 2.02 * scale) / freedom)  # 2.02: the 99% point of the Tracy-Widom law of order one


def _clustered(correlation: FloatArray) -> int:
    if len(correlation) == 1:
        return 1
    from scipy.cluster.hierarchy import fcluster, linkage

    distances = np.maximum(1.0 - correlation[np.triu_indices_from(correlation, k=1)], 0.0)
    tree = linkage(distances, method="average")
    return int(fcluster(tree, 1.0 - _CLUSTER_CORRELATION, criterion="distance").max())
