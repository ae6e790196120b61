"""The laws of a model as tests: inherit `ModelContract`, give it a model, and pytest does the rest."""

import pickle
import time

import numpy as np
import pytest

from farm.models import Catalog, EarlyStopping, Estimator, EvalSet, Model
from farm.models.contract import Float, Labels

_SEED = 11
_N_FREE_FEATURES = 5


class ModelContract:
    """The laws of `farm.models.Estimator`, one test each.

    A subclass whose name starts with ``Test`` provides two fixtures: ``model``, the section of the model to test (it
    may be parametrised), and ``catalog``, where the section's name is looked up.
    """

    @pytest.fixture
    def model(self) -> Model:
        """The model to test."""
        raise NotImplementedError("define a fixture `model` that gives a farm.models.Model")

    @pytest.fixture
    def catalog(self) -> Catalog:
        """The catalog that knows the model."""
        raise NotImplementedError("define a fixture `catalog` that gives a farm.models.Catalog")

    def test_a_planted_edge_is_learned_better_than_by_the_majority(self, model: Model, catalog: Catalog) -> None:
        if model.wants(catalog).role == "baseline":
            pytest.skip("a baseline need not learn")
        X, y = planted(model, catalog, 1500)
        fitted = _built(model, catalog).fit(X[:1000], y[:1000])
        shares = np.array([np.mean(y[:1000] == c) for c in fitted.classes_])
        held_out = np.searchsorted(fitted.classes_, y[1000:])
        proba = fitted.predict_proba(X[1000:])
        accuracy = np.mean(proba.argmax(axis=1) == held_out)
        assert accuracy > np.mean(shares.argmax() == held_out) + 0.05
        assert -np.log(proba[np.arange(500), held_out] + 1e-12).mean() < -np.log(shares[held_out]).mean()

    def test_one_seed_gives_one_result_bit_for_bit(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        first, second = (_built(model, catalog).fit(X, y).predict_proba(X) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_probabilities_have_a_row_a_row_and_a_column_a_class(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        fitted = _built(model, catalog).fit(X, y)
        proba = fitted.predict_proba(X)
        assert proba.shape == (len(X), len(fitted.classes_))
        assert proba.dtype == np.float64
        assert (proba >= 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-12)
        np.testing.assert_array_equal(fitted.classes_, np.unique(fitted.classes_))
        assert fitted.predict_proba(X[:0]).shape == (0, len(fitted.classes_))

    def test_a_row_is_predicted_alike_alone_and_in_any_company(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        fitted = _built(model, catalog).fit(X, y)
        proba = fitted.predict_proba(X)
        order = np.random.default_rng(_SEED).permutation(len(X))
        np.testing.assert_array_equal(fitted.predict_proba(X[order]), proba[order])
        np.testing.assert_array_equal(fitted.predict_proba(X[:1]), proba[:1])

    def test_a_fitted_model_pickles_and_predicts_the_same(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        fitted = _built(model, catalog).fit(X, y)
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(again.classes_, fitted.classes_)
        np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))

    def test_arrays_may_be_read_only_sliced_and_of_either_order(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        weight = np.linspace(0.5, 1.5, len(y)) if model.wants(catalog).weights else None
        expected = _built(model, catalog).fit(X, y, weight).predict_proba(X)
        wide = np.full((len(X), 2 * X.shape[1] + 1), np.nan)
        wide[:, 1::2] = X
        for view in (X, np.asfortranarray(X), wide[:, 1::2]):
            view.flags.writeable = False
            kept = view.copy()
            got = _built(model, catalog).fit(view, y, weight).predict_proba(view)
            np.testing.assert_array_equal(view, kept)
            np.testing.assert_array_equal(got, expected)

    def test_rows_of_weight_zero_change_nothing(self, model: Model, catalog: Catalog) -> None:
        if not model.wants(catalog).weights:
            pytest.skip("the model takes no weights")
        X, y = planted(model, catalog)
        weight = np.random.default_rng(_SEED).uniform(0.5, 1.5, len(y))
        weight[::3] = 0.0
        kept = weight > 0
        whole = _built(model, catalog).fit(X, y, weight)
        cut = _built(model, catalog).fit(X[kept], y[kept], weight[kept])
        np.testing.assert_allclose(whole.predict_proba(X), cut.predict_proba(X), rtol=1e-9, atol=1e-12)

    def test_a_heavier_class_becomes_more_likely(self, model: Model, catalog: Catalog) -> None:
        wants = model.wants(catalog)
        if wants.role == "baseline" or not wants.weights:
            pytest.skip("the model learns nothing from weights")
        X, y = planted(model, catalog)
        even = _built(model, catalog).fit(X, y, np.ones(len(y)))
        tilted = _built(model, catalog).fit(X, y, np.where(y == 1, 5.0, 1.0))
        up = int(np.flatnonzero(even.classes_ == 1)[0])
        assert tilted.predict_proba(X)[:, up].mean() > even.predict_proba(X)[:, up].mean()

    def test_a_class_missing_in_training_is_missing_in_classes(self, model: Model, catalog: Catalog) -> None:
        if model.wants(catalog).role == "baseline":
            pytest.skip("a rule may bring its own classes")
        X, y = planted(model, catalog)
        for classes in ([-1, 1], [0, 1], [1]):
            present = np.isin(y, classes)
            fitted = _built(model, catalog).fit(X[present], y[present])
            assert fitted.classes_.tolist() == classes
            assert fitted.predict_proba(X).shape == (len(X), len(classes))

    def test_an_eval_set_goes_with_early_stopping_and_only_with_it(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        tail = EvalSet(X[300:], y[300:])
        with pytest.raises(ValueError, match="eval_set"):
            _built(_without_stopping(model), catalog).fit(X[:300], y[:300], eval_set=tail)
        if not model.wants(catalog).early_stopping:
            return
        stopping = model.model_copy(update={"early_stopping": EarlyStopping(rounds=3)})
        with pytest.raises(ValueError, match="eval_set"):
            _built(stopping, catalog).fit(X[:300], y[:300])
        misled = EvalSet(X[300:], np.random.default_rng(_SEED).permutation(y[300:]), np.ones(len(y) - 300))
        late, early = (_built(stopping, catalog).fit(X[:300], y[:300], eval_set=rows) for rows in (tail, misled))
        assert not np.array_equal(late.predict_proba(X), early.predict_proba(X))
        again = pickle.loads(pickle.dumps(early))
        np.testing.assert_array_equal(again.predict_proba(X), early.predict_proba(X))

    def test_missing_values_are_predicted_where_the_model_wants_them(self, model: Model, catalog: Catalog) -> None:
        if not model.wants(catalog).missing:
            pytest.skip("the fit around the model imputes")
        X, y = planted(model, catalog)
        X[::5, :1] = np.nan
        assert np.isfinite(_built(model, catalog).fit(X, y).predict_proba(X)).all()

    def test_one_thread_uses_one_core(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog, 2000)
        estimator = _built(model, catalog)
        wall, used = time.perf_counter(), time.process_time()
        estimator.fit(X, y).predict_proba(X)
        wall, used = time.perf_counter() - wall, time.process_time() - used
        assert used <= 1.2 * wall + 0.05, f"{used:.2f} s of processor in {wall:.2f} s with threads=1"


def planted(model: Model, catalog: Catalog, n: int = 400) -> tuple[Float, Labels]:
    """Features the model asks for and labels -1, 0, 1 that lean on the first of them: (n, n_features) and (n,)."""
    columns = model.wants(catalog).columns
    rng = np.random.default_rng(_SEED)
    features = rng.normal(size=(n, _N_FREE_FEATURES))
    score = 1.5 * features[:, 0] + rng.normal(size=n)
    label = np.where(score > 0.6, 1, np.where(score < -0.6, -1, 0))
    return features[:, : _N_FREE_FEATURES if columns is None else len(columns)].copy(), label


def _built(model: Model, catalog: Catalog) -> Estimator:
    return model.build(seed=_SEED, threads=1, catalog=catalog)


def _without_stopping(model: Model) -> Model:
    return model.model_copy(update={"early_stopping": None})
