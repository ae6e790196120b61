"""Choice: the best on rows that nothing below was fitted on, by log-loss or by what its bets return."""

import numpy as np
import pytest

from farm.stack import Choose, Stack, fit_pipeline
from tests.stack.drawn import drawn, outcomes, sided, softmax


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_best_base_is_kept_by_log_loss(rng):
    truth = softmax(rng.normal(size=(500, 3)))
    inputs = {"noise": softmax(rng.normal(size=(500, 3))), "knows": truth, "sure": softmax(8 * np.log(truth))}
    chosen = Choose().fit(inputs, outcomes(drawn(rng, truth)))
    assert chosen.name == "knows"
    assert np.array_equal(chosen.apply(inputs)["chosen"], truth)


def test_what_pays_is_kept_by_net_return(rng):
    """Each is right about every other row: one where the moves are large, the other where they are small."""
    large = np.arange(800) % 2 == 0
    label = rng.choice([-1, 1], 800)
    move = label * np.where(large, 3.0, 0.3)
    guess = rng.choice([-1, 1], 800)
    inputs = {
        "often": sided(np.where(large, guess, label), np.where(large, 0.55, 0.9)),
        "seldom": sided(np.where(large, label, guess), np.where(large, 0.8, 0.55)),
    }
    learned = outcomes(label, move, cost=0.01)
    assert Choose(by="log_loss").fit(inputs, learned).name == "often"
    assert Choose(by="net_return").fit(inputs, learned).name == "seldom"


def test_a_tie_goes_to_the_first(rng):
    same = softmax(rng.normal(size=(50, 3)))
    assert Choose().fit({"b": same, "a": same}, outcomes(rng.choice([-1, 0, 1], 50))).name == "b"


def test_after_a_combination_both_it_and_the_bases_stand_for_choice(rng):
    truth = softmax(rng.normal(size=(1200, 3)))
    alone = {"knows": truth, "noise": softmax(rng.normal(size=(1200, 3)))}
    label = drawn(rng, truth)
    steps = Stack(steps=[{"kind": "combine", "uses": "vote"}, {"kind": "choose"}]).complete()
    fitted = fit_pipeline(steps, alone, outcomes(label), outcomes(label).market)
    assert np.array_equal(fitted.apply(alone, outcomes(label).market).probability, truth)
    halves = {name: softmax(np.log(truth) + 0.8 * rng.normal(size=(1200, 3))) for name in "ab"}
    fitted = fit_pipeline(steps, halves, outcomes(label), outcomes(label).market)
    found = fitted.apply(halves, outcomes(label).market).probability
    np.testing.assert_allclose(found, (halves["a"] + halves["b"]) / 2)
