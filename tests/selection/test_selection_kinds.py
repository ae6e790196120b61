"""Every kind of selection: finds what is planted, is the same every time, and minds weights and twins."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from farm.errors import BadInput
from farm.selection import ClusteredMda, Mda, Selection, Separation, Sfi, TrainRows
from farm.selection.choice import correlation, separation


def test_what_is_planted_comes_first_and_noise_stays_behind(made, chooser):
    rows = made()
    importance = chooser.importance(rows, seed=1)
    assert importance.shape == (6,)
    assert np.isfinite(importance).all()
    assert np.argmax(importance) == 0
    assert importance[0] > 1.5 * importance[1:].max()
    assert chooser.choose(rows, keep=1, seed=1).tolist() == [0]


def test_equal_seeds_give_equal_bits(made, chooser):
    rows = made()
    one, two = chooser.importance(rows, seed=5), chooser.importance(rows, seed=5)
    assert np.array_equal(one.view(np.int64), two.view(np.int64))


def test_all_columns_are_kept_where_there_are_no_more(made, chooser):
    assert chooser.choose(made(n=40), keep=6, seed=0).tolist() == [0, 1, 2, 3, 4, 5]


def test_chosen_columns_stand_in_their_own_order(made, chooser):
    rows = made()
    turned = replace(rows, inputs=np.ascontiguousarray(rows.inputs[:, ::-1]))
    chosen = chooser.choose(turned, keep=3, seed=0)
    assert chosen.tolist() == sorted(chosen.tolist())
    assert 5 in chosen


def test_rows_that_weigh_next_to_nothing_say_next_to_nothing(made, chooser):
    rows = made(n=1500)
    light = np.arange(1500) % 2 == 0
    inputs = rows.inputs.copy()
    inputs[light, 1] += 3.0 * rows.target[light]  # column 1 knows the labels of the light rows alone
    told = replace(rows, inputs=inputs, uniqueness=np.where(light, 1e-6, 1.0))
    assert chooser.choose(told, keep=1, seed=0).tolist() == [0]
    as_heavy = chooser.importance(replace(told, uniqueness=np.ones(1500)), seed=0)[1]
    assert as_heavy > 1.5 * chooser.importance(told, seed=0)[1]


def test_of_two_columns_that_say_the_same_only_the_better_one_is_kept(made, chooser):
    rows = made()
    worse = -rows.inputs[:, 0] + 0.2 * np.random.default_rng(1).normal(size=len(rows.target))
    twins = replace(rows, inputs=np.column_stack([rows.inputs, worse]))
    strict = chooser.model_copy(update={"max_correlation": 0.9})
    importance = chooser.importance(twins, seed=0)
    better = 0 if importance[0] >= importance[6] else 6
    kept = strict.choose(twins, keep=7, seed=0)
    assert len(kept) == 6
    assert better in kept
    assert 6 - better not in kept


def test_a_single_class_or_constant_columns_are_no_reason_to_stop(made, chooser):
    rows = made(n=300)
    assert len(chooser.choose(replace(rows, target=np.ones(300, dtype=np.int8)), keep=2, seed=0)) == 2
    flat = replace(rows, inputs=np.where([True, False] * 3, 0.1, rows.inputs))
    assert np.isfinite(chooser.importance(flat, seed=0)).all()


def test_a_class_that_an_inner_fold_never_saw_is_no_reason_to_stop(made, chooser):
    rows = made(n=600)
    late = np.where(np.arange(600) < 560, np.where(rows.target == 0, 1, rows.target), 0).astype(np.int8)
    assert np.isfinite(chooser.importance(replace(rows, target=late), seed=0)).all()


@pytest.mark.parametrize("kind", [Mda, ClusteredMda, Sfi])
def test_too_few_rows_for_the_inner_folds_are_refused_by_name(made, kind):
    long = replace(made(n=30), exited=np.full(30, 60 * 29))
    with pytest.raises(BadInput, match=r"selection: 30 train rows do not give 4 purged folds.*selection\.folds"):
        kind().choose(long, keep=2, seed=0)


def test_a_section_names_its_kind_and_nothing_unknown():
    read = TypeAdapter(Selection).validate_python
    assert isinstance(read({"kind": "clustered_mda", "together": 0.6}), ClusteredMda)
    for wrong in ({"kind": "mdm"}, {"trees": 10}, {"kind": "separation", "trees": 10}, {"kind": "sfi", "folds": 1}):
        with pytest.raises(ValidationError):
            read(wrong)


@given(seed=st.integers(0, 10_000), keep=st.integers(1, 8), limit=st.floats(0.05, 0.95))
def test_no_two_kept_columns_are_more_alike_than_the_limit_and_none_is_dropped_without_a_better_twin(seed, keep, limit):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(60, 3)) @ rng.normal(size=(3, 8)) + 0.3 * rng.normal(size=(60, 8))
    time = np.arange(60)
    rows = TrainRows(inputs, rng.choice([-1, 0, 1], 60).astype(np.int8), rng.uniform(0.1, 1, 60), time, time)
    kept = Separation(max_correlation=limit).choose(rows, keep, seed=0)
    alike, worth = np.abs(correlation(rows)), separation(rows)
    assert 1 <= len(kept) <= keep
    assert (alike[np.ix_(kept, kept)][~np.eye(len(kept), dtype=bool)] <= limit).all()
    if len(kept) < keep:
        for column in set(range(8)) - set(kept.tolist()):
            assert any(alike[column, k] > limit and worth[k] >= worth[column] for k in kept)


@given(seed=st.integers(0, 10_000))
def test_separation_is_the_share_of_variance_between_classes_of_rows_repeated_by_their_weight(seed):
    rng = np.random.default_rng(seed)
    inputs, target = rng.normal(size=(40, 3)), rng.choice([-1, 0, 1], 40).astype(np.int8)
    times = rng.integers(1, 5, 40)
    rows = TrainRows(inputs, target, times.astype(float), np.arange(40), np.arange(40))
    inputs, target = np.repeat(inputs, times, axis=0), np.repeat(target, times)
    total = ((inputs - inputs.mean(axis=0)) ** 2).sum(axis=0)
    groups = [inputs[target == label] for label in np.unique(target)]
    inside = sum(((group - group.mean(axis=0)) ** 2).sum(axis=0) for group in groups)
    np.testing.assert_allclose(separation(rows), 1 - inside / total, atol=1e-12)


@given(seed=st.integers(0, 10_000))
def test_correlation_is_numpys_of_rows_repeated_by_their_weight(seed):
    rng = np.random.default_rng(seed)
    inputs, times = rng.normal(size=(30, 4)), rng.integers(1, 5, 30)
    rows = TrainRows(inputs, np.ones(30, dtype=np.int8), times.astype(float), np.arange(30), np.arange(30))
    np.testing.assert_allclose(correlation(rows), np.corrcoef(np.repeat(inputs, times, axis=0).T), atol=1e-12)
