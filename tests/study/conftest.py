from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from farm.backtest import Account
from farm.bars import Instrument, SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit, fit_seed
from farm.folds import Cpcv, FoldPlan
from farm.labels import Cusum, TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, Panel, PanelRecipe
from farm.stack import Stack
from farm.study import StudyRecipe

MODELS = {
    "linear": Model(uses="logistic"),
    "boosted": Model(uses="lightgbm", params={"n_estimators": 8, "num_leaves": 4}),
    "majority": Model(uses="majority"),
    "momentum_sign": Model(uses="momentum_sign"),
    "random": Model(uses="random"),
}
STACK = Stack()
ROLES = {name: MODELS[name].wants(builtin()).role for name in MODELS}


@dataclass(frozen=True, eq=False)
class Ready:
    """All that a study needs once its fits are done."""

    panel: Panel
    plan: FoldPlan
    predictions: dict[str, Any]
    records: dict[str, Any]
    instrument: Instrument

    def study(self, *, roles=ROLES, stack=STACK, without=()):
        recipe = StudyRecipe(roles, stack, Account(capital=100_000), self.instrument)
        left = {name: found for name, found in self.predictions.items() if name not in without}
        return recipe.run(self.panel, self.plan, left, {name: self.records[name] for name in left})


@pytest.fixture(scope="session")
def ready():
    """A market with a strong edge, about 700 events in 6 groups, fitted by two candidates and three baselines."""
    loaded = SyntheticBars(markets={"SYN-Y": {"edge": 0.6}}, timeframe="1h", years=0.5, seed=4).read("SYN-Y")
    recipe = PanelRecipe(
        Decisions(timeframe="1h", events=Cusum(threshold=1.0)),
        FeatureRecipe(preset="small"),
        TripleBarrier(up=1.5, down=1.5, max_bars=12),
        0.1,
    )
    panel = recipe.build(loaded.bars, loaded.instrument.calendar)
    events, bars = panel.events, panel.bars
    plan = Cpcv(groups=6, test_groups=2, embargo="1 session").plan(
        events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session
    )
    predictions, records = {}, {}
    for name, model in MODELS.items():
        predictions[name], records[name] = {}, {}
        for split in range(len(plan.splits)):
            done = fit(
                panel, plan, model, builtin(), split, seed=fit_seed(1, name, split), threads=1, keep=50
            )  # fmt: skip
            predictions[name][split] = (events.decided_at[done.rows], done.probability)
            records[name][split] = done.record
    assert np.array_equal(plan.paths().shape, (5, 6))
    return Ready(panel, plan, predictions, records, loaded.instrument)


@pytest.fixture(scope="session")
def study(ready):
    return ready.study()
