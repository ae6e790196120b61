"""Calibration: three maps, and what each needs."""

import numpy as np
import pytest
from pydantic import ValidationError

from farm.errors import BadInput
from farm.stack import Calibrate, Stack
from farm.stack.inputs import log_loss
from tests.stack.drawn import CLASSES, drawn, outcomes, softmax

METHODS = ("sigmoid", "isotonic", "temperature")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("method", METHODS)
def test_over_confidence_is_taken_back_on_rows_that_were_not_seen(rng, method):
    scores = rng.normal(size=(6000, 3)) * 0.5
    label = drawn(rng, softmax(scores))
    said, truth = softmax(4 * scores), softmax(scores)
    fitted = Calibrate(method=method).fit({"base": said[:3000]}, outcomes(label[:3000]))
    unseen = outcomes(label[3000:])
    calibrated = fitted.apply({"base": said[3000:]})["base"]
    np.testing.assert_allclose(calibrated.sum(axis=1), 1)
    assert log_loss(calibrated, unseen) < log_loss(said[3000:], unseen) - 0.2
    assert log_loss(calibrated, unseen) < log_loss(truth[3000:], unseen) + 0.02


def test_the_temperature_is_found(rng):
    scores = rng.normal(size=(8000, 3))
    fitted = Calibrate(method="temperature").fit({"base": softmax(3 * scores)}, outcomes(drawn(rng, softmax(scores))))
    assert fitted.maps["base"].temperature == pytest.approx(3, rel=0.1)


def test_the_isotonic_map_of_two_classes_rises(rng):
    up = rng.uniform(size=2000)
    said = np.column_stack((1 - up, np.zeros(2000), up))
    label = np.where(rng.random(2000) < up**2, 1, -1)
    fitted = Calibrate(method="isotonic").fit({"base": said}, outcomes(label))
    order = np.argsort(up)
    calibrated = fitted.apply({"base": said})["base"][order, 2]
    assert (np.diff(calibrated) >= -1e-12).all()
    assert np.abs(calibrated - up[order] ** 2).mean() < 0.05


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("present", [[-1, 1], [0, 1], [1], [-1, 0, 1]])
def test_a_class_that_was_never_met_keeps_probability_zero(rng, method, present):
    label = rng.choice(present, 400)
    inputs = {"base": softmax(rng.normal(size=(400, 3)))}
    probability = Calibrate(method=method).fit(inputs, outcomes(label)).apply(inputs)["base"]
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    assert ((probability > 0) == np.isin(CLASSES, present)).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_row_is_mapped_alike_alone_and_in_company(rng, method):
    inputs = {"base": softmax(rng.normal(size=(400, 3)))}
    fitted = Calibrate(method=method).fit(inputs, outcomes(rng.choice([-1, 0, 1], 400)))
    whole = fitted.apply(inputs)["base"]
    for row in range(0, 400, 29):
        assert np.array_equal(fitted.apply({"base": inputs["base"][[row]]})["base"][0], whole[row])


def test_rows_without_a_prediction_teach_nothing_and_stay_without_one(rng):
    said = softmax(rng.normal(size=(600, 3)))
    label = rng.choice([-1, 0, 1], 600)
    gaps = np.arange(600) % 3 == 0
    holed = np.where(gaps[:, None], np.nan, said)
    fitted = Calibrate().fit({"base": holed}, outcomes(label))
    alone = Calibrate().fit({"base": said[~gaps]}, outcomes(label).take(np.flatnonzero(~gaps)))
    found = fitted.apply({"base": holed})["base"]
    assert np.isnan(found[gaps]).all()
    assert np.array_equal(found[~gaps], alone.apply({"base": said[~gaps]})["base"])


def test_too_few_rows_for_an_isotonic_map_is_one_message_that_says_what_to_do(rng):
    inputs = {"slow": softmax(rng.normal(size=(299, 3)))}
    with pytest.raises(BadInput, match=r"isotonic found 299 rows of slow .* needs 300; use method sigmoid"):
        Calibrate(method="isotonic").fit(inputs, outcomes(rng.choice([-1, 0, 1], 299)))


def test_a_stack_says_how_many_rows_its_isotonic_maps_need_beside_the_blocks_held_out():
    isotonic = {"kind": "calibrate", "method": "isotonic"}
    assert Stack().min_rows() == 1
    assert Stack(steps=[isotonic, {"kind": "combine"}]).min_rows() == 500
    deeper = Stack(steps=[isotonic, {"kind": "combine"}, {"kind": "choose"}, {"kind": "meta_label"}])
    assert deeper.min_rows() == 750


def test_only_the_sigmoid_map_has_a_penalty():
    assert Calibrate().penalty == 0.001
    assert Calibrate.model_validate(Calibrate(method="isotonic").model_dump()) == Calibrate(method="isotonic")
    with pytest.raises(ValidationError, match="penalty is for method sigmoid"):
        Calibrate(method="temperature", penalty=0.1)
