import numpy as np
import pytest

from farm.labels import CLASSES
from farm.stack import Stack
from farm.stack.ablation import diversity, variants


def lattice_of(panel_rows, **leaning):
    """A lattice of two groups whose bases lean as told, the same against every other group."""
    from farm.stack.lattice import Lattice

    probability = {}
    for base, lean in leaning.items():
        up = (1 + np.asarray(lean, dtype=float)) / 2
        said = np.full((panel_rows, 2, len(CLASSES)), np.nan)
        group = np.arange(panel_rows) * 2 // panel_rows
        said[np.arange(panel_rows), 1 - group] = np.column_stack((1 - up, np.zeros(panel_rows), up))
        probability[base] = said
    split = np.where(np.arange(2) == group[:, None], -1, 0)
    return Lattice(tuple(leaning), probability, split, group)


class Labelled:
    """Events that are nothing but labels."""

    def __init__(self, label):
        self.label = np.asarray(label)
        self.labelled = np.full(len(label), True)


def test_each_base_is_left_out_once_and_each_family_stands_alone():
    found = variants({"fast": "boosting", "slow": "boosting", "linear": "classical"})
    assert {one.name: one.bases for one in found} == {
        "stack.best_single": ("fast", "slow", "linear"),
        "stack.without.fast": ("slow", "linear"),
        "stack.without.slow": ("fast", "linear"),
        "stack.without.linear": ("fast", "slow"),
        "stack.only.boosting": ("fast", "slow"),
        "stack.unnested": ("fast", "slow", "linear"),
    }
    assert [one.name for one in found if not one.nested] == ["stack.unnested"]


def test_a_stack_of_two_is_not_taken_apart_into_its_bases():
    """Each of them is a trial of its own already."""
    assert [one.name for one in variants({"a": "boosting", "b": "classical"})] == [
        "stack.best_single",
        "stack.unnested",
    ]


def test_a_stack_of_one_family_is_homogeneous_as_a_whole():
    assert "stack.only.boosting" not in {one.name for one in variants(dict.fromkeys("abc", "boosting"))}


def test_equal_bases_err_alike_and_opposite_ones_disagree_everywhere():
    label = np.array([1, -1, 1, -1, 1, 1, -1, 1])
    lean = np.array([0.2, -0.1, 0.4, 0.3, -0.2, 0.1, -0.5, 0.3])
    same, opposite, _ = diversity(("a", "b", "c"), lattice_of(8, a=lean, b=lean, c=-lean), Labelled(label))
    assert same.error_correlation == pytest.approx(1)
    assert same.disagreement == 0
    assert opposite.disagreement == 1
    assert opposite.n_rows == 8


def test_rows_that_one_base_does_not_predict_are_left_out():
    label = np.array([1, -1, 1, -1])
    seldom = np.array([0.2, np.nan, 0.4, -0.3])
    (pair,) = diversity(("a", "b"), lattice_of(4, a=[0.1, 0.2, 0.3, 0.4], b=seldom), Labelled(label))
    assert pair.n_rows == 3
    assert pair.disagreement == pytest.approx(1 / 3)


def test_the_best_single_base_is_chosen_where_the_stack_combines():
    steps = Stack(steps=[{"kind": "calibrate"}, {"kind": "combine"}, {"kind": "threshold"}]).complete()
    best, *_, unnested = variants({"a": "boosting", "b": "classical"})
    assert [step.kind for step in best.steps(steps)] == ["calibrate", "choose", "threshold", "size"]
    assert unnested.steps(steps) == steps


def test_a_stack_of_one_prediction_by_name_still_has_a_best_single_base():
    steps = Stack(steps=[{"kind": "meta_label", "primary": "momentum_sign"}]).complete()
    best = variants({"a": "boosting", "b": "classical"})[0]
    assert [step.kind for step in best.steps(steps)] == ["choose", "meta_label", "size"]
