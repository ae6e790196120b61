"""Configurations of one split share their binned data, and predict to the bit what they would have alone."""

from typing import Any

import numpy as np
import pytest

from farm.models import Model, builtin
from farm.models.contract import EvalSet
from farm.models.sharing import shared, sharing

DRAW = np.random.default_rng(3)
X = DRAW.standard_normal((900, 8))
X[DRAW.random(X.shape) < 0.05] = np.nan
Y = DRAW.choice([-1, 0, 1], 900)
WEIGHT = DRAW.uniform(0.1, 1, 900)
TAIL = EvalSet(X[700:], Y[700:], WEIGHT[700:])

CONFIGURATIONS = {
    "lightgbm": [
        {"num_leaves": 4, "max_depth": 2, "min_child_samples": 300, "learning_rate": 0.1},
        {"num_leaves": 31, "max_depth": 6, "min_child_samples": 2, "learning_rate": 0.05, "colsample_bytree": 0.4},
        {"num_leaves": 8, "max_depth": 3, "reg_alpha": 1.0, "subsample": 0.5},
        {"num_leaves": 8, "max_depth": 3, "max_bin": 16},
        {"num_leaves": 8, "max_depth": 3, "balanced": True},
    ],
    "xgboost": [
        {"max_depth": 2, "min_child_weight": 50.0},
        {"max_depth": 6, "colsample_bytree": 0.4, "learning_rate": 0.3},
        {"max_depth": 3, "subsample": 0.5},
        {"max_depth": 3, "max_bin": 16},
    ],
}


def predicted(uses: str, params: dict[str, Any], tail: EvalSet | None) -> Any:
    stopping = None if tail is None else {"rounds": 3}
    given = {"uses": uses, "params": {"n_estimators": 12, **params}, "early_stopping": stopping}
    model = Model.model_validate(given).build(7, 1, builtin())
    rows = slice(0, 700 if tail else 900)
    return model.fit(X[rows], Y[rows], sample_weight=WEIGHT[rows], eval_set=tail).predict_proba(X)


@pytest.mark.parametrize("tail", [None, TAIL], ids=["to the end", "stopped early"])
@pytest.mark.parametrize("uses", CONFIGURATIONS)
def test_sharing_changes_no_bit_of_any_configuration(uses: str, tail: EvalSet | None) -> None:
    alone = [predicted(uses, params, tail) for params in CONFIGURATIONS[uses]]
    with sharing():
        together = [predicted(uses, params, tail) for params in (*CONFIGURATIONS[uses], CONFIGURATIONS[uses][0])]
    assert all(np.array_equal(a, b) for a, b in zip((*alone, alone[0]), together, strict=True))
    assert not np.array_equal(alone[0], alone[1])


def test_other_rows_are_never_taken_for_the_ones_that_were_binned() -> None:
    alone = Model(uses="lightgbm", params={"n_estimators": 5}).build(1, 1, builtin()).fit(X[:400], Y[:400])
    with sharing():
        for rows in (slice(300, 700), slice(0, 400)):
            model = Model(uses="lightgbm", params={"n_estimators": 5}).build(1, 1, builtin()).fit(X[rows], Y[rows])
    assert np.array_equal(model.predict_proba(X), alone.predict_proba(X))


def test_what_is_shared_is_made_once_and_forgotten_afterwards() -> None:
    made: list[int] = []
    with sharing():
        for _ in range(3):
            shared(("key",), lambda: made.append(1))
    shared(("key",), lambda: made.append(1))
    assert len(made) == 2
