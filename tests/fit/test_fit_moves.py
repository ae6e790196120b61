"""A regressor in a fit: it learns moves, and its number becomes chances on a purged tail that it never learned from."""

from dataclasses import replace

import numpy as np
import pytest

from farm.fit import fit
from farm.models import Catalog, Entry, Model, Wants

SEEN = []


class First:
    """Predicts the first feature; remembers what it was fitted on."""

    wants = Wants(learns="move", weights=False)

    def fit(self, X, y, sample_weight=None, eval_set=None):
        SEEN.append((X, y))
        return self

    def predict(self, X):
        return X[:, 0]


CATALOG = Catalog({"first": Entry(f"{__name__}:First", "First.", "test")})
RIDGE = Model(uses="sklearn.linear_model.Ridge", params={"alpha": 10.0})


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges])


@pytest.fixture
def leaning(panel):
    """The panel with a first feature that knows much of the move."""
    events = panel.events
    move = events.ret * events.entry_price / events.volatility
    values = panel.values.copy()
    values[:, 0] = move + np.random.default_rng(0).normal(size=len(panel))
    return replace(panel, values=values)


def test_it_learns_the_return_in_units_of_volatility_of_rows_before_the_tail(panel, plan):
    SEEN.clear()
    done = fit(panel, plan, Model(uses="first"), CATALOG, 3, seed=7, threads=1, keep=50)
    train, tail, events = rows_of(done.record.train), rows_of(done.record.tail), panel.events
    ((X, y),) = SEEN
    np.testing.assert_array_equal(X, panel.values[train])
    np.testing.assert_allclose(y, np.log(events.exit_price / events.entry_price)[train]
                               / (events.volatility / events.entry_price)[train])  # fmt: skip
    timeouts = events.touch[train] == 0
    assert timeouts.any()
    assert (y[timeouts] != 0).all()
    assert events.exited_at[train].max() < events.decided_at[tail].min()
    assert 0.1 < len(tail) / (len(train) + len(tail)) < 0.25


def test_where_labels_are_numbers_it_learns_those(panel, plan):
    SEEN.clear()
    clipped = np.clip(panel.events.ret * panel.events.entry_price / panel.events.volatility, -0.5, 0.5)
    numbers = replace(panel, events=replace(panel.events, target=clipped))
    done = fit(numbers, plan, Model(uses="first"), CATALOG, 3, seed=7, threads=1, keep=50)
    ((_, y),) = SEEN
    np.testing.assert_array_equal(y, clipped[rows_of(done.record.train)])
    assert set(np.sign(y)) == {-1, 1}


def test_its_chances_are_those_of_classes(leaning, fit_one):
    done = fit_one(leaning, RIDGE)
    np.testing.assert_allclose(done.probability.sum(axis=1), 1.0)
    label = leaning.events.label[done.rows]
    known = leaning.events.labelled[done.rows]
    loss = -np.log(done.probability[np.arange(len(label)), label + 1])[known].mean()
    shares = np.bincount(label[known] + 1) / known.sum()
    assert loss < -(shares * np.log(shares)).sum() - 0.1


def test_moves_and_labels_of_held_out_rows_change_nothing(leaning, fit_one):
    before = fit_one(leaning, RIDGE)
    hidden = np.isin(np.arange(len(leaning)), before.rows)
    events = leaning.events
    lied = replace(
        events,
        label=np.where(hidden, -events.label, events.label).astype(np.int8),
        ret=np.where(hidden, 99.0, events.ret),
    )
    after = fit_one(replace(leaning, events=lied), RIDGE)
    assert np.array_equal(after.probability.view(np.int64), before.probability.view(np.int64))
    assert after.record == before.record


def test_labels_of_the_tail_and_moves_before_it_are_what_decides(leaning, fit_one):
    before = fit_one(leaning, RIDGE)
    events = leaning.events
    label, ret = events.label.copy(), events.ret.copy()
    label[rows_of(before.record.tail)] *= -1
    turned = fit_one(replace(leaning, events=replace(events, label=label)), RIDGE)
    assert not np.allclose(turned.probability, before.probability)
    label, ret = events.label.copy(), events.ret.copy()
    label[rows_of(before.record.train)] *= -1
    ret[rows_of(before.record.tail)] = 99.0
    same = fit_one(replace(leaning, events=replace(events, label=label, ret=ret)), RIDGE)
    assert np.array_equal(same.probability.view(np.int64), before.probability.view(np.int64))


def test_two_fits_are_bit_equal(leaning, fit_one):
    forest = Model(uses="sklearn.ensemble.RandomForestRegressor", params={"n_estimators": 10})
    one, two = fit_one(leaning, forest), fit_one(leaning, forest)
    assert np.array_equal(one.probability.view(np.int64), two.probability.view(np.int64))
