"""The recurrent network: it remembers, keeps its best epoch, and leaves the process as it was."""

import math
import pickle

import numpy as np
import pytest

from farm.models import EarlyStopping, EvalSet, Model, builtin
from farm.models.views import BarWindows, Scaling

pytest.importorskip("torch", reason="the extra `torch` is not installed")
CATALOG = builtin()
QUICK = {"hidden": 12, "batch": 128, "epochs": 25, "learning_rate": 0.02, "warm_up": 1}


def gru(seed=3, threads=1, rounds=None, **params):
    stopping = None if rounds is None else EarlyStopping(rounds=rounds)
    return Model(uses="gru", params={**QUICK, **params}, early_stopping=stopping).build(seed, threads, CATALOG)


def parity(n, seed=0, bars=8):
    """Signs, and whether the last one is that of three bars before."""
    sign = np.random.default_rng(seed).choice([-1.0, 1.0], size=n + bars - 1)
    windows = np.lib.stride_tricks.sliding_window_view(sign, bars)[..., None]
    return windows, (windows[:, -1, 0] * windows[:, -4, 0]).astype(np.int64)


def noise(n=300, bars=5, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, bars, 2)), rng.choice([-1, 0, 1], size=n)


def loss(fitted, X, y):
    return -np.log(fitted.predict_proba(X)[np.arange(len(y)), np.searchsorted(fitted.classes_, y)]).mean()


def test_a_parity_of_lag_three_is_learned():
    X, y = parity(3000)
    fitted = gru(rounds=8, epochs=40).fit(X[:2000], y[:2000], eval_set=EvalSet(X[2000:2400], y[2000:2400]))
    assert (fitted.classes_[fitted.predict_proba(X[2400:]).argmax(axis=1)] == y[2400:]).mean() > 0.9


def test_the_best_epoch_predicts_and_not_the_last():
    X, y = noise()
    few, tail = (X[:60], y[:60]), EvalSet(X[60:], y[60:])
    long = {"epochs": 40, "batch": 20}
    stopped = gru(rounds=40, **long).fit(*few, eval_set=tail)  # patient to the end
    last = gru(**long).fit(*few)
    assert loss(last, *few) < loss(stopped, *few)
    assert loss(stopped, *tail[:2]) < math.log(3) + 0.05 < loss(last, *tail[:2])


def test_patience_only_saves_time():
    X, y = noise()
    tail = EvalSet(X[200:], y[200:])
    short, long = (gru(rounds=rounds).fit(X[:200], y[:200], eval_set=tail) for rounds in (5, 24))
    assert loss(long, *tail[:2]) <= loss(short, *tail[:2])


def test_an_array_and_a_view_of_the_history_train_the_same_network():
    history, rows = np.random.default_rng(1).normal(size=(300, 2)), np.arange(9, 300)
    y = np.where(history[rows, 0] > 0, 1, -1)
    view = BarWindows(history, rows, 10, np.arange(2), Scaling())
    array = view[np.arange(len(rows))]
    fitted = [gru(epochs=3).fit(X, y).predict_proba(X) for X in (view, array)]
    np.testing.assert_array_equal(*fitted)


def test_a_fit_leaves_the_process_as_it_was(tmp_path, monkeypatch, capfd):
    import torch

    monkeypatch.chdir(tmp_path)
    torch.manual_seed(1)
    torch.set_num_threads(2)
    before = torch.random.get_rng_state()
    X, y = noise()
    gru(rounds=3, epochs=4).fit(X[:200], y[:200], eval_set=EvalSet(X[200:], y[200:])).predict_proba(X)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_what_was_drawn_before_a_fit_changes_nothing():
    import torch

    X, y = noise()
    one = gru(epochs=2, dropout=0.3).fit(X, y).predict_proba(X)
    torch.rand(5)
    np.testing.assert_array_equal(gru(epochs=2, dropout=0.3).fit(X, y).predict_proba(X), one)
    assert not np.array_equal(gru(seed=4, epochs=2, dropout=0.3).fit(X, y).predict_proba(X), one)


def test_a_fitted_network_is_small_and_plain():
    X, y = noise()
    text = pickle.dumps(gru(epochs=2).fit(X, y))
    assert len(text) < 10_000
    assert b"torch" not in text


def test_a_gpu_is_used_only_where_it_is_asked_for_and_missed_where_it_is_not_there():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    X, y = noise()
    asked = Model(uses="gru", params=QUICK, device="cuda").build(3, 1, CATALOG)
    with pytest.raises(ValueError, match="no GPU is visible"):
        asked.fit(X, y)


def test_a_table_is_no_window():
    with pytest.raises(ValueError, match="give X as \\(n, bars, n_features\\)"):
        gru().fit(np.zeros((4, 2)), np.array([0, 1, 0, 1]))
