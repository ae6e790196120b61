"""Permuting columns inside the train rows: the same numbers as doing it the long way, on purged folds only."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier

from farm.selection import ClusteredMda, Mda, TrainRows, correlation_clusters
from farm.selection.loss import column_of
from farm.selection.permuted import permuted_shares


@given(seed=st.integers(0, 10_000), n_groups=st.integers(1, 6))
def test_walking_only_what_a_group_can_change_equals_predicting_every_permuted_matrix(seed, n_groups):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(120, 6)).astype(np.float32)
    target = rng.choice([-1, 0, 1], 120).astype(np.int8)
    group = rng.permutation(np.arange(6) % n_groups)
    forest = ExtraTreesClassifier(n_estimators=10, min_weight_fraction_leaf=0.02, random_state=seed)
    forest.fit(inputs[:80], target[:80])
    seen, other = inputs[80:], rng.permutation(40)
    own = column_of(target[80:], forest.classes_)
    right, changed = permuted_shares(forest, seen, other, group, own)
    of_own = (np.arange(40), np.maximum(own, 0))
    np.testing.assert_allclose(right, np.where(own < 0, 0, forest.predict_proba(seen)[of_own]), atol=1e-12)
    for number in range(n_groups):
        mixed = np.where(group == number, seen[other], seen)
        expected = np.where(own < 0, 0, forest.predict_proba(mixed)[of_own])
        np.testing.assert_allclose(right + changed[number], expected, atol=1e-12)


def test_twins_understate_each_other_alone_and_share_their_importance_as_a_cluster(made):
    rows = made(n=2000, columns=5)
    twin = rows.inputs[:, 0] + 0.1 * np.random.default_rng(3).normal(size=2000)
    twins = replace(rows, inputs=np.column_stack([rows.inputs, twin]))
    settings = {"trees": 40, "folds": 3}
    alone = Mda(**settings).importance(rows, seed=0)[0]
    apart = Mda(**settings).importance(twins, seed=0)
    together = ClusteredMda(**settings).importance(twins, seed=0)
    assert max(apart[0], apart[5]) < 0.8 * alone
    assert together[0] == together[5]
    assert together[0] > 1.3 * max(apart[0], apart[5])
    assert together[1:5].max() < 0.1 * together[0]
    assert ClusteredMda(**settings).choose(twins, keep=2, seed=0).tolist() == [0, 5]


def test_a_train_row_never_overlaps_an_inner_test_row():
    rng = np.random.default_rng(0)
    decided = np.sort(rng.integers(0, 10_000, 400))
    rows = TrainRows(
        np.zeros((400, 1)), np.zeros(400, dtype=np.int8), np.ones(400), decided, decided + rng.integers(1, 500, 400)
    )
    tested = []
    for train, test in rows.inner_folds(5):
        apart = (rows.exited[train][:, None] < decided[test]) | (decided[train][:, None] > rows.exited[test])
        assert apart.all()
        assert len(train) > 150
        tested += test.tolist()
    assert tested == list(range(400))


def test_clusters_hold_what_is_correlated_with_either_sign():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(500, 3))
    columns = np.column_stack([base, -base[:, 1], base[:, 0] + 0.3 * rng.normal(size=500)])
    found = correlation_clusters(np.corrcoef(columns.T), 0.5)
    assert found.tolist() == [0, 1, 2, 1, 0]
    assert correlation_clusters(np.eye(1), 0.5).tolist() == [0]


@pytest.mark.parametrize("kind", [Mda, ClusteredMda])
def test_another_seed_draws_otherwise(made, kind):
    rows = made(n=400)
    settings = kind(trees=10, folds=2, repeats=1)
    assert not np.array_equal(settings.importance(rows, seed=1), settings.importance(rows, seed=2))
