"""Folds: groups, purge and embargo, k-fold, combinatorial purged cross-validation and its paths, walk forward."""

from farm.folds.embargo import Embargo, TradingTime
from farm.folds.lockbox import lockbox_start
from farm.folds.plan import FoldPlan, Group
from farm.folds.purge import PurgedRows
from farm.folds.sections import Cpcv, Folds, KFold, WalkForwardFolds
from farm.folds.splitters import CombinatorialPurgedCV, PurgedKFold, WalkForward
from farm.folds.tail import inner_tail

__all__ = [
    "CombinatorialPurgedCV",
    "Cpcv",
    "Embargo",
    "FoldPlan",
    "Folds",
    "Group",
    "KFold",
    "PurgedKFold",
    "PurgedRows",
    "TradingTime",
    "WalkForward",
    "WalkForwardFolds",
    "inner_tail",
    "lockbox_start",
]
