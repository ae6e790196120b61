"""Models: one small contract, a catalog by name, and one file a model."""

from farm.models.catalog import BASELINES, Catalog, builtin, installed
from farm.models.contract import Estimator, EvalSet, Regressor, Wants, Windows
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
    "Regressor",
    "Wants",
    "Windows",
    "builtin",
    "installed",
]
