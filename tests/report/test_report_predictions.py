import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from farm.report.predictions import reliability, scored_trials
from farm.stats.discrimination import auc

seeds = st.integers(0, 2**31)


@given(seed=seeds, n=st.integers(1, 400), distinct=st.integers(1, 30))
def test_every_event_stands_in_one_bin_and_bins_rise(seed, n, distinct):
    rng = np.random.default_rng(seed)
    called = rng.integers(1, distinct + 1, n) / (distinct + 1)
    found = reliability(called, rng.uniform(size=n) < called)
    assert found.events.sum() == n
    assert len(found.events) <= 10
    assert (found.events > 0).all()
    assert (np.diff(found.predicted) > 0).all()
    assert np.average(found.predicted, weights=found.events) == pytest.approx(called.mean())


@given(seed=seeds, n=st.integers(1, 400))
def test_the_observed_share_lies_within_its_interval_and_that_within_a_probability(seed, n):
    rng = np.random.default_rng(seed)
    found = reliability(rng.uniform(size=n), rng.uniform(size=n) < 0.5)
    assert (found.low >= -1e-12).all()
    assert (found.high <= 1 + 1e-12).all()
    assert ((found.low <= found.observed + 1e-12) & (found.observed <= found.high + 1e-12)).all()


def test_wilsons_interval_is_that_of_the_textbook():
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I: 81 of 263, method 3.
    found = reliability(np.full(263, 0.3), np.arange(263) < 81)
    assert (found.low[0], found.high[0]) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))


def test_a_model_that_keeps_its_word_has_a_calibration_error_near_zero_and_a_boaster_has_not():
    rng = np.random.default_rng(1)
    truth = rng.uniform(0.3, 0.7, 20_000)
    happened = rng.uniform(size=20_000) < truth
    boasted = 0.5 + 2 * (truth - 0.5)  # twice as far from one half as it should be: off by .1 in the mean
    assert reliability(truth, happened).error < 0.015
    assert reliability(boasted, happened).error == pytest.approx(0.1, abs=0.015)


@given(seed=seeds, n=st.integers(2, 300))
def test_auc_is_that_of_scikit_learn(seed, n):
    rng = np.random.default_rng(seed)
    score, positive = rng.integers(0, 9, n) / 9, rng.uniform(size=n) < 0.4
    if positive.all() or not positive.any():
        assert auc(score, positive) is None
    else:
        assert auc(score, positive) == pytest.approx(roc_auc_score(positive, score))


def rows_of(trial, decided, split, label, up):
    n = len(decided)
    return pa.table(
        {
            "trial": [trial] * n, "decided_at": pa.array(decided, pa.timestamp("ns", tz="UTC")),
            "split": pa.array(split, pa.int32()), "label": pa.array(label, pa.int8()),
            "p_up": pa.array(up, pa.float64()),
            "p_down": pa.array([None if one is None else 1 - one for one in up], pa.float64()),
        }
    )  # fmt: skip


def test_an_event_that_several_splits_predict_counts_once_by_its_mean_probability():
    rows = rows_of("m", [1, 2, 1, 2], [0, 0, 1, 1], [1, -1, 1, -1], [0.6, 0.2, 0.8, 0.4])
    ((name, found),) = scored_trials(rows)
    assert name == "m"
    np.testing.assert_allclose(found.reliability["up"].predicted, [0.3, 0.7])
    np.testing.assert_array_equal(found.reliability["up"].observed, [0, 1])
    np.testing.assert_allclose(found.reliability["down"].predicted, [0.3, 0.7])
    assert found.auc == {0: 1.0, 1: 1.0}


def test_predictions_are_joined_by_key_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(5)
    rows = pa.concat_tables(
        [
            rows_of(name, np.tile(np.arange(50), 2), np.repeat([0, 1], 50), np.tile(rng.choice([-1, 1], 50), 2),
                    rng.uniform(size=100))
            for name in ("a", "b")
        ]
    )  # fmt: skip
    straight, shuffled = dict(scored_trials(rows)), dict(scored_trials(rows.take(rng.permutation(200))))
    for name in ("a", "b"):
        assert shuffled[name].auc == pytest.approx(straight[name].auc)
        np.testing.assert_allclose(
            shuffled[name].reliability["up"].predicted, straight[name].reliability["up"].predicted
        )


def test_rows_without_a_label_or_a_probability_tell_nothing():
    rows = rows_of("m", [1, 2, 3], [0, 0, 0], [1, None, -1], [0.9, 0.1, 0.2])
    ((_, found),) = scored_trials(rows)
    assert found.reliability["up"].events.sum() == 2
    assert list(scored_trials(rows_of("m", [1], [0], [1], [None]))) == []


def test_a_split_with_events_of_one_side_alone_has_no_auc():
    ((_, found),) = scored_trials(rows_of("m", [1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 1, -1], [0.6, 0.7, 0.8, 0.2]))
    assert found.auc == {0: None, 1: 1.0}
