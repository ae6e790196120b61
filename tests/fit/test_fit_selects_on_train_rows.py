"""Selection inside a fit: whatever kind chooses, it sees labelled train rows and what they weigh, nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from farm.models import Model
from farm.selection import ClusteredMda, Mda, Mdi, Separation, Sfi

KINDS = {
    "separation": Separation(),
    "unlike": Separation(max_correlation=0.8),
    "mdi": Mdi(trees=20),
    "mda": Mda(trees=15, folds=3, repeats=1),
    "clustered_mda": ClusteredMda(trees=15, folds=3, repeats=1),
    "sfi": Sfi(folds=3),
}
LOGISTIC = Model(uses="logistic")


@pytest.fixture(params=KINDS)
def selection(request):
    return KINDS[request.param]


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges])


def test_the_test_rows_values_labels_and_lengths_change_nothing_that_is_kept(panel, fit_one, selection):
    before = fit_one(panel, LOGISTIC, keep=5, selection=selection)
    hidden = np.isin(np.arange(len(panel)), before.rows)
    values = np.where(hidden[:, None], -1e6 * panel.values[::-1], panel.values)
    events = replace(
        panel.events,
        label=np.where(hidden, -panel.events.label, panel.events.label).astype(np.int8),
        exit_row=np.where(hidden, panel.events.entry_row, panel.events.exit_row),
    )
    after = fit_one(replace(panel, values=values, events=events), LOGISTIC, keep=5, selection=selection)
    assert after.record == before.record


def test_nothing_outside_the_train_rows_is_seen_at_all(panel, fit_one, selection):
    before = fit_one(panel, LOGISTIC, keep=5, selection=selection)
    purged = np.setdiff1d(np.arange(len(panel)), np.concatenate((rows_of(before.record.train), before.rows)))
    assert len(purged) > 0
    values = panel.values.copy()
    values[purged] = 1e9
    after = fit_one(replace(panel, values=values), LOGISTIC, keep=5, selection=selection)
    assert after.record == before.record
    assert np.array_equal(after.probability.view(np.int64), before.probability.view(np.int64))


def test_what_the_train_labels_lean_on_is_kept_and_what_knows_the_test_labels_alone_is_not(panel, fit_one, selection):
    test = fit_one(panel, LOGISTIC).rows
    values = np.random.default_rng(0).normal(size=(len(panel), 4))
    values[test, 1] = panel.events.label[test]
    values[:, 3] += panel.events.label
    values[test, 3] = 0
    planted = replace(panel, values=values, names=tuple("abcd"))
    assert fit_one(planted, LOGISTIC, keep=1, selection=selection).record.kept == ("d",)


def test_equal_fits_keep_equal_columns_bit_for_bit(panel, fit_one, selection):
    one, two = (fit_one(panel, LOGISTIC, keep=5, selection=selection) for _ in range(2))
    assert one.record == two.record
    assert np.array_equal(one.probability.view(np.int64), two.probability.view(np.int64))


def test_a_model_that_names_its_columns_gets_them_whatever_selection_says(panel, fit_one, selection):
    assert fit_one(panel, Model(uses="momentum_sign"), keep=1, selection=selection).record.kept == ("log_return_20",)


def test_alike_columns_are_dropped_also_where_all_would_fit(panel, fit_one):
    values = np.column_stack([panel.values, 2.0 * panel.values[:, 0] + 1.0])
    twins = replace(panel, values=values, names=(*panel.names, "twin"))
    kept = fit_one(twins, LOGISTIC, selection=Separation(max_correlation=0.999)).record.kept
    assert len({panel.names[0], "twin"} & set(kept)) == 1
    assert {panel.names[0], "twin"} <= set(fit_one(twins, LOGISTIC).record.kept)
