"""Features beside TA-Lib, polars-talib and polars: `python -m benchmarks.features`.

Every tool runs in a process of its own and warms up once. Then they take turns, one run each in a round, so that
whatever else the machine does falls on all of them; times are medians over the rounds, ratios the median of each
round's ratio. Before each run the tool touches and frees as much memory as the largest result takes: a virtual machine
gives pages that were free for some seconds back to its host, and to get them again takes ten times as long as to clear
them, which would be measured instead of the tools. polars-talib lives in an environment of its own, made on the first
run under FARM_BENCHMARK_PEERS (else a temporary folder).

The 60 columns are those that TA-Lib has too. Farm does more for them than the peers: a value depends on a finite window
and comes out again, to 1e-9, when it is recomputed from that window alone; no price level costs digits; distances are
divided by the average true range; the columns stand in one table with a flag for each row that is complete. A peer's
time is that of the bare calls. Farm runs on THREADS threads, TA-Lib on one, polars on all it finds. The peers are given
returns and clock for nothing.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from benchmarks.feature_programs import FARM, FARM_JOIN, JOIN, POLARS_TALIB, PREAMBLE, TALIB
from benchmarks.peer_columns import COLUMNS

BARS = 1_000_000
THREADS = 2
RUNS = 11
HIGHER = ("15min", "1h", "4h")
PEER = ["polars-talib==0.2.1", "polars", "numpy", "pyarrow"]


def rows() -> list[dict[str, object]]:
    """One row for each work and tool: work, tool, seconds, ratio, cpu_ratio, peak_mib; ratios are over Farm's own."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as running:
        folder = Path(name)
        prepare(folder)
        farm, bare, expressions, joining, polars = (
            running.enter_context(Tool(python, code, folder))
            for python, code in (
                (sys.executable, FARM),
                (sys.executable, TALIB),
                (peer(), POLARS_TALIB),
                (sys.executable, FARM_JOIN),
                (peer(), JOIN),
            )
        )
        compare(folder)
        bars = f"{BARS:,} bars, {THREADS} threads"
        sixty, full = f"60 columns, {bars}", f"full recipe, {farm.facts['columns']:.0f} columns, {bars}"
        join = f"three higher timeframes, 30 columns, onto {bars}"
        return [
            *in_turns(
                sixty,
                {
                    "farm": (farm, "60"),
                    "farm, one thread": (farm, "60 on one thread"),
                    "TA-Lib": (bare, "60"),
                    "polars-talib": (expressions, "60"),
                },
                peak=farm.facts["peak"],
            ),
            *in_turns(full, {"farm": (farm, "full"), "60 columns": (farm, "60")}),
            *in_turns(join, {"farm": (joining, "join"), "polars": (polars, "join")}),
            *in_turns(
                f"{join}, into a table that is there",
                {"farm": (joining, "join in place"), "polars, new columns": (polars, "join")},
            ),
            *in_turns(f"causal wavelets, {BARS:,} bars", {"farm": (joining, "wavelets")}),
        ]


class Tool:
    """A process of its own that has warmed up and then does what it is asked for, one work at a time."""

    def __init__(self, python: str, code: str, folder: Path) -> None:
        constants = f"COLUMNS = {COLUMNS!r}\nHIGHER = {HIGHER!r}\nTHREADS = {THREADS}\n"
        program = [python, "-c", constants + PREAMBLE + code + "\nserve()\n", str(folder)]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.facts: dict[str, float] = self._answer()

    def __enter__(self) -> "Tool":
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.communicate()

    def run(self, work: str) -> tuple[float, float]:
        """Seconds on the clock and of all processors together."""
        self.process.stdin.write(f"{work}\n")
        self.process.stdin.flush()
        return tuple(self._answer())

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"a tool ended with code {self.process.wait()}; its error stands above")
        return json.loads(line)


def in_turns(work: str, tools: dict[str, tuple[Tool, str]], peak: float | None = None) -> list[dict[str, object]]:
    """Time the tools one after the other, in rounds; a ratio is the median of the rounds' ratios."""
    taken = np.array([[tool.run(asked) for tool, asked in tools.values()] for _ in range(RUNS)])
    seconds, ratios = np.median(taken[:, :, 0], axis=0), np.median(taken / taken[:, :1], axis=0)
    return [
        {
            "work": work,
            "tool": tool,
            "seconds": float(seconds[i]),
            "ratio": float(ratios[i, 0]),
            "cpu_ratio": float(ratios[i, 1]),
            "peak_mib": peak if tool == "farm" else None,
        }
        for i, tool in enumerate(tools)
    ]


def prepare(folder: Path) -> None:
    """Minute bars of a random walk that every tool reads."""
    rng = np.random.default_rng(0)
    close = 20_000 * np.exp(np.cumsum(rng.standard_t(4, BARS)) * 2e-4)
    open_ = np.r_[close[0], close[:-1]] * np.exp(1e-5 * rng.normal(size=BARS))
    at = np.arange(BARS) * 60_000_000_000
    np.savez(
        folder / "bars.npz",
        open=open_,
        high=np.maximum(open_, close) * (1 + rng.exponential(1e-4, BARS)),
        low=np.minimum(open_, close) * (1 - rng.exponential(1e-4, BARS)),
        close=close,
        volume=rng.poisson(50, BARS).astype(np.float64),
        change=np.r_[0.0, np.diff(np.log(close))],
        clock=np.arange(BARS, dtype=np.float64),
        open_time=at,
        available_at=at + 60_000_000_000,
        session=at // 86_400_000_000_000,
    )


def peer() -> str:
    """The interpreter of polars-talib's own environment, made when it is not there."""
    parent = Path(os.environ.get("FARM_BENCHMARK_PEERS") or Path(tempfile.gettempdir()) / "farm-benchmark-peers")
    python = parent / "polars-talib" / "bin" / "python"
    if not python.exists():
        venv.create(parent / "polars-talib", with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEER], check=True)
    return str(python)


def compare(folder: Path) -> None:
    """Refuse to time what does not agree."""
    ours, theirs = np.load(folder / "farm.npy"), np.load(folder / "talib.npy")
    for other in (theirs, np.load(folder / "polars_talib.npy")):
        if not np.allclose(ours[100:], other[100:], rtol=1e-6, atol=1e-6):
            raise SystemExit("the columns of CCI differ; the tools do not do the same work")
    if not np.array_equal(np.load(folder / "farm_join.npy"), np.load(folder / "polars_join.npy")):
        raise SystemExit("the joined rows differ; the tools do not do the same work")


if __name__ == "__main__":
    for row in rows():
        peak = "" if row["peak_mib"] is None else f"  peak {row['peak_mib']:.0f} MiB"
        print(
            f"{row['work']:<90} {row['tool']:<20} {row['seconds']:>8.4f} s  {row['ratio']:>6.2f}x "
            f"(processors {row['cpu_ratio']:.2f}x){peak}"
        )
