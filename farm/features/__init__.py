"""Features: causal functions of bars with a declared finite lookback, and their table as of availability."""

from farm.features.feature import Feature
from farm.features.laws import find_leaks
from farm.features.leak import Suspicion, suspicious_features
from farm.features.presets import PRESETS
from farm.features.recipe import FeatureRecipe
from farm.features.registered import registry
from farm.features.table import FeatureTable

__all__ = [
    "PRESETS",
    "Feature",
    "FeatureRecipe",
    "FeatureTable",
    "Suspicion",
    "find_leaks",
    "registry",
    "suspicious_features",
]
