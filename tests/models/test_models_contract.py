"""Every model of the catalog, scikit-learn import paths and a plug-in keep the contract; broken models do not."""

from typing import Self

import numpy as np
import pytest

from farm.models import Catalog, Entry, Model, builtin
from farm.testing.model import ModelContract
from tests.models.plug_in.nearest_mean import NearestMean


class Forgetful(NearestMean):
    """Draws from a generator that nobody seeded."""

    def predict_proba(self, X):
        proba = super().predict_proba(X) + 0.01 * np.random.default_rng().random((len(X), len(self.classes_)))
        return proba / proba.sum(axis=1, keepdims=True)


class Sociable(NearestMean):
    """Standardises the rows it predicts by each other."""

    def predict_proba(self, X):
        return super().predict_proba((X - X.mean(axis=0)) / (X.std(axis=0) + 1e-9))


class Weightless(NearestMean):
    """Takes weights and does not use them."""

    def fit(self, X, y, sample_weight=None, eval_set=None) -> Self:
        return super().fit(X, y, None, eval_set)


class Greedy(NearestMean):
    """Scales its argument in place."""

    def fit(self, X, y, sample_weight=None, eval_set=None) -> Self:
        X.flags.writeable = True
        X *= 2.0
        return super().fit(X, y, sample_weight, eval_set)


class Peeking(NearestMean):
    """Takes an eval_set that it never asked for."""

    def fit(self, X, y, sample_weight=None, eval_set=None) -> Self:
        return super().fit(X, y, sample_weight)


class Unclassed(NearestMean):
    """Always claims three classes."""

    def fit(self, X, y, sample_weight=None, eval_set=None) -> Self:
        super().fit(X, y, sample_weight, eval_set)
        self.classes_ = np.array([-1, 0, 1])
        return self


class Inattentive(NearestMean):
    """Predicts the class shares whatever the features."""

    def predict_proba(self, X):
        return super().predict_proba(np.zeros_like(X))


class Unportable(NearestMean):
    """Loses its means on the way to another process."""

    def __getstate__(self):
        return self.__dict__ | {"means_": np.zeros_like(self.means_)}


BROKEN = (Forgetful, Sociable, Weightless, Greedy, Peeking, Unclassed, Inattentive, Unportable)
CATALOG = builtin().extended(
    {kind.__name__: Entry(f"{__name__}:{kind.__name__}", kind.__doc__ or "", "test") for kind in (NearestMean, *BROKEN)}
)

# A few rounds and a short window: the laws are the same, and there are twenty fits a model.
QUICK = {
    "xgboost": {"params": {"n_estimators": 25, "max_depth": 3, "learning_rate": 0.2}},
    "catboost": {"params": {"n_estimators": 25, "max_depth": 3, "learning_rate": 0.2}},
    "lightgbm": {"params": {"n_estimators": 40}},
    "random_forest": {"params": {"n_estimators": 25, "max_depth": 6}},
    "gru": {"params": {"hidden": 6, "epochs": 8, "batch": 64, "learning_rate": 0.03, "warm_up": 1}, "window": 4},
}
EVERY_KEY = [
    pytest.param(
        Model(uses=name, **QUICK.get(name, {})),
        marks=pytest.mark.skipif(entry.status() != "available", reason=f"{name} is {entry.status()}"),
        id=name,
    )
    for name, entry in sorted(builtin().items())
]
BY_PATH = {
    "trees": Model(uses="sklearn.ensemble.ExtraTreesClassifier", params={"n_estimators": 20, "min_samples_leaf": 5}),
    "neighbours": Model(uses="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": 25}),
    "ridge": Model(uses="sklearn.linear_model.Ridge"),
    "forest of moves": Model(
        uses="sklearn.ensemble.ExtraTreesRegressor", params={"n_estimators": 20, "min_samples_leaf": 5}
    ),
}


class TestEveryKey(ModelContract):
    @pytest.fixture(params=EVERY_KEY)
    def model(self, request: pytest.FixtureRequest) -> Model:
        return request.param

    @pytest.fixture
    def catalog(self) -> Catalog:
        return builtin()


class TestByImportPath(ModelContract):
    @pytest.fixture(params=BY_PATH.values(), ids=BY_PATH)
    def model(self, request: pytest.FixtureRequest) -> Model:
        return request.param

    @pytest.fixture
    def catalog(self) -> Catalog:
        return builtin()


class TestPlugIn(ModelContract):
    @pytest.fixture
    def model(self) -> Model:
        return Model(uses="nearest_mean")

    @pytest.fixture
    def catalog(self, with_plug_in: Catalog) -> Catalog:
        return with_plug_in


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        ("Forgetful", "one_seed_gives_one_result_bit_for_bit"),
        ("Sociable", "a_row_is_predicted_alike_alone_and_in_any_company"),
        ("Weightless", "rows_of_weight_zero_change_nothing"),
        ("Weightless", "a_heavier_class_becomes_more_likely"),
        ("Greedy", "arrays_may_be_read_only_sliced_and_of_either_order"),
        ("Peeking", "an_eval_set_goes_with_early_stopping_and_only_with_it"),
        ("Unclassed", "a_class_missing_in_training_is_missing_in_classes"),
        ("Inattentive", "a_planted_edge_is_learned_better_than_by_the_majority"),
        ("Unportable", "a_fitted_model_pickles_and_predicts_the_same"),
    ],
)
def test_a_broken_model_fails_the_law_it_breaks(broken: str, law: str) -> None:
    check = getattr(ModelContract(), f"test_{law}")
    check(model=Model(uses="NearestMean"), catalog=CATALOG)
    with pytest.raises((AssertionError, ValueError, pytest.fail.Exception)):
        check(model=Model(uses=broken), catalog=CATALOG)
