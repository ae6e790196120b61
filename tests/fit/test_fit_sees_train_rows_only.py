"""One base fit: whatever learns in it sees labelled, purged training rows and nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest

from farm.errors import BadInput
from farm.fit import FitRecord, fit, fit_seed, to_ranges
from farm.models import Model, Wants, builtin

MODELS = {
    "logistic": Model(uses="logistic"),
    "robust": Model(uses="logistic", scale="robust"),
    "boosted": Model(uses="lightgbm", params={"n_estimators": 12, "num_leaves": 4}),
    "stopped": Model(
        uses="lightgbm",
        params={"n_estimators": 60, "num_leaves": 4, "learning_rate": 0.2},
        early_stopping={"rounds": 3, "tail": 0.2},
    ),
    "levels": Model(uses="xgboost", params={"n_estimators": 10, "max_depth": 2}),
    "vectors": Model(uses="svm", params={"max_rows": 150}),
    "numbers": Model(uses="sklearn.linear_model.Ridge"),
    "neighbours": Model(uses="sklearn.neighbors.KNeighborsClassifier", params={"n_neighbors": 7}),
    "majority": Model(uses="majority"),
}


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges]) if ranges else np.zeros(0, dtype=int)


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def test_two_fits_of_one_key_are_bit_equal(panel, fit_one, model):
    one, two = fit_one(panel, model), fit_one(panel, model)
    assert np.array_equal(one.probability.view(np.int64), two.probability.view(np.int64))
    assert one.record == two.record


def test_outliers_among_the_test_rows_change_no_scaler_no_selection_and_no_other_prediction(panel, fit_one, model):
    before = fit_one(panel, model, keep=4)
    hit = before.rows[::2]
    values = panel.values.copy()
    values[hit] *= -1e6
    after = fit_one(replace(panel, values=values), model, keep=4)
    assert after.record == before.record
    assert np.array_equal(after.probability[1::2].view(np.int64), before.probability[1::2].view(np.int64))


def test_the_labels_returns_and_lengths_of_test_events_change_no_prediction(panel, fit_one, model):
    before = fit_one(panel, model)
    events = panel.events
    hidden = np.isin(np.arange(len(panel)), before.rows)
    lied = replace(
        events,
        label=np.where(hidden, -events.label, events.label).astype(np.int8),
        ret=np.where(hidden, 99.0, events.ret),
        target=np.where(hidden, 99.0, events.target),
        exit_row=np.where(hidden, events.entry_row, events.exit_row),
    )
    after = fit_one(replace(panel, events=lied), model)
    assert np.array_equal(after.probability.view(np.int64), before.probability.view(np.int64))


def test_the_labels_of_train_rows_do_change_predictions(panel, fit_one):
    before = fit_one(panel, MODELS["logistic"])
    flipped = replace(panel, events=replace(panel.events, label=(-panel.events.label).astype(np.int8)))
    assert not np.allclose(fit_one(flipped, MODELS["logistic"]).probability, before.probability)


def test_rows_without_a_label_are_predicted_and_never_learned_from(panel, plan, fit_one, model):
    unlabelled = ~panel.events.labelled
    lied = replace(panel.events, label=np.where(unlabelled, 1, panel.events.label).astype(np.int8))
    predicted = np.zeros(len(panel), dtype=int)
    for split in range(len(plan.splits)):
        found = fit_one(panel, model, split)
        again = fit_one(replace(panel, events=lied), model, split)
        assert np.array_equal(found.probability.view(np.int64), again.probability.view(np.int64))
        assert not unlabelled[rows_of(found.record.train)].any()
        assert not unlabelled[rows_of(found.record.tail)].any()
        predicted[found.rows] += 1
    assert (predicted == len(plan.groups) - 1).all()


def test_every_split_trains_outside_its_groups_and_purged(panel, plan, fit_one):
    group, events = plan.group_of(panel.events.decided_at), panel.events
    for split, held_out in enumerate(plan.splits):
        record = fit_one(panel, MODELS["stopped"], split).record
        for rows in (rows_of(record.train), rows_of(record.tail)):
            assert not np.isin(group[rows], held_out).any()
            for own in held_out:
                inside = np.flatnonzero(group == own)
                apart = (events.exited_at[rows][:, None] < events.decided_at[inside]) | (
                    events.decided_at[rows][:, None] > events.exited_at[inside]
                )
                assert apart.all()


def test_early_stopping_watches_a_purged_tail_of_the_train_rows(panel, fit_one):
    record = fit_one(panel, MODELS["stopped"]).record
    train, tail = rows_of(record.train), rows_of(record.tail)
    assert 0.15 < len(tail) / (len(tail) + len(train)) < 0.3
    assert train.max() < tail.min()
    assert panel.events.exited_at[train].max() < panel.events.decided_at[tail].min()
    assert (record.n_train, record.n_tail) == (len(train), len(tail))


def test_what_the_tail_says_decides_when_training_stops(panel, fit_one):
    values = panel.values.copy()
    values[:, 0] += panel.events.label * values[:, 0].std()
    panel = replace(panel, values=values)
    before = fit_one(panel, MODELS["stopped"])
    tail = rows_of(before.record.tail)
    label = panel.events.label.copy()
    label[tail] = -label[tail]
    after = fit_one(replace(panel, events=replace(panel.events, label=label)), MODELS["stopped"])
    assert after.record == before.record
    assert not np.array_equal(after.probability, before.probability)


def test_another_seed_is_another_fit_of_what_draws_and_the_same_of_what_does_not(panel, fit_one):
    assert not np.array_equal(
        fit_one(panel, MODELS["boosted"], seed=1).probability, fit_one(panel, MODELS["boosted"], seed=2).probability
    )
    assert np.array_equal(
        fit_one(panel, MODELS["logistic"], seed=1).probability, fit_one(panel, MODELS["logistic"], seed=2).probability
    )


def test_seeds_of_fits_are_the_same_everywhere_and_differ_by_model_and_split():
    seeds = [fit_seed(seed, model, split) for seed in (7, 8) for model in ("a", "b") for split in range(50)]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert fit_seed(7, "boosted", 0) == 818489128


def test_selection_keeps_what_separates_the_classes_in_training(panel, fit_one):
    values = np.random.default_rng(0).normal(size=(len(panel), 6))
    values[:, 4] += panel.events.label
    values[:, 2] = 0.1  # its computed variance is a rounding error
    planted = replace(panel, values=values, names=tuple("abcdef"))
    assert fit_one(planted, MODELS["logistic"], keep=1).record.kept == ("e",)
    kept = fit_one(planted, MODELS["logistic"], keep=5).record.kept
    assert kept == ("a", "b", "d", "e", "f")


def test_selection_does_not_see_that_a_column_knows_the_test_labels(panel, fit_one):
    test = fit_one(panel, MODELS["logistic"]).rows
    values = np.random.default_rng(0).normal(size=(len(panel), 4))
    values[test, 1] = panel.events.label[test]
    values[:, 3] += 0.5 * panel.events.label
    values[test, 3] = 0
    planted = replace(panel, values=values, names=tuple("abcd"))
    assert fit_one(planted, MODELS["logistic"], keep=1).record.kept == ("d",)


@pytest.mark.parametrize("name", ["logistic", "robust"])
def test_a_column_that_is_constant_in_training_says_nothing_of_other_values(panel, fit_one, name):
    test = fit_one(panel, MODELS[name]).rows
    values = panel.values.copy()
    values[:, 3] = 0.1
    flat = fit_one(replace(panel, values=values), MODELS[name]).probability
    moved = values.copy()
    moved[test, 3] = 0.2
    np.testing.assert_allclose(fit_one(replace(panel, values=moved), MODELS[name]).probability, flat, atol=1e-9)


def test_probabilities_stand_in_the_order_of_the_classes_also_when_one_is_missing(panel, fit_one, model):
    events = panel.events
    two = replace(panel, events=replace(events, label=np.where(events.label == 0, 1, events.label).astype(np.int8)))
    probability = fit_one(two, model).probability
    assert probability.shape[1] == 3
    assert (probability[:, 1] == 0).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    only_up = replace(panel, events=replace(events, label=np.ones(len(events), dtype=np.int8)))
    assert np.array_equal(fit_one(only_up, model).probability[:, 2], np.ones(len(probability)))


def test_a_split_without_labelled_rows_is_refused(panel, fit_one):
    nothing = replace(panel, events=replace(panel.events, labelled=np.zeros(len(panel), dtype=bool)))
    with pytest.raises(ValueError, match="split 3: no labelled event"):
        fit_one(nothing, MODELS["logistic"])


def test_a_model_that_names_a_feature_gets_it_or_a_message(panel, fit_one):
    assert fit_one(panel, Model(uses="momentum_sign")).record.kept == ("log_return_20",)
    assert fit_one(panel, Model(uses="majority")).record.kept == ()
    without = replace(panel, names=tuple(f"x{i}" for i in range(panel.values.shape[1])))
    with pytest.raises(BadInput, match=r"log_return_20.*features\.include"):
        fit_one(without, Model(uses="momentum_sign"))


class Broken:
    """A model whose predictions are no probabilities."""

    uses = "broken"
    early_stopping = None
    classes_ = np.array([-1, 0, 1])

    def __init__(self, answer):
        self.answer = answer

    def wants(self, catalog):
        return Wants()

    def build(self, seed, threads, catalog):
        return self

    def fit(self, X, y, sample_weight=None, eval_set=None):
        return self

    def predict_proba(self, X):
        return np.tile(self.answer, (len(X), 1))


@pytest.mark.parametrize("answer", [[np.nan, 0.5, 0.5], [0.5, 0.6, 0.5], [-0.1, 0.6, 0.5], [np.inf, 0.0, 0.0]])
def test_predictions_that_are_no_probabilities_fail_the_fit(panel, plan, answer):
    with pytest.raises(ValueError, match="predictions are no probabilities"):
        fit(panel, plan, Broken(answer), builtin(), 0, seed=0, threads=1, keep=9)


def test_a_column_too_few_fails_the_fit_instead_of_shifting_the_classes(panel, plan):
    with pytest.raises(ValueError, match=r"shape \(\d+, 2\) .* the classes \[-1, 0, 1\]"):
        fit(panel, plan, Broken([0.5, 0.5]), builtin(), 0, seed=0, threads=1, keep=9)


def test_what_a_model_says_of_its_fit_stands_in_the_record(panel, fit_one):
    record = fit_one(panel, Model(uses="svm", params={"max_rows": 100})).record
    assert record.remark == f"learned from 100 of {record.n_train} rows (max_rows)"
    assert fit_one(panel, Model(uses="svm")).record.remark == ""
    assert FitRecord.of(json.loads(json.dumps(record.plain()))) == record


def test_a_class_that_a_split_never_shows_is_named_in_the_record_and_has_no_chance(panel, plan, fit_one):
    events = panel.events
    train = plan.train_rows(events.decided_at, events.exited_at, plan.splits[3])
    label = events.label.copy()
    label[train] = np.where(label[train] == 0, 1, label[train])
    label[np.setdiff1d(np.flatnonzero(events.labelled), train)[0]] = 0
    fitted = fit_one(replace(panel, events=replace(events, label=label)), MODELS["boosted"])
    assert fitted.record.remark == "met no row of class 0, which it gives no chance"
    assert (fitted.probability[:, 1] == 0).all()


def test_a_record_survives_storage(panel, fit_one):
    record = fit_one(panel, MODELS["stopped"]).record
    assert FitRecord.of(json.loads(json.dumps(record.plain()))) == record


def test_ranges_hold_exactly_the_rows():
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows = np.flatnonzero(rng.random(30) < rng.random())
        assert np.array_equal(rows_of(to_ranges(rows)), rows)
