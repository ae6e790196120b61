"""A pooled study: the ordinary one where there is one symbol, the mean over symbols where there are several."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Account
from farm.bars import instrument_for
from farm.fit import to_ranges
from farm.pool import plan_pool, pooled
from farm.pooled_study import PooledRecipe, mean_of, parted, parts_of
from farm.stack import Stack
from farm.study import StudyRecipe
from tests.pool.made import FOLDS, tiny_panel

SYN = instrument_for("SYN", None)
STACK = Stack()
ACCOUNT = Account(capital=100_000)


def by_symbol(pool, fits):
    """Predictions and records of each symbol, as they would be read from storage."""
    predictions, records = [], []
    for number in range(len(pool.members)):
        said, told = {}, {}
        for name, splits in fits.items():
            for one in splits:
                own = pool.member[one.rows] == number
                times = pool.events.decided_at[one.rows[own]]
                said.setdefault(name, {})[one.record.split] = (times, one.probability[own])
                told.setdefault(name, {})[one.record.split] = parted(pool, one.record)[number]
        predictions.append(said)
        records.append(told)
    return predictions, records


@pytest.fixture(scope="module")
def evidence(two_symbols, fitted):
    plan, fits = fitted
    return plan, *by_symbol(two_symbols, fits)


def recipe(pool):
    return PooledRecipe({"tree": "candidate"}, STACK, ACCOUNT, SYN, instruments=(SYN,) * len(pool.members))


@pytest.fixture(scope="module")
def study(two_symbols, evidence):
    return recipe(two_symbols).run_pool(two_symbols, *evidence)


def test_nothing_leaked_within_or_across_symbols(two_symbols, study):
    assert study.proof.violations == ()
    assert study.proof.rows_checked > 3 * len(two_symbols)


@given(data=st.data())
def test_a_row_of_another_symbol_at_the_time_of_a_test_row_is_noticed_by_the_proof(two_symbols, evidence, data):
    plan, predictions, records = evidence
    split = data.draw(st.integers(0, len(plan.splits) - 1))
    honest = records[1]["tree"][split]
    known = np.concatenate([np.arange(start, stop) for start, stop in honest.train])
    row = data.draw(st.sampled_from(np.setdiff1d(np.arange(len(two_symbols.members[1])), known).tolist()))
    lied = [
        records[0],
        {"tree": {**records[1]["tree"], split: replace(honest, train=to_ranges(np.union1d(known, row)))}},
    ]
    found = recipe(two_symbols).run_pool(two_symbols, plan, predictions, lied).proof.violations
    assert any(said.startswith(f"B: base tree, split {split}: a training row") for said in found)


def test_a_training_row_that_reaches_into_another_symbols_tail_is_noticed(two_symbols, evidence):
    plan, predictions, records = evidence
    tail = records[0]["tree"][0].train[-1]
    with_tail = replace(records[0]["tree"][0], train=records[0]["tree"][0].train[:-1], tail=(tail,))
    lied = [{"tree": {**records[0]["tree"], 0: with_tail}}, records[1]]
    found = recipe(two_symbols).run_pool(two_symbols, plan, predictions, lied).proof.violations
    assert "base tree, split 0: a training row reaches into another symbol's tail" in found


def test_the_headline_is_the_mean_over_symbols(two_symbols, study):
    for trial in study.trials:
        parts = parts_of(trial.headline)
        assert len(parts) == 2
        np.testing.assert_allclose(trial.headline.net, (parts[0].net + parts[1].net) / 2)
        assert len(trial.headline.trades) == len(parts[0].trades) + len(parts[1].trades)


def test_a_symbol_without_a_session_counts_nothing_in_it():
    rng = np.random.default_rng(5)
    long = tiny_panel("A", np.arange(0, 150), np.ones(150, dtype=int), rng)
    short = tiny_panel("B", np.arange(0, 40), np.ones(40, dtype=int), rng, n_bars=60)
    held = [ACCOUNT.hold(one.bars, SYN) for one in (long, short)]
    mean = mean_of(held)
    assert np.array_equal(mean.sessions, held[0].sessions)
    n = len(held[1].sessions)
    np.testing.assert_allclose(mean.net[:n], (held[0].net[:n] + held[1].net) / 2)
    np.testing.assert_allclose(mean.net[n:], held[0].net[n:] / 2)
    np.testing.assert_allclose(mean.trades.net.sum() / mean.capital, mean.net.sum())


def test_what_is_said_of_one_symbol_does_not_depend_on_how_the_others_bet(two_symbols, study):
    """A size that looks at the bets that are still open looks at its own symbol's alone."""
    size = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], len(two_symbols))
    own = recipe(two_symbols).by_symbol(two_symbols, size)
    other = np.where(two_symbols.member == 1, -size, size)
    changed = recipe(two_symbols).by_symbol(two_symbols, other)
    assert np.array_equal(own[0].net, changed[0].net)
    assert not np.array_equal(own[1].net, changed[1].net)


def test_a_pool_of_one_symbol_is_the_ordinary_study(two_symbols, fit_tree):
    panel = two_symbols.members[0]
    alone = pooled([panel])
    ordinary = FOLDS.plan(
        panel.events.decided_at, panel.events.exited_at, clock=panel.bars.available_at, session=panel.bars.session
    )
    plan = plan_pool(alone, FOLDS)
    assert plan == ordinary
    fits = {"tree": [fit_tree(alone, plan, split) for split in range(len(plan.splits))]}
    apart = {"tree": [fit_tree(panel, plan, split) for split in range(len(plan.splits))]}
    one = recipe(alone).run_pool(alone, plan, *by_symbol(alone, fits))
    said = {"tree": {fit.record.split: (panel.events.decided_at[fit.rows], fit.probability) for fit in apart["tree"]}}
    told = {"tree": {fit.record.split: fit.record for fit in apart["tree"]}}
    other = StudyRecipe({"tree": "candidate"}, STACK, ACCOUNT, SYN).run(panel, plan, said, told)
    for here, there in zip(one.trials, other.trials, strict=True):
        assert here.name == there.name
        assert np.array_equal(here.headline.net, there.headline.net)
        if here.predicted is not None and there.predicted is not None:
            assert np.array_equal(here.predicted, there.predicted, equal_nan=True)
    assert one.proof == other.proof


def test_symbols_are_traded_at_their_own_costs(two_symbols, study):
    dear = SYN.model_copy(update={"commission": SYN.commission.model_copy(update={"value": 50.0})})
    size = np.ones(len(two_symbols))
    cheap = recipe(two_symbols).by_symbol(two_symbols, size)
    mixed = replace(recipe(two_symbols), instruments=(SYN, dear)).by_symbol(two_symbols, size)
    assert np.array_equal(cheap[0].net, mixed[0].net)
    assert mixed[1].net.sum() < cheap[1].net.sum()


def test_a_symbol_that_lived_for_a_part_of_the_span_is_judged_where_it_lived(fit_tree):
    rng = np.random.default_rng(7)
    whole = tiny_panel("A", np.arange(0, 180), rng.integers(1, 6, 180), rng)
    gone = tiny_panel("B", np.arange(0, 60), rng.integers(1, 6, 60), rng, n_bars=80)
    pool = pooled([whole, gone])
    plan = plan_pool(pool, FOLDS)
    assert set(plan.group_of(gone.events.decided_at)) < set(range(4))
    fits = {"tree": [fit_tree(pool, plan, split) for split in range(len(plan.splits))]}
    study = recipe(pool).run_pool(pool, plan, *by_symbol(pool, fits))
    assert study.proof.violations == ()
    tree = next(one for one in study.trials if one.name == "tree")
    assert np.isfinite(tree.probability).all()
    assert len(tree.headline.sessions) == len(np.unique(whole.bars.session))
