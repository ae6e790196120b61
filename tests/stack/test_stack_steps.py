"""The steps above the bases: each learns from the rows it is given, and says no more than they support."""

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import log_loss

from farm.stack import Calibrate, Combine, Market, Outcomes, Size, Stack, fit_pipeline

CLASSES = np.array([-1, 0, 1])


def outcomes(label, move=None, independent=None, length=0):
    n = len(label)
    move = label.astype(float) if move is None else move
    row = np.arange(n)
    worth = float(n if independent is None else independent)
    return Outcomes(label.astype(np.int8), move, np.ones(n), worth, row, row + length)


def fitted_pipeline(steps, inputs, learned):
    return fit_pipeline(steps, inputs, learned, at_no_cost(len(learned.label)))


def at_no_cost(n):
    return Market(np.full(n, 0.01), np.zeros(n))


def softmax(scores):
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def drawn(rng, probability):
    return CLASSES[(rng.random(len(probability))[:, None] > probability.cumsum(axis=1)).sum(axis=1)]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_calibration_takes_back_over_confidence_on_rows_it_did_not_see(rng):
    scores = rng.normal(size=(6000, 3)) * 0.5
    label = drawn(rng, softmax(scores))
    confident = softmax(4 * scores)
    fitted = Calibrate().fit({"base": confident[:3000]}, outcomes(label[:3000]))
    calibrated = fitted.apply({"base": confident[3000:]})["base"]
    losses = {
        "raw": log_loss(label[3000:], confident[3000:], labels=[-1, 0, 1]),
        "calibrated": log_loss(label[3000:], calibrated, labels=[-1, 0, 1]),
        "truth": log_loss(label[3000:], softmax(scores[3000:]), labels=[-1, 0, 1]),
    }
    assert losses["calibrated"] < losses["raw"] - 0.2
    assert losses["calibrated"] < losses["truth"] + 0.01


def test_calibration_leaves_what_is_calibrated_nearly_alone(rng):
    probability = softmax(rng.normal(size=(8000, 3)))
    label = drawn(rng, probability)
    fitted = Calibrate().fit({"base": probability}, outcomes(label))
    assert np.abs(fitted.apply({"base": probability})["base"] - probability).mean() < 0.03


def test_every_base_has_a_map_of_its_own(rng):
    one, two = softmax(rng.normal(size=(500, 3))), softmax(3 * rng.normal(size=(500, 3)))
    label = drawn(rng, one)
    both = Calibrate().fit({"one": one, "two": two}, outcomes(label)).apply({"one": one, "two": two})
    alone = Calibrate().fit({"one": one}, outcomes(label)).apply({"one": one})
    assert np.array_equal(both["one"], alone["one"])
    assert list(both) == ["one", "two"]


def spread_of(probability):
    return float(np.std(probability[:, 2] - probability[:, 0]))


def test_bases_that_know_nothing_are_given_next_to_no_weight(rng):
    noise = {name: softmax(2 * rng.normal(size=(4000, 3))) for name in ("a", "b", "c")}
    label = drawn(rng, np.tile([0.3, 0.3, 0.4], (4000, 1)))
    combined = Combine().fit(noise, outcomes(label)).apply(noise)["combined"]
    assert spread_of(combined) < 0.05 < spread_of(noise["a"]) / 5
    np.testing.assert_allclose(combined.mean(axis=0), [0.3, 0.3, 0.4], atol=0.02)


def test_the_base_that_knows_is_given_the_weight(rng):
    truth = softmax(rng.normal(size=(4000, 3)))
    label = drawn(rng, truth)
    inputs = {"noise": softmax(rng.normal(size=(4000, 3))), "knows": truth}
    combined = Combine().fit(inputs, outcomes(label)).apply(inputs)["combined"]
    lean = combined[:, 2] - combined[:, 0]
    assert np.corrcoef(lean, truth[:, 2] - truth[:, 0])[0, 1] > 0.97


@pytest.mark.parametrize("present", [[-1, 1], [0, 1], [-1, 0], [1], [-1, 0, 1]])
def test_classes_that_were_never_met_keep_probability_zero(rng, present):
    label = rng.choice(present, 300)
    inputs = {"base": softmax(rng.normal(size=(300, 3)))}
    for step in (Calibrate(), Combine()):
        (probability,) = step.fit(inputs, outcomes(label)).apply(inputs).values()
        np.testing.assert_allclose(probability.sum(axis=1), 1)
        assert (probability[:, ~np.isin(CLASSES, present)] == 0).all()
        assert (probability[:, np.isin(CLASSES, present)] > 0).all()


def test_the_same_bases_in_two_classes_as_in_three(rng):
    """Two-class labels: p_flat is 0 everywhere, and a lean is still learned."""
    up = 1 / (1 + np.exp(-rng.normal(size=4000)))
    probability = np.column_stack((1 - up, np.zeros(4000), up))
    label = np.where(rng.random(4000) < up, 1, -1)
    calibrated = Calibrate().fit({"base": probability}, outcomes(label)).apply({"base": probability})["base"]
    assert np.corrcoef(calibrated[:, 2], up)[0, 1] > 0.99
    assert np.abs(calibrated[:, 2] - up).mean() < 0.03


def test_constant_bases_and_certain_ones_are_no_trouble(rng):
    label = rng.choice([-1, 0, 1], 200)
    certain = np.eye(3)[rng.integers(0, 3, 200)]
    constant = np.tile([0.2, 0.3, 0.5], (200, 1))
    pipeline = fitted_pipeline(
        Stack().complete(), {"certain": certain, "constant": constant}, outcomes(label, rng.normal(size=200))
    )
    decision = pipeline.apply({"certain": certain, "constant": constant}, Market(np.full(200, 0.01), np.zeros(200)))
    assert np.isfinite(decision.probability).all()
    assert np.isfinite(decision.size).all()


def test_a_row_is_mapped_alike_alone_and_in_company(rng):
    inputs = {"a": softmax(rng.normal(size=(300, 3))), "b": softmax(rng.normal(size=(300, 3)))}
    pipeline = fitted_pipeline(Stack().complete(), inputs, outcomes(rng.choice([-1, 0, 1], 300)))
    market = Market(np.full(300, 0.01), np.full(300, 1e-4))
    whole = pipeline.apply(inputs, market)
    for row in range(0, 300, 37):
        one = slice(row, row + 1)
        alone = pipeline.apply(
            {name: p[one] for name, p in inputs.items()}, Market(market.volatility[one], market.cost[one])
        )
        assert np.array_equal(alone.probability[0], whole.probability[row])


def leaning(lean):
    return np.column_stack(((1 - lean) / 2, np.zeros(len(lean)), (1 + lean) / 2))


def test_no_bet_is_placed_where_the_slope_is_not_supported(rng):
    lean = rng.uniform(-0.5, 0.5, 2000)
    free = Market(np.full(2000, 0.01), np.zeros(2000))
    for move in (-lean, np.zeros(2000)):
        fitted = Size().fit(leaning(lean), outcomes(np.sign(lean), move))
        assert fitted.slope == 0
        assert (fitted.apply(leaning(lean), free) == 0).all()
    # A slope that 2000 independent rows would support, 20 do not.
    move = 0.25 * lean + rng.normal(size=2000)
    assert Size().fit(leaning(lean), outcomes(np.sign(lean), move)).slope > 0
    assert Size().fit(leaning(lean), outcomes(np.sign(lean), move, independent=20)).slope == 0
    undecided = leaning(np.zeros(2000))
    assert Size().fit(undecided, outcomes(np.sign(lean), move)).slope == 0


def test_noise_supports_a_slope_about_as_often_as_its_z_exceeds_one(rng):
    bets = 0
    for _ in range(400):
        lean, move = rng.uniform(-0.5, 0.5, 100), rng.normal(size=100)
        bets += Size().fit(leaning(lean), outcomes(np.sign(lean), move)).slope > 0
    assert 0.10 < bets / 400 < 0.22


def test_the_slope_is_found_shrunk_and_bets_the_side_that_pays_for_its_cost(rng):
    lean = rng.uniform(-0.5, 0.5, 4000)
    fitted = Size().fit(leaning(lean), outcomes(np.sign(lean), 2 * lean + rng.normal(size=4000)))
    assert 1.7 < fitted.slope < 2.1
    probe = np.array([-0.4, -0.1, 0.0, 0.1, 0.4])
    market = Market(volatility=np.full(5, 0.01), cost=np.full(5, 0.004))
    assert fitted.apply(leaning(probe), market).tolist() == [-1, 0, 0, 0, 1]
    dearer = Market(market.volatility, cost=np.full(5, 0.02))
    assert (fitted.apply(leaning(probe), dearer) == 0).all()


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ([], "exactly once"),
        (["calibrate"], "exactly once"),
        (["combine", "combine"], "exactly once"),
        (["size", "combine"], "last step"),
        (["combine", "size", "size"], "last step"),
        (["combine", "threshold", "meta_label"], "threshold leaves out bets, so it stands last"),
        (["combine", "threshold", "calibrate"], "threshold leaves out bets, so it stands last"),
        (["combine", "meta_label", "calibrate"], "only threshold and size follow it"),
        (["meta_label", "combine"], "only threshold and size follow it"),
        (["choose", "combine"], "nothing to combine after it"),
        (["calibrate", "calibrate", "combine"], "twice in a row"),
        (["meta_label"], "exactly once"),
        (["combine", "choose", "choose"], "at most one step of kind choose"),
    ],
)
def test_steps_in_an_order_that_cannot_work_are_refused(kinds, message):
    with pytest.raises(ValidationError, match=f"steps: .*{message}"):
        Stack(steps=[{"kind": kind} for kind in kinds])


@pytest.mark.parametrize(
    "steps",
    [
        [{"kind": "choose"}],
        [{"kind": "combine"}, {"kind": "calibrate"}],
        [{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "choose"}, {"kind": "meta_label"}, {"kind": "threshold"}],
        [{"kind": "meta_label", "primary": "rule"}, {"kind": "size", "rule": "probability"}],
    ],
)
def test_any_order_that_makes_sense_is_fitted_and_bets(rng, steps):
    truth = softmax(rng.normal(size=(900, 3)))
    inputs = {"rule": truth, "noise": softmax(rng.normal(size=(900, 3)))}
    learned = outcomes(drawn(rng, truth))
    decision = fitted_pipeline(Stack(steps=steps).complete(), inputs, learned).apply(inputs, at_no_cost(900))
    np.testing.assert_allclose(decision.probability.sum(axis=1), 1)
    assert np.average(learned.move * np.sign(decision.size), weights=np.abs(decision.size)) > 0.2


def test_the_bet_is_added_and_a_single_base_is_not_combined():
    assert [step.kind for step in Stack().complete()] == ["calibrate", "combine", "size"]
    assert [step.kind for step in Stack().for_one_base()] == ["calibrate", "size"]
    assert [step.kind for step in Stack(steps=[{"kind": "combine"}, {"kind": "size"}]).complete()] == [
        "combine",
        "size",
    ]
    above = [{"kind": kind} for kind in ("calibrate", "combine", "calibrate", "choose")]
    judged = Stack(steps=[*above, {"kind": "meta_label", "primary": "rule"}]).for_one_base()
    assert [step.kind for step in judged] == ["calibrate", "meta_label", "size"]
    assert judged[1].primary is None


def test_a_pipeline_without_rows_or_without_a_bet_says_so(rng):
    inputs = {"a": softmax(rng.normal(size=(50, 3))), "b": softmax(rng.normal(size=(50, 3)))}
    label = rng.choice([-1, 0, 1], 50)
    with pytest.raises(ValueError, match="no labelled row"):
        fitted_pipeline(Stack().complete(), {"a": np.zeros((0, 3))}, outcomes(label[:0]))
    with pytest.raises(ValueError, match="ends with a step of kind size"):
        fitted_pipeline([Calibrate()], inputs, outcomes(label))
    with pytest.raises(ValueError, match="combine them first"):
        fitted_pipeline([Calibrate(), Size()], inputs, outcomes(label))


def test_a_stack_of_noise_is_seldom_bet_on_though_it_fits_its_own_rows(rng):
    """The bet is learned on rows that the maps below it were not fitted on."""
    supported = 0
    for _ in range(24):
        label = np.repeat(rng.choice([-1, 0, 1], 200), 3)
        inputs = {name: softmax(np.repeat(rng.normal(size=(200, 3)), 3, axis=0)) for name in ("a", "b", "c")}
        pipeline = fitted_pipeline(Stack().complete(), inputs, outcomes(label, independent=200, length=2))
        supported += pipeline.size.slope > 0
    assert supported / 24 < 0.4


def test_a_stack_that_knows_is_bet_on(rng):
    truth = softmax(rng.normal(size=(1500, 3)))
    inputs = {"knows": truth, "noise": softmax(rng.normal(size=(1500, 3)))}
    pipeline = fitted_pipeline(Stack().complete(), inputs, outcomes(drawn(rng, truth)))
    assert 0.8 < pipeline.size.slope < 1.2


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_a_handful_of_rows_supports_no_bet_and_breaks_nothing(rng, n):
    inputs = {"a": softmax(rng.normal(size=(n, 3))), "b": softmax(rng.normal(size=(n, 3)))}
    for length in (0, 50):
        fitted = fitted_pipeline(Stack().complete(), inputs, outcomes(np.ones(n), rng.normal(size=n), length=length))
        assert np.isfinite(fitted.size.slope)
        assert length == 0 or fitted.size.slope == 0
