"""A model of windows in a fit: the bars behind each decision, scaled by the train rows alone, never those of others."""

from dataclasses import replace

import numpy as np
import pytest

from farm.bars import SyntheticBars
from farm.features import FeatureRecipe
from farm.fit import fit
from farm.folds import Cpcv
from farm.labels import Cusum, TripleBarrier
from farm.models import Catalog, Entry, Model, Wants
from farm.panel import Decisions, PanelRecipe

LENGTH = 6
SEEN = []


class Watching:
    """Remembers what it was shown, and predicts from the first and last bar of each window."""

    wants = Wants(input="window", window=LENGTH, scale="robust", patience="patience")

    def __init__(self, patience=None):
        self.patience = patience

    def fit(self, X, y, sample_weight=None, eval_set=None):
        SEEN.append(X[np.arange(len(X))])
        self.classes_ = np.unique(y)
        self.lean_ = float(np.mean(y))
        return self

    def predict_proba(self, X):
        shown = X[np.arange(len(X))]
        SEEN.append(shown)
        score = shown[:, 0, 0] - shown[:, -1, 0] + self.lean_
        odds = np.exp(score[:, None] * self.classes_)
        return odds / odds.sum(axis=1, keepdims=True)


CATALOG = Catalog({"watching": Entry(f"{__name__}:Watching", "Watches.", "test")})
MODEL = Model(uses="watching")


@pytest.fixture(scope="module")
def windowed():
    """A panel with a history, and a plan."""
    loaded = SyntheticBars(markets={"SYN-F": {"edge": 0.3}}, timeframe="1h", years=0.3, seed=4).read("SYN-F")
    recipe = PanelRecipe(
        Decisions(timeframe="1h", events=Cusum(threshold=1.0)),
        FeatureRecipe(preset="small"),
        TripleBarrier(up=1.5, down=1.5, max_bars=24),
        0.0,
        window=LENGTH,
    )
    panel = recipe.build(loaded.bars, loaded.instrument.calendar)
    events, bars = panel.events, panel.bars
    plan = Cpcv(groups=5, test_groups=2).plan(
        events.decided_at, events.exited_at, clock=bars.available_at, session=bars.session
    )
    return panel, plan


@pytest.fixture
def fit_window(windowed):
    def run(panel=windowed[0], model=MODEL, **settings):
        SEEN.clear()
        return fit(panel, windowed[1], model, CATALOG, 3, seed=7, threads=1, keep=2, **settings)

    return run


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges])


def test_a_model_is_shown_the_bars_up_to_each_decision_of_its_own_rows(windowed, fit_window):
    panel, _ = windowed
    done = fit_window()
    train = rows_of(done.record.train)
    low, centre, high = np.percentile(panel.values[train], [25, 50, 75], axis=0)
    for shown, rows in zip(SEEN, (train, done.rows), strict=True):
        assert shown.shape == (len(rows), LENGTH, len(panel.names))
        for window, end in zip(shown[::37], panel.history_row[rows][::37], strict=True):
            raw = (panel.history[end - LENGTH + 1 : end + 1] - centre) / (high - low)
            np.testing.assert_allclose(window, np.clip(raw, -5, 5))


def test_the_last_bar_of_a_window_is_the_row_of_features(windowed):
    panel, _ = windowed
    np.testing.assert_array_equal(panel.history[panel.history_row], panel.values)


def test_no_column_is_chosen_by_its_last_value(windowed, fit_window):
    assert fit_window().record.kept == windowed[0].names


def test_a_window_of_the_experiment_replaces_the_models_own(fit_window):
    fit_window(model=Model(uses="watching", window=3))
    assert SEEN[0].shape[1] == 3


def test_no_value_of_a_held_out_group_enters_the_scale(windowed, fit_window):
    panel, plan = windowed
    before = fit_window()
    held = plan.splits[3]
    inside = np.zeros(len(panel.bars), dtype=bool)
    for number in held:
        group = plan.groups[number]
        inside |= (panel.bars.available_at >= group.start) & (panel.bars.available_at < group.stop)
    shown = SEEN[0].copy()
    values = np.where(inside[panel.events.row][:, None], 1e3 * panel.values, panel.values)
    history = np.where(inside[: len(panel.history), None], 1e3 * panel.history, panel.history)
    fit_window(panel=replace(panel, values=values, history=history))
    ends = panel.history_row[rows_of(before.record.train)]
    outside = ~np.array([inside[end - LENGTH + 1 : end + 1].any() for end in ends])
    assert outside.mean() > 0.9  # a window may begin in a held-out group: it reads its features, never its labels
    np.testing.assert_array_equal(SEEN[0][outside], shown[outside])


def test_labels_of_held_out_rows_change_no_prediction(windowed, fit_window):
    panel, _ = windowed
    before = fit_window()
    label = panel.events.label.copy()
    label[before.rows] = -label[before.rows]
    after = fit_window(panel=replace(panel, events=replace(panel.events, label=label)))
    assert np.array_equal(after.probability.view(np.int64), before.probability.view(np.int64))


def test_a_tail_is_shown_in_windows_too(windowed, fit_window, monkeypatch):
    watched = []
    plain = Watching.fit

    def seeing(self, X, y, sample_weight=None, eval_set=None):
        watched.append(eval_set)
        return plain(self, X, y, sample_weight)

    monkeypatch.setattr(Watching, "fit", seeing)
    done = fit_window(model=Model(uses="watching", early_stopping={"rounds": 3}))
    tail = rows_of(done.record.tail)
    assert watched[0].X.shape == (len(tail), LENGTH, len(windowed[0].names))
    np.testing.assert_array_equal(watched[0].y, windowed[0].events.label[tail])


def test_a_panel_without_a_history_is_refused(windowed, fit_window):
    with pytest.raises(ValueError, match="built without a history"):
        fit_window(panel=replace(windowed[0], history=None, history_row=None))


def test_a_network_learns_from_a_panel(windowed):
    pytest.importorskip("torch", reason="the extra `torch` is not installed")
    from farm.models import builtin

    panel, plan = windowed
    history = panel.history.copy()
    history[panel.history_row - 3, 0] = 5.0 * panel.events.label  # an edge three bars before each decision
    model = Model(
        uses="gru",
        window=LENGTH,
        params={"hidden": 8, "epochs": 30, "batch": 64, "learning_rate": 0.03, "warm_up": 1},
        early_stopping={"rounds": 5},
    )
    edge = replace(panel, history=history)
    one, two = (fit(edge, plan, model, builtin(), 3, seed=7, threads=1, keep=50) for _ in range(2))
    assert np.array_equal(one.probability.view(np.int64), two.probability.view(np.int64))
    known = panel.events.labelled[one.rows]
    hit = one.probability.argmax(axis=1)[known] - 1 == panel.events.label[one.rows][known]
    assert hit.mean() > 0.6
