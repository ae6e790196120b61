"""A whole run, bars to returns: what must not be known anywhere in it is not."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Orders
from farm.bars import resample
from farm.features import FeatureRecipe
from farm.fit import fit, fit_seed, to_ranges
from farm.folds import lockbox_start
from farm.models import builtin
from farm.panel import PanelRecipe
from farm.stack import Stack, run_nested
from farm.stack.provenance import prove
from farm.stack.steps import Market

LOCKBOX = 0.15


def rows_of(ranges):
    return np.concatenate([np.arange(start, stop) for start, stop in ranges]) if ranges else np.zeros(0, dtype=int)


def trained_on(record):
    return np.concatenate((rows_of(record.train), rows_of(record.tail)))


# ---- Provenance


def test_the_proof_holds_over_the_run(real_run):
    assert real_run.study.proof.violations == ()
    assert real_run.study.proof.rows_checked > 5000


@pytest.fixture(scope="module")
def learned_from(real_run):
    n = len(real_run.panel)
    market = Market(np.full(n, 0.01), np.full(n, 0.001))
    bases = ("neighbours", "boosted")
    return run_nested(
        Stack().complete(), bases, real_run.study.lattice, real_run.plan, real_run.panel.events, market
    ).learned_from


@given(data=st.data())
def test_any_row_added_to_what_any_fit_trained_on_is_noticed(real_run, learned_from, data):
    """Purging leaves out no row that it could have kept, so every other row is a violation."""
    split = data.draw(st.integers(0, len(real_run.plan.splits) - 1))
    record = real_run.records["neighbours"][split]
    row = data.draw(st.sampled_from(np.setdiff1d(np.arange(len(real_run.panel)), rows_of(record.train)).tolist()))
    lied = replace(record, train=to_ranges(np.union1d(rows_of(record.train), [row])))
    records = {"neighbours": {**real_run.records["neighbours"], split: lied}}
    found = prove(
        ("neighbours",), real_run.plan, real_run.panel.events, real_run.study.lattice, real_run.predictions, records,
        learned_from,
    )  # fmt: skip
    assert any(
        violation.startswith(f"base neighbours, split {split}: a training row") for violation in found.violations
    )
    assert any("tainted" in violation for violation in found.violations)


@given(data=st.data())
def test_any_row_added_to_what_any_pipeline_learned_from_is_noticed(real_run, learned_from, data):
    group = data.draw(st.integers(0, len(real_run.plan.groups) - 1))
    row = data.draw(st.sampled_from(np.setdiff1d(np.arange(len(real_run.panel)), learned_from[group]).tolist()))
    lied = tuple(np.union1d(rows, [row]) if own == group else rows for own, rows in enumerate(learned_from))
    found = prove(
        ("neighbours",), real_run.plan, real_run.panel.events, real_run.study.lattice, real_run.predictions,
        real_run.records, lied,
    )  # fmt: skip
    assert any(violation.startswith(f"group {group}: a meta row") for violation in found.violations)


# ---- Labels of the group that is predicted


@pytest.mark.parametrize("group", [0, 2, 4])
def test_the_labels_of_a_group_change_nothing_that_is_said_of_it(real_run, run_all, group):
    own = real_run.study.lattice.group == group

    def lie(panel):
        rng = np.random.default_rng(1)
        label = np.where(own, rng.choice([-1, 0, 1], len(own)), panel.events.label).astype(np.int8)
        ret = np.where(own, rng.normal(0, 0.1, len(own)), panel.events.ret)
        return replace(panel, events=replace(panel.events, label=label, ret=ret, target=label.astype(float)))

    lied = run_all(change=lie)
    for before, after in zip(real_run.study.trials, lied.study.trials, strict=True):
        if before.predicted is not None:
            assert np.array_equal(before.predicted[own], after.predicted[own], equal_nan=True), before.name
            if before.role == "candidate":
                assert not np.array_equal(before.predicted, after.predicted, equal_nan=True), before.name
    for model, splits in real_run.predictions.items():
        for split, held_out in enumerate(real_run.plan.splits):
            if group in held_out:
                assert np.array_equal(splits[split][1], lied.predictions[model][split][1]), (model, split)


# ---- Time


def known_by(panel, moment):
    return panel.events.decided_at <= moment


@pytest.fixture(scope="module")
def wide():
    """Two higher timeframes and every feature of the core preset."""
    return FeatureRecipe(preset="core", timeframes=("2h", "4h"), allow_over_budget=True)


def panels_around(recipe, features, bars, altered, at, cut):
    base, calendar = bars.bars, bars.instrument.calendar
    whole = PanelRecipe(recipe.decisions, features, recipe.labels, 0.0)
    start = int(at * len(base))
    changed = base.between(0, start) if cut else altered(base, start)
    moment = base.available_at[start - 3]
    one, two = whole.build(base, calendar), whole.build(changed, calendar)
    rows, others = known_by(one, moment), known_by(two, moment)
    assert rows.sum() > 30
    return one.values[rows], two.values[others]


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("at", [0.413, 0.688, 0.871])
def test_features_of_all_timeframes_do_not_know_what_came_after(recipe, wide, bars, altered, at, cut):
    one, two = panels_around(recipe, wide, bars, altered, at, cut)
    assert np.array_equal(one.view(np.int64), two.view(np.int64))


def test_a_join_that_takes_the_bar_in_progress_would_be_caught(recipe, wide, bars, altered, monkeypatch):
    import farm.features.recipe as room

    honest = room.asof_runs

    def hasty(decision, higher):
        runs = honest(decision, higher)
        return replace(runs, rows=np.minimum(runs.rows + 1, len(higher) - 1))

    monkeypatch.setattr(room, "asof_runs", hasty)
    one, two = panels_around(recipe, wide, bars, altered, 0.688, cut=False)
    assert not np.array_equal(one.view(np.int64), two.view(np.int64))


def test_no_feature_reads_a_bar_from_before_a_hole(recipe, wide, bars):
    base, calendar = bars.bars, bars.instrument.calendar
    hole = len(base) // 2 + 7
    keep = np.delete(np.arange(len(base)), np.arange(hole, hole + 99))
    columns = {f.name: getattr(base, f.name)[keep] for f in fields(base) if f.name not in ("symbol", "timeframe")}
    holed = replace(base, **columns | {"segment": (keep >= hole).astype(np.int64)})

    def table(base):
        higher = {timeframe: resample(base, timeframe, calendar) for timeframe in wide.timeframes}
        return wide.table(resample(base, recipe.decisions.timeframe, calendar), higher)

    both, alone = table(holed), table(holed.between(hole, len(holed)))
    later = slice(len(both.values) - len(alone.values), None)
    assert len(alone.values) > 100
    assert np.array_equal(both.valid[later], alone.valid)
    # also where a row is not complete yet: there a join across the hole would show first
    assert np.array_equal(both.values[later], alone.values, equal_nan=True)


@pytest.mark.parametrize("name", ["neighbours", "boosted"])
def test_what_the_held_out_rows_look_like_changes_nothing_that_is_said_of_the_others(real_run, models, name):
    """Scaling, selection and training read the rows they train on, and no other."""
    panel, split, rng = real_run.panel, 3, np.random.default_rng(2)
    test = real_run.plan.test_rows(panel.events.decided_at, real_run.plan.splits[split])
    altered, kept = test[::2], np.arange(1, len(test), 2)
    values = np.array(panel.values)
    values[altered] = 100 * rng.standard_normal((len(altered), values.shape[1]))
    seed = fit_seed(7, name, split)
    done = fit(
        replace(panel, values=values), real_run.plan, models[name], builtin(), split, seed=seed, threads=1, keep=12
    )
    before = real_run.predictions[name][split][1]
    assert np.array_equal(done.probability[kept], before[kept])
    assert not np.array_equal(done.probability, before)


def test_the_lockbox_changes_nothing_in_the_whole_run(real_run, run_all, bars, altered):
    start = lockbox_start(bars.bars.session, LOCKBOX)
    lied = run_all(altered(bars.bars, start))
    assert lied.plan == real_run.plan
    for before, after in zip(real_run.study.trials, lied.study.trials, strict=True):
        assert np.array_equal(before.headline.net, after.headline.net), before.name
        assert before.predicted is None or np.array_equal(before.predicted, after.predicted, equal_nan=True)
    sealed = bars.bars.open_time[start]
    assert real_run.panel.events.exited_at.max() <= sealed
    assert real_run.panel.bars.available_at.max() <= sealed


def test_the_embargo_of_a_session_is_kept_by_every_fit_and_every_pipeline(real_run, learned_from):
    events, bars, group = real_run.panel.events, real_run.panel.bars, real_run.study.lattice.group

    def session_at(moment):
        return bars.session[np.searchsorted(bars.available_at, moment)]

    def clear_of(rows, held_out):
        for own in held_out:
            first, last = events.decided_at[group == own].min(), events.exited_at[group == own].max()
            later = rows[events.decided_at[rows] > first]
            assert (session_at(events.decided_at[later]) > session_at(last) + 1).all()
            assert (events.exited_at[np.setdiff1d(rows, later)] < first).all()

    for splits in real_run.records.values():
        for split, record in splits.items():
            assert len(trained_on(record)) > 50
            clear_of(trained_on(record), real_run.plan.splits[split])
    for own, rows in enumerate(learned_from):
        clear_of(rows, (own,))


# ---- Money


def test_both_fills_cost_and_none_is_at_the_decision_bar(real_run):
    bars, instrument = real_run.panel.bars, real_run.instrument
    traded = 0
    for trial in real_run.study.trials:
        for backtest in (trial.headline, *trial.paths):
            trades = backtest.trades
            traded += len(trades)
            cost = instrument.fill_cost(trades.entry_price, trades.quantity)
            cost = cost + instrument.fill_cost(trades.exit_price, trades.quantity)
            np.testing.assert_allclose(backtest.cost.sum() * backtest.capital, cost.sum(), rtol=1e-9)
            np.testing.assert_allclose(backtest.net, backtest.gross - backtest.cost, rtol=0, atol=1e-15)
            assert np.array_equal(trades.entry_price, bars.open[trades.entry_row])
            assert (trades.entered_at >= trades.decided_at).all()
            assert (bars.open_time[trades.entry_row] >= trades.decided_at).all()
    assert traded > 300


def test_an_order_fills_at_the_next_open_and_not_at_the_close_it_was_decided_on(recipe, bars):
    base, rng = bars.bars, np.random.default_rng(3)
    opened = base.low + rng.random(len(base)) * (base.high - base.low)
    panel = recipe.build(replace(base, open=opened), bars.instrument.calendar)
    events = panel.events
    assert np.array_equal(events.entry_price, panel.bars.open[events.entry_row])
    assert (events.entry_price != panel.bars.close[events.row]).mean() > 0.9


def test_a_fill_at_the_close_of_the_decision_bar_is_refused(real_run):
    events, bars = real_run.panel.events, real_run.panel.bars
    early = replace(events, entry_row=events.row, entry_price=bars.close[events.row])
    with pytest.raises(ValueError, match="enters at or before its decision bar"):
        Orders.of_events(early, np.ones(len(events))).require_no_lookahead(bars)
