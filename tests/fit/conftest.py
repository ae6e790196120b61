from dataclasses import fields, replace

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit
from farm.folds import Cpcv
from farm.labels import Cusum, TripleBarrier
from farm.models import builtin
from farm.panel import Decisions, PanelRecipe


@pytest.fixture(scope="session")
def panel():
    """About 500 events on two segments of hourly bars; a few of them, cut off by the hole, have no label."""
    loaded = SyntheticBars(markets={"SYN-F": {"edge": 0.3}}, timeframe="1h", years=0.4, seed=2).read("SYN-F")
    n = len(loaded.bars)
    keep = np.delete(np.arange(n), np.arange(n // 2, n // 2 + 40))
    cut = {
        f.name: getattr(loaded.bars, f.name)[keep] for f in fields(loaded.bars) if f.name not in ("symbol", "timeframe")
    }
    bars = replace(loaded.bars, **cut | {"segment": (keep >= n // 2).astype(np.int64)})
    made = PanelRecipe(
        Decisions(timeframe="1h", events=Cusum(threshold=1.0)),
        FeatureRecipe(preset="small"),
        TripleBarrier(up=1.5, down=1.5, max_bars=24),
        0.0,
    ).build(bars, loaded.instrument.calendar)
    assert 2 <= (~made.events.labelled).sum() < 40
    return made


@pytest.fixture(scope="session")
def plan(panel):
    folds = Cpcv(groups=5, test_groups=2, embargo="1 session")
    events, bars = panel.events, panel.bars
    return folds.plan(events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session)


@pytest.fixture(scope="session")
def fit_one(plan):
    """Fits a model on one split of a panel."""

    def run(panel, model, split=3, seed=7, keep=50, **selection):
        return fit(panel, plan, model, builtin(), split, seed=seed, threads=1, keep=keep, **selection)

    return run
