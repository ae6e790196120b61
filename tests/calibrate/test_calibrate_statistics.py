"""Simulated experiments are judged by the verdict's own code, and what is finished is not done again."""

import json

import numpy as np
import pytest
from scipy.special import ndtr

from farm.calibrate import statistics
from farm.calibrate.matrices import Examined, examine, psr_z
from farm.calibrate.returns import ReturnCell
from farm.calibrate.statistics import Batch, judge, judge_batch, judge_matrices
from farm.evidence import History, Thresholds, gather_evidence
from farm.stats import probabilistic_sharpe_ratio
from farm.verdict import decide

EDGE = ReturnCell(name="edge", trials=12, edge=3, edged=2)


def test_the_columns_have_the_psr_of_the_library():
    returns = np.random.default_rng(0).standard_t(4, (300, 4)) + np.array([0.1, 0, -0.1, 0.3])
    assert ndtr(psr_z(returns)) == pytest.approx([probabilistic_sharpe_ratio(column) for column in returns.T])


@pytest.mark.parametrize("seed", range(6))
def test_handing_over_promising_trials_alone_changes_no_ruling(seed):
    (returns,) = EDGE.simulate(seed)
    everybody = gather_evidence(
        "ALL", {f"trial {n}": column for n, column in enumerate(returns.T)}, History(np.zeros((len(returns), 0))),
        sessions_per_year=252, smallest_group=100, faults=(), thresholds=Thresholds(), n_studies=1, seed=0,
    )  # fmt: skip
    verdict = decide([everybody], Thresholds())["ALL"]
    passed = {name for name, one in verdict.candidates.items() if one.ruling == "PASS"}
    found = judge_matrices(EDGE, seed, Thresholds())
    assert found.verdict == bool(passed & {"trial 0", "trial 1"})
    assert found.wrong == bool(passed - {"trial 0", "trial 1"})


def test_finished_batches_are_read_back(tmp_path, monkeypatch):
    batch = Batch(EDGE, Thresholds(), str(tmp_path), 3, 6)
    first = judge_batch(batch)
    monkeypatch.setattr(statistics, "examine", lambda *_: pytest.fail("it was simulated again"))
    assert judge_batch(batch) == first
    assert len(first[0]) == 3


def test_evidence_that_was_stored_is_judged_as_it_was():
    run = examine(EDGE, 2, Thresholds())
    read = Examined.of(json.loads(json.dumps(run.plain())))
    assert read == run
    assert judge(EDGE, read, Thresholds()) == judge_matrices(EDGE, 2, Thresholds())


def test_other_thresholds_are_another_batch(tmp_path):
    strict = Thresholds(alpha=0.000001)
    judge_batch(Batch(EDGE, Thresholds(), str(tmp_path), 0, 4))
    found, _ = judge_batch(Batch(EDGE, strict, str(tmp_path), 0, 4))
    assert not any(one.verdict for one in found)
