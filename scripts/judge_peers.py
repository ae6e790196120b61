"""Other judges on the very matrices that tier one of `farm calibrate` judges, each used as its authors say.

The peers live in environments of their own, made on the first run under FARM_BENCHMARK_PEERS (else a temporary folder);
what they said is stored in the home.
"""

import json
import os
import subprocess
import tempfile
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farm.calibrate.rate import Rate
from farm.calibrate.returns import NOTHING, SOMETHING, ReturnCell
from farm.calibrate.statistics import RUNS_A_BATCH, Batch, judge_batch
from farm.config import Experiment
from farm.section import digest
from farm.store import Store

PEERS = {"quant-harness": "0.4.1", "purgedcv": "0.1.11", "phacker": "0.1.0"}
RULES = {
    "Farm, verdict": "any trial has a PASS",
    "quant-harness, PASS": "its `audit_returns` says PASS with its own thresholds: deflated Sharpe ratio of the median "
    "combinatorial path at least .95, annual Sharpe ratio above .7, drawdown under 20%, 200 trades (one a day assumed)",
    "purgedcv, DSR ≥ .95": "its `deflated_sharpe_ratio` of the best trial, with all trials and the spread of their "
    "Sharpe ratios as its guide computes it, clears the .95 of its examples",
    "phacker, PBO < .5": "it measures PBO alone and names no threshold; its guide reads .5 as a choice that carries no "
    "information",
    "phacker, PBO ≤ .05": "the same against the customary level, at which the paper that it implements "
    "(Bailey, Borwein, López de Prado and Zhu 2017) would reject",
}
_PROGRAMS = Path(__file__).parent / "peers"
_NULL = (
    "1 trial", "20 trials", "100 trials", "20 trials, 5 years", "20 trials, correlation .5",
    "20 trials, correlation .9", "20 trials, fat tails", "20 trials, crashes", "20 trials, autocorrelation .1",
    "20 trials, bets held 3 sessions", "20 trials, volatility clusters", "20 trials, half lose to costs",
    "20 trials, all at once",
)  # fmt: skip
_EDGES = (
    "1 trial of Sharpe 2", "1 of 20 trials of Sharpe 2", "1 of 20 trials of Sharpe 3", "1 of 20 trials of Sharpe 4",
    "10 of 20 trials, graded up to 2", "10 of 20 trials, graded up to 3", "1 of 100 trials of Sharpe 4",
    "1 of 20 trials of Sharpe 3, all at once",
)  # fmt: skip


@dataclass(frozen=True)
class Compared:
    """How often each judge passed anything in one cell; a judge that has nothing to say of it is left out."""

    cell: ReturnCell
    rates: Mapping[str, Rate]


def compare(experiment: Experiment, runs: int) -> Iterator[Compared]:
    """Every chosen cell, nothing there first; ``runs`` of seeds 0 upwards, rounded down to whole batches."""
    cells = {cell.name: cell for cell in (*NOTHING, *SOMETHING)}
    batches = runs // RUNS_A_BATCH
    for name in (*_NULL, *_EDGES):
        cell = cells[name]
        ours = [one for batch in range(batches) for one in _judged(cell, experiment, batch * RUNS_A_BATCH)]
        said = {"Farm, verdict": ours}
        for peer in PEERS:
            if peer != "phacker" or cell.trials > 1:
                verdicts = _said_by(peer, cell, experiment.where, batches * RUNS_A_BATCH)
                said |= {f"{peer}, {rule}": passed for rule, passed in verdicts.items()}
        yield Compared(cell, {judge: Rate.of(passed) for judge, passed in said.items()})


def _judged(cell: ReturnCell, experiment: Experiment, first: int) -> list[bool]:
    batch = Batch(cell, experiment.verdict, experiment.where, first, first + RUNS_A_BATCH)
    return [one.verdict or one.wrong for one in judge_batch(batch)[0]]


def _said_by(peer: str, cell: ReturnCell, home: str, runs: int) -> dict[str, list[bool]]:
    """What passed by the peer's rules, run by run, from the store or from a process of its own."""
    store, program = Store(home), _PROGRAMS / f"by_{peer.replace('-', '_')}.py"
    key = digest([peer, PEERS[peer], program.read_text(encoding="utf-8"), cell.digest(), runs])
    if not store.has("calibration", key):
        with tempfile.TemporaryDirectory() as folder:
            matrices = Path(folder) / "matrices.npz"
            np.savez(matrices, returns=np.stack([cell.simulate(seed)[0] for seed in range(runs)]))
            command = [_interpreter(peer), str(program), str(matrices)]
            alone = os.environ | {"OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
        store.put_json("calibration", key, json.loads(done.stdout.splitlines()[-1]))
    return dict(store.get_json("calibration", key))


def _interpreter(peer: str) -> str:
    """The interpreter of a peer's own environment, made when it is not there."""
    parent = Path(os.environ.get("FARM_BENCHMARK_PEERS") or Path(tempfile.gettempdir()) / "farm-benchmark-peers")
    python = parent / peer / "bin" / "python"
    if not python.exists():
        venv.create(parent / peer, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", f"{peer}=={PEERS[peer]}"], check=True)
    return str(python)
