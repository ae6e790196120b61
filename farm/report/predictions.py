"""What the out-of-fold predictions were worth: whether probabilities keep their word, and each split's ranking."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from farm.stats.discrimination import auc

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Side = Literal["up", "down"]

SIDES: dict[Side, int] = {"up": 1, "down": -1}
_BINS = 10
_Z = 1.959963984540054  # two-sided 95% of the normal distribution


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often an event came true beside how probable it was called, in bins of about equal numbers.

    Attributes
    ----------
    predicted, observed : array, shape (bins,)
        Mean probability called, and the share of events that came true.
    low, high : array, shape (bins,)
        Wilson's 95% interval of that share, as if events were independent.
    events : array, shape (bins,)
        Events in each bin.
    """

    predicted: Float
    observed: Float
    low: Float
    high: Float
    events: Int

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of observed from predicted, weighted by events.

        Source: Naeini, Cooper and Hauskrecht (2015), Obtaining Well Calibrated Probabilities Using Bayesian Binning,
        with the bins of equal mass of Nixon et al. (2019), Measuring Calibration in Deep Learning.
        """
        return float(np.average(np.abs(self.observed - self.predicted), weights=self.events))


@dataclass(frozen=True, eq=False)
class Scored:
    """One trial's predictions: ``reliability`` by side, of the mean over splits; ``auc`` by split, None where a split
    has events of one side alone."""

    reliability: dict[Side, Reliability]
    auc: dict[int, float | None]


def scored_trials(rows: pa.Table) -> Iterator[tuple[str, Scored]]:
    """Every trial of one study's out-of-fold rows (trial, decided_at, split, label, p_down, p_up), by name.

    Rows of a pool have their ``symbol``, too: decisions of two symbols at one moment are two events.
    Rows without a label or without probabilities are left out, and trials that have no others.
    """
    labelled = rows.filter(pc.and_(pc.is_valid(rows["label"]), pc.is_valid(rows["p_up"])))
    trials = labelled["trial"].combine_chunks().dictionary_encode()
    codes = trials.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(trials.dictionary) + 1))
    for at, trial in enumerate(trials.dictionary.to_pylist()):
        yield trial, _scored(labelled.take(order[bounds[at] : bounds[at + 1]]))


def reliability(probability: Float, happened: NDArray[np.bool_]) -> Reliability:
    """Observed against predicted, in at most ten bins of equal numbers; equal probabilities share a bin.

    Examples
    --------
    >>> honest = reliability(np.repeat([0.2, 0.8], 5), np.array([1, 0, 0, 0, 0, 1, 1, 1, 1, 0], dtype=bool))
    >>> honest.observed.tolist(), honest.events.tolist(), round(honest.error, 9)
    ([0.2, 0.8], [5, 5], 0.0)
    """
    edges = np.unique(np.quantile(probability, np.arange(1, _BINS) / _BINS))
    # A probability equal to an edge lies below it, so that the greatest never stands in a bin that is empty.
    bins, place = np.unique(np.searchsorted(edges, probability, side="left"), return_inverse=True)
    events = np.bincount(place, minlength=len(bins))
    predicted = np.bincount(place, probability, len(bins)) / events
    observed = np.bincount(place, happened, len(bins)) / events
    return Reliability(predicted, observed, *_wilson(observed, events), events)


def _scored(rows: pa.Table) -> Scored:
    label = rows["label"].to_numpy()
    split = rows["split"].to_numpy()
    chance: dict[Side, Float] = {"up": rows["p_up"].to_numpy(), "down": rows["p_down"].to_numpy()}
    _, first, place = np.unique(_events(rows), return_index=True, return_inverse=True)
    calls = np.bincount(place)
    lean, touched = chance["up"] - chance["down"], label != 0
    by_split = {}
    for one in np.unique(split):
        own = touched & (split == one)
        by_split[int(one)] = auc(lean[own], label[own] > 0)
    return Scored(
        {
            side: reliability(np.bincount(place, chance[side]) / calls, label[first] == sign)
            for side, sign in SIDES.items()
        },
        by_split,
    )


def _events(rows: pa.Table) -> Int:
    """A number for the event that each row is about."""
    moments = pc.cast(rows["decided_at"], pa.int64()).to_numpy()
    if "symbol" not in rows.column_names:
        return np.asarray(moments)
    symbols = rows["symbol"].combine_chunks().dictionary_encode()
    moment = np.unique(moments, return_inverse=True)[1]
    return np.asarray(moment * len(symbols.dictionary) + symbols.indices.to_numpy())


def _wilson(share: Float, n: Int) -> tuple[Float, Float]:
    """Wilson's (1927) interval of a share."""
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return centre - half, centre + half
