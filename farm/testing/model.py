"""The laws of a model as tests: inherit `ModelContract`, give it a model, and pytest does the rest."""

import pickle
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from farm.models import Catalog, EarlyStopping, EvalSet, Model
from farm.models.contract import Float, Labels

_SEED = 11
_N_FREE_FEATURES = 5


class ModelContract:
    """The laws of `farm.models.Estimator`, one test each.

    A subclass whose name starts with ``Test`` provides two fixtures: ``model``, the section of the model to test (it
    may be parametrised), and ``catalog``, where the section's name is looked up. A model that learns moves is held to
    the same laws by what it predicts; a model that reads windows is shown them as it is in a fit, to be indexed by
    positions and by nothing else.
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
        wants = model.wants(catalog)
        if wants.role == "baseline":
            pytest.skip("a baseline need not learn")
        X, y = planted(model, catalog, 1500)
        fitted = _fitted(model, catalog, X[:1000], y[:1000])
        answers = _answers(fitted, X[1000:])
        if wants.learns == "move":
            assert np.mean((answers[:, 0] - y[1000:]) ** 2) < 0.9 * np.mean((y[:1000].mean() - y[1000:]) ** 2)
            return
        shares = np.array([np.mean(y[:1000] == c) for c in fitted.classes_])
        held_out = np.searchsorted(fitted.classes_, y[1000:])
        accuracy = np.mean(answers.argmax(axis=1) == held_out)
        assert accuracy > np.mean(shares.argmax() == held_out) + 0.05
        assert -np.log(answers[np.arange(500), held_out] + 1e-12).mean() < -np.log(shares[held_out]).mean()

    def test_one_seed_gives_one_result_bit_for_bit(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        first, second = (_answers(_fitted(model, catalog, X, y), X) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    def test_there_is_one_answer_a_row_and_probabilities_have_a_column_a_class(
        self, model: Model, catalog: Catalog
    ) -> None:
        X, y = planted(model, catalog)
        fitted = _fitted(model, catalog, X, y)
        answers = _answers(fitted, X)
        assert answers.dtype == np.float64
        assert np.isfinite(answers).all()
        if model.wants(catalog).learns == "move":
            assert answers.shape == (len(X), 1)
            assert _answers(fitted, X[:0]).shape == (0, 1)
            return
        assert answers.shape == (len(X), len(fitted.classes_))
        assert (answers >= 0).all()
        np.testing.assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-12)
        np.testing.assert_array_equal(fitted.classes_, np.unique(fitted.classes_))
        assert _answers(fitted, X[:0]).shape == (0, len(fitted.classes_))

    def test_a_row_is_predicted_alike_alone_and_in_any_company(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        fitted = _fitted(model, catalog, X, y)
        answers = _answers(fitted, X)
        order = np.random.default_rng(_SEED).permutation(len(X))
        np.testing.assert_array_equal(_answers(fitted, X[order]), answers[order])
        np.testing.assert_array_equal(_answers(fitted, X[:1]), answers[:1])

    def test_a_fitted_model_pickles_and_predicts_the_same(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        fitted = _fitted(model, catalog, X, y)
        again = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(_answers(again, X), _answers(fitted, X))
        if model.wants(catalog).learns == "class":
            np.testing.assert_array_equal(again.classes_, fitted.classes_)

    def test_arrays_may_be_read_only_sliced_and_of_either_order(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        weight = np.linspace(0.5, 1.5, len(y)) if model.wants(catalog).weights else None
        expected = _answers(_fitted(model, catalog, X, y, weight), X)
        wide = np.full((*X.shape[:-1], 2 * X.shape[-1] + 1), np.nan)
        wide[..., 1::2] = X
        for view in (X, np.asfortranarray(X), wide[..., 1::2]):
            view.flags.writeable = False
            kept = view.copy()
            fitted = _built(model, catalog).fit(view, y, weight)
            got = fitted.predict_proba(view) if hasattr(fitted, "predict_proba") else fitted.predict(view)[:, None]
            np.testing.assert_array_equal(view, kept)
            np.testing.assert_array_equal(got, expected)

    def test_rows_of_weight_zero_change_nothing(self, model: Model, catalog: Catalog) -> None:
        if not model.wants(catalog).weights:
            pytest.skip("the model takes no weights")
        X, y = planted(model, catalog)
        weight = np.random.default_rng(_SEED).uniform(0.5, 1.5, len(y))
        weight[::3] = 0.0
        kept = weight > 0
        whole = _fitted(model, catalog, X, y, weight)
        cut = _fitted(model, catalog, X[kept], y[kept], weight[kept])
        np.testing.assert_allclose(_answers(whole, X), _answers(cut, X), rtol=1e-9, atol=1e-12)

    def test_a_heavier_class_becomes_more_likely(self, model: Model, catalog: Catalog) -> None:
        wants = model.wants(catalog)
        if wants.role == "baseline" or not wants.weights:
            pytest.skip("the model learns nothing from weights")
        if wants.learns == "class" and _balances(model, catalog):
            model = model.model_copy(update={"params": {**model.params, "balanced": False}})
        X, y = planted(model, catalog)
        up = y > 0
        even = _fitted(model, catalog, X, y, np.ones(len(y)))
        tilted = _fitted(model, catalog, X, y, np.where(up, 5.0, 1.0))
        column = 0 if wants.learns == "move" else int(np.flatnonzero(even.classes_ == 1)[0])
        assert _answers(tilted, X)[:, column].mean() > _answers(even, X)[:, column].mean()

    def test_a_class_missing_in_training_is_missing_in_classes(self, model: Model, catalog: Catalog) -> None:
        if model.wants(catalog).role == "baseline" or model.wants(catalog).learns == "move":
            pytest.skip("a rule may bring its own classes, a number has none")
        X, y = planted(model, catalog)
        for classes in ([-1, 1], [0, 1], [1]):
            present = np.isin(y, classes)
            fitted = _fitted(model, catalog, X[present], y[present])
            assert fitted.classes_.tolist() == classes
            assert _answers(fitted, X).shape == (len(X), len(classes))

    def test_a_class_with_a_single_row_is_no_hindrance(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        if model.wants(catalog).learns == "class":
            y = np.where(y == 0, 1, y)
            y[7] = 0
        assert np.isfinite(_answers(_fitted(model, catalog, X, y), X)).all()

    def test_features_that_never_move_are_no_hindrance(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        answers = _answers(_fitted(model, catalog, np.ones_like(X), y), np.ones_like(X))
        assert np.isfinite(answers).all()

    def test_an_eval_set_goes_with_early_stopping_and_only_with_it(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog)
        tail = EvalSet(X[300:], y[300:])
        with pytest.raises(ValueError, match="eval_set"):
            _fitted(_without_stopping(model), catalog, X[:300], y[:300], eval_set=tail)
        if not model.wants(catalog).early_stopping:
            return
        stopping = model.model_copy(update={"early_stopping": EarlyStopping(rounds=3)})
        with pytest.raises(ValueError, match="eval_set"):
            _fitted(stopping, catalog, X[:300], y[:300])
        misled = EvalSet(X[300:], np.random.default_rng(_SEED).permutation(y[300:]), np.ones(len(y) - 300))
        late, early = (_fitted(stopping, catalog, X[:300], y[:300], eval_set=rows) for rows in (tail, misled))
        assert not np.array_equal(_answers(late, X), _answers(early, X))
        again = pickle.loads(pickle.dumps(early))
        np.testing.assert_array_equal(_answers(again, X), _answers(early, X))

    def test_missing_values_are_predicted_where_the_model_wants_them(self, model: Model, catalog: Catalog) -> None:
        if not model.wants(catalog).missing:
            pytest.skip("the fit around the model imputes")
        X, y = planted(model, catalog)
        X[::5, ..., :1] = np.nan
        assert np.isfinite(_answers(_fitted(model, catalog, X, y), X)).all()

    def test_one_thread_uses_one_core(self, model: Model, catalog: Catalog) -> None:
        X, y = planted(model, catalog, 2000)
        _answers(_fitted(model, catalog, X[:50], y[:50]), X[:50])  # libraries are read in by now
        wall, used = time.perf_counter(), time.process_time()
        _answers(_fitted(model, catalog, X, y), X)
        wall, used = time.perf_counter() - wall, time.process_time() - used
        assert used <= 1.2 * wall + 0.05, f"{used:.2f} s of processor in {wall:.2f} s with threads=1"


def planted(model: Model, catalog: Catalog, n: int = 400) -> tuple[Float, Labels]:
    """Features the model asks for, (n, n_features) or (n, bars, n_features), and what it learns of them, (n,).

    Labels -1, 0, 1, or moves, lean on the first feature, of the last bar where the model reads several.
    """
    wants = model.wants(catalog)
    rng = np.random.default_rng(_SEED)
    n_features = _N_FREE_FEATURES if wants.columns is None else len(wants.columns)
    features = rng.normal(size=(n, _N_FREE_FEATURES))
    score = 1.5 * features[:, 0] + rng.normal(size=n)
    label = np.where(score > 0.6, 1, np.where(score < -0.6, -1, 0))
    seen = features[:, :n_features].copy()
    if wants.window is not None:
        before = rng.normal(size=(n, wants.window - 1, n_features))
        seen = np.concatenate((before, seen[:, None]), axis=1)
    return seen, score if wants.learns == "move" else label


class _ByPosition:
    """Windows as a fit shows them: whatever is not an array of positions is refused."""

    def __init__(self, windows: Float) -> None:
        self._windows = windows
        self.shape = windows.shape

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, rows: NDArray[np.int64]) -> Float:
        if not (isinstance(rows, np.ndarray) and rows.ndim == 1 and rows.dtype == np.int64):
            raise AssertionError(f"windows are indexed by an array of positions, not by {rows!r}")
        return self._windows[rows]


def _shown(X: Float) -> Any:
    return _ByPosition(X) if X.ndim == 3 else X


def _fitted(
    model: Model,
    catalog: Catalog,
    X: Float,
    y: Labels,
    weight: Float | None = None,
    eval_set: EvalSet | None = None,
) -> Any:
    watched = None if eval_set is None else eval_set._replace(X=_shown(eval_set.X))
    return _built(model, catalog).fit(_shown(X), y, weight, watched)


def _answers(fitted: Any, X: Float) -> Float:
    """Probabilities, or moves as a single column."""
    found: Float
    if hasattr(fitted, "predict_proba"):
        found = fitted.predict_proba(_shown(X))
        return found
    found = fitted.predict(_shown(X))
    return found[:, None]


def _balances(model: Model, catalog: Catalog) -> bool:
    return bool(getattr(_built(model, catalog), "balanced", False))


def _built(model: Model, catalog: Catalog) -> Any:
    return model.build(seed=_SEED, threads=1, catalog=catalog)


def _without_stopping(model: Model) -> Model:
    return model.model_copy(update={"early_stopping": None})
