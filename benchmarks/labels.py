"""Speed of labels beside finmlkit and mlfinpy, each tool in its own process, results compared before times.

    python benchmarks/labels.py

The peers live in environments of their own, made on the first run under FARM_BENCHMARK_PEERS (else a temporary folder):
they ask for older versions of what Farm uses. Each time is the median of ``repeats`` runs after one that warms up.

What is compared: triple barriers on closes alone, entered at the close, since neither peer reads highs and lows.
finmlkit measures in log returns, so both get log prices; mlfinpy measures in simple returns. finmlkit labels on all
cores, Farm on THREADS. mlfinpy labels fewer events on the same bars; its time is per event, scaled up.
"""

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

THREADS = 2
BARS = 2_000_000
PEERS = {"finmlkit": ["finmlkit==0.1.11"], "mlfinpy": ["mlfinpy==0.1.2", "scikit-learn<2"]}  # undeclared, but needed
BARRIERS = {"tight": (1.0, 20), "wide": (12.0, 500)}  # multiple of volatility, bars watched

PREAMBLE = """
import json, sys, time
import numpy as np

folder = sys.argv[1]
given = {name: np.load(f"{folder}/{name}.npy") for name in ("close", "volatility", "start", "end")}
close, volatility, start, end = given.values()
results = {}

def measure(name, run, repeats=7):
    found = run()
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    results[name] = float(np.median(seconds))
    return found
"""

OURS = """
import pandas as pd
from farm.labels import average_uniqueness, sequential_bootstrap, triple_barrier

def flat(prices):
    return pd.DataFrame({name: prices for name in ("open", "high", "low", "close")})

def ohlc():
    rng = np.random.default_rng(1)
    first = np.r_[close[0], close[:-1]]
    spread = volatility * close * rng.random((2, len(close))) / 2
    return pd.DataFrame({"open": first, "high": np.maximum(first, close) + spread[0],
                         "low": np.minimum(first, close) - spread[1], "close": close})

log_price, bars = flat(np.log(close)), ohlc()
for name, (multiple, max_bars) in BARRIERS.items():
    recipe = dict(up=multiple, down=multiple, max_bars=max_bars, threads=THREADS)
    found = measure(name, lambda: triple_barrier(log_price, volatility=volatility, entry="close", **recipe))
    np.save(f"{folder}/ours_{name}.npy", found["end"].to_numpy())
    measure(f"{name} ohlc", lambda: triple_barrier(bars, volatility=volatility * close, **recipe))
multiple, max_bars = BARRIERS["tight"]
few = slice(0, 4000 + max_bars)
found = triple_barrier(flat(close[few]), up=multiple, down=multiple, max_bars=max_bars,
                       volatility=(volatility * close)[few], entry="close")
np.save(f"{folder}/ours_few.npy", found["end"].to_numpy()[:4000])
measure("uniqueness", lambda: average_uniqueness(start, end))
few = slice(0, 100_000)
found = measure("uniqueness 100k", lambda: average_uniqueness(start[few], end[few]))
np.save(f"{folder}/ours_uniqueness.npy", found)
measure("draws 500", lambda: sequential_bootstrap(start[:500], end[:500], 500, np.random.default_rng(0)), 51)
measure("draws 200k", lambda: sequential_bootstrap(start[:200_000], end[:200_000], 200_000, np.random.default_rng(0)))
"""

FINMLKIT = """
from finmlkit.label.tbm import triple_barrier
from finmlkit.label.weights import average_uniqueness

clock = np.arange(len(close)) * 1_000_000_000
for name, (multiple, max_bars) in BARRIERS.items():
    rows = np.arange(len(close) - max_bars)
    found = measure(name, lambda: triple_barrier(clock, close, rows, volatility[rows], (multiple, multiple),
                                                 float(max_bars), 0.0, None, 0.0))
    np.save(f"{folder}/theirs_{name}.npy", found[1])
few = slice(0, 100_000)
found = measure("uniqueness 100k", lambda: average_uniqueness(clock, start[few], end[few]))
np.save(f"{folder}/theirs_uniqueness.npy", found[0])
"""

MLFINPY = """
import warnings
warnings.simplefilter("ignore")
import pandas as pd
from mlfinpy.labeling.labeling import get_events
from mlfinpy.sampling.bootstrapping import seq_bootstrap

multiple, max_bars = BARRIERS["tight"]
times = pd.date_range("2020-01-01", periods=4000 + max_bars, freq="s")
price = pd.Series(close[: len(times)], times)
rows = times[:4000]
vertical = pd.Series(times[max_bars:], rows)
target = pd.Series(volatility[:4000], rows)
found = measure("few", lambda: get_events(price, rows, [multiple] * 2, target, 0.0, 1, vertical, verbose=False))
np.save(f"{folder}/theirs_few.npy", times.get_indexer(found["t1"]))
matrix = np.zeros((int(end[:500].max()) + 1, 500), dtype=np.int64)
for k in range(500):
    matrix[start[k] : end[k] + 1, k] = 1
measure("draws 500", lambda: seq_bootstrap(matrix, 500, random_state=np.random.RandomState(0)))
"""


def rows() -> list[dict[str, object]]:
    """One row for each work and tool: work, tool, seconds, ratio (seconds over Farm's at the same work)."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        ours = run(sys.executable, OURS, folder)
        kit = run(peer("finmlkit"), FINMLKIT, folder)
        fin = run(peer("mlfinpy"), MLFINPY, folder)
        compare(Path(folder))
    per_event = fin["few"] / 4000 * BARS
    table: list[tuple[str, str, float, float]] = []
    for name in BARRIERS:
        work = f"triple barrier, {BARS:,} closes, {name}"
        table += [(work, "farm", ours[name], ours[name]), (work, "finmlkit", kit[name], ours[name])]
        if name == "tight":
            table.append((work, "mlfinpy (from 4,000 events)", per_event, ours[name]))
        work = f"triple barrier, {BARS:,} OHLC bars, {name}"
        table.append((work, "farm", ours[f"{name} ohlc"], ours[f"{name} ohlc"]))
    for work, name, other in (
        ("average uniqueness, 100,000 labels", "uniqueness 100k", kit),
        ("sequential bootstrap, 500 draws of 500", "draws 500", fin),
    ):
        tool = "finmlkit" if other is kit else "mlfinpy"
        table += [(work, "farm", ours[name], ours[name]), (work, tool, other[name], ours[name])]
    table.append((f"average uniqueness, {BARS:,} labels", "farm", ours["uniqueness"], ours["uniqueness"]))
    table.append(("sequential bootstrap, 200,000 draws of 200,000", "farm", ours["draws 200k"], ours["draws 200k"]))
    return [{"work": w, "tool": tool, "seconds": s, "ratio": s / mine} for w, tool, s, mine in table]


def prepare(folder: Path) -> None:
    """Input that every tool reads: closes of a random walk, volatility of one bar, and label intervals."""
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(rng.normal(size=BARS)) * 2e-4)
    volatility = 2e-4 * np.exp(0.2 * np.sin(np.arange(BARS) / 5000)) * 1.5
    start = np.sort(rng.integers(0, 2 * BARS, BARS))
    for name, values in (("close", close), ("volatility", volatility), ("start", start)):
        np.save(folder / f"{name}.npy", values)
    np.save(folder / "end.npy", start + rng.integers(1, 50, BARS))


def run(python: str, code: str, folder: str) -> dict[str, float]:
    """Seconds by work, from a process of its own."""
    constants = f"BARRIERS = {BARRIERS!r}\nTHREADS = {THREADS}\n"
    program = PREAMBLE + constants + code + "\nprint(json.dumps(results))\n"
    done = subprocess.run([python, "-c", program, folder], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def peer(name: str) -> str:
    """The interpreter of a peer's own environment, made when it is not there."""
    folder = Path(os.environ.get("FARM_BENCHMARK_PEERS") or Path(tempfile.gettempdir()) / "farm-benchmark-peers") / name
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEERS[name]], check=True)
    return str(python)


def compare(folder: Path) -> None:
    """Refuse to time what does not agree; a difference in the last bit may move a touch, in one of 100,000 at most."""
    for name in (*BARRIERS, "few"):
        ours, theirs = np.load(folder / f"ours_{name}.npy"), np.load(folder / f"theirs_{name}.npy")
        n = min(len(ours), len(theirs))
        wrong = np.count_nonzero(ours[:n] != theirs[:n])
        if n < 4000 or wrong > n / 100_000:
            raise SystemExit(f"{name}: {wrong} of {n} exits differ; the tools do not do the same work")
    ours, theirs = np.load(folder / "ours_uniqueness.npy"), np.load(folder / "theirs_uniqueness.npy")
    if not np.allclose(ours, theirs, rtol=1e-9):
        raise SystemExit(f"uniqueness differs by {np.abs(ours - theirs).max()}; the tools do not do the same work")


if __name__ == "__main__":
    for row in rows():
        print(f"{row['work']:<50} {row['tool']:<30} {row['seconds']:>12.6f} s  {row['ratio']:>12.1f}x")
