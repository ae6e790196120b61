"""The laws every feature obeys, as functions that return the first violation they find, or None.

A feature at a bar is a function of that bar and of ``lookback - 1`` bars before it. So, at random moments: without the
later bars, or with others in their place, no bit of it changes; recomputed from exactly its lookback it agrees to 1e-9.
It is finite wherever the lookback is complete, reads the inputs it declares and no others, and does not know the level
of price or volume when it says that it is stationary.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np

from farm.bars.frame import Bars, Float
from farm.features.feature import Feature
from farm.features.table import FeatureTable

TOLERANCE = 1e-9  # of the value, or absolutely where the value is below one
_COLUMNS = ("open_time", "available_at", "open", "high", "low", "close", "volume", "session")
_DECISION = ""

Streams = Mapping[str, Bars]
Columns = Callable[[Streams], tuple[tuple[str, ...], Float]]
Law = Callable[[Feature, Bars, np.random.Generator], "Violation | None"]


@dataclass(frozen=True)
class Violation:
    """A feature that broke a law: at which bar, the value it had and the value it should not have changed to."""

    name: str
    law: str
    row: int
    value: float
    changed: float

    def __str__(self) -> str:
        return f"{self.name} breaks the law of {self.law} at bar {self.row}: {self.value!r}, then {self.changed!r}"


def find_leaks(
    feature: Feature | Callable[[Bars], Float], bars: Bars, rng: np.random.Generator, *, cuts: int = 8
) -> Violation | None:
    """The first sign that a feature, or any function of bars to one value a bar, read a later bar; None without one.

    At ``cuts`` random moments every later bar is cut away, then altered; what was known by then must keep its bits.

    Raises
    ------
    ValueError
        When the bars are too short for the feature to have any value: nothing was tested.

    Examples
    --------
    >>> from farm.testing.feature import random_bars
    >>> def centred(bars):
    ...     return np.convolve(bars.close, np.ones(3) / 3, mode="same")
    >>> rng = np.random.default_rng(0)
    >>> find_leaks(centred, random_bars(rng, [200]), rng).name
    'centred'
    """
    name, values = (feature.name, feature.values) if isinstance(feature, Feature) else (_name(feature), feature)

    def columns(streams: Streams) -> tuple[tuple[str, ...], Float]:
        return (name,), np.asarray(values(streams[_DECISION]), dtype=np.float64)[:, None]

    return _first_leak(columns, {_DECISION: bars}, rng, cuts)


def find_table_leaks(
    table: Callable[[Bars, Streams], FeatureTable],
    decision: Bars,
    higher: Streams,
    rng: np.random.Generator,
    *,
    cuts: int = 8,
) -> Violation | None:
    """The first sign that a column of a recipe's table read a bar, of any timeframe, that was not available yet."""

    def columns(streams: Streams) -> tuple[tuple[str, ...], Float]:
        made = table(streams[_DECISION], {name: bars for name, bars in streams.items() if name != _DECISION})
        return made.names, made.values

    return _first_leak(columns, {_DECISION: decision, **higher}, rng, cuts)


def causality(feature: Feature, bars: Bars, rng: np.random.Generator) -> Violation | None:
    """Violation of truncation or perturbation: see :func:`find_leaks`."""
    return find_leaks(feature, bars, rng)


def lookback_parity(feature: Feature, bars: Bars, rng: np.random.Generator) -> Violation | None:
    """A bar where recomputing the feature from exactly its lookback gives another value."""
    back = feature.bars_back(bars.timeframe)
    whole = feature.values(bars)
    rows = _with_value(whole[:, None])
    for row in rng.choice(rows, size=min(40, len(rows)), replace=False):
        again = feature.values(bars.between(row - back + 1, row + 1))[-1]
        if not _agree(whole[row], again):
            return Violation(feature.name, "lookback parity", int(row), float(whole[row]), float(again))
    return None


def finiteness(feature: Feature, bars: Bars, rng: np.random.Generator) -> Violation | None:  # noqa: ARG001  # a law
    """A bar whose lookback is complete within its segment but whose value is missing or infinite."""
    starts = np.repeat(bars.segment_bounds()[:-1], np.diff(bars.segment_bounds()))
    complete = np.arange(len(bars)) - starts >= feature.bars_back(bars.timeframe) - 1
    values = feature.values(bars)
    bad = np.flatnonzero(complete & ~np.isfinite(values))
    return Violation(feature.name, "finiteness", int(bad[0]), float(values[bad[0]]), np.nan) if len(bad) else None


def declared_inputs(feature: Feature, bars: Bars, rng: np.random.Generator) -> Violation | None:  # noqa: ARG001  # a law
    """A bar whose value changes when the columns that the feature does not declare are wiped out."""
    wiped = {name: np.zeros_like(getattr(bars, name)) for name in _COLUMNS if name not in feature.inputs}
    return _first_change((feature.name,), feature.values(bars), feature.values(replace(bars, **wiped)), "inputs")


def scale_invariance(feature: Feature, bars: Bars, rng: np.random.Generator) -> Violation | None:
    """A bar where a stationary feature changes with the unit of price or volume."""
    if not feature.stationary:
        return None
    price, lots = rng.uniform(0.01, 100, size=2)
    scaled = {name: getattr(bars, name) * price for name in ("open", "high", "low", "close")}
    values = feature.values(bars)
    again = feature.values(replace(bars, volume=bars.volume * lots, **scaled))
    for row in np.flatnonzero(~np.isnan(values)):
        if not _agree(values[row], again[row]):
            return Violation(feature.name, "scale invariance", int(row), float(values[row]), float(again[row]))
    return None


LAWS: tuple[Law, ...] = (causality, lookback_parity, finiteness, declared_inputs, scale_invariance)


def _first_leak(columns: Columns, streams: Streams, rng: np.random.Generator, cuts: int) -> Violation | None:
    names, whole = columns(streams)
    clock = streams[_DECISION].available_at
    for row in rng.choice(_with_value(whole), size=cuts):
        cut = {name: bars.between(0, _known(bars, clock[row])) for name, bars in streams.items()}
        altered = {name: _altered(bars, _known(bars, clock[row]), rng) for name, bars in streams.items()}
        for law, changed in (("truncation", cut), ("perturbation", altered)):
            found = _first_change(names, whole[: row + 1], columns(changed)[1][: row + 1], law)
            if found is not None:
                return found
    return None


def _with_value(values: Float) -> np.ndarray:
    """Rows where some column has a value."""
    rows = np.flatnonzero(~np.isnan(values).all(axis=1))
    if not len(rows):
        raise ValueError(f"no value in {len(values)} bars; give longer bars than the lookback, or nothing is tested")
    return rows


def _known(bars: Bars, moment: int) -> int:
    return int(np.searchsorted(bars.available_at, moment, side="right"))


def _altered(bars: Bars, start: int, rng: np.random.Generator) -> Bars:
    """The same bars with other prices and volumes from row ``start`` on."""
    prices = bars.close[start:] * np.exp(rng.normal(0, 0.05, size=(4, len(bars) - start)))
    tails = {
        "open": prices[0],
        "high": prices.max(axis=0),
        "low": prices.min(axis=0),
        "close": prices[1],
        "volume": rng.exponential(1 + bars.volume.mean(), len(bars) - start),
    }
    joined = {name: np.concatenate((getattr(bars, name)[:start], tail)) for name, tail in tails.items()}
    return replace(bars, **cast(dict[str, Any], joined))


def _first_change(names: tuple[str, ...], before: Float, after: Float, law: str) -> Violation | None:
    """The first value whose bits differ; missing equals missing."""
    before, after = before.reshape(len(before), -1), after.reshape(len(after), -1)
    bits = np.ascontiguousarray(before).view(np.int64) != np.ascontiguousarray(after).view(np.int64)
    rows, columns = np.nonzero(bits & ~(np.isnan(before) & np.isnan(after)))
    if not len(rows):
        return None
    at = rows[0], columns[0]
    return Violation(names[at[1]], law, int(at[0]), float(before[at]), float(after[at]))


def _agree(one: float, other: float) -> bool:
    return bool(abs(one - other) <= TOLERANCE * max(1.0, abs(one)))


def _name(function: Callable[[Bars], Float]) -> str:
    return _name(function.func) if isinstance(function, partial) else function.__name__
