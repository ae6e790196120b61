from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from farm.backtest import Account
from farm.bars import Bars, Instrument, SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit, fit_seed
from farm.folds import Cpcv, FoldPlan
from farm.labels import Cusum, TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, Panel, PanelRecipe
from farm.stack import Stack
from farm.study import Study, StudyRecipe

LOCKBOX = 0.15
MODELS = {
    "neighbours": Model(uses="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": 9}),
    "boosted": Model(
        uses="lightgbm",
        params={"n_estimators": 40, "num_leaves": 4, "learning_rate": 0.2},
        early_stopping={"rounds": 5, "tail": 0.2},
    ),
    "random": Model(uses="random"),
}


@pytest.fixture(scope="session")
def models():
    """The models of the run, by name."""
    return MODELS


@dataclass(frozen=True, eq=False)
class Run:
    """A whole experiment on one symbol, in memory: bars to study."""

    bars: Bars
    instrument: Instrument
    panel: Panel
    plan: FoldPlan
    predictions: dict[str, Any]
    records: dict[str, Any]
    study: Study


@pytest.fixture(scope="session")
def bars():
    return SyntheticBars(markets={"SYN-L": {"edge": 0.4, "drift": 0.5}}, timeframe="30min", years=0.35, seed=9).read(
        "SYN-L"
    )


@pytest.fixture(scope="session")
def recipe():
    return PanelRecipe(
        Decisions(timeframe="1h", events=Cusum(threshold=1.2)),
        FeatureRecipe(preset="small", timeframes=("4h",)),
        TripleBarrier(up=1.5, down=1.5, max_bars=24),
        LOCKBOX,
    )


@pytest.fixture(scope="session")
def run_all(bars, recipe):
    """Runs everything on bars, on a panel made of them, or on that panel after something was done to it."""

    def run(base=bars.bars, change=lambda panel: panel):
        panel = change(recipe.build(base, bars.instrument.calendar))
        events = panel.events
        plan = Cpcv(groups=5, test_groups=2, embargo="1 session", lockbox=LOCKBOX).plan(
            events.decided_at, events.exited_at, clock=panel.bars.available_at, session=panel.bars.session
        )
        predictions, records = {}, {}
        for name, model in MODELS.items():
            predictions[name], records[name] = {}, {}
            for split in range(len(plan.splits)):
                seed = fit_seed(7, name, split)
                done = fit(panel, plan, model, builtin(), split, seed=seed, threads=1, keep=12)
                predictions[name][split] = (events.decided_at[done.rows], done.probability)
                records[name][split] = done.record
        roles = {name: model.wants(builtin()).role for name, model in MODELS.items()}
        study = StudyRecipe(roles, Stack(), Account(capital=100_000), bars.instrument).run(
            panel, plan, predictions, records
        )
        return Run(base, bars.instrument, panel, plan, predictions, records, study)

    return run


@pytest.fixture(scope="session")
def real_run(run_all):
    return run_all()


@pytest.fixture(scope="session")
def altered():
    """Bars with other prices and volumes from a position on."""

    def make(base, start, seed=0):
        rng, n = np.random.default_rng(seed), len(base) - start
        price = base.close[start - 1] * np.exp(np.cumsum(rng.normal(0, 0.03, n)))
        tail = {"open": price, "close": price * 1.01, "high": price * 1.02, "low": price * 0.98, "volume": price}
        joined = {name: np.concatenate((getattr(base, name)[:start], new)) for name, new in tail.items()}
        return replace(base, **joined)

    return make
