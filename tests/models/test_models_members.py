"""What each model is, beyond the laws that all of them keep."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from farm.models import BASELINES, EarlyStopping, EvalSet, Model, builtin

CATALOG = builtin()
BEST_ROUND = {
    "lightgbm": lambda model: model.booster_.best_iteration,
    "xgboost": lambda model: model.rounds_,
    "catboost": lambda model: model.booster_.get_best_iteration() + 1,
}
BOOSTED = tuple(BEST_ROUND)
NOTHING = np.empty((6, 0))
LABELS = np.array([-1, -1, 0, 1, 1, 1])


def built(name: str, seed: int = 3, *, threads: int = 1, rounds: int | None = None, **params: object) -> Any:
    stopping = None if rounds is None else EarlyStopping(rounds=rounds)
    return Model(uses=name, params=params, early_stopping=stopping).build(seed, threads, CATALOG)


def classes(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, np.sign(np.round(X[:, 0] + rng.normal(size=n))).astype(np.int64)


def test_the_majority_predicts_the_weighted_class_shares() -> None:
    weight = np.array([1.0, 1.0, 2.0, 4.0, 0.0, 0.0])
    proba = built("majority").fit(NOTHING, LABELS, weight).predict_proba(NOTHING[:1])
    np.testing.assert_allclose(proba, [[0.25, 0.25, 0.5]])


def test_buy_and_hold_is_always_up() -> None:
    fitted = built("buy_and_hold").fit(NOTHING, LABELS)
    assert fitted.classes_[fitted.predict_proba(NOTHING).argmax(axis=1)].tolist() == [1] * 6


def test_momentum_follows_the_sign_of_its_column() -> None:
    fitted = built("momentum_sign").fit(np.zeros((6, 1)), LABELS)
    proba = fitted.predict_proba(np.array([[0.3], [-0.3], [0.0], [np.nan]]))
    np.testing.assert_array_equal(proba, [[0, 0, 1], [1, 0, 0], [0.5, 0, 0.5], [0.5, 0, 0.5]])


def test_the_die_falls_by_class_shares_and_by_seed() -> None:
    X, _ = classes(30_000)
    label = np.repeat([-1, 0, 1], [15_000, 6_000, 9_000])
    drawn = [built("random", seed).fit(X[:, :1], label).predict_proba(X[:, :1]) for seed in (1, 2)]
    for proba in drawn:
        np.testing.assert_allclose(proba.mean(axis=0), [0.5, 0.2, 0.3], atol=0.012)
        assert set(np.unique(proba)) == {0.0, 1.0}
    agreement = np.mean(drawn[0].argmax(axis=1) == drawn[1].argmax(axis=1))
    assert agreement == pytest.approx(0.25 + 0.04 + 0.09, abs=0.012)
    up = drawn[0][:, 2]
    assert abs(np.corrcoef(X[:, 0], up)[0, 1]) < 0.025
    assert abs(np.corrcoef(up[1:], up[:-1])[0, 1]) < 0.025


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_reads_declared_columns_alone(name: str) -> None:
    assert Model(uses=name).wants(CATALOG).columns in ((), ("log_return_20",))


@given(st.integers(0, 50), st.floats(0.01, 10))
def test_logistic_reaches_the_penalised_optimum(seed: int, C: float) -> None:
    X, y = classes(60, seed)
    y = np.where(y > 0, 1, -1)
    weight = np.random.default_rng(seed).uniform(0.1, 2.0, len(y))

    def objective(beta: np.ndarray) -> float:
        return C * (weight * np.logaddexp(0.0, -y * (X @ beta[1:] + beta[0]))).sum() + 0.5 * beta[1:] @ beta[1:]

    found = built("logistic", C=C).fit(X, y, weight)
    optimum = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-7})
    ours = np.concatenate(([found.intercept_[1]], found.coef_[1]))
    assert objective(ours) <= optimum.fun + 1e-6 * max(1.0, abs(optimum.fun))


def test_logistic_converges_on_separable_and_on_constant_features() -> None:
    X, _ = classes(200)
    X[:, 1] = 0.0
    proba = built("logistic", C=1e4).fit(X, np.where(X[:, 0] > 0, 1, -1)).predict_proba(X)
    assert np.isfinite(proba).all()


def test_logistic_that_finds_no_optimum_fails_instead_of_guessing() -> None:
    X, y = classes(200)
    with pytest.raises(ValueError, match="no optimum with C=1"):
        built("logistic", max_iter=1).fit(X, y)


@pytest.mark.parametrize("name", ["logistic", "lightgbm", "xgboost", "catboost", "random_forest"])
def test_balanced_models_weigh_classes_alike(name: str) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 2)), np.where(rng.random(2000) < 0.1, 1, -1)
    rounds = {} if name == "logistic" else {"n_estimators": 30}
    shares = built(name, balanced=True, **rounds).fit(X, y).predict_proba(X).mean(axis=0)
    np.testing.assert_allclose(shares, [0.5, 0.5], atol=0.12)


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost", "random_forest"])
def test_trees_do_not_depend_on_the_number_of_threads(name: str) -> None:
    X, y = classes(2000)
    one, two = (built(name, threads=n, n_estimators=20).fit(X, y).predict_proba(X) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_forest_by_path_does_not_depend_on_the_number_of_threads() -> None:
    X, y = classes(2000)
    forest = Model(uses="sklearn.ensemble.ExtraTreesClassifier", params={"n_estimators": 40})
    one, two = (forest.build(3, n, CATALOG).fit(X, y).predict_proba(X) for n in (1, 2))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", BOOSTED)
def test_boosting_predicts_with_the_best_round(name: str) -> None:
    X, y = classes(600)
    stopped = built(name, n_estimators=300, learning_rate=0.3, rounds=5)
    stopped.fit(X[:400], y[:400], eval_set=EvalSet(X[400:], y[400:]))
    best = BEST_ROUND[name](stopped)
    assert best < 100
    fixed = built(name, n_estimators=best, learning_rate=0.3).fit(X[:400], y[:400])
    np.testing.assert_array_equal(stopped.predict_proba(X), fixed.predict_proba(X))


@pytest.mark.parametrize("name", [*BOOSTED, "gru"])
def test_an_eval_row_of_a_class_never_met_is_ignored(name: str) -> None:
    X, y = classes(600)
    if name == "gru":
        X, length = X[:, None], {"epochs": 6, "hidden": 4, "batch": 128}
    else:
        length = {"n_estimators": 50}
    train = np.flatnonzero(y[:400] != 0)
    known = 400 + np.flatnonzero(y[400:] != 0)
    stopping = {"rounds": 5, **length}
    whole = built(name, **stopping).fit(X[train], y[train], eval_set=EvalSet(X[400:], y[400:], np.ones(200)))
    cut = built(name, **stopping).fit(X[train], y[train], eval_set=EvalSet(X[known], y[known]))
    np.testing.assert_array_equal(whole.predict_proba(X), cut.predict_proba(X))
    with pytest.raises(ValueError, match="give a longer tail"):
        built(name, **stopping).fit(X[train], y[train], eval_set=EvalSet(X[:5], np.zeros(5, dtype=np.int64)))


@pytest.mark.parametrize(
    ("X", "y", "weight", "message"),
    [
        (np.zeros(6), LABELS, None, "give X as"),
        (np.zeros((5, 1)), LABELS, None, "give X as"),
        (np.zeros((6, 1)), LABELS, np.ones(5), "one weight a row"),
        (np.zeros((6, 1)), LABELS, np.full(6, np.nan), "non-finite"),
        (np.zeros((6, 1)), LABELS, np.full(6, -1.0), "negative"),
        (np.zeros((6, 1)), LABELS, np.zeros(6), "no train row"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(X, y, weight, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        built("majority").fit(X, y, weight)


def test_support_vectors_learn_from_a_part_of_many_rows_and_say_so() -> None:
    X, y = classes(100_000)
    fitted = built("svm", max_rows=500).fit(X, y)
    assert fitted.remark_ == "learned from 500 of 100000 rows (max_rows)"
    assert (fitted.classes_[fitted.predict_proba(X[:2000]).argmax(axis=1)] == y[:2000]).mean() > 0.5
    again = built("svm", max_rows=500).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X[:50]), fitted.predict_proba(X[:50]))
    assert built("svm", max_rows=500).fit(X[:500], y[:500]).remark_ == ""


def test_the_chances_of_support_vectors_follow_what_happens() -> None:
    X, y = classes(3000)
    proba = built("svm").fit(X[:1500], y[:1500]).predict_proba(X[1500:])
    for column, label in enumerate([-1, 0, 1]):
        thirds = np.quantile(proba[:, column], [0, 1 / 3, 2 / 3, 1])
        for low, high in pairwise(thirds):
            inside = (proba[:, column] >= low) & (proba[:, column] <= high)
            assert abs(proba[inside, column].mean() - (y[1500:][inside] == label).mean()) < 0.08
