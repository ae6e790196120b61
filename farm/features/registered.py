"""Every feature there is, by name: those of this room and those that installed packages add."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from farm.errors import BadInput
from farm.features import (
    averages,
    candles,
    fractional,
    microstructure,
    momentum,
    regimes,
    returns,
    session,
    trend,
    volatility,
    volume,
    wavelets,
)
from farm.features.feature import Feature

PLUG_INS = "farm.features"  # entry-point group; each entry is a tuple of Feature


@cache
def registry() -> Mapping[str, Feature]:
    """All features by name, read only, in the order of their groups.

    Raises
    ------
    BadInput
        When two features have one name.

    >>> registry()["rsi_14"].group
    'momentum'
    """
    found: dict[str, Feature] = {}
    own = (returns, averages, trend, momentum, volatility, volume, candles, session, regimes, wavelets, fractional)
    groups = [room.FEATURES for room in (*own, microstructure)]
    added = [entry.load() for entry in sorted(entry_points(group=PLUG_INS), key=lambda entry: entry.name)]
    for feature in (feature for group in groups + added for feature in group):
        if feature.name in found:
            there, here = (one.compute for one in (found[feature.name], feature))
            raise BadInput(f"two features are called {feature.name}: {there} and {here}; rename the one of the plug-in")
        found[feature.name] = feature
    return MappingProxyType(found)
