"""The multinomial regression under the steps: its coefficients are scikit-learn's, to many more digits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from farm.stack.newton import most_likely
from farm.stack.softmax import fit_softmax, standardised


def rows_of(seed, n, n_columns, n_classes):
    rng = np.random.default_rng(seed)
    classes = np.concatenate((np.arange(n_classes), rng.integers(0, n_classes, n - n_classes)))
    inputs = rng.normal(size=(n, n_columns)) + 0.4 * classes[:, None]
    return inputs, classes, rng.uniform(0.1, 1.0, n)


@given(
    seed=st.integers(0, 2**16),
    n=st.integers(8, 300),
    n_columns=st.integers(1, 6),
    n_classes=st.sampled_from([2, 3]),
    penalty=st.sampled_from([0.001, 0.02, 1.0]),
)
def test_it_says_what_scikit_learn_s_regression_says(seed, n, n_columns, n_classes, penalty):
    inputs, classes, weight = rows_of(seed, n, n_columns, n_classes)
    met = np.array([0, 2]) if n_classes == 2 else np.arange(3)
    theirs = LogisticRegression(C=1 / (penalty * weight.sum()), tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(
        standardised(inputs)[0], met[classes], sample_weight=weight
    )
    ours = fit_softmax(inputs, met[classes], weight, penalty)
    np.testing.assert_allclose(ours(inputs)[:, met], theirs.predict_proba(standardised(inputs)[0]), rtol=0, atol=1e-7)


@given(seed=st.integers(0, 2**16), n_classes=st.sampled_from([2, 3]))
def test_nothing_is_left_to_gain(seed, n_classes):
    inputs, classes, weight = rows_of(seed, 60, 3, n_classes)
    found = most_likely(inputs, classes, weight, 0.5)
    scores = inputs @ found[:, :-1].T + found[:, -1]
    said = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    missed = (said - np.eye(n_classes)[classes]) * weight[:, None]
    np.testing.assert_allclose(missed.T @ inputs + 0.5 * found[:, :-1], 0, atol=1e-6)
    np.testing.assert_allclose(missed.sum(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-9)


@pytest.mark.parametrize("rare", [1, 3])
def test_a_rare_class_has_its_share(rare):
    classes = np.zeros(20_000, dtype=np.int64)
    classes[:rare] = 2
    classes[rare : 8000 + rare] = 1
    inputs = np.random.default_rng(0).normal(size=(20_000, 2))
    found = most_likely(inputs, classes, np.ones(20_000), 20.0)
    scores = inputs @ found[:, :-1].T + found[:, -1]
    said = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert said[:, 2].mean() == pytest.approx(rare / 20_000, rel=1e-4)


def test_classes_that_a_line_parts_are_held_by_the_penalty():
    inputs = np.linspace(-1, 1, 40)[:, None]
    classes = (inputs[:, 0] > 0).astype(np.int64)
    found = most_likely(inputs, classes, np.ones(40), 1e-6)
    assert np.isfinite(found).all()
    assert ((inputs @ found[:, :-1].T + found[:, -1]).argmax(axis=1) == classes).all()
