"""Memory of the fits: a panel of two million rows and 60 columns, read in place by two workers, six boosted fits.

All processes of the fit phase together may take the panel once and, for each of the two fits at a time, one copy of its
training rows and what the model itself needs. That last is measured in the same run by a bare script, which knows
LightGBM and numpy and nothing of Farm. What Ray runs for itself (raylet, stores, agents) stands apart. The second part
runs small experiments on 5 and on 50 symbols and watches the driver. Memory is PSS from `smaps_rollup`, where pages
that processes share count once, read ten times a second. `python -m benchmarks.memory [YEARS]`: less of a panel.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

YEARS, WORKERS, ROUNDS, LEAVES = 3.81, 2, 10, 31
SYMBOLS = (5, 50)
_LOOK_SECONDS = 0.1
_FITTING = "fitting"


def main() -> None:
    years = float(sys.argv[1]) if len(sys.argv) > 1 else YEARS
    print(json.dumps({"fits": fits(years), "driver": driver()}, indent=2))


def section() -> str:
    """What was measured, as a section of the page."""
    return as_markdown(fits(), driver())


def as_markdown(fits: dict[str, float], driver: dict[str, float]) -> str:
    """The figures as a section of the page."""
    few, many = SYMBOLS
    return f"""## Memory

{fits["fits"]:.0f} boosted fits on a panel of {fits["rows"]:,.0f} rows and {fits["columns"]:.0f} columns, {WORKERS} at a
time, in MiB of PSS. "Allowed" is the panel once and, for each fit at a time, one copy of its training rows and what
LightGBM took in a bare script. Farm makes no such copy, since LightGBM reads the panel's rows where they lie; in its
figure are the interpreters of driver and workers, too, with Ray and the other libraries.

| panel | a train copy | the model's own | allowed | driver and workers | Ray's daemons |
| ---: | ---: | ---: | ---: | ---: | ---: |
| {fits["panel_mib"]:,.0f} | {fits["train_mib"]:,.0f} | {fits["model_mib"]:,.0f} | {fits["allowed_mib"]:,.0f} \
| {fits["own_mib"]:,.0f} | {fits["daemons_mib"]:,.0f} |

The driver of a run of {few} symbols had {driver["few_mib"]:.0f} MiB at most, of {many} symbols
{driver["many_mib"]:.0f} MiB: {driver["ratio"]:.2f} times as much.
"""


def fits(years: float = YEARS) -> dict[str, float]:
    """Rows, columns and MiB of the panel, a train copy and the model's own; what is allowed, and the largest seen."""
    with tempfile.TemporaryDirectory() as folder:
        file, home = Path(folder) / "memory.yaml", Path(folder) / "home"
        file.write_text(json.dumps(large(years)))
        panel = json.loads(_output("prepare", str(file), str(home), folder))
        bare = json.loads(_output("bare", folder))
        most = _watched(_module("fit", str(file), str(home)), home / _FITTING)
    model = bare["peak_mib"] - panel["train_mib"]
    allowed = panel["panel_mib"] + WORKERS * (panel["train_mib"] + model)
    return {**panel, "model_mib": model, "allowed_mib": allowed, **most, "share": most["own_mib"] / allowed}


def driver() -> dict[str, float]:
    """The largest PSS of the driver of a whole run of few and of many symbols, in MiB, and their ratio."""
    few, many = (_driver_mib(symbols) for symbols in SYMBOLS)
    return {"few_mib": few, "many_mib": many, "ratio": many / few}


def large(years: float) -> dict[str, Any]:
    """One symbol that decides at every minute: 60 columns, the six splits of four groups."""
    return {
        "name": "memory",
        "seed": 5,
        "bars": {"source": "synthetic", "timeframe": "1min", "years": years, "markets": {"SYN-A": {}}},
        "decisions": {"timeframe": "1min", "limit": 10_000_000},
        "features": {"preset": "core", "timeframes": ["15min"], "include": ["session_place"], "keep": 60},
        "labels": {"kind": "triple_barrier", "up": 2, "down": 2, "max_bars": 24},
        "folds": {"kind": "cpcv", "groups": 4, "lockbox": 0},
        "models": {"boosted": {"uses": "lightgbm", "params": {"n_estimators": ROUNDS, "num_leaves": LEAVES}}},
        "stack": None,
        "backtest": {"capital": 100000},
        "execution": {"workers": WORKERS},
        "track": None,
    }


def small(symbols: int) -> dict[str, Any]:
    """Many short markets and quick fits: what grows in the driver grows with the symbols."""
    markets = {f"SYN-{number:02d}": {} for number in range(symbols)}
    return {
        **large(0),
        "name": "driver",
        "bars": {"source": "synthetic", "years": 0.25, "markets": markets},
        "decisions": {"timeframe": "5min", "events": {"kind": "cusum", "threshold": 3}},
        "features": {"preset": "small"},
        "models": {"linear": {"uses": "logistic"}},
    }


def prepare(file: str, home: str, folder: str) -> None:
    """Build and store the panel, and lay down the training rows of its longest split for the bare script."""
    from benchmarks.phases import opened, planned
    from farm.run.executor import InProcess
    from farm.run.panels import open_panel
    from farm.store import Store

    (study,) = planned(opened(file, home), InProcess(1))
    panel = open_panel(Store(home), study.prepared.panel_key)
    plan, events = study.prepared.plan, panel.events
    every = (plan.train_rows(events.decided_at, events.exited_at, held_out) for held_out in plan.splits)
    rows = max(([row for row in rows if events.labelled[row]] for rows in every), key=len)
    train = panel.values[np.array(rows)]
    np.save(Path(folder) / "train.npy", train)
    np.save(Path(folder) / "label.npy", events.label[rows])
    said = {"rows": len(panel), "columns": panel.values.shape[1], "fits": len(plan.splits)}
    print(json.dumps(said | {"panel_mib": panel.values.nbytes / 2**20, "train_mib": train.nbytes / 2**20}))


def bare(folder: str) -> None:
    """One fit of the same rows with LightGBM alone, in a process that has nothing else in it."""
    watched = subprocess.Popen(_module("train", folder))
    peak = 0.0
    while watched.poll() is None:
        peak = max(peak, pss_mib(watched.pid))
        time.sleep(_LOOK_SECONDS)
    if watched.returncode:
        raise RuntimeError(f"the bare script ended with {watched.returncode}")
    print(json.dumps({"peak_mib": peak}))


def train(folder: str) -> None:
    import lightgbm

    inputs, label = np.load(Path(folder) / "train.npy"), np.load(Path(folder) / "label.npy")
    options = {"objective": "multiclass", "num_class": 3, "num_leaves": LEAVES, "num_threads": 1, "verbose": -1}
    data = lightgbm.Dataset(inputs, label + 1, weight=np.ones(len(label)), params=options)
    lightgbm.train(options, data, num_boost_round=ROUNDS).predict(inputs[: len(inputs) // 2], num_threads=1)


def fit(file: str, home: str) -> None:
    """The fits as a run makes them: chunks through the executor, workers that open the stored panel."""
    from benchmarks.phases import fitted, opened, planned
    from farm.run.executor import executor_for

    experiment = opened(file, home)
    executor = executor_for(experiment.execution, experiment.threads)
    try:
        (study,) = planned(experiment, executor)
        chunks = [chunk for chunk in study.chunks if chunk.name == "boosted"]
        marker = Path(home) / _FITTING
        marker.touch()
        fitted(executor, chunks)
        marker.unlink()
    finally:
        executor.close()


def pss_mib(process: int) -> float:
    """A process's memory, pages that it shares with others divided among them; 0 for one that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _watched(command: list[str], phase: Path) -> dict[str, float]:
    """The largest sums of MiB while the phase lasts: of driver and workers, and of Ray's own processes."""
    process = psutil.Popen(command, env=_environment())
    most = {"own_mib": 0.0, "daemons_mib": 0.0}
    while process.poll() is None:
        now = dict.fromkeys(most, 0.0)
        with suppress(psutil.Error):
            for one in (process, *process.children(recursive=True)):
                fits = one == process or _works(one)
                now["own_mib" if fits else "daemons_mib"] += pss_mib(one.pid)
            if phase.exists():
                most = {name: max(most[name], now[name]) for name in most}
        time.sleep(_LOOK_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return most


def _works(process: psutil.Process) -> bool:
    """Whether one of Ray's processes runs Farm's work; an idle worker waits for more of it."""
    with suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return title.startswith(("ray::fit", "ray::MapBatches", "ray::IDLE"))
    return False


def _driver_mib(symbols: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "driver.yaml"
        file.write_text(json.dumps(small(symbols)))
        command = [sys.executable, "-m", "farm.cli", "run", str(file)]
        environment = {**_environment(), "FARM_HOME": f"{folder}/home"}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, pss_mib(process.pid))
            time.sleep(_LOOK_SECONDS)
    if process.returncode:
        raise RuntimeError(f"the run of {symbols} symbols ended with {process.returncode}")
    return peak


def _module(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.memory", *arguments]


def _output(*arguments: str) -> str:
    done = subprocess.run(_module(*arguments), stdout=subprocess.PIPE, text=True, check=True, env=_environment())
    return done.stdout.splitlines()[-1]


def _environment() -> dict[str, str]:
    return {**os.environ, "RAY_AUTH_MODE": "token"}


if __name__ == "__main__":
    parts: dict[str, Callable[..., None]] = {"prepare": prepare, "bare": bare, "train": train, "fit": fit}
    if len(sys.argv) > 1 and sys.argv[1] in parts:
        parts[sys.argv[1]](*sys.argv[2:])
    else:
        main()
