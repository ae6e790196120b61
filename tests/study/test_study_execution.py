"""How a study's bets are carried out: late, flat overnight, and weighed against what they would cost."""

from dataclasses import replace

import numpy as np

from farm.backtest import Account, SquareRootImpact, session_regimes
from farm.bars.instrument import ByVolatility, Ticks
from farm.study import StudyRecipe


def run(ready, account, instrument=None):
    roles = {"linear": "candidate", "momentum_sign": "baseline"}
    recipe = StudyRecipe(roles, None, account, instrument or ready.instrument)
    study = recipe.run(
        ready.panel,
        ready.plan,
        {name: ready.predictions[name] for name in roles},
        {name: ready.records[name] for name in roles},
    )
    return {trial.name: trial for trial in study.trials}


def test_the_late_backtest_is_the_headline_of_an_account_one_bar_slower(ready):
    now, slower = run(ready, Account(capital=100_000)), run(ready, Account(capital=100_000, latency=1))
    for name, trial in now.items():
        np.testing.assert_array_equal(trial.late.net, slower[name].headline.net)
    assert now["linear"].late.trades.entry_row[0] >= now["linear"].headline.trades.entry_row[0] + 1


def test_flattened_bets_hold_nothing_overnight_but_buy_and_hold_still_holds(ready):
    trials = run(ready, Account(capital=100_000, flatten="session_end"))
    session = ready.panel.bars.session
    held = trials.pop("buy_and_hold").headline.trades
    assert len(held) == 1
    for trial in trials.values():
        for backtest in (trial.headline, trial.late, *trial.paths):
            assert (session[backtest.trades.entry_row] == session[backtest.trades.exit_row]).all()
    assert sum(len(trial.headline.trades) for trial in trials.values()) > 50


def test_a_bet_that_cannot_pay_for_its_impact_is_not_made(ready):
    small, large = (run(ready, Account(capital=c, impact=SquareRootImpact(coefficient=1))) for c in (1e3, 1e12))
    assert small["linear"].headline.counts.taken > 20
    assert large["linear"].headline.counts.taken == 0


def test_bets_are_weighed_against_the_slippage_of_the_session_they_are_decided_in(ready):
    dear_when_wild = ready.instrument.model_copy(
        update={"slippage": ByVolatility(low=Ticks(value=1), high=Ticks(value=100_000))}
    )
    trades = run(ready, Account(capital=100_000), dear_when_wild)["linear"].headline.trades
    bars = ready.panel.bars
    decided = bars.session[np.searchsorted(bars.available_at, trades.decided_at)] - bars.session[0]
    assert len(trades) > 20
    assert set(session_regimes(bars).volatility[decided]) == {"low"}


def test_later_bars_change_no_bet(ready):
    """Costs that bets are weighed against are known at the decision."""
    account = Account(capital=100_000, impact=SquareRootImpact(coefficient=0.1))
    instrument = ready.instrument.model_copy(update={"slippage": ByVolatility(low=Ticks(value=1), high=Ticks(value=9))})
    bars = ready.panel.bars
    rows = ready.panel.events.row[::5]
    whole = account.round_trips(bars, rows, instrument)
    cut = rows[len(rows) // 2]
    part = account.round_trips(bars.between(0, cut + 1), rows[rows <= cut], instrument)
    np.testing.assert_array_equal(part, whole[rows <= cut])
    later = np.arange(len(bars)) > cut
    wild = replace(bars, close=bars.close * np.where(later, 1.7, 1.0), volume=bars.volume * np.where(later, 5.0, 1.0))
    np.testing.assert_array_equal(account.round_trips(wild, rows, instrument)[rows <= cut], whole[rows <= cut])
