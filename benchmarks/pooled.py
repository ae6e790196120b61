"""A pool that no process holds: 40 symbols, four million rows of 40 features, boosted by two workers.

One split is fitted by two workers that read their rows of the stored panels block by block, XGBoost by Ray Train and by
xgboost-ray, LightGBM by Ray Train, and by one process that joins all rows. The workers may hold, in the private memory
of any process above that of an idle Ray worker, at most 60% of the joined float64 matrix, and the log-loss must be that
of the one process to a thousandth. Memory is `Private_Clean` and `Private_Dirty` of `smaps_rollup`, read five times a
second. `python -m benchmarks.pooled [ROWS]`: fewer rows a symbol.
"""

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

SYMBOLS, ROWS, FEATURES, WORKERS, ROUNDS = 40, 100_000, 40, 2, 10
SHARED_OUT = (("xgboost", "ray_train"), ("xgboost", "xgboost_ray"), ("lightgbm", "ray_train"))
MOST_SHARE, MOST_DIFFERENCE = 0.6, 1e-3
_MINUTE = 60 * 10**9
_LOOK_SECONDS = 0.2
_IDLE = "ray::IDLE"


def main() -> None:
    print(json.dumps(figures(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS), indent=2))


def section() -> str:
    """What was measured, as a section of the page."""
    return as_markdown(figures())


def as_markdown(found: dict[str, Any]) -> str:
    """The figures as a section of the page."""
    rows = [
        f"| {one['model']}, {WORKERS} workers by {one['engine']} | {one['most_mib']:,.0f} | {one['share']:.2f} "
        f"| {one['log_loss']:.5f} | {one['seconds']:.0f} |"
        for one in found["shared_out"]
    ]
    alone = [
        f"| {model}, one process | the matrix and more | | {one['log_loss']:.5f} | {one['seconds']:.0f} |"
        for model, one in found["alone"].items()
    ]
    return f"""## Pooled fits

One split of a pool of {SYMBOLS} symbols, {found["rows"]:,} rows of {FEATURES} features, {ROUNDS} rounds of boosting.
Memory is private, in MiB: the most of any process, Ray's own too, above an idle worker's. Of the joined matrix, which
has {found["matrix_mib"]:,.0f} MiB, at most {MOST_SHARE:.0%} are allowed; log-losses may differ by {MOST_DIFFERENCE:g}.

| who | any process | share of the matrix | log-loss | seconds |
| --- | ---: | ---: | ---: | ---: |
{chr(10).join([*rows, *alone])}
"""


def figures(rows: int = ROWS) -> dict[str, Any]:
    """Rows, MiB of the matrix, and by model and engine the most that any process held, seconds, and log-losses."""
    matrix = SYMBOLS * rows * FEATURES * 8 / 2**20
    with tempfile.TemporaryDirectory() as folder:
        _ask("prepare", folder, str(rows))
        alone = {model: _ask("alone", folder, model) for model in dict.fromkeys(model for model, _ in SHARED_OUT)}
        shared_out = [
            {"model": model, "engine": engine, **_watched(folder, model, engine)} for model, engine in SHARED_OUT
        ]
    for one in shared_out:
        one["share"] = one["most_mib"] / matrix
        one["difference"] = abs(one["log_loss"] - alone[one["model"]]["log_loss"])
    return {"rows": SYMBOLS * rows, "matrix_mib": matrix, "shared_out": shared_out, "alone": alone}


def prepare(folder: str, rows: str) -> None:
    """Store the panels, plan the pool over their events, and lay down the one chunk that is fitted."""
    from farm.folds import Cpcv
    from farm.models import Model
    from farm.pool import POOL, plan_pool, pooled
    from farm.run.chunks import FitChunk
    from farm.selection import Separation
    from farm.store import Store

    home = str(Path(folder) / "home")
    store, members, keys = Store(home).create(), [], []
    for number in range(SYMBOLS):
        panel = _panel(number, int(rows))
        keys.append(f"{number:032x}")
        store.put_arrays("panels", keys[-1], panel.arrays(), panel.text())
        members.append(panel)
    plan = plan_pool(pooled(members, columns=()), Cpcv(groups=10, test_groups=2, embargo="30 bars"))
    chunk = FitChunk(
        key="0" * 32, keys=("0" * 32,), home=home, symbol=POOL, panel_key="", plan=plan, name="boosted",
        names=("boosted",), models=(Model(uses="xgboost", params={"n_estimators": ROUNDS}),), splits=(0,), seeds=(7,),
        threads=1, keep=FEATURES, selection=Separation(), seconds=1.0, members=tuple(keys), workers=WORKERS,
    )  # fmt: skip
    (Path(folder) / "chunk.pickle").write_bytes(pickle.dumps(chunk))
    print(json.dumps({"groups": len(plan.groups)}))


def _panel(number: int, n: int) -> Any:
    """One symbol that decides at every minute: noise in all features but three, which say a little of the label."""
    from farm.bars import Bars
    from farm.labels import Events
    from farm.panel import Panel

    rng, n_bars = np.random.default_rng(number), n + 60
    values = rng.standard_normal((n, FEATURES))
    lean = 0.4 * values[:, 0] + 0.4 * values[:, 1] * values[:, 2] + rng.standard_normal(n)
    label = np.select([lean > 0.5, lean < -0.5], [1, -1], 0).astype(np.int8)
    times = np.arange(n_bars) * _MINUTE
    close = 100 * np.exp(1e-4 * rng.standard_normal(n_bars).cumsum())
    bars = Bars(
        f"S{number:02d}", "1min", times, times + _MINUTE, close, close, close, close, close, times // (1440 * _MINUTE),
        np.zeros(n_bars, dtype=np.int64),
    )  # fmt: skip
    row = np.arange(n)
    exits = row + rng.integers(1, 50, n)
    events = Events(
        row=row, decided_at=bars.available_at[row], entered_at=bars.available_at[row],
        exited_at=bars.available_at[exits], entry_row=row + 1, exit_row=exits, entry_price=close[row + 1],
        exit_price=close[exits], volatility=np.ones(n), label=label, labelled=np.ones(n, dtype=bool),
        target=label.astype(float), ret=np.zeros(n), touch=label, ambiguous=np.zeros(n, dtype=bool),
        resolved=np.zeros(n, dtype=bool),
    )  # fmt: skip
    return Panel(bars.symbol, tuple(f"x{at:02d}" for at in range(FEATURES)), values, events, bars)


def shared(folder: str, model: str, engine: str) -> None:
    """The fit by several workers, after an idle worker has had time to be measured."""
    import ray

    from farm.run.distributed import fit_together

    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    time.sleep(15 * _LOOK_SECONDS)
    chunk = _chunk(folder, model, engine)
    started = time.perf_counter()
    done = fit_together(chunk)
    if done.failures:
        raise RuntimeError(done.failures[0].trace)
    print(json.dumps({"seconds": time.perf_counter() - started}))
    ray.shutdown()


def alone(folder: str, model: str) -> None:
    """The same fit in this process, on the joined matrix."""
    from farm.fit import fit
    from farm.models import installed
    from farm.run.pooled_fits import open_pool
    from farm.store import Store

    chunk = _chunk(folder, model, "process")
    started = time.perf_counter()
    pool = open_pool(Store(chunk.home), chunk.members, None)
    done = fit(
        pool, chunk.plan, chunk.models[0], installed(), 0, seed=chunk.seeds[0], threads=1, keep=FEATURES,
        selection=chunk.selection,
    )  # fmt: skip
    said = {"seconds": time.perf_counter() - started}
    print(json.dumps(said | {"log_loss": _log_loss(done.probability, pool.events.label[done.rows])}))


def score(folder: str, model: str, engine: str) -> None:
    """The log-loss of what the workers' booster predicted; rows are joined to their labels by symbol and time."""
    from farm.run.pooled_fits import read_pool
    from farm.store import Store

    chunk = _chunk(folder, model, engine)
    store = Store(chunk.home)
    said, _ = read_pool(store, [chunk], SYMBOLS)
    probability, label = [], []
    for number, key in enumerate(chunk.members):
        times, own = said[number]["boosted"][0]
        decided = store.open_arrays("panels", key)["events.decided_at"]
        label.append(store.open_arrays("panels", key)["events.label"][np.searchsorted(decided, times)])
        probability.append(own)
    print(json.dumps({"log_loss": _log_loss(np.concatenate(probability), np.concatenate(label))}))


def _chunk(folder: str, model: str, engine: str) -> Any:
    """The chunk of a model under a key of its own and the engine's."""
    from farm.models import Model

    chunk = pickle.loads((Path(folder) / "chunk.pickle").read_bytes())
    number = SHARED_OUT.index((model, engine)) + 1 if engine != "process" else 0
    models = (Model(uses=model, params={"n_estimators": ROUNDS}),)
    return replace(chunk, key=f"{number:032x}", models=models, engine=engine)


def _log_loss(probability: np.ndarray, label: np.ndarray) -> float:
    return float(-np.mean(np.log(probability[np.arange(len(label)), label + 1])))


def _watched(folder: str, model: str, engine: str) -> dict[str, float]:
    """The fit by workers: seconds, log-loss, an idle worker's MiB and the most that any process has above it."""
    process = subprocess.Popen(_module("shared", folder, model, engine), stdout=subprocess.PIPE, text=True)
    idle: list[float] = []
    most = 0.0
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            own = psutil.Process(process.pid)
            for one in (own, *own.children(recursive=True)):
                with suppress(psutil.Error, OSError):
                    private = private_mib(one.pid)
                    most = max(most, private)
                    if one.cmdline()[:1] == [_IDLE]:
                        idle.append(private)
        time.sleep(_LOOK_SECONDS)
    if process.returncode or process.stdout is None:
        raise RuntimeError(f"the fit by workers ended with {process.returncode}")
    seconds = json.loads(process.stdout.read().splitlines()[-1])["seconds"]
    rest = float(np.median(idle))
    return {"idle_mib": rest, "most_mib": most - rest, "seconds": seconds, **_ask("score", folder, model, engine)}


def private_mib(pid: int) -> float:
    """MiB that a process alone holds."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def _ask(step: str, *arguments: str) -> Any:
    done = subprocess.run(_module(step, *arguments), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _module(step: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.pooled", step, *arguments]


STEPS: dict[str, Callable[..., None]] = {step.__name__: step for step in (prepare, shared, alone, score)}


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in STEPS:
        STEPS[sys.argv[1]](*sys.argv[2:])
    else:
        main()
