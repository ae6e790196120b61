"""Models: one small contract, a catalog by name, and one file a model."""

from farm.models.catalog import BASELINES, Catalog, builtin, installed
from farm.models.contract import Estimator, EvalSet, Wants
from farm.models.entry import Entry
from farm.models.spec import EarlyStopping, Model

__all__ = [
    "BASELINES",
    "Catalog",
    "EarlyStopping",
    "Entry",
    "Estimator",
    "EvalSet",
    "Model",
    "Wants",
    "builtin",
    "installed",
]
