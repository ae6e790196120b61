"""The report of a pool: calibration by event, though many symbols decide at one moment."""

import numpy as np
import pyarrow as pa

from farm.report.predictions import scored_trials
from farm.report.read import read_run
from farm.run.driver import RunResult


def rows(symbols: list[str] | None) -> pa.Table:
    """Two splits' predictions of two events that were decided at one moment: one rises, one falls."""
    table = {
        "trial": ["boosted"] * 4,
        "decided_at": pa.array([10, 10, 10, 10], pa.timestamp("ns", tz="UTC")),
        "split": [0, 0, 1, 1],
        "label": pa.array([1, -1, 1, -1], pa.int8()),
        "p_down": [0.2, 0.9, 0.0, 0.7],
        "p_up": [0.8, 0.1, 1.0, 0.3],
    }
    return pa.table(table if symbols is None else {**table, "symbol": symbols})


def test_decisions_of_two_symbols_at_one_moment_are_two_events() -> None:
    ((_, scored),) = scored_trials(rows(["A", "B", "A", "B"]))
    up = scored.reliability["up"]
    assert up.events.tolist() == [1, 1]
    np.testing.assert_allclose(up.predicted, [0.2, 0.9])
    assert up.observed.tolist() == [0.0, 1.0]


def test_the_calibration_of_a_pool_counts_every_labelled_event_once(pool_run: RunResult) -> None:
    files = read_run(pool_run.folder.path)
    (study,) = files.studies
    told = files.predictions([one["symbol"] for one in study["members"]])
    assert told is not None
    for _, scored in scored_trials(told):
        assert scored.reliability["up"].events.sum() == study["labels"]["labelled"]
