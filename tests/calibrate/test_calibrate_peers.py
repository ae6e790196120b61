"""Other judges see the matrices that Farm's verdict sees, in a process of their own, once."""

import sys

import pytest

from farm.calibrate.returns import ReturnCell
from farm.config import Experiment, load_experiment
from scripts import judge_page, judge_peers

EDGE = ReturnCell(name="edge", trials=12, edge=5, edged=2)
PROGRAM = """
import json, sys
import numpy as np
returns = np.load(sys.argv[1])["returns"]
print(json.dumps({"rises": [bool(run.mean() > 0) for run in returns], "shape": list(returns.shape)}))
"""


@pytest.fixture
def experiment(tmp_path) -> Experiment:
    return load_experiment(judge_page.ROOT / "experiments" / "calibrate.yaml", [f"home={tmp_path / 'home'}"])


@pytest.fixture
def peer(tmp_path, monkeypatch):
    (tmp_path / "by_somebody.py").write_text(PROGRAM, encoding="utf-8")
    monkeypatch.setattr(judge_peers, "_PROGRAMS", tmp_path)
    monkeypatch.setattr(judge_peers, "PEERS", {"somebody": "1"})
    monkeypatch.setattr(judge_peers, "_interpreter", lambda _: sys.executable)
    return "somebody"


def test_a_peer_is_given_every_run_of_a_cell_once(peer, experiment, monkeypatch):
    said = judge_peers._said_by(peer, EDGE, experiment.where, 3)
    assert said["shape"] == [3, EDGE.sessions, EDGE.trials]
    assert said["rises"] == [EDGE.simulate(seed)[0].mean() > 0 for seed in range(3)]
    monkeypatch.setattr(judge_peers, "_interpreter", lambda _: pytest.fail("it was asked again"))
    assert judge_peers._said_by(peer, EDGE, experiment.where, 3) == said


def test_the_compared_cells_are_of_both_kinds_and_each_fits_in_one_matrix():
    cells = {cell.name: cell for cell in (*judge_peers.NOTHING, *judge_peers.SOMETHING)}
    assert not any(cells[name].edged for name in judge_peers._NULL)
    assert all(cells[name].edged for name in judge_peers._EDGES)
    assert {cells[name].studies for name in (*judge_peers._NULL, *judge_peers._EDGES)} == {1}


def test_without_peers_the_page_says_nothing_of_them():
    assert judge_page.peers_part([]) == ""
