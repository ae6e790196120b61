"""The features section of an experiment, and the table it makes."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache, partial
from inspect import getsource
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.bars.frame import Bars, Float
from farm.bars.timeframe import Timeframe, nanoseconds
from farm.errors import BadInput
from farm.features.asof import asof_runs, staleness
from farm.features.feature import SESSION, Feature
from farm.features.presets import PRESETS
from farm.features.registered import registry
from farm.features.shrink import shrunk
from farm.features.table import FeatureTable, fill, join
from farm.section import Section, digest

BUDGET = 100  # candidate columns: more is a search over features, and has to be asked for


class FeatureRecipe(Section):
    """Which features a panel has: a preset, more and fewer, and the higher timeframes they are also read on.

    Columns are called ``rsi_14`` on the decision's timeframe, ``rsi_14@15min`` on a higher one, with one
    ``staleness@15min`` for each. The session's features are read on the decision's timeframe only.

    Parameters
    ----------
    preset : str
        Where to start: one of ``PRESETS``, such as ``core``; ``none`` starts with nothing.
    include, exclude : tuple of str
        Features added to the preset and taken from it.
    timeframes : tuple of str
        Higher timeframes, each longer than the decision's.
    shrink : str
        ``reliability`` draws each higher timeframe's columns towards their recent mean by how noisy they are, see
        :func:`farm.features.shrink.shrunk`; that takes 59 more bars of them.
    keep : int
        How many columns selection inside a fit may keep.
    allow_over_budget : bool
        Accept more than 100 candidate columns.
    """

    preset: str = "core"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    timeframes: tuple[Timeframe, ...] = ()
    shrink: Literal["none", "reliability"] = "none"
    keep: int = Field(default=50, ge=1)
    allow_over_budget: bool = False

    @model_validator(mode="after")
    def _known_and_within_budget(self) -> Self:
        _known("preset", (self.preset,), PRESETS)
        for key in ("include", "exclude"):
            _known(key, getattr(self, key), registry())
        if len(set(self.timeframes)) < len(self.timeframes):
            raise BadInput(f"timeframes {', '.join(self.timeframes)} has one twice; name each once")
        if not self.features:
            raise BadInput(f"preset {self.preset} with exclude leaves no feature; include at least one")
        if len(self.names) > BUDGET and not self.allow_over_budget:
            raise BadInput(
                f"{len(self.names)} candidate features ({len(self.features)} on the decision's timeframe and "
                f"{len(self.timeframes)} higher timeframes) are more than {BUDGET}; exclude some, name fewer "
                f"timeframes, or set allow_over_budget: true"
            )
        return self

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features chosen, in the order of preset, then include."""
        chosen = dict.fromkeys(PRESETS[self.preset] + self.include)
        return tuple(registry()[name] for name in chosen if name not in self.exclude)

    @property
    def higher_features(self) -> tuple[Feature, ...]:
        """Those of them that are read on every higher timeframe too."""
        return tuple(feature for feature in self.features if feature.group != SESSION)

    def higher_features_on(self, timeframe: str) -> tuple[Feature, ...]:
        """The same as they are computed on a higher timeframe: shrunk where that was asked for."""
        if self.shrink == "none":
            return self.higher_features
        return tuple(shrunk(feature, timeframe) for feature in self.higher_features)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the table's columns, in their order."""
        names = [feature.name for feature in self.features]
        for timeframe in self.timeframes:
            names += [f"{feature.name}@{timeframe}" for feature in self.higher_features]
            names.append(f"staleness@{timeframe}")
        return tuple(names)

    def table(self, decision: Bars, higher: Mapping[str, Bars], *, threads: int = 1) -> FeatureTable:
        """The features of every decision bar.

        Parameters
        ----------
        decision : Bars
            Bars of one symbol on the decision's timeframe.
        higher : mapping of timeframe to Bars
            The same symbol's bars on each of ``timeframes``, resampled from the same base and numbering segments alike.
        threads : int
            How many stretches of bars are computed at a time; the values do not depend on it.

        Raises
        ------
        BadInput
            When a higher timeframe is missing or not longer than the decision's, or a feature's lookback is longer than
            the longest segment.
        """
        self._check_timeframes(decision, higher)
        columns = np.empty((len(self.names), len(decision)))
        valid = np.ones(len(decision), dtype=np.bool_)
        at = len(self.features)  # where the next columns go
        fill(columns[:at], valid, self.features, decision, threads=threads)
        lookback = {one.name: one.bars_back(decision.timeframe) for one in self.features}
        for timeframe in self.timeframes:
            runs = asof_runs(decision, higher[timeframe])
            features = self.higher_features_on(timeframe)
            table, known = _columns(features, higher[timeframe], threads)
            join(columns[at : at + len(features)], table, runs, threads=threads)
            rows = runs.of_each_bar()
            columns[at + len(features)] = staleness(decision, higher[timeframe], rows)
            valid &= (rows >= 0) & known[rows]
            lookback |= {f"{one.name}@{timeframe}": one.bars_back(timeframe) for one in features}
            lookback[f"staleness@{timeframe}"] = 1
            at = len(lookback)
        return FeatureTable(self.names, columns.T, valid, lookback)

    def digest(self) -> str:
        """Digest of the section, the columns' names and the source of all code that computes them."""
        plugged = {feature.name: _source(feature) for feature in self.features}
        return digest([self.model_dump(mode="json"), self.names, _sources(), plugged])

    def _check_timeframes(self, decision: Bars, higher: Mapping[str, Bars]) -> None:
        for timeframe in self.timeframes:
            if nanoseconds(timeframe) <= nanoseconds(decision.timeframe):
                raise BadInput(
                    f"features.timeframes has {timeframe}, which is not longer than the decision's "
                    f"{decision.timeframe}; name longer ones only"
                )
            if timeframe not in higher:
                raise BadInput(
                    f"no bars of {timeframe} were given (found: {', '.join(higher) or 'none'}); "
                    f"resample the base series to every timeframe of the recipe"
                )


def _columns(features: Sequence[Feature], bars: Bars, threads: int) -> tuple[Float, NDArray[np.bool_]]:
    """The features of all bars, shape (features, bars), and whether all of a bar's are finite."""
    columns, valid = np.empty((len(features), len(bars))), np.ones(len(bars), dtype=np.bool_)
    fill(columns, valid, features, bars, threads=threads)
    return columns, valid


def _known(key: str, given: Iterable[str], there: Mapping[str, object]) -> None:
    for name in given:
        if name not in there:
            near = get_close_matches(name, there, n=3, cutoff=0.4) or sorted(there)[:3]
            raise BadInput(f"{key} names {name!r}, which does not exist; nearest: {', '.join(near)}")


@cache
def _sources() -> dict[str, str]:
    """This room's source by file, as it was when this process first asked: what it runs does not change either."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))}


def _source(feature: Feature) -> str:
    """Source of the module that a plug-in's function lives in; nothing for this room's, whose files count anyway."""
    function = feature.compute
    while isinstance(function, partial):
        function = function.func
    if function.__module__.startswith(f"{__package__}."):
        return ""
    module = sys.modules[function.__module__]
    return getsource(module if hasattr(module, "__file__") else function)
