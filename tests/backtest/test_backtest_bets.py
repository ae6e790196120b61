"""How much to bet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from farm.backtest import (
    average_active,
    bet_size,
    break_even_probability,
    discretise,
    kelly,
    kelly_continuous,
    power_size,
    sigmoid_size,
)

PROBABILITIES = arrays(np.float64, st.integers(1, 20), elements=st.floats(0, 1))


@given(PROBABILITIES, st.integers(2, 5))
def test_sizes_are_in_bounds_and_grow_with_the_probability(probability, n_classes):
    size = bet_size(np.sort(probability), n_classes)
    assert (np.abs(size) <= 1).all()
    assert (np.diff(size) >= 0).all()


@given(PROBABILITIES)
def test_two_classes_are_symmetric(probability):
    np.testing.assert_allclose(bet_size(probability), -bet_size(1 - probability), atol=1e-7)


def test_chance_bets_nothing_and_certainty_everything():
    assert bet_size([1 / 2, 0.0, 1.0]).tolist() == [0.0, -1.0, 1.0]
    assert bet_size([1 / 3], 3).tolist() == [0.0]


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0, 5), PROBABILITIES, st.sampled_from([-1, 1]))
def test_nothing_is_bet_below_break_even(up, down, cost, probability, side):
    threshold = break_even_probability(up, down, cost)
    size = bet_size(probability, side=side, break_even=threshold)
    assert (size[probability < threshold] == 0).all()
    bet = probability >= threshold
    np.testing.assert_array_equal(size[bet], bet_size(probability[bet], side=side))


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0, 5))
def test_a_bet_at_break_even_earns_nothing(up, down, cost):
    p = float(break_even_probability(up, down, cost))
    assert p * up - (1 - p) * down - cost == pytest.approx(0, abs=1e-12)


def test_the_mes_needs_more_than_a_coin():
    # 10 ticks either way, 1.5 ticks a round trip
    assert break_even_probability(10, 10, 1.5) == pytest.approx(11.5 / 20)
    assert break_even_probability(1, 1, 2) > 1


@given(st.integers(0, 2**32 - 1))
def test_average_active_equals_the_plain_mean(seed):
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 30, 25)
    end = start + rng.integers(0, 10, 25)
    size = rng.uniform(-1, 1, 25)
    plain = []
    for at in start:
        active = size[(start <= at) & (at < end)]
        plain.append(active.mean() if active.size else 0.0)
    np.testing.assert_allclose(average_active(start, end, size), plain, atol=1e-14)


def test_average_active_knows_no_later_bet():
    rng = np.random.default_rng(1)
    start = np.arange(50)
    end, size = start + rng.integers(1, 9, 50), rng.uniform(-1, 1, 50)
    whole = average_active(start, end, size)
    assert average_active(start[:20], end[:20], size[:20]).tobytes() == whole[:20].tobytes()


@given(arrays(np.float64, 10, elements=st.floats(-1, 1)), st.sampled_from([0.05, 0.1, 0.25, 0.3, 1.0]))
def test_discretised_sizes_are_the_nearest_multiples(size, step):
    found = discretise(size, step)
    assert (np.abs(found) <= 1).all()
    uncapped = np.abs(np.round(size / step) * step) <= 1
    assert (np.abs(found - size)[uncapped] <= step / 2 + 1e-12).all()


@given(st.floats(0.05, 0.95), st.floats(0.2, 5))
def test_kelly_is_where_growth_is_largest(probability, odds):
    best = float(kelly(probability, odds))

    def growth(f):
        return probability * np.log1p(odds * f) + (1 - probability) * np.log1p(-f)

    around = np.clip(best + np.array([-1e-3, 1e-3]), -0.999 / odds, 0.999)
    assert (growth(around) <= growth(best) + 1e-12).all()


def test_half_kelly_is_half():
    assert kelly(0.6, 1.0, fraction=0.5) == pytest.approx(0.1)
    assert kelly_continuous([0.5, -0.4], fraction=0.5) == pytest.approx(0.125)


def test_continuous_kelly_agrees_with_the_binary_one_and_mirrors():
    wins_60_of_100 = np.repeat([1.0, -1.0 + 1e-9], [60, 40])
    assert kelly_continuous(wins_60_of_100) == pytest.approx(0.2, abs=1e-6)
    returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    assert kelly_continuous(-returns) == pytest.approx(-kelly_continuous(returns))
    assert kelly_continuous(returns) == pytest.approx(kelly_continuous(returns, exact=False), rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bet_size([0.5, 1.2]), "probability: found 1.2 at position 1"),
        (lambda: bet_size([np.nan]), "probability: found nan"),
        (lambda: bet_size([0.5], 1), "n_classes: found 1"),
        (lambda: bet_size([0.5], side=2), "side: found"),
        (lambda: break_even_probability(0, 1, 0), "up, down"),
        (lambda: break_even_probability(1, 1, -1), "cost: found"),
        (lambda: average_active([0], [1, 2], [1]), "found shapes"),
        (lambda: average_active([5], [4], [1]), "bet 0 ends before it starts"),
        (lambda: average_active([0], [4], [2]), "size: found"),
        (lambda: discretise([0.1], 0), "step: found 0"),
        (lambda: sigmoid_size([1], 0), "width: found 0"),
        (lambda: power_size([1], -1), "exponent: found -1"),
        (lambda: power_size([2], 1), "divergence: found"),
        (lambda: kelly(0.5, 0), "odds: found"),
        (lambda: kelly(0.5, fraction=2), "fraction: found 2"),
        (lambda: kelly_continuous([0.1, 0.2]), "need a gain and a loss"),
        (lambda: kelly_continuous([0.1, -1.0]), "above -1"),
    ],
)
def test_impossible_arguments_name_themselves(call, message):
    with pytest.raises(ValueError, match=message):
        call()
