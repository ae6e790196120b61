"""A regressor learns moves and answers in classes, by a map of its number that unseen rows have fitted."""

import numpy as np
import pytest

from farm.errors import BadInput
from farm.models import Model, builtin
from farm.models.imported import ImportedRegressor
from farm.models.moves import FromMoves

CATALOG = builtin()


class First:
    """Predicts the first column."""

    def predict(self, X):
        return X[:, 0].copy()


def chances(number):
    """Ordered classes: the further the number lies from 0, the surer its side."""
    odds = np.exp(np.column_stack((-2.0 * number - 1.0, np.zeros_like(number), 2.0 * number - 1.0)))
    return odds / odds.sum(axis=1, keepdims=True)


def drawn(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    number = rng.normal(size=n)
    edges = chances(number).cumsum(axis=1)
    return number[:, None], (rng.random(n)[:, None] > edges).sum(axis=1) - 1


def test_the_chances_are_those_the_classes_were_drawn_with():
    X, label = drawn()
    fitted = FromMoves.of(First(), X, label, None, threads=1)
    assert fitted.classes_.tolist() == [-1, 0, 1]
    asked = np.array([[-2.0], [0.0], [0.5], [2.0]])
    np.testing.assert_allclose(fitted.predict_proba(asked), chances(asked[:, 0]), atol=0.03)


def test_neither_the_unit_nor_the_origin_of_the_number_matters():
    X, label = drawn(2000)
    here = FromMoves.of(First(), X, label, None, threads=1).predict_proba(X)
    there = FromMoves.of(First(), 1000.0 * X + 7.0, label, None, threads=1).predict_proba(1000.0 * X + 7.0)
    np.testing.assert_allclose(here, there, atol=1e-6)


def test_a_number_that_never_moves_leaves_the_class_shares():
    label = np.repeat([-1, 0, 1], [10, 20, 70])
    fitted = FromMoves.of(First(), np.zeros((100, 1)), label, None, threads=1)
    np.testing.assert_allclose(fitted.predict_proba(np.array([[0.0], [5.0]])), [[0.1, 0.2, 0.7]] * 2, atol=1e-3)


def test_a_class_missing_among_the_rows_of_the_map_is_missing_in_its_classes():
    X, label = drawn(500)
    fitted = FromMoves.of(First(), X[label != 0], label[label != 0], None, threads=1)
    assert fitted.classes_.tolist() == [-1, 1]
    assert fitted.predict_proba(X[:3]).shape == (3, 2)


@pytest.mark.parametrize("wrong", [[[np.nan]], [[np.inf]]])
def test_numbers_that_are_none_are_refused(wrong):
    X, label = drawn(50)
    with pytest.raises(ValueError, match="one finite number a row"):
        FromMoves.of(First(), np.concatenate((X, wrong)), np.append(label, 0), None, threads=1)


def test_a_regressor_by_path_learns_moves_and_is_pinned():
    forest = Model(uses="sklearn.ensemble.RandomForestRegressor")
    wants = forest.wants(CATALOG)
    assert (wants.learns, wants.weights, wants.scale) == ("move", True, "standard")
    built = forest.build(seed=5, threads=3, catalog=CATALOG)
    assert isinstance(built, ImportedRegressor)
    assert (built.regressor.random_state, built.regressor.n_jobs) == (5, 3)
    assert Model(uses="sklearn.ensemble.RandomForestClassifier").wants(CATALOG).learns == "class"
    with pytest.raises(BadInput, match="no parameter 'alpa'; did you mean alpha"):
        Model(uses="sklearn.linear_model.Ridge", params={"alpa": 1.0}).build(0, 1, CATALOG)


def test_a_regressor_without_weights_says_so():
    neighbours = Model(uses="sklearn.neighbors.KNeighborsRegressor")
    assert not neighbours.wants(CATALOG).weights
    with pytest.raises(ValueError, match="takes no sample_weight"):
        neighbours.build(0, 1, CATALOG).fit(np.zeros((10, 1)), np.zeros(10), np.ones(10))
