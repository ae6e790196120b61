"""Rows that not every base predicts: abstained from, or marked; and rows that none predicts."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from farm.stack import Stack, fit_pipeline
from tests.stack.drawn import drawn, outcomes, softmax

STEPS = Stack().complete()
ROWS = 600


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def world(rng):
    """Two bases that know something, of which one says nothing of every third row, and none of every twelfth."""
    truth = softmax(rng.normal(size=(ROWS, 3)))
    inputs = {name: softmax(np.log(truth) + 0.5 * rng.normal(size=(ROWS, 3))) for name in ("fast", "slow")}
    inputs["slow"][::3] = np.nan
    inputs["fast"][::12] = np.nan
    return inputs, outcomes(drawn(rng, truth))


def test_abstaining_is_the_pipeline_of_the_complete_rows(world):
    inputs, learned = world
    complete = np.flatnonzero(np.isfinite(inputs["slow"][:, 0]) & np.isfinite(inputs["fast"][:, 0]))
    decision = fit_pipeline(STEPS, inputs, learned, learned.market).apply(inputs, learned.market)
    alone = {name: p[complete] for name, p in inputs.items()}
    fitted = fit_pipeline(STEPS, alone, learned.take(complete), learned.market.take(complete))
    expected = fitted.apply(alone, learned.market.take(complete))
    assert np.array_equal(decision.probability[complete], expected.probability)
    assert np.array_equal(decision.size[complete], expected.size)
    others = np.setdiff1d(np.arange(ROWS), complete)
    assert np.isnan(decision.probability[others]).all()
    assert (decision.size[others] == 0).all()


def test_labels_of_rows_that_are_abstained_from_are_not_heard(world):
    inputs, learned = world
    gone = np.isnan(inputs["slow"][:, 0])
    lied = replace(
        learned, label=np.where(gone, 1, learned.label).astype(np.int8), move=np.where(gone, 9, learned.move)
    )
    one, two = (fit_pipeline(STEPS, inputs, each, each.market).apply(inputs, each.market) for each in (learned, lied))
    assert np.array_equal(one.probability, two.probability, equal_nan=True)
    assert np.array_equal(one.size, two.size)


@pytest.mark.parametrize("uses", ["vote", "blend", "ridge", "logistic", "mlp", "boosted"])
def test_marking_predicts_wherever_any_base_does_and_nowhere_else(world, uses):
    inputs, learned = world
    steps = Stack(steps=[{"kind": "calibrate"}, {"kind": "combine", "uses": uses}, {"kind": "choose"}]).complete()
    fitted = fit_pipeline(steps, inputs, learned, learned.market, "mark")
    decision = fitted.apply(inputs, learned.market)
    nobody = np.isnan(inputs["slow"][:, 0]) & np.isnan(inputs["fast"][:, 0])
    assert nobody.any()
    assert np.isnan(decision.probability[nobody]).all()
    assert (decision.size[nobody] == 0).all()
    np.testing.assert_allclose(decision.probability[~nobody].sum(axis=1), 1)


def test_a_base_that_is_gone_when_serving_leaves_a_defined_answer(world):
    """SCOPE 83: abstaining answers nothing, marking answers from the bases that are left."""
    inputs, learned = world
    without = {"fast": inputs["fast"][1:12], "slow": np.full((11, 3), np.nan)}
    market = learned.market.take(np.arange(1, 12))
    silent = fit_pipeline(STEPS, inputs, learned, learned.market).apply(without, market)
    assert np.isnan(silent.probability).all()
    assert (silent.size == 0).all()
    marked = fit_pipeline(STEPS, inputs, learned, learned.market, "mark").apply(without, market)
    np.testing.assert_allclose(marked.probability.sum(axis=1), 1)


def test_bases_that_never_speak_together_leave_nothing_to_learn_from(rng):
    said = softmax(rng.normal(size=(20, 3)))
    even = np.arange(20)[:, None] % 2 == 0
    inputs = {"even": np.where(even, said, np.nan), "odd": np.where(even, np.nan, said)}
    learned = outcomes(rng.choice([-1, 0, 1], 20))
    with pytest.raises(ValueError, match="no row for which its bases have predictions"):
        fit_pipeline(STEPS, inputs, learned, learned.market)


@pytest.mark.parametrize(
    ("text", "age"), [(None, None), ("30min", 30 * 60), ("2h", 7200), ("12 bars", 12 * 300), ("1 bar", 300)]
)
def test_staleness_is_a_length_of_time_or_a_number_of_bars(text, age):
    second = 10**9
    found = Stack(max_staleness=text).max_age(bar=300 * second)
    assert found == (None if age is None else age * second)


@pytest.mark.parametrize("text", ["30", "soon", "-5min", ""])
def test_staleness_without_a_unit_is_refused(text):
    with pytest.raises(ValidationError, match=r"max_staleness .* is no length of time; write one such as 30min"):
        Stack(max_staleness=text)


def test_the_experiment_s_seed_reaches_the_steps_that_draw_and_have_none():
    stack = Stack(steps=[{"kind": "calibrate"}, {"kind": "combine", "uses": "mlp"}])
    assert stack.seeded(7).steps[1].seed == 7
    assert stack.seeded(7).seeded(8).steps[1].seed == 7
    assert Stack().seeded(7) == Stack()
