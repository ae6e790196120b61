"""Simulated returns are what their cell says: moments, dependence, edges, seeds."""

import numpy as np
import pytest
from scipy.stats import kurtosis, skew

from farm.calibrate.returns import NOTHING, SOMETHING, ReturnCell


def matrix(**changes: object) -> np.ndarray:
    """Forty years, so that what is estimated is close to what was planted."""
    values = {"name": "long", "trials": 6, "years": 40, **changes}
    (found,) = ReturnCell.model_validate(values).simulate(1)
    return found


def lag_one(columns: np.ndarray) -> float:
    return float(np.mean([np.corrcoef(column[1:], column[:-1])[0, 1] for column in columns.T]))


def test_every_cell_gives_the_shape_it_names():
    for cell in (*NOTHING, *SOMETHING):
        assert cell.edged <= cell.trials
        if cell.trials < 200:
            assert [one.shape for one in cell.simulate(0)] == [(cell.sessions, cell.trials)] * cell.studies


def test_names_are_unique():
    names = [cell.name for cell in (*NOTHING, *SOMETHING)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "changes",
    [
        {}, {"common": 0.5}, {"common": 0.8, "blocks": 3}, {"shocks": "student"}, {"shocks": "crash"},
        {"persistence": 0.3}, {"holding": 3}, {"clustering": True},
    ],
)  # fmt: skip
def test_every_kind_of_noise_has_mean_zero_and_a_deviation_of_one_percent(changes):
    found = matrix(**changes)
    # one volatility path of 40 years has its own luck: 5% of its mean
    assert found.std() == pytest.approx(0.01, rel=0.2 if "clustering" in changes else 0.06)
    assert abs(found.mean()) < 4 * 0.01 / np.sqrt(len(found))


def test_trials_correlate_as_planted_within_blocks_and_not_across():
    one = np.corrcoef(matrix(common=0.5).T)
    assert one[np.triu_indices(6, 1)] == pytest.approx(0.5, abs=0.05)
    blocks = np.corrcoef(matrix(common=0.8, blocks=2).T)
    assert blocks[0, 1] == pytest.approx(0.8, abs=0.03)
    assert blocks[0, 5] == pytest.approx(0.0, abs=0.05)


def test_dependence_on_time_is_as_planted():
    assert lag_one(matrix()) == pytest.approx(0.0, abs=0.02)
    assert lag_one(matrix(persistence=0.3)) == pytest.approx(0.3, abs=0.02)
    assert lag_one(matrix(holding=3)) == pytest.approx(2 / 3, abs=0.02)
    assert lag_one(matrix(clustering=True)) == pytest.approx(0.0, abs=0.03)
    assert lag_one(matrix(clustering=True) ** 2) > 0.1


def test_tails_and_skew_are_as_planted():
    assert kurtosis(matrix(), axis=None) == pytest.approx(0.0, abs=0.1)
    assert kurtosis(matrix(shocks="student"), axis=None) > 2
    assert skew(matrix(shocks="crash"), axis=None) == pytest.approx(-np.sqrt(2), abs=0.1)


def test_edges_are_annual_sharpe_ratios():
    found = matrix(trials=10, edge=3, edged=3, graded=True, losing=0.2)
    sharpe = found.mean(axis=0) / found.std(axis=0) * np.sqrt(252)
    assert sharpe == pytest.approx([1, 2, 3, 0, 0, 0, 0, 0, -2, -2], abs=4 / np.sqrt(40))


def test_a_seed_is_a_run():
    cell = ReturnCell(name="two", trials=3, studies=2)
    first, second = cell.simulate(4)
    assert np.array_equal(cell.simulate(4)[0], first)
    assert not np.array_equal(first, second)
    assert not np.array_equal(cell.simulate(5)[0], first)
