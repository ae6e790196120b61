from typing import Any

import numpy as np
import pytest

from farm.fit import Fitted, fit, fit_seed
from farm.folds import FoldPlan
from farm.models import Model, builtin
from farm.panel import Panel
from farm.pool import PooledPanel, plan_pool, pooled
from farm.run import run
from farm.run.driver import RunResult
from tests.pool.made import FOLDS, experiment, tiny_panel


@pytest.fixture(scope="session")
def two_symbols() -> PooledPanel:
    """Two symbols that decide every bar and every second bar."""
    rng = np.random.default_rng(0)
    one = tiny_panel("A", np.arange(0, 180), rng.integers(1, 6, 180), rng)
    other = tiny_panel("B", np.arange(0, 180, 2), rng.integers(1, 9, 90), rng)
    return pooled([one, other])


@pytest.fixture(scope="session")
def fit_tree() -> Any:
    """One split of a panel fitted by a few small trees."""
    model = Model(uses="lightgbm", params={"n_estimators": 3, "num_leaves": 4, "min_child_samples": 5})

    def fitting(panel: Panel, plan: FoldPlan, split: int) -> Fitted:
        return fit(panel, plan, model, builtin(), split, seed=fit_seed(1, "tree", split), threads=1, keep=2)

    return fitting


@pytest.fixture(scope="session")
def fitted(two_symbols: PooledPanel, fit_tree: Any) -> Any:
    """The pool's plan, and all its splits fitted: (plan, model -> fits)."""
    plan = plan_pool(two_symbols, FOLDS)
    return plan, {"tree": [fit_tree(two_symbols, plan, split) for split in range(len(plan.splits))]}


@pytest.fixture(scope="session")
def pool_run(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run(experiment(tmp_path_factory.mktemp("pool")))
