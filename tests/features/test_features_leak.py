"""Columns that know the label are named; honest ones and small samples are not."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from farm.features import suspicious_features
from farm.features.leak import _separation


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_area_is_scikit_learns_with_ties_and_weights(rng):
    x = rng.integers(0, 12, 500).astype(float)
    up = rng.random(500) < 0.2 + x / 20
    weight = rng.random(500)
    assert _separation(x, up, weight)[0] == pytest.approx(roc_auc_score(up, x, sample_weight=weight), abs=1e-12)


def test_missing_values_are_left_out(rng):
    x, up = rng.normal(size=400), rng.random(400) < 0.5
    holes = np.where(np.arange(400) < 100, np.nan, x)
    assert _separation(holes, up, np.ones(400)) == _separation(x[100:], up[100:], np.ones(300))


def test_the_standard_error_is_that_of_noise(rng):
    draws = [_separation(rng.normal(size=300), rng.random(300) < 0.3, np.ones(300)) for _ in range(400)]
    areas, errors = np.array(draws).T
    assert areas.std() == pytest.approx(errors.mean(), rel=0.12)


def test_the_planted_column_is_named_with_its_area(rng):
    label = rng.choice([-1, 0, 1], 2000)
    values = rng.normal(size=(2000, 30))
    values[:, 7] -= 1.5 * label
    values[:, 9] += 0.2 * label
    values[:5, 7] = np.nan
    (found,) = suspicious_features(values, [f"f{j}" for j in range(30)], label)
    assert found.name == "f7"
    assert found.auc < 0.1
    assert found.z > 20


def test_labels_that_overlap_count_for_less(rng):
    label = rng.choice([-1, 1], 300)
    values = (label + rng.normal(size=300))[:, None]
    assert suspicious_features(values, ["planted"], label)
    assert not suspicious_features(values, ["planted"], label, np.full(300, 0.1))


def test_a_handful_of_rows_accuses_nobody():
    label = np.array([-1, -1, 1, 1])
    assert not suspicious_features(label[:, None].astype(float), ["same"], label)
    assert not suspicious_features(np.ones((3, 1)), ["only ups"], np.ones(3))
    assert not suspicious_features(np.ones((0, 1)), ["empty"], np.ones(0))


def test_lengths_must_fit():
    with pytest.raises(ValueError, match="do not fit"):
        suspicious_features(np.ones((3, 2)), ["a"], [1, -1, 1])
