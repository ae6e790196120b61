"""One small study above its fits: its trials, headlines, paths, baselines and proof."""

import numpy as np
import pytest

from farm.backtest import Account, Orders, metrics
from farm.stack import Market, Stack, run_nested
from farm.study import StudyRecipe, evaluated_span, path_partners


def trial(study, name):
    (found,) = [one for one in study.trials if one.name == name]
    return found


def test_every_model_is_a_trial_beside_the_stack_and_the_baselines(study):
    roles = {one.name: one.role for one in study.trials}
    assert roles == {
        "linear": "candidate",
        "boosted": "candidate",
        "stack": "candidate",
        "majority": "baseline",
        "momentum_sign": "baseline",
        "random": "baseline",
        "buy_and_hold": "baseline",
    }


def test_nothing_leaked_and_every_row_was_checked(ready, study):
    assert study.proof.violations == ()
    assert study.proof.rows_checked > 3 * len(ready.panel) * (len(ready.plan.groups) - 1)


def test_there_is_a_path_for_every_other_group_and_one_headline(ready, study):
    n_sessions = len(np.unique(ready.panel.bars.session))
    for one in study.trials:
        assert len(one.paths) == (0 if one.name == "buy_and_hold" else 5)
        for backtest in (one.headline, *one.paths):
            assert len(backtest.net) == n_sessions
            assert np.isfinite(backtest.net).all()


def test_paths_use_every_pair_of_row_group_and_other_group_once(ready):
    group = ready.plan.group_of(ready.panel.events.decided_at)
    partners = np.array(path_partners(ready.plan, group))
    assert partners.shape == (5, len(group))
    for row in range(0, len(group), 29):
        assert sorted([*partners[:, row], group[row]]) == list(range(6))


def test_the_headline_is_one_backtest_of_the_mean_bet_and_a_path_of_single_fits(ready, study):
    events, bars, plan = ready.panel.events, ready.panel.bars, ready.plan
    close = bars.close[events.row]
    cost = 2 * ready.instrument.fill_cost(close, np.ones(len(close))) / close
    nested = run_nested(
        Stack().for_one_base(), ("boosted",), study.lattice, plan, events, Market(events.volatility / close, cost)
    )
    account = Account(capital=100_000)

    def net(size):
        return account.backtest(bars, Orders.of_events(events, size), ready.instrument).net

    boosted = trial(study, "boosted")
    assert np.array_equal(boosted.headline.net, net(np.nanmean(nested.size, axis=1)))
    other = path_partners(plan, study.lattice.group)[2]
    assert np.array_equal(boosted.paths[2].net, net(nested.size[np.arange(len(other)), other]))
    assert boosted.headline.counts.taken > 20


def test_predictions_are_means_over_other_groups(study):
    boosted = trial(study, "boosted")
    np.testing.assert_allclose(boosted.probability, study.lattice.mean("boosted"))
    np.testing.assert_allclose(trial(study, "stack").probability.sum(axis=1), 1)
    assert trial(study, "buy_and_hold").probability is None


def test_what_a_base_knows_is_earned_and_what_it_guesses_is_not(ready):
    """A base that is told the label seven times in ten earns; one that is told nothing hardly bets."""
    rng = np.random.default_rng(0)
    events = ready.panel.events
    told = np.where(rng.random(len(events)) < 0.7, events.label, -events.label)
    heard = {"knows": told, "guesses": rng.choice([-1, 1], len(events))}
    predictions = {}
    for name, side in heard.items():
        lean = 0.3 * side
        probability = np.column_stack((0.5 - lean / 2, np.zeros(len(lean)), 0.5 + lean / 2))
        predictions[name] = {}
        for split, (times, _) in ready.predictions["linear"].items():
            predictions[name][split] = (times, probability[np.searchsorted(events.decided_at, times)])
    roles = dict.fromkeys(heard, "candidate")
    records = dict.fromkeys(heard, ready.records["linear"])
    study = type(ready)(ready.panel, ready.plan, predictions, records, ready.instrument).study(roles=roles)
    knows, guesses = (metrics(trial(study, name).headline, 365.25).sharpe for name in ("knows", "guesses"))
    assert knows > 5
    assert guesses is None or guesses < 2
    assert metrics(trial(study, "stack").headline, 365.25).sharpe > 5


def test_a_study_run_twice_is_bit_equal_and_does_not_depend_on_row_order(ready, study):
    rng = np.random.default_rng(0)
    shuffled = {}
    for name, by_split in ready.predictions.items():
        shuffled[name] = {}
        for split, (times, probability) in reversed(by_split.items()):
            order = rng.permutation(len(times))
            shuffled[name][split] = (times[order], probability[order])
    again = type(ready)(ready.panel, ready.plan, shuffled, ready.records, ready.instrument).study()
    for one, two in zip(study.trials, again.trials, strict=True):
        assert one.name == two.name
        assert np.array_equal(one.headline.net, two.headline.net)


def test_what_one_base_predicts_does_not_touch_another_trial(ready, study):
    alone = ready.study(without=("linear",))
    assert np.array_equal(trial(alone, "boosted").headline.net, trial(study, "boosted").headline.net)


def test_without_nesting_the_stack_is_an_ablation_and_no_candidate(ready, study):
    ablation = ready.study(stack=Stack(nesting="none"))
    assert trial(ablation, "stack").role == "ablation"
    assert ablation.proof.holds
    assert ablation.proof.rows_checked < study.proof.rows_checked
    assert not np.array_equal(trial(ablation, "stack").probability, trial(study, "stack").probability)


def test_one_candidate_or_no_stack_section_makes_no_stack(ready):
    roles = {name: "candidate" if name == "linear" else "baseline" for name in ("linear", "majority")}
    assert "stack" not in [one.name for one in ready.study(roles=roles).trials]
    assert "stack" not in [one.name for one in ready.study(stack=None).trials]


def test_a_failed_base_has_no_trial_and_takes_the_stack_with_it(ready):
    roles = {"linear": "candidate", "boosted": "candidate", "third": "candidate", "majority": "baseline"}
    names = [one.name for one in ready.study(roles=roles).trials]
    assert names == ["linear", "boosted", "majority", "buy_and_hold"]


def test_when_every_candidate_failed_the_baselines_still_stand(ready):
    study = ready.study(without=("linear", "boosted"))
    assert {one.role for one in study.trials} == {"baseline"}
    assert not study.proof.holds
    nothing = ready.study(without=tuple(ready.predictions))
    assert [one.name for one in nothing.trials] == ["buy_and_hold"]


def test_predictions_without_a_record_break_the_proof(ready):
    recipe_records = {**ready.records, "boosted": {}}
    broken = type(ready)(ready.panel, ready.plan, ready.predictions, recipe_records, ready.instrument).study()
    assert any("base boosted, split 0: there is no record" in violation for violation in broken.proof.violations)


def test_dear_trading_stops_the_candidates_from_betting(ready):
    costs = {"commission": {"kind": "bps", "value": 500}, "slippage": {"kind": "bps", "value": 0}}
    account = Account.model_validate({"capital": 100_000, "costs": costs})
    recipe = StudyRecipe({"boosted": "candidate"}, None, account, ready.instrument)
    study = recipe.run(ready.panel, ready.plan, {"boosted": ready.predictions["boosted"]}, ready.records)
    assert trial(study, "boosted").headline.counts.taken == 0
    assert (trial(study, "boosted").headline.net == 0).all()


def test_the_evaluated_span_reaches_from_the_first_decision_to_the_last_exit(ready):
    events = ready.panel.events
    start, end = evaluated_span(events)
    assert start == events.decided_at[0]
    assert end == events.exited_at.max() >= events.decided_at[-1]


def test_a_lattice_needs_every_split(ready):
    del_one = {"boosted": {k: v for k, v in ready.predictions["boosted"].items() if k}}
    broken = type(ready)(ready.panel, ready.plan, del_one, ready.records, ready.instrument)
    with pytest.raises(ValueError, match="base boosted has no predictions of split 0"):
        broken.study()
