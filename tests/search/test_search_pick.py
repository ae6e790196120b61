"""The choice among configurations: the same as looking at every one by hand, and ties go to the earlier trial."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from farm.search import Pick, Rows, loss

Float = NDArray[np.float64]


def rows_of(n: int, seed: int) -> Rows:
    draw = np.random.default_rng(seed)
    label = draw.choice(np.array([-1, 0, 1], np.int8), n)
    label[:3] = -1, 0, 1
    move = label + 0.3 * draw.standard_normal(n)
    return Rows(label, move, draw.uniform(0.1, 1, n), draw.uniform(0.005, 0.02, n), draw.uniform(0, 0.004, n))


def predictions(n: int, names: tuple[str, ...], seed: int) -> dict[str, Float]:
    draw = np.random.default_rng(seed)
    return {name: draw.dirichlet(np.ones(3), n) for name in names}


def net_by_hand(probability: Float, rows: Rows) -> Float:
    """One row at a time, from the words of `loss`."""
    lean = probability[:, 2] - probability[:, 0]
    slope = max((rows.weight * lean * rows.move).sum() / (rows.weight * lean**2).sum(), 0.0)
    net = []
    for row in range(len(lean)):
        expected = slope * lean[row] * rows.volatility[row]
        if expected > rows.cost[row]:
            net.append(rows.move[row] * rows.volatility[row] - rows.cost[row])
        elif -expected > rows.cost[row]:
            net.append(-rows.move[row] * rows.volatility[row] - rows.cost[row])
        else:
            net.append(0.0)
    return np.array(net)


@given(n=st.integers(5, 60), seed=st.integers(0, 10_000))
def test_log_loss_is_the_weighted_log_loss_of_others(n: int, seed: int) -> None:
    rows, probability = rows_of(n, seed), predictions(n, ("p",), seed)["p"]
    assert loss("log_loss", probability, rows) == pytest.approx(
        log_loss(rows.label, probability, sample_weight=rows.weight, labels=[-1, 0, 1])
    )


@given(n=st.integers(5, 60), seed=st.integers(0, 10_000))
def test_economic_losses_are_what_the_bets_return_after_costs(n: int, seed: int) -> None:
    rows, probability = rows_of(n, seed), predictions(n, ("p",), seed)["p"]
    net = net_by_hand(probability, rows)
    mean = np.average(net, weights=rows.weight)
    assert loss("net_return", probability, rows) == pytest.approx(-mean, abs=1e-15)
    spread = np.sqrt(np.average((net - mean) ** 2, weights=rows.weight))
    assert loss("net_sharpe", probability, rows) == pytest.approx(-mean / spread if spread > 0 else 0.0, abs=1e-12)


@given(
    counts=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    objective=st.sampled_from(["log_loss", "net_return", "net_sharpe"]),
    seed=st.integers(0, 10_000),
)
def test_the_choice_is_that_of_brute_force_over_all_combinations(counts: list[int], objective: Any, seed: int) -> None:
    searched = {f"m{at}": tuple(f"m{at}.{i + 1}" for i in range(count)) for at, count in enumerate(counts)}
    names = tuple(name for group in searched.values() for name in group)
    rows, inputs = rows_of(40, seed), predictions(40, names, seed)
    picked = Pick(objective=objective, searched=searched).fit(inputs, rows)
    best = min(
        itertools.product(*searched.values()),
        key=lambda chosen: sum(loss(objective, inputs[name], rows) for name in chosen),
    )
    assert tuple(picked.chosen.values()) == best


def test_equal_configurations_go_to_the_earlier_trial() -> None:
    rows, inputs = rows_of(20, 1), predictions(20, ("a",), 1)
    same = {"m.1": inputs["a"], "m.2": inputs["a"].copy()}
    assert Pick(objective="log_loss", searched={"m": ("m.2", "m.1")}).fit(same, rows).chosen == {"m": "m.2"}


def test_one_that_predicts_none_of_the_rows_is_never_chosen() -> None:
    rows, inputs = rows_of(20, 1), predictions(20, ("m.2",), 1)
    inputs["m.1"] = np.full((20, 3), np.nan)
    assert Pick(objective="log_loss", searched={"m": ("m.1", "m.2")}).fit(inputs, rows).chosen == {"m": "m.2"}


def test_rows_that_a_model_cannot_predict_are_left_out_of_its_loss() -> None:
    rows, inputs = rows_of(20, 1), predictions(20, ("m.1",), 1)
    there = np.arange(5, 20)
    inputs["m.1"][:5] = np.nan
    found = Pick(objective="log_loss", searched={"m": ("m.1",)}).losses(inputs, rows)["m.1"]
    assert found == loss("log_loss", inputs["m.1"][there], rows.take(there))


def test_what_is_not_searched_passes_through_beside_the_chosen_ones() -> None:
    rows = rows_of(20, 1)
    inputs = predictions(20, ("linear", "m.1", "m.2"), 1)
    picked = Pick(objective="log_loss", searched={"m": ("m.1", "m.2")}).fit(inputs, rows)
    out = picked.apply(inputs)
    assert list(out) == ["linear", "m"]
    assert out["linear"] is inputs["linear"]
    assert out["m"] is inputs[picked.chosen["m"]]
