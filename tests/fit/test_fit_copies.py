"""A fit reads the panel in place: beside it stands one copy of the training rows, and no second one."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit
from farm.folds import Cpcv
from farm.labels import TripleBarrier
from farm.models import Model, builtin
from farm.panel import Decisions, PanelRecipe

PEAKS: list[int] = []


class Sees(ClassifierMixin, BaseEstimator):
    """A classifier that notes what memory is taken while it fits."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        PEAKS.append(tracemalloc.get_traced_memory()[0])
        return self

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


@pytest.fixture(scope="module")
def wide():
    """A panel of some thirty columns and the plan of its folds: the matrix outweighs all that is kept a row."""
    loaded = SyntheticBars(markets={"SYN-W": {}}, timeframe="15min", years=1.2, seed=2).read("SYN-W")
    recipe = PanelRecipe(
        Decisions(timeframe="15min"), FeatureRecipe(preset="core"), TripleBarrier(up=2, down=2, max_bars=24), 0.0
    )
    panel = recipe.build(loaded.bars, loaded.instrument.calendar)
    events, bars = panel.events, panel.bars
    plan = Cpcv(groups=4, test_groups=2).plan(
        events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session
    )
    return panel, plan


@pytest.mark.parametrize("split", [0, 1])
def test_while_a_model_fits_its_training_rows_are_copied_once(wide, split):
    panel, plan = wide
    model = Model(uses=f"{__name__}.Sees", scale="none")

    def fitted():
        return fit(panel, plan, model, builtin(), split, seed=1, threads=1, keep=panel.values.shape[1])

    fitted()  # the first one of a process imports
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        done = fitted()
    finally:
        tracemalloc.stop()
    taken = PEAKS[-1] - before
    training_rows = done.record.n_train * panel.values.itemsize * panel.values.shape[1]
    assert taken < 1.3 * training_rows
