"""Meta-labels: whether to take the primary's side, learned from what the primary said of rows it was not fitted on."""

import numpy as np
import pytest

from farm.stack import MetaLabel, Size, Stack, fit_pipeline, run_nested
from tests.stack.drawn import events_of, interval, lattice_of, outcomes, plan_of, session_sharpe, sided

SEEDS = 20
ROWS, GROUPS = 800, 4


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def regimes(seed, right, wrong, cost):
    """A rule whose side is right with these probabilities inside and outside a regime that a feature shows."""
    rng = np.random.default_rng([5, seed])
    inside = np.repeat(rng.random(ROWS // 10) < 0.5, 10)
    side = rng.choice([-1, 1], ROWS)
    label = np.where(rng.random(ROWS) < np.where(inside, right, wrong), side, -side)
    events = events_of(label, label * rng.uniform(0.5, 1.5, ROWS) * 0.01)
    plan = plan_of(events, GROUPS)
    lattice = lattice_of(plan, events, {"rule": lambda _, test: sided(side[test])})
    columns = {"regime": inside + 0.5 * rng.normal(size=ROWS), "noise": rng.normal(size=ROWS)}
    market = outcomes(label, cost=cost, columns=columns).market
    steps = Stack(
        steps=[
            {"kind": "meta_label", "primary": "rule", "features": ["regime", "noise"]},
            {"kind": "size", "rule": "probability"},
        ]
    ).complete()
    size = run_nested(steps, ("rule",), lattice, plan, events, market).mean().size
    return events.ret, side.astype(float), size


def risen(seed, right, wrong, cost):
    """By how much precision and net Sharpe ratio rise over the primary's own bets."""
    ret, side, size = regimes(seed, right, wrong, cost)
    pays, placed = side * ret > cost, size != 0
    precision = pays[placed].mean() - pays.mean() if placed.any() else 0.0
    net = [session_sharpe(bet * ret - np.abs(bet) * cost) for bet in (side, size)]
    return precision, net[1] - net[0]


def test_precision_and_net_sharpe_rise_where_the_primary_is_right_in_one_regime_only():
    for rise in np.transpose([risen(seed, 0.68, 0.48, 0.001) for seed in range(SEEDS)]):
        mean, half = interval(rise)
        assert mean - half > 0


def test_on_noise_neither_rises():
    for rise in np.transpose([risen(seed, 0.5, 0.5, 0.0) for seed in range(SEEDS)]):
        mean, half = interval(rise)
        assert mean - half < 0


def test_the_side_is_the_primary_s_always(rng):
    _, side, size = regimes(3, 0.68, 0.48, 0.0)
    assert set(np.unique(np.sign(size) * side)) == {0.0, 1.0}


def test_a_named_primary_s_side_is_what_it_said_before_any_map(rng):
    """A rule that is wrong more often than not would be turned round by calibration; its side is not."""
    side = rng.choice([-1, 1], 600)
    label = np.where(rng.random(600) < 0.3, side, -side)
    learned = outcomes(label)
    steps = [{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "meta_label", "primary": "rule"}]
    inputs = {"rule": sided(side), "other": sided(rng.choice([-1, 1], 600), 0.6)}
    fitted = fit_pipeline(Stack(steps=steps).complete(), inputs, learned, learned.market)
    decision = fitted.apply(inputs, learned.market)
    assert np.corrcoef(np.sign(decision.probability[:, 2] - decision.probability[:, 0]), -side)[0, 1] > 0.9
    assert (decision.size == 0).all()
    right = fit_pipeline(Stack(steps=steps).complete(), inputs, outcomes(-label), learned.market)
    assert (right.apply(inputs, learned.market).size == side).mean() > 0.9


def test_the_boosted_secondary_learns_a_band(rng):
    """The primary pays only where a feature is neither low nor high: no line says that, trees do."""
    side, feature = rng.choice([-1, 1], 3000), rng.uniform(-1, 1, 3000)
    label = np.where(rng.random(3000) < np.where(np.abs(feature) < 0.4, 0.85, 0.4), side, -side)
    learned = outcomes(label, columns={"feature": feature})
    said = {"rule": sided(side)}
    fitted = MetaLabel(features=["feature"], uses="boosted").fit(sided(side), said, learned)
    pays = fitted.apply(sided(side), said, learned.market).wins
    assert pays[np.abs(feature) < 0.3].mean() > 0.75
    assert pays[np.abs(feature) > 0.6].mean() < 0.5


def test_what_moves_and_what_costs_decide_that_a_bet_pays(rng):
    """Right more often than not, and still not worth its round trip."""
    side = rng.choice([-1, 1], 1000)
    label = np.where(rng.random(1000) < 0.6, side, -side)
    said = {"rule": sided(side)}
    for cost, pays in ((0.0, 0.6), (0.005, 0.3), (0.02, 0.0)):
        learned = outcomes(label, label * np.where(np.arange(1000) % 2, 1.0, 0.4), cost=cost)
        fitted = MetaLabel().fit(sided(side), said, learned)
        assert fitted.apply(sided(side), said, learned.market).wins.mean() == pytest.approx(pays, abs=0.04)


def test_no_side_no_bet(rng):
    label = rng.choice([-1, 1], 100)
    tie = {"rule": np.full((100, 3), [0.4, 0.2, 0.4])}
    learned = outcomes(label)
    fitted = MetaLabel().fit(tie["rule"], tie, learned)
    assert (fitted.apply(tie["rule"], tie, learned.market).side == 0).all()
    assert (Size(rule="probability").fit(tie["rule"], learned).apply(tie["rule"], learned.market) == 0).all()


def test_a_feature_that_nobody_handed_over_is_named(rng):
    side = rng.choice([-1, 1], 50)
    with pytest.raises(ValueError, match="no values of volume_z"):
        MetaLabel(features=["volume_z"]).fit(sided(side), {"rule": sided(side)}, outcomes(side))


def test_a_primary_that_is_no_base_is_named(rng):
    side = rng.choice([-1, 1], 50)
    learned = outcomes(side)
    steps = Stack(steps=[{"kind": "meta_label", "primary": "momentum_sign"}]).complete()
    with pytest.raises(ValueError, match="primary momentum_sign is none of the bases rule"):
        fit_pipeline(steps, {"rule": sided(side)}, learned, learned.market)


def test_a_stack_names_the_features_and_primaries_that_it_needs():
    stack = Stack(steps=[{"kind": "meta_label", "primary": "momentum_sign", "features": ["rsi_14", "rsi_14", "atr"]}])
    assert stack.reads() == ("rsi_14", "atr")
    assert stack.primaries() == ("momentum_sign",)
    assert Stack().reads() == Stack().primaries() == ()
