"""Threshold: bets that are not sure enough are left out, as far as the rows support it."""

import numpy as np
import pytest

from farm.stack import Size, Threshold
from tests.stack.drawn import outcomes, sided


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def world(rng, pays, n=2000, cost=0.002):
    """A side for every row with a confidence from 0.5 to 1, right with the probability ``pays(confidence)``."""
    sure, side = rng.uniform(0.5, 1.0, n), rng.choice([-1, 1], n)
    label = np.where(rng.random(n) < pays(sure), side, -side)
    return sided(side, sure), outcomes(label, cost=cost)


def test_the_cut_lands_where_bets_begin_to_pay(rng):
    said, learned = world(rng, lambda sure: np.where(sure < 0.8, 0.35, 0.9))
    cut = Threshold().fit(said, learned)
    assert 0.75 < cut.at < 0.82
    kept = cut.apply(said)
    assert ((kept.side != 0) == (kept.wins >= cut.at)).all()
    assert learned.net_return(kept.side).sum() > learned.net_return(np.sign(said[:, 2] - said[:, 0])).sum()


def test_nothing_is_left_out_where_every_bet_pays(rng):
    said, learned = world(rng, lambda sure: sure)
    assert Threshold().fit(said, learned).at < 0.62


def test_nearly_everything_is_left_out_where_no_bet_pays(rng):
    said, learned = world(rng, lambda sure: 0 * sure + 0.5, cost=0.01)
    assert (Threshold().fit(said, learned).apply(said).side != 0).mean() < 0.05


def test_noise_at_no_cost_loses_few_of_its_bets(rng):
    """A cut that only luck recommends is shrunk towards none."""
    left_out = []
    for _ in range(100):
        said, learned = world(rng, lambda sure: 0 * sure + 0.5, n=300, cost=0.0)
        left_out.append((Threshold().fit(said, learned).apply(said).side == 0).mean())
    assert np.mean(left_out) < 0.35


def test_a_fixed_cut_is_that_number_and_reads_no_outcome(rng):
    said, learned = world(rng, lambda sure: sure)
    cut = Threshold(at=0.7).fit(said, learned)
    assert cut.at == 0.7
    sizes = Size().fit(said, learned).apply(cut.apply(said), learned.market)
    assert (sizes[np.maximum(said[:, 0], said[:, 2]) < 0.7] == 0).all()
    assert (sizes != 0).any()
