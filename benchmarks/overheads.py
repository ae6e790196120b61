"""What Farm itself costs: 20,000 fits of 10 ms over 200 studies, their plan, and the resume of what is finished.

Ten models that do nothing but spin for 10 ms of processor time, on the ten splits of 200 simulated studies. Overhead a
fit is what two cores had beyond the fits' own 200 seconds, over the number of fits; the three baselines of every study
count as overhead. `python -m benchmarks.overheads [STUDIES]` runs it with fewer studies, `--home URI` somewhere else.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

STUDIES, MODELS, GROUPS = 200, 10, 5
FIT_SECONDS = 0.010
CORES = 2


class Spin(ClassifierMixin, BaseEstimator):
    """A classifier that spins for its time and then predicts how often each class was there."""

    def __init__(self, number: int = 0, seconds: float = FIT_SECONDS) -> None:
        self.number = number
        self.seconds = seconds

    def fit(
        self,
        X: NDArray[Any],  # noqa: ARG002  # it learns nothing from features or weights
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None = None,  # noqa: ARG002  # as above
    ) -> "Spin":
        started = time.process_time()
        self.classes_, counts = np.unique(y, return_counts=True)
        self.share_ = counts / len(y)
        while time.process_time() - started < self.seconds:
            pass
        return self

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        return np.tile(self.share_, (len(X), 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("studies", type=int, nargs="?", default=STUDIES)
    parser.add_argument("--home", help="where the results go; a temporary folder where not given")
    chosen = parser.parse_args()
    print(json.dumps(measured(chosen.studies, chosen.home), indent=2))


def measured(studies: int = STUDIES, home: str | None = None) -> dict[str, float]:
    """Seconds of plan, run and resume, and milliseconds of overhead a fit, of the fit phase and of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overheads.json"
        file.with_suffix(".yaml").write_text(json.dumps(experiment(studies)))
        where = home or f"{folder}/home"
        plan = timed(where, "plan", str(file.with_suffix(".yaml")))
        run = timed(where, "run", str(file.with_suffix(".yaml")))
        manifest = manifest_of(where)
        plan_again = timed(where, "plan", str(file.with_suffix(".yaml")))
        resume = timed(where, "run", str(file.with_suffix(".yaml")))
    fits = studies * MODELS * n_splits()
    own = fits * FIT_SECONDS
    return {
        "fits": fits,
        "plan_seconds": plan,
        "run_seconds": run,
        "fit_phase_seconds": manifest["efficiency"]["fit_wall_seconds"],
        "overhead_ms_a_fit": (CORES * manifest["efficiency"]["fit_wall_seconds"] - own) / fits * 1000,
        "overhead_ms_a_fit_whole_run": (CORES * run - own) / fits * 1000,
        "plan_of_finished_seconds": plan_again,
        "resume_seconds": resume,
    }


def experiment(studies: int) -> dict[str, Any]:
    """The experiment: markets too short to say anything, since only the way to the answer is measured."""
    uses = f"{Spin.__module__.replace('__main__', 'benchmarks.overheads')}.Spin"
    return {
        "name": "overheads",
        "seed": 5,
        "bars": {"source": "synthetic", "years": 0.1, "markets": {f"SYN-{n:03d}": {} for n in range(studies)}},
        "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 4}},
        "features": {"preset": "small"},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 12},
        "folds": {"kind": "cpcv", "groups": GROUPS},
        "models": {f"spin{n}": {"uses": uses, "params": {"number": n}} for n in range(MODELS)},
        "stack": None,
        "backtest": {"capital": 100000},
        "execution": {"workers": CORES},
        "track": None,
    }


def n_splits() -> int:
    return GROUPS * (GROUPS - 1) // 2


def timed(home: str, *command: str) -> float:
    """Seconds of a command of Farm's, with Python's start and Ray's."""
    environment = {**os.environ, "FARM_HOME": home, "RAY_AUTH_MODE": "token"}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "farm.cli", *command], env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def manifest_of(home: str) -> dict[str, Any]:
    from farm.run.folder import run_at

    return run_at(home, "overheads").manifest()


if __name__ == "__main__":
    main()
