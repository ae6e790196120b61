"""Sizes by probability and by Kelly: nothing where a bet does not pay, more where it is surer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from farm.backtest import average_active, bet_size, break_even_probability, discretise
from farm.stack import Market, Proposal, Size
from tests.stack.drawn import outcomes, sided


@pytest.fixture(scope="module")
def learned():
    """Bets that win and lose one unit of volatility, with a prediction that is right as often as it says."""
    rng = np.random.default_rng(0)
    sure, side = rng.uniform(0.5, 0.95, 3000), rng.choice([-1, 1], 3000)
    label = np.where(rng.random(3000) < sure, side, -side)
    return sided(side, sure), outcomes(label, cost=0.001)


def at(probability, cost):
    n = len(probability)
    return Market(np.full(n, 0.01), np.full(n, cost), {}, np.arange(n), np.arange(n) + 1)


def test_by_probability_it_is_the_book_s_size_with_its_sign(learned):
    sure = np.array([0.55, 0.7, 0.9])
    for side in (1, -1):
        said = sided(np.full(3, side), sure)
        found = Size(rule="probability").fit(*learned).apply(said, at(said, 0.0))
        np.testing.assert_allclose(found, side * bet_size(sure))


@pytest.mark.parametrize("rule", ["probability", "kelly"])
@given(cost=st.floats(0.0, 0.008), sure=st.floats(0.5, 0.99))
def test_nothing_is_bet_below_the_break_even_probability(learned, rule, cost, sure):
    said = sided(np.ones(1), np.full(1, sure))
    size = Size(rule=rule).fit(*learned).apply(said, at(said, cost))
    pays = sure > break_even_probability(up=0.01, down=0.01, cost=cost)
    assert (size[0] > 0) == pays


def test_a_surer_bet_is_a_larger_one_and_a_dearer_one_a_smaller(learned):
    sure = np.linspace(0.5, 0.99, 50)
    said = sided(np.ones(50), sure)
    for rule in ("probability", "kelly"):
        fitted = Size(rule=rule).fit(*learned)
        cheap, dear = fitted.apply(said, at(said, 0.0)), fitted.apply(said, at(said, 0.004))
        assert (np.diff(cheap) >= 0).all()
        assert (dear <= cheap).all()
        assert (cheap <= 1).all()


def test_half_of_kelly_is_half_of_it_and_never_beyond_the_cap(learned):
    said = sided(np.ones(3), np.array([0.6, 0.75, 0.9]))
    free = at(said, 0.0)
    whole = Size(rule="kelly", fraction=1.0).fit(*learned).apply(said, free)
    np.testing.assert_allclose(whole, 2 * np.array([0.6, 0.75, 0.9]) - 1)
    np.testing.assert_allclose(Size(rule="kelly").fit(*learned).apply(said, free), whole / 2)
    capped = Size(rule="kelly", fraction=1.0, cap=0.3).fit(*learned).apply(said, free)
    np.testing.assert_allclose(capped, np.minimum(whole, 0.3))


def test_a_prediction_that_is_mostly_flat_needs_a_larger_lean_to_pay_its_cost(learned):
    """The round trip is paid on rows that end flat, too."""
    said = np.array([[0.2, 0.0, 0.8], [0.02, 0.9, 0.08]])
    fitted = Size(rule="kelly").fit(*learned)
    assert (fitted.apply(said, at(said, 0.0)) > 0).all()
    assert fitted.apply(said, at(said, 0.001)).tolist()[1] == 0
    assert fitted.apply(said, at(said, 0.001))[0] > 0


def test_sizes_are_rounded_after_they_are_averaged_over_open_bets(learned):
    said = sided(np.array([1, -1, 1, 1]), np.array([0.9, 0.8, 0.6, 0.95]))
    market = Market(np.full(4, 0.01), np.zeros(4), {}, np.array([0, 2, 3, 9]), np.array([5, 6, 4, 12]))
    alone = Size(rule="probability").fit(*learned).apply(said, market)
    mean = average_active(market.start, market.end, alone)
    averaged = Size(rule="probability", average_active=True).fit(*learned).apply(said, market)
    assert np.array_equal(averaged, mean)
    rounded = Size(rule="probability", average_active=True, step=0.25).fit(*learned).apply(said, market)
    assert np.array_equal(rounded, discretise(mean, 0.25))


def test_an_average_over_open_bets_reads_no_later_bet(learned):
    rng = np.random.default_rng(3)
    start = np.sort(rng.choice(400, 100, replace=False))
    market = Market(np.full(100, 0.01), np.zeros(100), {}, start, start + rng.integers(1, 30, 100))
    said = sided(rng.choice([-1, 1], 100), rng.uniform(0.5, 0.99, 100))
    fitted = Size(rule="probability", average_active=True).fit(*learned)
    whole = fitted.apply(said, market)
    for rows in (1, 40, 99):
        earlier = np.arange(rows)
        assert np.array_equal(fitted.apply(said[earlier], market.take(earlier)), whole[earlier])


def test_an_average_needs_to_know_when_bets_start_and_end(learned):
    said = sided(np.ones(2), np.full(2, 0.9))
    with pytest.raises(ValueError, match="average_active needs the bars at which bets start and end"):
        Size(average_active=True).fit(*learned).apply(said, Market(np.full(2, 0.01), np.zeros(2)))


def test_what_never_won_or_never_lost_supports_no_bet():
    said = sided(np.ones(20), np.full(20, 0.8))
    for label in (np.ones(20), -np.ones(20)):
        fitted = Size(rule="probability").fit(said, outcomes(label))
        assert (fitted.apply(said, at(said, 0.0)) == 0).all()


def test_a_meta_label_s_probability_is_sized_against_the_costs_it_was_not_taught():
    """Wins of two units and losses of one pay from a third on, and later with the row's own cost."""
    side = np.ones(300)
    label = np.where(np.arange(300) % 3 == 0, 1, -1)
    learned = outcomes(label, np.where(label > 0, 2.0, -1.0))
    pays = np.full(300, 0.4)
    said = Proposal(side, pays, 1 - pays, side, net=True)
    fitted = Size(rule="kelly").fit(said, learned)
    assert (fitted.gain, fitted.loss) == (2.0, 1.0)
    one = Proposal(side[:2], np.array([0.32, 0.36]), np.array([0.68, 0.64]), side[:2], net=True)
    free, dear = (fitted.apply(one, at(one.side, cost)) for cost in (0.0, 0.002))
    assert free[0] == 0 < free[1]
    assert dear.tolist() == [0, 0]


def test_a_fraction_is_kelly_s_alone():
    with pytest.raises(ValidationError, match="fraction is Kelly's"):
        Size(rule="probability", fraction=0.5)
