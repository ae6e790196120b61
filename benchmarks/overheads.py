"""What Farm itself costs: 20,000 fits of 10 ms over 200 studies, their plan, and the resume of what is finished.

Nine models that do nothing but spin for 10 ms of processor time, and the sentinel, which is the first of them on
shifted labels, on the ten splits of 200 simulated studies. Overhead a fit is what two cores had beyond the fits' own
200 seconds, over the number of fits: of the fit phase, and of the whole run with panels, judging, files and report. The
three baselines of every study and the one stack above its nine models count as overhead; single models are not
calibrated, for that is learning and no overhead. On a machine that others use, too, walls tell little: ``cpu`` is what
the processes of the run, Ray's with them, had of the processors.
`python -m benchmarks.overheads [STUDIES]` runs it with fewer studies, `--home URI` somewhere else.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

STUDIES, MODELS, GROUPS = 200, 9, 5
FIT_SECONDS = 0.010
CORES = 2
LOOK_SECONDS = 0.25


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


def section() -> str:
    """What was measured, as a section of the page."""
    return as_markdown(measured())


def as_markdown(found: dict[str, float]) -> str:
    """The figures as a section of the page."""
    return f"""## What Farm itself costs

{found["fits"]:,.0f} fits of 10 ms over {STUDIES} simulated studies on {CORES} cores. Overhead a fit is what the cores
had beyond the fits' own time, over the number of fits; beside it what the processes had of the processors, which other
work on the machine does not change.

| what | figure |
| --- | ---: |
| overhead a fit, fit phase | {found["overhead_ms_a_fit"]:.1f} ms \
({found["overhead_cpu_ms_a_fit"]:.1f} ms of processor) |
| overhead a fit, whole run | {found["overhead_ms_a_fit_whole_run"]:.1f} ms \
({found["overhead_cpu_ms_a_fit_whole_run"]:.1f} ms of processor) |
| plan before anything is stored | {found["plan_seconds"]:.1f} s |
| plan of the finished experiment | {found["plan_of_finished_seconds"]:.1f} s |
| resume of the finished experiment | {found["resume_seconds"]:.1f} s |
"""


def measured(studies: int = STUDIES, home: str | None = None) -> dict[str, float]:
    """Seconds of plan, run and resume, and milliseconds of overhead a fit, of the fit phase and of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "overheads.json"
        file.with_suffix(".yaml").write_text(json.dumps(experiment(studies)))
        where = home or f"{folder}/home"
        plan, _ = timed(where, "plan", str(file.with_suffix(".yaml")))
        run, run_cpu = timed(where, "run", str(file.with_suffix(".yaml")))
        phase = manifest_of(where)["efficiency"]
        plan_again, _ = timed(where, "plan", str(file.with_suffix(".yaml")))
        resume, resume_cpu = timed(where, "run", str(file.with_suffix(".yaml")))
    fits = studies * (MODELS + 1) * n_splits()
    own = fits * FIT_SECONDS
    return {
        "fits": fits,
        "plan_seconds": plan,
        "run_seconds": run,
        "run_cpu_seconds": run_cpu,
        "fit_phase_seconds": phase["fit_wall_seconds"],
        "overhead_ms_a_fit": (CORES * phase["fit_wall_seconds"] - own) / fits * 1000,
        "overhead_cpu_ms_a_fit": (phase["fit_cpu_seconds"] - own) / fits * 1000,
        "overhead_ms_a_fit_whole_run": (CORES * run - own) / fits * 1000,
        "overhead_cpu_ms_a_fit_whole_run": (run_cpu - own) / fits * 1000,
        "plan_of_finished_seconds": plan_again,
        "resume_seconds": resume,
        "resume_cpu_seconds": resume_cpu,
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
        "stack": {"steps": [{"kind": "combine"}]},
        "backtest": {"capital": 100000},
        "execution": {"workers": CORES},
        "track": None,
    }


def n_splits() -> int:
    return GROUPS * (GROUPS - 1) // 2


def timed(home: str, *command: str) -> tuple[float, float]:
    """Seconds of a command of Farm's, with Python's start and Ray's, and what its processes had of the processors."""
    environment = {**os.environ, "FARM_HOME": home, "RAY_AUTH_MODE": "token"}
    started = time.perf_counter()
    process = psutil.Popen([sys.executable, "-m", "farm.cli", *command], env=environment, stdout=subprocess.DEVNULL)
    cpu: dict[tuple[int, float], float] = {}
    while process.poll() is None:
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                spent = one.cpu_times()
                cpu[one.pid, one.create_time()] = spent.user + spent.system
        time.sleep(LOOK_SECONDS)
    if process.returncode:
        raise RuntimeError(f"farm {' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - started, sum(cpu.values())


def manifest_of(home: str) -> dict[str, Any]:
    from farm.run.folder import run_at

    return run_at(home, "overheads").manifest()


if __name__ == "__main__":
    main()
