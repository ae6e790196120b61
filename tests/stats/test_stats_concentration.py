"""Concentration and drawdowns: hand-made records whose answer can be seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.stats import drawdowns, herfindahl_index, return_concentration

seeds = st.integers(0, 10_000)


@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=30), st.floats(0.01, 100))
def test_the_index_lies_between_even_and_all_in_one(values, unit):
    found = herfindahl_index(values)
    assert -1e-12 <= found <= 1.0
    assert herfindahl_index(np.array(values) * unit) == pytest.approx(found, abs=1e-12)
    assert herfindahl_index(-np.array(values)) == pytest.approx(found, abs=1e-12)


def test_gains_and_losses_are_told_apart_and_zeros_are_neither():
    returns = [0.1, 0.1, 0.1, 0.0, 0.0, -0.1, -0.2]
    assert return_concentration(returns).gains == pytest.approx(0.0, abs=1e-12)
    assert return_concentration(returns).losses is None
    with_zeros = return_concentration(returns, zeros="gains").gains
    assert with_zeros == pytest.approx((1 / 3 - 1 / 5) / (1 - 1 / 5))


def test_a_record_is_read_as_its_stretches_under_water():
    found = drawdowns([10, 12, 9, 11, 12, 6, 9])
    assert found.peak.tolist() == [1, 4]
    assert found.trough.tolist() == [2, 5]
    assert found.end.tolist() == [4, 6]
    assert found.recovered.tolist() == [True, False]
    assert found.depth == pytest.approx([0.25, 0.5])
    assert found.rows_under_water.tolist() == [3, 2]
    assert (found.deepest, found.longest) == (0.5, 3)


def test_an_equity_that_never_falls_has_no_drawdown():
    found = drawdowns(np.arange(1, 20))
    assert (len(found.depth), found.deepest, found.longest) == (0, 0.0, 0)


def test_depth_in_the_unit_of_the_equity():
    assert drawdowns([0.0, 3.0, -2.0], relative=False).deepest == 5.0


@given(seeds)
def test_the_deepest_is_the_largest_fall_from_the_running_peak(seed):
    equity = np.exp(np.cumsum(0.05 * np.random.default_rng(seed).standard_normal(60)))
    found = drawdowns(equity)
    fall = 1 - equity / np.maximum.accumulate(equity)
    assert found.deepest == pytest.approx(fall.max())
    assert int(np.sum(fall > 0)) == int(np.sum(found.rows_under_water - found.recovered))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: herfindahl_index([1.0, -1.0, 2.0]), "both signs"),
        (lambda: herfindahl_index([0.0, 0.0, 0.0]), "zero throughout"),
        (lambda: herfindahl_index([1.0, 2.0]), "at least 3"),
        (lambda: return_concentration([0.1, 0.2], zeros="losses"), "zeros is 'losses'"),
        (lambda: drawdowns([1.0, -1.0]), "falls to -1"),
        (lambda: drawdowns([1.0, np.nan]), "finite"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()
