"""CSCV and the stationary bootstrap beside their peers: `python benchmarks/stats.py`.

Every tool runs in a process of its own, so that no thread pool disturbs another's, warms up once and reports the median
of nine runs (the plain loop: one run). What the tools return is compared before any time is believed. Seconds are wall
time at the tool's own choice of threads; `cpu` is processor time, which says more on a busy machine.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np

RUNS = 9


def trials(n_trials: int) -> np.ndarray:
    return np.random.default_rng(n_trials).standard_normal((2000, n_trials))


def series() -> np.ndarray:
    return 0.05 + np.random.default_rng(1).standard_normal(2000)


def cscv_farm(n_trials: int) -> Callable[[], float]:
    from farm.stats import probability_of_backtest_overfitting

    returns = trials(n_trials)
    return lambda: probability_of_backtest_overfitting(returns, 16).pbo


def cscv_phacker(n_trials: int) -> Callable[[], float]:
    from phacker.cscv import cscv

    returns = trials(n_trials)
    return lambda: float(cscv(returns, 16)[0])


def cscv_loop(n_trials: int) -> Callable[[], float]:
    returns = trials(n_trials)

    def run() -> float:
        blocks = np.split(returns, 16)
        overfit, splits = 0, list(combinations(range(16), 8))
        for chosen in splits:
            inside = np.vstack([blocks[b] for b in chosen])
            outside = np.vstack([blocks[b] for b in range(16) if b not in chosen])
            best = np.argmax(inside.mean(axis=0) / inside.std(axis=0, ddof=1))
            sharpe = outside.mean(axis=0) / outside.std(axis=0, ddof=1)
            overfit += np.sum(sharpe <= sharpe[best]) / (n_trials + 1) <= 0.5
        return float(overfit / len(splits))

    return run


def bootstrap_farm(block_length: int) -> Callable[[], float]:
    from farm.stats import bootstrap_interval

    returns = series()
    return lambda: bootstrap_interval(returns, "mean", block_length=block_length).standard_error


def bootstrap_arch(block_length: int) -> Callable[[], float]:
    from arch.bootstrap import StationaryBootstrap

    returns = series()
    return lambda: float(StationaryBootstrap(block_length, returns, seed=0).apply(np.mean, 10_000).std(ddof=1))


# work: (tools with their argument, how far the answers may lie apart)
WORKS: dict[str, tuple[dict[str, tuple[Callable[[int], Callable[[], float]], int]], float]] = {
    "CSCV, 16 blocks, T=2000, N=100": (
        {"farm": (cscv_farm, 100), "phacker (C++)": (cscv_phacker, 100), "plain loop": (cscv_loop, 100)},
        1e-12,
    ),
    "CSCV, 16 blocks, T=2000, N=1000": (
        {"farm": (cscv_farm, 1000), "phacker (C++)": (cscv_phacker, 1000)},
        1e-12,
    ),
    "stationary bootstrap, 10000 x 2000, mean block 10": (
        {"farm": (bootstrap_farm, 10), "arch": (bootstrap_arch, 10)},
        0.03,
    ),
}


def measure(work: str, tool: str) -> dict[str, float]:
    """Seconds, processor seconds and the answer of one tool, in this process."""
    make, argument = WORKS[work][0][tool]
    run = make(argument)
    slow = tool == "plain loop"
    if not slow:
        run()
    walls, cpus, answer = [], [], 0.0
    for _ in range(1 if slow else RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        answer = run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"seconds": statistics.median(walls), "cpu": statistics.median(cpus), "answer": answer}


def rows() -> list[dict]:
    """One row a tool: work, tool, seconds, ratio (to Farm's seconds), cpu."""
    found = []
    for work, (tools, tolerance) in WORKS.items():
        measured = {}
        for tool in tools:
            command = [sys.executable, __file__, work, tool]
            reply = subprocess.run(command, check=True, capture_output=True, text=True)
            measured[tool] = json.loads(reply.stdout)
        ours = measured["farm"]
        for tool, it in measured.items():
            if abs(it["answer"] - ours["answer"]) > tolerance * max(abs(ours["answer"]), 1e-300):
                raise ValueError(f"{tool} answers {it['answer']} to {work}, farm {ours['answer']}: not the same work")
            ratio = it["seconds"] / ours["seconds"]
            found.append({"work": work, "tool": tool, "seconds": it["seconds"], "ratio": ratio, "cpu": it["cpu"]})
    return found


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(*sys.argv[1:])))
    else:
        for row in rows():
            print(f"{row['work']:52} {row['tool']:14} {row['seconds'] * 1e3:10.2f} ms  x{row['ratio']:.1f}  "
                  f"(cpu {row['cpu'] * 1e3:.1f} ms)")  # fmt: skip
