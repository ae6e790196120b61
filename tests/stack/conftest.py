from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit, fit_seed
from farm.folds import Cpcv, FoldPlan
from farm.labels import Cusum, TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, Panel, PanelRecipe
from farm.stack import Lattice, Market, build_lattice

BASES = {
    "neighbours": Model(uses="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": 9}),
    "stumps": Model(uses="lightgbm", params={"n_estimators": 8, "num_leaves": 4, "learning_rate": 0.2}),
}

RECIPE = PanelRecipe(
    Decisions(timeframe="1h", events=Cusum(threshold=1.0)),
    FeatureRecipe(preset="small"),
    TripleBarrier(up=1.5, down=1.5, max_bars=24),
    0.0,
)


@dataclass(frozen=True, eq=False)
class World:
    """A panel, its plan, and every fit of two bases on every split."""

    panel: Panel
    plan: FoldPlan
    predictions: dict
    records: dict
    lattice: Lattice
    market: Market

    @property
    def bases(self):
        return tuple(self.predictions)


@pytest.fixture(scope="session")
def panel():
    """About 500 events on two segments; a few, cut off by the hole, have no label."""
    bars, calendar = market_data()
    return RECIPE.build(bars, calendar)


def market_data():
    """The bars of the panel, with a hole in their middle, and their calendar."""
    loaded = SyntheticBars(markets={"SYN-S": {"edge": 0.5}}, timeframe="1h", years=0.4, seed=2).read("SYN-S")
    n = len(loaded.bars)
    keep = np.delete(np.arange(n), np.arange(n // 2, n // 2 + 40))
    cut = {
        f.name: getattr(loaded.bars, f.name)[keep] for f in fields(loaded.bars) if f.name not in ("symbol", "timeframe")
    }
    bars = replace(loaded.bars, **cut | {"segment": (keep >= n // 2).astype(np.int64)})
    return bars, loaded.instrument.calendar


@pytest.fixture(scope="session")
def make_world():
    """Fits both bases on every split of a panel: the whole way from labels to lattice."""

    def make(panel: Panel) -> World:
        events, bars = panel.events, panel.bars
        plan = Cpcv(groups=5, test_groups=2, embargo="1 session").plan(
            events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session
        )
        predictions, records = {}, {}
        for name, model in BASES.items():
            predictions[name], records[name] = {}, {}
            for split in range(len(plan.splits)):
                seed = fit_seed(7, name, split)
                done = fit(panel, plan, model, builtin(), split, seed=seed, threads=1, keep=50)
                predictions[name][split] = (events.decided_at[done.rows], done.probability)
                records[name][split] = done.record
        close = bars.close[events.row]
        market = Market(volatility=events.volatility / close, cost=np.full(len(events), 1e-4))
        return World(panel, plan, predictions, records, build_lattice(plan, events.decided_at, predictions), market)

    return make


@pytest.fixture(scope="session")
def world(panel, make_world):
    return make_world(panel)
