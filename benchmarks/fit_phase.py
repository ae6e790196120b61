"""The fit phase on Ray beside a joblib/loky loop over the same fits: wall time, and memory of driver and workers.

Both start when the panels are stored, fit every split of every model and read panels in place. Memory is PSS
(shared pages counted once), sampled four times a second while the fits run; what Ray runs for itself (raylet, stores,
agents, its own actors) is shown apart from the driver and the workers that fit.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

EXPERIMENT = """
name: fit-phase
seed: 5
bars: {source: synthetic, years: 4, markets: {SYN-A: {edge: 0.1}, SYN-B: {}}}
decisions: {timeframe: 5min, events: {kind: cusum, threshold: 3}, limit: 60000}
features: {preset: core, timeframes: [15min, 1h], keep: 60}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 24}
folds: {kind: cpcv, groups: 8, test_groups: 2, lockbox: 0.1}
models:
  boosted: {uses: lightgbm, params: {num_leaves: 31, n_estimators: 60}}
  linear: {uses: logistic}
backtest: {costs: instrument, capital: 100000}
execution: {workers: 2}
track: null
"""
_FITTING = ("ray::MapBatches", "LokyProcess", "benchmarks.fit_phase")


@dataclass
class Memory:
    """Largest PSS seen, in MiB: of driver and workers together, and of Ray's daemons."""

    own: float = 0.0
    daemons: float = 0.0


def main() -> None:
    for row in rows():
        print(json.dumps(row))


def rows() -> list[dict[str, object]]:
    """One row a tool: wall seconds of the fit phase, MiB of driver and workers, MiB of daemons, ratios to joblib."""
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder) / "fit-phase.yaml"
        experiment.write_text(EXPERIMENT)
        measured = {}
        for tool in ("joblib", "ray"):
            for purpose in ("time", "memory"):  # watching takes processor time itself
                home = Path(folder) / f"{tool}-{purpose}"
                if tool == "joblib":  # on Ray the panels are made first in the same run, by the same workers, as always
                    _output([sys.executable, "-m", "benchmarks.fit_phase", "prepare", str(experiment), str(home)])
                command = [sys.executable, "-m", "benchmarks.fit_phase", tool, str(experiment), str(home)]
                if purpose == "time":
                    measured[tool] = json.loads(_output(command))
                else:
                    measured[tool] |= _watched(command, home / "fitting")
        binning = json.loads(
            _output([sys.executable, "-m", "benchmarks.fit_phase", "binning", str(experiment), folder])
        )
    base = measured["joblib"]
    return [
        {
            "work": "fit phase",
            "tool": tool,
            **figures,
            "wall_ratio": figures["seconds"] / base["seconds"],
            "memory_ratio": figures["mib"] / base["mib"],
        }
        for tool, figures in measured.items()
    ] + [{"work": "one boosted fit", "tool": "lightgbm", **binning}]


def as_markdown(rows: list[dict[str, object]]) -> str:
    """The rows as a section of the page."""
    ours = {str(row["tool"]): row for row in rows}
    ray, joblib, boosted = ours["ray"], ours["joblib"], ours["lightgbm"]
    binning, training = (float(str(boosted[f"{part}_seconds"])) for part in ("binning", "training"))
    share = binning / (binning + training)
    lines = [
        "## The fit phase on Ray beside joblib/loky",
        "",
        f"{ray['fits']} fits (LightGBM and logistic regression, two symbols), two workers, panels read in place. "
        "Memory is PSS.",
        "",
        "| tool | wall s | ratio | driver and workers MiB | ratio | Ray's daemons MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in (joblib, ray):
        lines.append(
            f"| {row['tool']} | {row['seconds']:.1f} | {row['wall_ratio']:.2f} | {row['mib']:.0f} "
            f"| {row['memory_ratio']:.2f} | {row['daemon_mib']:.0f} |"
        )
    lines += [
        "",
        f"In-fit CPU over cores × wall on Ray: {ray['efficiency']:.2f}. Of one boosted fit, binning takes {share:.0%}.",
    ]
    return "\n".join(lines) + "\n"


def _watched(command: list[str], phase: Path) -> dict[str, float]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment())
    memory = Memory()
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, phase, memory, stop))
    watcher.start()
    process.communicate()
    stop.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {"mib": memory.own, "daemon_mib": memory.daemons}


def _watch(root: int, phase: Path, memory: Memory, stop: threading.Event) -> None:
    while not stop.wait(0.25):
        if not phase.exists():
            continue
        own = daemons = 0.0
        try:
            family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        for process in family:
            try:
                pss, line = process.memory_full_info().pss / 2**20, " ".join(process.cmdline())
            except psutil.Error:
                continue
            if any(name in line for name in _FITTING):
                own += pss
            else:
                daemons += pss
        memory.own, memory.daemons = max(memory.own, own), max(memory.daemons, daemons)


def _environment() -> dict[str, str]:
    return {**os.environ, "RAY_AUTH_MODE": "token"}


def _output(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, env=_environment()).stdout.splitlines()[
        -1
    ]


def on_joblib(experiment_file: str, home: str) -> None:
    from joblib import Parallel, delayed

    chunks = _chunks(experiment_file, home)
    fits = [(chunk, split) for chunk in chunks for split in range(len(chunk.splits))]
    with _fitting(home):
        started = time.time()
        done = Parallel(n_jobs=2, backend="loky")(delayed(_one)(*each) for each in fits)
        seconds = time.time() - started
    print(json.dumps({"seconds": seconds, "fits": len(done)}))


@contextmanager
def _fitting(home: str) -> Iterator[None]:
    """Tell the watcher when the fits run."""
    marker = Path(home) / "fitting"
    marker.touch()
    try:
        yield
    finally:
        marker.unlink()


def prepare(experiment_file: str, home: str) -> None:
    """Build and store the panels, and compile what compiles, before anything is measured."""
    print(json.dumps({"chunks": len(_chunks(experiment_file, home))}))


def _one(chunk, number):  # type: ignore[no-untyped-def]  # Farm is imported late
    from threadpoolctl import threadpool_limits

    from farm.fit import fit
    from farm.models import installed
    from farm.run.panels import open_panel
    from farm.store import Store

    panel = open_panel(Store(chunk.home), chunk.panel_key)
    with threadpool_limits(chunk.threads):
        done = fit(
            panel, chunk.plan, chunk.models[0], installed(), chunk.splits[number],
            seed=chunk.seeds[number], threads=chunk.threads, keep=chunk.keep,
        )  # fmt: skip
    return done.rows, done.probability


def on_ray(experiment_file: str, home: str) -> None:
    from benchmarks.phases import fitted, opened, planned
    from farm.run.executor import executor_for

    experiment = opened(experiment_file, home)
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        chunks = [chunk for study in planned(experiment, executor) for chunk in study.chunks]
        with _fitting(home):
            started = time.time()
            done = fitted(executor, chunks)
            seconds = time.time() - started
    finally:
        executor.close()
    efficiency = sum(one.cpu_seconds for one in done) / (executor.cores * seconds)
    print(json.dumps({"seconds": seconds, "fits": sum(one.n_fits for one in done), "efficiency": efficiency}))


def binning(experiment_file: str, home: str) -> None:
    """How much of one boosted fit is putting features into bins, and how much is growing trees."""
    import lightgbm
    import numpy as np

    from farm.run.panels import open_panel
    from farm.store import Store

    chunk = next(chunk for chunk in _chunks(experiment_file, f"{home}/joblib-time") if chunk.name == "boosted")
    panel = open_panel(Store(chunk.home), chunk.panel_key)
    rows = panel.events.labelled
    inputs, label = np.ascontiguousarray(panel.values[rows]), panel.events.label[rows] + 1
    options = {"objective": "multiclass", "num_class": 3, "num_leaves": 31, "num_threads": 1, "verbose": -1}
    started = time.perf_counter()
    data = lightgbm.Dataset(inputs, label, params=options).construct()
    binned = time.perf_counter()
    lightgbm.train(options, data, num_boost_round=60)
    trained = time.perf_counter()
    print(json.dumps({"binning_seconds": binned - started, "training_seconds": trained - binned}))


def _chunks(experiment_file: str, home: str):  # type: ignore[no-untyped-def]  # Farm is imported late
    from benchmarks.phases import opened, planned
    from farm.run.executor import InProcess

    return [chunk for study in planned(opened(experiment_file, home), InProcess(1)) for chunk in study.chunks]


if __name__ == "__main__":
    if len(sys.argv) == 1:
        main()
    else:
        work: Callable[[str, str], None] = {
            "prepare": prepare,
            "joblib": on_joblib,
            "ray": on_ray,
            "binning": binning,
        }[sys.argv[1]]
        work(*sys.argv[2:])
