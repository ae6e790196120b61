"""What a study's panel is like, before anything is fitted: do its features stay what they are, is its embargo enough.

Nothing here decides anything; the report shows it, and a warning says what to look at. `Diagnostics.plain` gives this
JSON (numbers are null where a test cannot be made):

.. code-block:: text

    {"tested_rows": 1893, "every": 3,
     "features": [{"name": "rsi_14", "reading": "stationary", "adf": -9.1, "adf_p": 1e-15, "adf_bound": "",
                   "kpss": 0.2, "kpss_p": 0.1, "kpss_bound": ">", "break_p": 0.31, "break_at": null,
                   "autocorrelation": 0.02}],
     "embargo": {"length": "1 session", "pairs": 5612, "label_autocorrelation": 0.01, "limit": 0.1,
                 "features_above": 12},
     "regimes": {"volatility": {"low": 0.5, "high": 0.4, "unknown": 0.1},
                 "trend": {"up": 0.3, "down": 0.3, "sideways": 0.3, "unknown": 0.1}},
     "warnings": ["..."]}

``reading`` is one of `READINGS`; ``break_at`` (a UTC date) stands only where the break is significant.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.backtest import session_regimes
from farm.backtest.regime import TRENDS, VOLATILITIES
from farm.folds import Embargo, FoldPlan
from farm.folds.embargo import fraction_of
from farm.labels import average_uniqueness
from farm.panel import Panel
from farm.stats import adf, benjamini_hochberg, cusum_test, kpss

Float = NDArray[np.float64]
Int = NDArray[np.int64]

READINGS = ("stationary", "slow or shifting", "unit root", "unclear", "constant", "too few rows")
AUTOCORRELATION_LIMIT = 0.1
EVENTS_A_FEATURE = 10
ALPHA = 0.05

_TESTED, _PAIRED = 2_000, 20_000
_FEWEST = 50
_NAMED = 5


@dataclass(frozen=True)
class FeatureDiagnosis:
    """One feature over the span of its study.

    ``reading`` puts the two tests together: ``stationary`` where ADF rejects a unit root and KPSS does not reject
    stationarity, ``unit root`` the other way round, ``slow or shifting`` where both reject, ``unclear`` where neither.
    ``break_p`` is the CUSUM test's of a constant mean. ``autocorrelation`` is that across the embargo.
    """

    name: str
    reading: str
    adf: float | None = None
    adf_p: float | None = None
    adf_bound: str = ""
    kpss: float | None = None
    kpss_p: float | None = None
    kpss_bound: str = ""
    break_p: float | None = None
    break_at: str | None = None
    autocorrelation: float | None = None


@dataclass(frozen=True)
class AcrossEmbargo:
    """How much decisions still know of each other where training may begin again after a held-out event.

    ``pairs`` are a decision and the first one after its label's end and the embargo: the nearest that can stand on both
    sides of a split. ``features_above`` is how many features correlate by more than ``limit`` over them.
    """

    length: str
    pairs: int
    label_autocorrelation: float | None
    limit: float
    features_above: int


@dataclass(frozen=True)
class Diagnostics:
    """The diagnostics of one study; ``tested_rows`` are every ``every``-th decision."""

    tested_rows: int
    every: int
    features: tuple[FeatureDiagnosis, ...]
    embargo: AcrossEmbargo
    regimes: dict[str, dict[str, float]]
    warnings: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """The diagnostics as JSON-able values, as at the head of this module."""
        return {**asdict(self), "features": [asdict(one) for one in self.features], "warnings": list(self.warnings)}


def diagnose(panel: Panel, embargo: Embargo) -> Diagnostics:
    """Diagnostics of a panel and of the embargo that its study is cut with.

    Stationarity and breaks are tested on every k-th decision over the whole span, at most 2,000: a thinned unit root
    is one still, and what these tests can tell grows with the span, not with the number of rows in it (Shiller and
    Perron, Economics Letters 18, 1985). The span is one series: a hole in the data is a longer step in it.
    """
    every = max(1, -(-len(panel) // _TESTED))
    thinned = panel.values[::every]
    first, second = pairs_across(panel, embargo)
    carried = _correlations(panel.values[first], panel.values[second])
    features = [
        _tested(name, column, panel.events.decided_at[::every], None if np.isnan(own) else float(own))
        for name, column, own in zip(panel.names, np.ascontiguousarray(thinned.T), carried, strict=True)
    ]
    features = _only_significant_breaks(features)
    label = _correlations(*(panel.events.label[rows].astype(np.float64)[:, None] for rows in (first, second)))[0]
    above = np.abs(carried) > _limit(len(first))
    across = AcrossEmbargo(
        length=str(embargo),
        pairs=len(first),
        label_autocorrelation=None if np.isnan(label) else float(label),
        limit=AUTOCORRELATION_LIMIT,
        features_above=int(np.count_nonzero(above)),
    )
    return Diagnostics(
        tested_rows=len(thinned),
        every=every,
        features=tuple(features),
        embargo=across,
        regimes=regime_shares(panel),
        warnings=(*_of_embargo(across, features), *_of_features(features)),
    )


def pairs_across(panel: Panel, embargo: Embargo) -> tuple[Int, Int]:
    """Labelled decisions and, for each, the first labelled one that may be trained on when it is held out.

    At most 20,000 pairs, every k-th of them; decisions that have no such follower are left out.
    """
    events, bars = panel.events, panel.bars
    labelled = np.flatnonzero(events.labelled)
    decided, exited = events.decided_at[labelled], events.exited_at[labelled]
    at = np.minimum(np.searchsorted(bars.available_at, exited), len(bars) - 1)
    if embargo.amount == 0:
        until = exited
    elif embargo.unit == "session":
        last_bar = np.append(np.flatnonzero(np.diff(bars.session)), len(bars) - 1)
        session = np.searchsorted(last_bar, at) + int(embargo.amount)
        until = bars.available_at[last_bar[np.minimum(session, len(last_bar) - 1)]]
    else:
        length = fraction_of(len(bars), embargo.amount) if embargo.unit == "fraction" else int(embargo.amount)
        until = bars.available_at[np.minimum(at + length, len(bars) - 1)]
    follower = np.searchsorted(decided, until, side="right")
    first = np.flatnonzero(follower < len(labelled))
    first = first[:: max(1, -(-len(first) // _PAIRED))]
    return labelled[first], labelled[follower[first]]


def regime_shares(panel: Panel) -> dict[str, dict[str, float]]:
    """Share of the decisions in each regime of volatility and of trend, as their session opened."""
    regimes = session_regimes(panel.bars)
    session = regimes.session_at(panel.events.row)
    known = {"volatility": (regimes.volatility, VOLATILITIES), "trend": (regimes.trend, TRENDS)}
    shares = {}
    for kind, (names, possible) in known.items():
        counted = Counter(names[session].tolist())
        shares[kind] = {name: counted[name] / max(len(session), 1) for name in possible}
    return shares


def effective_events(panel: Panel, rows: Int) -> float:
    """How many independent events these rows of a panel are worth: the sum of their labels' average uniqueness."""
    events = panel.events
    rows = rows[events.labelled[rows]]
    return float(average_uniqueness(events.row[rows] + 1, events.exit_row[rows]).sum())


@dataclass(frozen=True)
class FeatureBudget:
    """How many features a fit keeps, against what its smallest train set is worth; a ``warning`` where that is little.

    Ten events a feature is the least that regression strategies advise: Harrell, Regression Modeling Strategies, 2nd
    ed. (2015), section 4.4. Events that overlap count by their uniqueness.
    """

    candidates: int
    kept: int
    effective_events: float
    warning: str | None


def feature_budget(panel: Panel, plan: FoldPlan, keep: int) -> FeatureBudget:
    """The budget of a study whose fits keep at most ``keep`` of the panel's features."""
    events, kept = panel.events, min(keep, len(panel.names))
    rows = plan.on(events.decided_at, events.exited_at)
    effective = min(effective_events(panel, rows.train_rows(held_out)) for held_out in plan.splits)
    warning = None
    if effective < EVENTS_A_FEATURE * kept:
        warning = (
            f"{kept} features are kept where the train events of a split are worth {effective:,.0f} independent ones, "
            f"fewer than {EVENTS_A_FEATURE} a feature; set features.keep: {max(1, int(effective / EVENTS_A_FEATURE))}, "
            "or give more events, or labels that overlap less"
        )
    return FeatureBudget(len(panel.names), kept, effective, warning)


def _tested(name: str, column: Float, decided: Int, carried: float | None) -> FeatureDiagnosis:
    if len(column) < _FEWEST:
        return FeatureDiagnosis(name, "too few rows", autocorrelation=carried)
    if np.ptp(column) == 0:
        return FeatureDiagnosis(name, "constant")
    unit_root, level, broken = adf(column), kpss(column), cusum_test(column)
    moves_back, moves_away = unit_root.p_value < ALPHA, level.p_value < ALPHA
    reading = {
        (True, False): "stationary",
        (True, True): "slow or shifting",
        (False, True): "unit root",
        (False, False): "unclear",
    }
    broke_at = decided[min(broken.break_after, len(decided) - 1)]
    return FeatureDiagnosis(
        name=name,
        reading=reading[moves_back, moves_away],
        adf=unit_root.statistic,
        adf_p=unit_root.p_value,
        adf_bound=unit_root.bound,
        kpss=level.statistic,
        kpss_p=level.p_value,
        kpss_bound=level.bound,
        break_p=broken.p_value,
        break_at=str(np.datetime64(int(broke_at), "ns").astype("datetime64[D]")),
        autocorrelation=carried,
    )


def _only_significant_breaks(features: Sequence[FeatureDiagnosis]) -> list[FeatureDiagnosis]:
    """The features with the date of the break where it stands out among so many tests, and without it elsewhere."""
    tested = [one.break_p for one in features if one.break_p is not None]
    adjusted = iter(benjamini_hochberg(tested).tolist())
    return [
        one if one.break_p is not None and next(adjusted) < ALPHA else replace(one, break_at=None) for one in features
    ]


def _correlations(one: Float, other: Float) -> Float:
    """Correlation of each column with the same one of the other matrix, NaN where either does not move."""
    if len(one) < 2:
        return np.full(one.shape[1], np.nan)
    moves = (np.ptp(one, axis=0) > 0) & (np.ptp(other, axis=0) > 0)
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    scale = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    return np.divide((one * other).sum(axis=0), scale, out=np.full(one.shape[1], np.nan), where=moves)


def _limit(pairs: int) -> float:
    """What an autocorrelation must be above to be told: the limit, or twice its own noise where pairs are few."""
    return max(AUTOCORRELATION_LIMIT, 2.0 / np.sqrt(max(pairs, 1)))


def _of_embargo(across: AcrossEmbargo, features: Sequence[FeatureDiagnosis]) -> list[str]:
    limit, said = _limit(across.pairs), []
    if across.label_autocorrelation is not None and abs(across.label_autocorrelation) > limit:
        said.append(
            f"labels on the two sides of the embargo ({across.length}) correlate by "
            f"{across.label_autocorrelation:.2f}, above {limit:.2g}: held-out events are not independent of the train "
            "rows; lengthen folds.embargo"
        )
    far = sorted(features, key=lambda one: -abs(one.autocorrelation or 0.0))[: across.features_above]
    if far:
        named = ", ".join(f"{one.name} {one.autocorrelation:.2f}" for one in far[:_NAMED])
        said.append(
            f"{len(far)} of {len(features)} features still correlate by more than {limit:.2g} across the embargo "
            f"({across.length}): {named}{_more(len(far))}; they leak nothing unless the labels correlate too"
        )
    return said


def _of_features(features: Sequence[FeatureDiagnosis]) -> list[str]:
    wandering = [one.name for one in features if one.reading == "unit root"]
    broken = [f"{one.name} ({one.break_at})" for one in features if one.break_at is not None]
    said = []
    if wandering:
        named = ", ".join(wandering[:_NAMED])
        said.append(
            f"{len(wandering)} features look like unit roots, so what was learned at one level may never come back: "
            f"{named}{_more(len(wandering))}"
        )
    if broken:
        named = ", ".join(broken[:_NAMED])
        said.append(f"the mean of {len(broken)} features breaks: {named}{_more(len(broken))}")
    return said


def _more(n: int) -> str:
    return f" and {n - _NAMED} more" if n > _NAMED else ""
