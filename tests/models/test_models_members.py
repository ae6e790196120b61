"""What each model is, beyond the laws that all of them keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from farm.models import BASELINES, EvalSet, Model, builtin
from farm.models.boosting.lightgbm import LightGBM
from farm.models.classical.logistic import Logistic

CATALOG = builtin()
NOTHING = np.empty((6, 0))
LABELS = np.array([-1, -1, 0, 1, 1, 1])


def built(name: str, seed: int = 3) -> object:
    return Model(uses=name).build(seed=seed, threads=1, catalog=CATALOG)


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

    found = Logistic(C=C).fit(X, y, weight)
    optimum = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-7})
    ours = np.concatenate(([found.intercept_[1]], found.coef_[1]))
    assert objective(ours) <= optimum.fun + 1e-6 * max(1.0, abs(optimum.fun))


def test_logistic_converges_on_separable_and_on_constant_features() -> None:
    X, _ = classes(200)
    X[:, 1] = 0.0
    proba = Logistic(C=1e4).fit(X, np.where(X[:, 0] > 0, 1, -1)).predict_proba(X)
    assert np.isfinite(proba).all()


def test_logistic_that_finds_no_optimum_fails_instead_of_guessing() -> None:
    X, y = classes(200)
    with pytest.raises(ValueError, match="no optimum with C=1"):
        Logistic(max_iter=1).fit(X, y)


@pytest.mark.parametrize("model", [Logistic(balanced=True), LightGBM(balanced=True)])
def test_balanced_models_weigh_classes_alike(model: object) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 2)), np.where(rng.random(2000) < 0.1, 1, -1)
    np.testing.assert_allclose(model.fit(X, y).predict_proba(X).mean(axis=0), [0.5, 0.5], atol=0.12)


def test_lightgbm_does_not_depend_on_the_number_of_threads() -> None:
    X, y = classes(2000)
    one, two = (LightGBM(threads=threads, n_estimators=20).fit(X, y).predict_proba(X) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_lightgbm_predicts_with_the_best_round() -> None:
    X, y = classes(600)
    stopped = LightGBM(n_estimators=300, learning_rate=0.3, early_stopping_rounds=5)
    stopped.fit(X[:400], y[:400], eval_set=EvalSet(X[400:], y[400:]))
    best = stopped.booster_.best_iteration
    assert best < 100
    fixed = LightGBM(n_estimators=best, learning_rate=0.3).fit(X[:400], y[:400])
    np.testing.assert_array_equal(stopped.predict_proba(X), fixed.predict_proba(X))


def test_lightgbm_ignores_an_eval_row_of_a_class_it_never_met() -> None:
    X, y = classes(600)
    train = np.flatnonzero(y[:400] != 0)
    known = 400 + np.flatnonzero(y[400:] != 0)
    stopping = {"n_estimators": 50, "early_stopping_rounds": 5}
    whole = LightGBM(**stopping).fit(X[train], y[train], eval_set=EvalSet(X[400:], y[400:], np.ones(200)))
    cut = LightGBM(**stopping).fit(X[train], y[train], eval_set=EvalSet(X[known], y[known]))
    np.testing.assert_array_equal(whole.predict_proba(X), cut.predict_proba(X))
    with pytest.raises(ValueError, match="give a longer tail"):
        LightGBM(**stopping).fit(X[train], y[train], eval_set=EvalSet(X[:5], np.zeros(5, dtype=np.int64)))


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
