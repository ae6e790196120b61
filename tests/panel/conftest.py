from dataclasses import fields, replace

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.labels import Cusum, TripleBarrier
from farm.panel import Decisions, PanelRecipe


@pytest.fixture(scope="session")
def loaded():
    """Half-hour bars of a hundred days."""
    return SyntheticBars(markets={"SYN-P": {"drift": 0.5}}, timeframe="30min", years=0.27, seed=1).read("SYN-P")


@pytest.fixture(scope="session")
def holed(loaded):
    """The same bars with a hole of a day and a half in the middle: two segments."""
    bars = loaded.bars
    hole = len(bars) // 2 + 7
    keep = np.delete(np.arange(len(bars)), np.arange(hole, hole + 72))
    cut = {f.name: getattr(bars, f.name)[keep] for f in fields(bars) if f.name not in ("symbol", "timeframe")}
    return replace(bars, **cut | {"segment": (keep >= hole).astype(np.int64)})


@pytest.fixture(scope="session")
def recipe():
    """Builds a panel recipe with some parts replaced."""

    def make(**changed):
        parts = {
            "decisions": Decisions(timeframe="1h", events=Cusum(threshold=1.0)),
            "features": FeatureRecipe(preset="small", timeframes=("4h",)),
            "labels": TripleBarrier(up=2, down=2, max_bars=12),
            "lockbox": 0.0,
        }
        return PanelRecipe(**parts | changed)

    return make
