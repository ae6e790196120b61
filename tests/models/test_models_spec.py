"""A model section is frozen, refuses what its model does not know, and builds the same model wherever it is."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from farm.errors import BadInput
from farm.models import EarlyStopping, Model, builtin
from farm.models.imported import Imported

CATALOG = builtin()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_a_section_survives_dumping_and_pickling(params: dict) -> None:
    model = Model(uses="lightgbm", params=params)
    for again in (Model.model_validate(model.model_dump(mode="json")), pickle.loads(pickle.dumps(model))):
        assert again == model
        assert hash(again) == hash(model)
        assert again.digest() == model.digest()


def test_the_digest_follows_the_values_and_not_their_order() -> None:
    one = Model(uses="lightgbm", params={"num_leaves": 15, "max_depth": 5})
    other = Model(uses="lightgbm", params={"max_depth": 5, "num_leaves": 15})
    assert one.digest() == other.digest()
    assert one.digest() != Model(uses="lightgbm", params={"num_leaves": 16, "max_depth": 5}).digest()


def test_params_cannot_be_changed() -> None:
    model = Model(uses="lightgbm", params={"layers": [64, 32]})
    with pytest.raises(TypeError):
        model.params["layers"] = []  # type: ignore[index]  # frozen, and that is the test
    model.params["layers"].append(16)
    assert model.params["layers"] == [64, 32]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, np.float64])
def test_params_are_values_that_json_has(value: object) -> None:
    with pytest.raises(ValidationError):
        Model(uses="lightgbm", params={"learning_rate": value})


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"uses": "lightgbm", "params": {"num_leafs": 3}}, "no parameter 'num_leafs'; did you mean num_leaves"),
        ({"uses": "lightgbm", "params": {"num_leaves": "15"}}, "num_leaves is '15'.*valid integer"),
        ({"uses": "lightgbm", "params": {"learning_rate": 0}}, "learning_rate is 0.*greater than 0"),
        ({"uses": "lightgbm", "params": {"num_leaves": 65}}, "max_depth 6 has at most 64 leaves"),
        ({"uses": "lightgbm", "params": {"seed": 3}}, "seed is set by the experiment"),
        ({"uses": "lightgbm", "params": {"early_stopping_rounds": 3}}, "set by the experiment"),
        ({"uses": "majority", "params": {"share": 1}}, "no parameter 'share'; it takes none"),
        ({"uses": "logistic", "early_stopping": {}}, "cannot stop early"),
        ({"uses": "logistic", "device": "cuda"}, "runs on the CPU alone"),
        ({"uses": "logistic", "window": 5}, "one row of features a decision; take window out"),
        ({"uses": "xgboost", "params": {"max_depth": 0}}, "max_depth is 0.*greater than or equal to 1"),
        ({"uses": "svm", "params": {"max_rows": 5}}, "max_rows is 5.*greater than or equal to 100"),
        ({"uses": "gru", "params": {"window": 30}}, "no parameter 'window'"),
        ({"uses": "sklearn.svm.SVC", "params": {"gama": 1}}, "no parameter 'gama'; did you mean gamma"),
        ({"uses": "sklearn.ensemble.ExtraTreesClassifier", "params": {"n_jobs": 4}}, "n_jobs is set by the experiment"),
    ],
)
def test_what_a_model_does_not_know_stops_before_any_fit(section: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Model(**section).build(seed=0, threads=1, catalog=CATALOG)


def test_seed_threads_and_patience_reach_the_model() -> None:
    model = Model(uses="lightgbm", early_stopping=EarlyStopping(rounds=7))
    built = model.build(seed=2**40 + 5, threads=3, catalog=CATALOG)
    assert (built.seed, built.threads, built.early_stopping_rounds) == (5, 3, 7)


def test_seed_and_threads_reach_a_scikit_learn_classifier_where_it_has_them() -> None:
    trees = Model(uses="sklearn.ensemble.ExtraTreesClassifier").build(seed=5, threads=3, catalog=CATALOG)
    assert isinstance(trees, Imported)
    assert (trees.classifier.random_state, trees.classifier.n_jobs) == (5, 3)
    linear = Model(uses="sklearn.linear_model.LogisticRegression").build(seed=5, threads=3, catalog=CATALOG)
    assert linear.classifier.n_jobs is None
    Model(uses="sklearn.naive_bayes.GaussianNB").build(seed=5, threads=3, catalog=CATALOG)


def test_scale_can_be_overridden() -> None:
    assert Model(uses="lightgbm").wants(CATALOG).scale == "none"
    assert Model(uses="lightgbm", scale="robust").wants(CATALOG).scale == "robust"


def test_a_window_of_the_experiment_replaces_the_models_own() -> None:
    assert Model(uses="gru").wants(CATALOG).window == Model(uses="gru").bars_read(CATALOG) == 60
    assert Model(uses="gru", window=30).wants(CATALOG).window == 30
    assert Model(uses="gru", window=30).digest() != Model(uses="gru").digest()


def test_a_device_reaches_the_model_and_without_one_it_is_the_cpu() -> None:
    assert Model(uses="gru").build(0, 1, CATALOG).device == "cpu"
    assert Model(uses="gru", device="cuda").build(0, 1, CATALOG).device == "cuda"


def test_a_classifier_without_weights_says_so() -> None:
    neighbours = Model(uses="sklearn.neighbors.KNeighborsClassifier")
    assert not neighbours.wants(CATALOG).weights
    X, y = np.zeros((10, 1)), np.arange(10) % 2
    with pytest.raises(ValueError, match="takes no sample_weight"):
        neighbours.build(0, 1, CATALOG).fit(X, y, np.ones(10))


def test_threads_and_seed_are_checked() -> None:
    with pytest.raises(ValueError, match="seed is -1"):
        Model(uses="majority").build(-1, 1, CATALOG)
    with pytest.raises(ValueError, match="threads 0"):
        Model(uses="majority").build(0, 0, CATALOG)
