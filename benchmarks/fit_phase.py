"""The fit phase on Ray beside joblib/loky loops over the same fits: wall time, and memory of driver and workers.

A search of ten boosted configurations on every split of one panel of 300,000 rows. All start when the panel is stored
and read it in place. One loop of joblib is the plain one, a task a fit, which bins anew for each; the other has what
Farm has, a task a split and block of configurations, which share their bins. Memory is PSS (shared pages counted once),
sampled four times a second while the fits run; what Ray runs for itself (raylet, stores, agents, its own actors) is
shown apart from the driver and the workers that fit.
"""

import json
import os
import shutil
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
bars: {source: synthetic, years: 3.2, markets: {SYN-A: {edge: 0.1}}}
decisions: {timeframe: 5min, events: {kind: every}, limit: 320000}
features: {preset: core, timeframes: [15min, 1h], keep: 60}
labels: {kind: triple_barrier, up: 2.0, down: 2.0, max_bars: 24}
folds: {kind: cpcv, groups: 4, test_groups: 2}
models:
  boosted: {uses: lightgbm, params: {n_estimators: 30}}
search: {objective: log_loss, sampler: {kind: quasi_random}, budget: {trials: 10}}
stack: null
backtest: {costs: instrument, capital: 100000}
execution: {workers: 2}
track: null
"""
_FITTING = ("ray::MapBatches", "fit_chunks", "LokyProcess", "benchmarks.fit_phase")


@dataclass
class Memory:
    """Largest PSS seen, in MiB: of driver and workers together, and of Ray's daemons."""

    own: float = 0.0
    daemons: float = 0.0


def main() -> None:
    for row in rows():
        print(json.dumps(row))


def rows() -> list[dict[str, object]]:
    """One row a tool: wall seconds of the fit phase, efficiency, MiB of driver and workers and of daemons, ratios.

    Ratios are to joblib's plain loop.
    """
    with tempfile.TemporaryDirectory() as folder:
        experiment = Path(folder) / "fit-phase.yaml"
        experiment.write_text(EXPERIMENT)
        measured = {}
        for tool in ("joblib", "joblib_shared", "ray"):
            for purpose in ("time", "memory"):  # watching takes processor time itself
                home = Path(folder) / f"{tool}-{purpose}"
                if tool != "ray":  # on Ray the panels are made first in the same run, by the same workers, as always
                    _output([sys.executable, "-m", "benchmarks.fit_phase", "prepare", str(experiment), str(home)])
                command = [sys.executable, "-m", "benchmarks.fit_phase", tool, str(experiment), str(home)]
                if purpose == "time":
                    measured[tool] = json.loads(_output(command))
                else:
                    measured[tool] |= _watched(command, home / "fitting")
                print(tool, purpose, measured[tool], file=sys.stderr, flush=True)
                shutil.rmtree(home)
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
    ]


def as_markdown(rows: list[dict[str, object]]) -> str:
    """The rows as a section of the page."""
    ours = {str(row["tool"]): row for row in rows}
    called = {
        "joblib": "joblib, a task a fit",
        "joblib_shared": "joblib, bins shared as Farm does",
        "ray": "Farm on Ray",
    }
    lines = [
        "## The fit phase on Ray beside joblib/loky",
        "",
        f"{ours['ray']['fits']} fits of a search (10 configurations of LightGBM, 30 rounds; baselines) on a panel of "
        f"{ours['ray']['events']:,} rows, of which each split keeps 60 columns; two workers, panels read in place. "
        "Memory is PSS.",
        "",
        "| tool | wall s | ratio | efficiency | driver and workers MiB | ratio | Ray's daemons MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for tool, row in ours.items():
        lines.append(
            f"| {called[tool]} | {row['seconds']:.1f} | {row['wall_ratio']:.2f} | {row['efficiency']:.3f} "
            f"| {row['mib']:.0f} | {row['memory_ratio']:.2f} | {row['daemon_mib']:.0f} |"
        )
    lines += ["", "Efficiency is processor time within fits over cores and wall time."]
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
    """Every fit a task of its own."""
    _loop(
        home,
        [
            (chunk, (at,), split)
            for chunk in _chunks(experiment_file, home)
            for split in range(len(chunk.splits))
            for at in range(len(chunk.models))
        ],
    )


def on_joblib_shared(experiment_file: str, home: str) -> None:
    """The configurations that Farm fits together are a task."""
    _loop(
        home,
        [
            (chunk, tuple(range(len(chunk.models))), split)
            for chunk in _chunks(experiment_file, home)
            for split in range(len(chunk.splits))
        ],
    )


def _loop(home, tasks):  # type: ignore[no-untyped-def]  # Farm is imported late
    from joblib import Parallel, delayed

    with _fitting(home):
        started = time.time()
        done = Parallel(n_jobs=2, backend="loky")(delayed(_fits)(*task) for task in tasks)
        seconds = time.time() - started
    fits = [one for own, _ in done for one in own]
    efficiency = sum(cpu for _, cpu in done) / (2 * seconds)
    print(json.dumps({"seconds": seconds, "fits": len(fits), "efficiency": efficiency}))


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


def _fits(chunk, which, number):  # type: ignore[no-untyped-def]  # Farm is imported late
    from threadpoolctl import threadpool_limits

    from farm.fit import fit
    from farm.models import installed
    from farm.models.sharing import sharing
    from farm.run.panels import open_panel
    from farm.sentinels import with_shifted_labels
    from farm.store import Store

    before = time.process_time()
    panel = open_panel(Store(chunk.home), chunk.panel_key)
    seed = chunk.seeds[number]
    learned = with_shifted_labels(panel, seed) if chunk.shifted else panel
    done = []
    with threadpool_limits(chunk.threads), sharing():
        for at in which:
            one = fit(
                learned, chunk.plan, chunk.models[at], installed(), chunk.splits[number],
                seed=seed, threads=chunk.threads, keep=chunk.keep, selection=chunk.selection,
            )  # fmt: skip
            done.append((one.rows, one.probability))
    return done, time.process_time() - before


def on_ray(experiment_file: str, home: str) -> None:
    from benchmarks.phases import fitted, opened, planned
    from farm.run.executor import executor_for

    experiment = opened(experiment_file, home)
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        studies = planned(experiment, executor)
        chunks = [chunk for study in studies for chunk in study.chunks]
        with _fitting(home):
            started = time.time()
            done = fitted(executor, chunks)
            seconds = time.time() - started
    finally:
        executor.close()
    efficiency = sum(one.cpu_seconds for one in done) / (executor.cores * seconds)
    told = {"seconds": seconds, "fits": sum(one.n_fits for one in done), "efficiency": efficiency}
    print(json.dumps({**told, "events": sum(study.prepared.n_events for study in studies)}))


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
            "joblib_shared": on_joblib_shared,
            "ray": on_ray,
        }[sys.argv[1]]
        work(*sys.argv[2:])
