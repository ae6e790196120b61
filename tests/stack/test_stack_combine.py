"""Combination: six ways, all of which give noise next to nothing and say a row alike alone and in company."""

import numpy as np
import pytest
from pydantic import ValidationError

from farm.stack import Combine
from farm.stack.inputs import lean, log_loss
from tests.stack.drawn import CLASSES, drawn, outcomes, softmax

USES = ("vote", "blend", "ridge", "logistic", "mlp", "boosted")
LEARNED = USES[2:]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def noise():
    """Three bases of noise, and labels whose shares are 0.3, 0.3, 0.4."""
    rng = np.random.default_rng(1)
    bases = {name: softmax(2 * rng.normal(size=(2000, 3))) for name in ("a", "b", "c")}
    return bases, drawn(rng, np.tile([0.3, 0.3, 0.4], (2000, 1)))


def combined(step, inputs, learned):
    return step.fit(inputs, learned).apply(inputs)["combined"]


@pytest.mark.parametrize("uses", LEARNED)
def test_bases_that_know_nothing_are_given_next_to_no_weight(noise, uses):
    bases, label = noise
    found = combined(Combine(uses=uses), bases, outcomes(label))
    np.testing.assert_allclose(found.mean(axis=0), [0.3, 0.3, 0.4], atol=0.03)
    assert np.std(lean(found)) < 0.08 < np.std(lean(bases["a"])) / 4


def test_a_blend_of_bases_that_know_nothing_is_nearly_even(noise):
    bases, label = noise
    weights = Combine(uses="blend").fit(bases, outcomes(label)).weights
    assert sum(weights.values()) == pytest.approx(1)
    assert max(weights.values()) - min(weights.values()) < 0.1


@pytest.mark.parametrize("uses", USES[1:])
def test_the_base_that_knows_is_given_the_weight(rng, uses):
    truth = softmax(rng.normal(size=(3000, 3)))
    inputs = {"noise": softmax(rng.normal(size=(3000, 3))), "knows": truth}
    learned, unseen = np.arange(2000), np.arange(2000, 3000)
    known = outcomes(drawn(rng, truth))
    fitted = Combine(uses=uses).fit({name: p[learned] for name, p in inputs.items()}, known.take(learned))
    found = fitted.apply({name: p[unseen] for name, p in inputs.items()})["combined"]
    assert np.corrcoef(lean(found), lean(truth[unseen]))[0, 1] > 0.9
    vote = combined(Combine(uses="vote"), inputs, known)
    assert log_loss(found, known.take(unseen)) < log_loss(vote[unseen], known.take(unseen))


def test_a_vote_is_the_mean_of_the_bases_probabilities(rng):
    inputs = {name: softmax(rng.normal(size=(50, 3))) for name in ("a", "b")}
    found = combined(Combine(uses="vote"), inputs, outcomes(rng.choice(CLASSES, 50)))
    np.testing.assert_allclose(found, (inputs["a"] + inputs["b"]) / 2, atol=1e-15)


@pytest.mark.parametrize("uses", LEARNED)
@pytest.mark.parametrize("present", [[-1, 1], [1], [-1, 0, 1]])
def test_classes_that_were_never_met_keep_probability_zero(rng, uses, present):
    inputs = {"base": softmax(rng.normal(size=(200, 3)))}
    found = combined(Combine(uses=uses), inputs, outcomes(rng.choice(present, 200)))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert ((found > 0) == np.isin(CLASSES, present)).all()


@pytest.mark.parametrize("uses", USES)
def test_a_row_is_mapped_alike_alone_and_in_company_and_twice(rng, uses):
    inputs = {name: softmax(rng.normal(size=(200, 3))) for name in ("a", "b")}
    learned = outcomes(rng.choice(CLASSES, 200))
    step = Combine(uses=uses, derived=uses in LEARNED)
    fitted = step.fit(inputs, learned)
    whole = fitted.apply(inputs)["combined"]
    assert np.array_equal(combined(step, inputs, learned), whole)
    for rows in ([0], [7], np.arange(20, 33), [199]):
        assert np.array_equal(fitted.apply({name: p[rows] for name, p in inputs.items()})["combined"], whole[rows])


def test_another_seed_is_another_net(rng):
    inputs = {name: softmax(rng.normal(size=(200, 3))) for name in ("a", "b")}
    learned = outcomes(rng.choice(CLASSES, 200))
    one, two = (combined(Combine(uses="mlp", penalty=1e-4, seed=seed), inputs, learned) for seed in (1, 2))
    assert not np.array_equal(one, two)


def test_agreement_helps_where_a_side_is_right_only_when_the_bases_agree(rng):
    """Neither base knows anything alone; a learner of interactions finds it in what they say together."""
    side = rng.choice([-1.0, 1.0], size=(4000, 2))
    agree = side[:, 0] == side[:, 1]
    right = rng.random(4000) < np.where(agree, 0.8, 0.5)
    label = np.where(right, side[:, 0], -side[:, 0])
    up = 0.5 + 0.1 * side
    inputs = {name: np.column_stack((1 - up[:, k], np.zeros(4000), up[:, k])) for k, name in enumerate("ab")}
    flat = np.where(agree, label, 0)
    loss = {
        derived: log_loss(combined(Combine(uses="logistic", derived=derived), inputs, outcomes(flat)), outcomes(flat))
        for derived in (False, True)
    }
    assert loss[True] < loss[False] - 0.1


def test_a_base_that_is_missing_is_marked_and_its_absence_can_be_learned(rng):
    truth = softmax(rng.normal(size=(3000, 3)))
    label = drawn(rng, truth)
    gone = rng.random(3000) < 0.4
    label[gone] = 1
    inputs = {"often": np.where(gone[:, None], np.nan, truth), "noise": softmax(rng.normal(size=(3000, 3)))}
    found = combined(Combine(), inputs, outcomes(label))
    assert np.isfinite(found).all()
    assert found[gone, 2].mean() > 0.8 > 0.5 > found[~gone, 2].mean()


def test_settings_that_nothing_reads_are_refused():
    with pytest.raises(ValidationError, match="penalty has nothing to hold back"):
        Combine(uses="vote", penalty=0.1)
    with pytest.raises(ValidationError, match="derived adds inputs"):
        Combine(uses="blend", derived=True)
    with pytest.raises(ValidationError, match="draws nothing"):
        Combine(uses="ridge", seed=3)
    for uses in USES:
        assert Combine.model_validate(Combine(uses=uses).model_dump()) == Combine(uses=uses)


def test_a_base_may_not_be_called_what_the_combination_is(rng):
    with pytest.raises(ValueError, match="give it another name"):
        Combine().fit({"combined": softmax(rng.normal(size=(9, 3)))}, outcomes(np.ones(9)))
