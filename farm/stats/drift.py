"""How far a current sample has moved from its reference: PSI, Kolmogorov-Smirnov, Mann-Whitney, Wasserstein, mean."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from farm.stats.accepted import FloatArray, accept_series


@dataclass(frozen=True, slots=True)
class KolmogorovSmirnov:
    """The two-sample Kolmogorov-Smirnov test.

    Attributes
    ----------
    statistic : float
        Largest distance between the two distribution functions.
    p_value : float
        Asymptotic, two-sided; exact in the limit and conservative where values are tied.
    """

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """The Mann-Whitney test of whether values of one sample tend to be larger than those of another.

    Attributes
    ----------
    statistic : float
        Pairs in which the reference's value is the larger, a tied pair counting half: between 0 and n m.
    p_value : float
        Two-sided.
    """

    statistic: float
    p_value: float


def population_stability_index(
    reference: ArrayLike,
    current: ArrayLike,
    n_bins: int = 10,
    *,
    bins: Literal["quantile", "width"] | ArrayLike = "quantile",
    floor: float = 1e-4,
) -> float:
    """The population stability index: sum over bins of (c - r) ln(c / r), c and r the shares of current and reference.

    Usual reading: under 0.1 stable, over 0.25 moved. It depends on the bins: by default ten quantile bins of the
    reference with open ends, quantiles that coincide making one bin. For a handful of discrete values equal widths over
    the pooled range, or edges of your own, say more.

    Parameters
    ----------
    reference, current : array-like, shapes (n,) and (m,)
    n_bins : int
        At least 2; not used with edges of your own.
    bins : "quantile", "width" or array-like
        Quantiles of the reference, equal widths over the pooled range, or increasing edges; the outer bins are open.
    floor : float
        Lowest share a bin is given, so that an empty one does not make the index infinite.

    Raises
    ------
    ValueError
        For samples that are not finite or empty, impossible bins or floor.

    References
    ----------
    Siddiqi (2006), Credit Risk Scorecards, chapter 6; the index is Jeffreys' divergence of the binned samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sample = rng.standard_normal(5000)
    >>> round(population_stability_index(sample, sample), 6)
    0.0
    >>> population_stability_index(sample, sample + 0.6) > 0.25
    True
    """
    reference, current = accept_series(reference, "reference", 1), accept_series(current, "current", 1)
    if not 0.0 < floor < 1.0:
        raise ValueError(f"floor is {floor}; it must lie strictly between 0 and 1, such as 1e-4")
    inner = _inner_edges(reference, current, n_bins, bins)
    before, after = _shares(reference, inner, floor), _shares(current, inner, floor)
    return float(np.sum((after - before) * np.log(after / before)))


def kolmogorov_smirnov(reference: ArrayLike, current: ArrayLike) -> KolmogorovSmirnov:
    """The two-sample Kolmogorov-Smirnov statistic with its asymptotic two-sided p-value.

    Raises
    ------
    ValueError
        For samples that are not finite or empty.

    References
    ----------
    Hodges (1958), Arkiv för Matematik 3(43); the p-value is the finite-size Kolmogorov law at n m / (n + m).

    Examples
    --------
    >>> kolmogorov_smirnov([1, 2, 3, 4], [3, 4, 5, 6]).statistic
    0.5
    """
    from scipy.stats import kstwo

    reference, current = accept_series(reference, "reference", 1), accept_series(current, "current", 1)
    statistic = float(np.abs(_distribution_gap(reference, current)[1]).max())
    n, m = len(reference), len(current)
    size = max(np.round(n * m / (n + m)), 1.0)
    return KolmogorovSmirnov(statistic, float(np.clip(kstwo.sf(statistic, size), 0.0, 1.0)))


def mann_whitney(reference: ArrayLike, current: ArrayLike) -> MannWhitney:
    """The Mann-Whitney statistic with its two-sided p-value: a shift that no outlier makes or hides.

    The p-value is exact where one sample has at most eight values and none are tied, else normal with the corrections
    for ties and continuity.

    Raises
    ------
    ValueError
        For samples that are not finite or empty.

    References
    ----------
    Mann, Whitney (1947), Annals of Mathematical Statistics 18(1), 50-60.

    Examples
    --------
    >>> mann_whitney([1, 2, 3], [4, 5, 6])
    MannWhitney(statistic=0.0, p_value=0.1)
    """
    from scipy.stats import mannwhitneyu

    reference, current = accept_series(reference, "reference", 1), accept_series(current, "current", 1)
    found = mannwhitneyu(reference, current, alternative="two-sided")
    return MannWhitney(float(found.statistic), float(found.pvalue))


def mean_shift(reference: ArrayLike, current: ArrayLike) -> float:
    """Mean of the current sample less that of the reference, in (sample) standard deviations of the reference.

    Raises
    ------
    ValueError
        For samples that are not finite or empty, or a reference that does not vary: it has no unit to measure in.

    References
    ----------
    Glass (1976), Educational Researcher 5(10), 3-8: the effect size in units of the control group.

    Examples
    --------
    >>> mean_shift([1, 2, 3], [4, 5, 6])
    3.0
    """
    reference, current = accept_series(reference, "reference", 2), accept_series(current, "current", 1)
    if np.ptp(reference) == 0.0:
        raise ValueError(f"every value of reference is {reference[0]}; a shift cannot be measured in its deviations")
    return float((current.mean() - reference.mean()) / reference.std(ddof=1))


def wasserstein_distance(reference: ArrayLike, current: ArrayLike) -> float:
    """The area between the two distribution functions, in the unit of the data: how far mass must travel on average.

    Raises
    ------
    ValueError
        For samples that are not finite or empty.

    References
    ----------
    Vallender (1973), Theory of Probability and its Applications 18(4).

    Examples
    --------
    >>> wasserstein_distance([0, 1, 3], [5, 6, 8])
    5.0
    """
    reference, current = accept_series(reference, "reference", 1), accept_series(current, "current", 1)
    places, gap = _distribution_gap(reference, current)
    return float(np.sum(np.abs(gap[:-1]) * np.diff(places)))


def _distribution_gap(reference: FloatArray, current: FloatArray) -> tuple[FloatArray, FloatArray]:
    """All values in order, and reference minus current distribution function at each."""
    places = np.sort(np.concatenate([reference, current]))
    before = np.searchsorted(np.sort(reference), places, side="right") / len(reference)
    after = np.searchsorted(np.sort(current), places, side="right") / len(current)
    return places, before - after


def _inner_edges(
    reference: FloatArray, current: FloatArray, n_bins: int, bins: Literal["quantile", "width"] | ArrayLike
) -> FloatArray:
    if not isinstance(bins, str):
        edges = accept_series(bins, "bins", 3)
        if not (np.diff(edges) > 0.0).all():
            raise ValueError("bins must be edges in increasing order, or 'quantile' or 'width'")
        return edges[1:-1]
    if n_bins < 2:
        raise ValueError(f"n_bins is {n_bins}; at least 2 are needed, 10 are usual")
    if bins == "quantile":
        return np.unique(np.quantile(reference, np.arange(1, n_bins) / n_bins))
    if bins == "width":
        low, high = min(reference.min(), current.min()), max(reference.max(), current.max())
        return np.linspace(low, high, n_bins + 1)[1:-1]
    raise ValueError(f"bins is {bins!r}; it must be 'quantile', 'width' or increasing edges")


def _shares(sample: FloatArray, inner: FloatArray, floor: float) -> FloatArray:
    """Share of the sample in each bin; a value on an edge belongs to the bin above, as in numpy.histogram."""
    counts = np.bincount(np.searchsorted(inner, sample, side="right"), minlength=len(inner) + 1)
    return np.maximum(counts / len(sample), floor)
