"""Fits that are shared out see the rows, classes and weights that a fit on the joined panel sees."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import lightgbm
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.fit import with_tail
from farm.labels import sample_weights
from farm.models import EvalSet, Model, builtin
from farm.models.rows import balanced as balanced_rows
from farm.models.rows import training_rows
from farm.pool import plan_pool, pooled
from farm.run.rows_apart import balanced, blocks_of, classes_of, dealt, rows_of_split, sampled, weights_of
from farm.run.streamed import Job, Share, by_lightgbm, by_xgboost, links
from farm.sentinels import turned_by, with_shifted_labels
from farm.store import Store
from tests.pool.made import FOLDS, tiny_panel

EARLY = Model(uses="xgboost", early_stopping={"rounds": 5, "tail": 0.2})
PARAMS = {"n_estimators": 12, "max_depth": 3, "learning_rate": 0.3}


def drawn_pool(seed, n=3):
    rng = np.random.default_rng(seed)
    members = []
    for symbol in "ABCD"[:n]:
        moments = np.flatnonzero(rng.random(180) < rng.uniform(0.3, 1.0))
        one = tiny_panel(symbol, moments, rng.integers(1, 12, len(moments)), rng)
        unknown = rng.random(len(one)) < 0.05
        members.append(replace(one, events=replace(one.events, labelled=~unknown)))
    return pooled(members)


@given(st.integers(0, 2**16), st.sampled_from([None, 0.1, 0.3]))
def test_every_split_has_the_rows_and_weights_of_the_joined_panel(seed, tail):
    pool = drawn_pool(seed)
    plan, events = plan_pool(pool, FOLDS), pool.events
    for split, held_out in enumerate(plan.splits):
        train = plan.train_rows(events.decided_at, events.exited_at, held_out)
        train = train[events.labelled[train]]
        watched = train[:0]
        if tail is not None:
            early = EARLY.model_copy(update={"early_stopping": EARLY.early_stopping.model_copy(update={"tail": tail})})
            train, watched = with_tail(events, train, early, builtin())
        apart = rows_of_split(pool.members, plan, split, tail)
        test = plan.test_rows(events.decided_at, held_out)
        for number, own in enumerate(apart):
            assert np.array_equal(own.train, pool.placed(train, number))
            assert np.array_equal(own.tail, pool.placed(watched, number))
            assert np.array_equal(own.test, pool.placed(test, number))
        weight = sample_weights(events, train)
        for number, own in enumerate(weights_of(pool.members, [one.train for one in apart])):
            np.testing.assert_allclose(own, weight[pool.member[train] == number])


@given(st.integers(0, 2**16))
def test_classes_balance_over_all_symbols(seed):
    pool = drawn_pool(seed)
    rows = [np.flatnonzero(one.events.labelled) for one in pool.members]
    known = np.flatnonzero(pool.events.labelled)
    joined = training_rows(np.zeros((len(known), 1)), pool.events.label[known], sample_weights(pool.events, known))
    classes = classes_of(pool.members, rows)
    assert np.array_equal(classes, joined.classes)
    codes = [np.searchsorted(classes, one.events.label[own]) for one, own in zip(pool.members, rows, strict=True)]
    parts = balanced(codes, weights_of(pool.members, rows))
    for number, own in enumerate(parts):
        np.testing.assert_allclose(own, balanced_rows(joined)[pool.member[known] == number])


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A pool whose panels are stored; features have few distinct values, so that bins do not depend on the sketch."""
    store = Store(str(tmp_path_factory.mktemp("home"))).create()
    members, keys = [], []
    for one in drawn_pool(5).members:
        members.append(replace(one, values=np.round(one.values * 4) / 4))
        keys.append(f"{ord(one.symbol):032x}")
        store.put_arrays("panels", keys[-1], members[-1].arrays(), members[-1].text())
    return store, pooled(members), keys


def shares_of(pool, keys, rows, turned, most=16):
    classes = classes_of(pool.members, rows)
    codes = [np.searchsorted(classes, one.events.label[own]) for one, own in zip(pool.members, rows, strict=True)]
    return list(blocks_of(pool.members, keys, rows, codes, weights_of(pool.members, rows), turned, most))


@given(workers=st.integers(1, 8), most=st.integers(1, 40), split=st.integers(0, 5), shifted=st.booleans())
def test_every_row_is_dealt_to_one_worker_with_its_own_values(stored, workers, most, split, shifted):
    store, pool, keys = stored
    rows = [one.train for one in rows_of_split(pool.members, plan_pool(pool, FOLDS), split, None)]
    turned = [turned_by(one, 3) if shifted else 0 for one in pool.members]
    blocks = shares_of(pool, keys, rows, turned, most)
    hands = dealt(blocks, workers)
    held = [sum(block.stop - block.start for block in hand) for hand in hands]
    assert min(held) > 0
    assert max(held) - min(held) <= most
    for number, (one, own) in enumerate(zip(pool.members, rows, strict=True)):
        mine = [block for hand in hands for block in hand if block.key == keys[number]]
        assert sorted(row for block in mine for row in range(block.start, block.stop)) == own.tolist()
        features = with_shifted_labels(one, 3).values if shifted else one.values
        for block in mine:
            assert np.array_equal(block.values(store), features[block.start : block.stop])
    assert [[(block.key, block.start) for block in hand] for hand in dealt(blocks, workers)] == [
        [(block.key, block.start) for block in hand] for hand in hands
    ]


def test_fewer_rows_than_workers_are_refused(stored):
    _, pool, keys = stored
    few = [np.array([0]), *(np.zeros(0, dtype=np.int64) for _ in pool.members[1:])]
    with pytest.raises(ValueError, match="fewer rows than 2 workers"):
        dealt(shares_of(pool, keys, few, [0] * len(keys)), 2)


def drawn_from(pool, keys, rows, turned, most, seed=0):
    return sampled(pool.members, keys, rows, turned, most, seed)


@given(most=st.integers(1, 400), split=st.integers(0, 5), shifted=st.booleans())
def test_rows_are_sampled_from_those_of_all_symbols_and_no_others(stored, most, split, shifted):
    store, pool, keys = stored
    rows = [one.train for one in rows_of_split(pool.members, plan_pool(pool, FOLDS), split, None)]
    turned = [turned_by(one, 3) if shifted else 0 for one in pool.members]
    drawn = {one.key: one for one in drawn_from(pool, keys, rows, turned, most)}
    assert sum(len(one.rows) for one in drawn.values()) == min(most, sum(map(len, rows)))
    for member, key, own in zip(pool.members, keys, rows, strict=True):
        if key not in drawn:
            continue
        assert np.isin(drawn[key].rows, own).all()
        assert (np.diff(drawn[key].rows) > 0).all()
        features = with_shifted_labels(member, 3).values if shifted else member.values
        assert np.array_equal(drawn[key].values(store), features[drawn[key].rows])


def lightgbm_alone(job, store, share):
    train, watched = by_lightgbm.binned(job, store, share)
    return by_lightgbm.boosted(job, train, watched, {}).encode()


def xgboost_alone(job, store, share):
    return by_xgboost.as_bytes(by_xgboost.boosted(job, store, share.train, share.tail))


LIBRARIES = {"lightgbm": (by_lightgbm, lightgbm_alone), "xgboost": (by_xgboost, xgboost_alone)}
OWN_PARAMS = {
    "lightgbm": {"num_leaves": 6, "min_child_samples": 5, "subsample": 1.0},
    "xgboost": {"min_child_weight": 1.0},
}


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("uses", sorted(LIBRARIES))
def test_a_booster_fed_block_by_block_is_the_one_fitted_on_the_matrix(stored, uses, patience):
    store, pool, keys = stored
    plan = plan_pool(pool, FOLDS)
    apart = rows_of_split(pool.members, plan, 0, None if patience is None else 0.2)
    early = None if patience is None else {"rounds": patience, "tail": 0.2}
    model = Model(uses=uses, params={**PARAMS, **OWN_PARAMS[uses]}, early_stopping=early)
    estimator = model.build(1, 1, builtin())
    of = {name: [getattr(one, name) for one in apart] for name in ("train", "tail", "test")}

    def joined(rows):
        return np.concatenate([one.values[own] for one, own in zip(pool.members, rows, strict=True)])

    def labels(rows):
        return np.concatenate([one.events.label[own] for one, own in zip(pool.members, rows, strict=True)])

    watched = None
    if patience is not None:
        watched = EvalSet(joined(of["tail"]), labels(of["tail"]), np.concatenate(weights_of(pool.members, of["tail"])))
    weight = np.concatenate(weights_of(pool.members, of["train"]))
    estimator.fit(joined(of["train"]), labels(of["train"]), weight, watched)
    assert (sum(map(len, of["tail"])) > 0) == (patience is not None)
    job = Job("0" * 32, estimator._parameters(3), 12, patience, estimator.max_bin, 1)
    none = [0] * len(keys)
    blocks = [shares_of(pool, keys, of[name], none) for name in ("train", "tail")]
    library, alone = LIBRARIES[uses]
    booster = alone(job, store, Share(*blocks, drawn_from(pool, keys, of["train"], none, 1000)))
    same = model.build(1, 1, builtin())
    same.classes_ = estimator.classes_
    library.restored(same, job, booster)
    np.testing.assert_allclose(
        same.predict_proba(joined(of["test"])), estimator.predict_proba(joined(of["test"])), atol=1e-6
    )


def linked(stored, workers, rounds):
    """The boosters of workers in threads, for LightGBM's network is a thread's own; and the rows that are tested."""
    store, pool, keys = stored
    apart = rows_of_split(pool.members, plan_pool(pool, FOLDS), 0, 0.2)
    params = {**PARAMS, **OWN_PARAMS["lightgbm"]}
    estimator = Model(uses="lightgbm", params=params, early_stopping={"rounds": 3, "tail": 0.2}).build(1, 1, builtin())
    job = Job("0" * 32, estimator._parameters(3), rounds, 3, estimator.max_bin, 1)
    none, rows = [0] * len(keys), [one.train for one in apart]
    tail = shares_of(pool, keys, [one.tail for one in apart], none)
    drawn = drawn_from(pool, keys, rows, none, 1000)
    shares = [Share(own, tail, drawn) for own in dealt(shares_of(pool, keys, rows, none), workers)]
    machines = links.bind(workers)
    links.told([machines] * workers)

    def work(rank):
        train, watched = by_lightgbm.binned(job, store, shares[rank])
        return by_lightgbm.boosted(job, train, watched, links.link(rank))

    with ThreadPoolExecutor(workers) as threads:
        made = [lightgbm.Booster(model_str=text) for text in threads.map(work, range(workers))]
    return made, np.concatenate([one.values[own.test] for one, own in zip(pool.members, apart, strict=True)])


def test_linked_workers_of_lightgbm_come_to_one_booster_and_every_time_to_the_same(stored):
    (one, other), rows = linked(stored, 2, rounds=12)
    (again, _), _ = linked(stored, 2, rounds=12)
    assert one.num_trees() == other.num_trees() == again.num_trees()
    for booster in (other, again):
        assert np.array_equal(one.predict(rows), booster.predict(rows))


def test_how_rows_are_dealt_to_linked_workers_of_lightgbm_changes_the_order_of_sums_alone(stored):
    """In later rounds another order breaks ties between splits in another way."""
    (two, _), rows = linked(stored, 2, rounds=2)
    (three, *_), _ = linked(stored, 3, rounds=2)
    np.testing.assert_allclose(two.predict(rows), three.predict(rows), atol=1e-9)
