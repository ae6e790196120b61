"""Features beside TA-Lib, polars-talib and polars: `python benchmarks/features.py`.

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

BARS = 1_000_000
THREADS = 2
RUNS = 11
HLC = ("high", "low", "close")
HIGHER = ("15min", "1h", "4h")
PEER = ["polars-talib==0.2.1", "polars", "numpy", "pyarrow"]

# Farm's feature: TA-Lib's function, its inputs, the input polars-talib starts from, settings, which of its outputs
COLUMNS: dict[str, tuple[str, tuple[str, ...], str, dict[str, int], int]] = {}


def _add(name: str, function: str, inputs: tuple[str, ...], start: str, output: int = 0, **settings: int) -> None:
    COLUMNS[name] = (function, inputs, start, settings, output)


for n in (1, 5, 10, 20, 60):
    _add(f"log_return_{n}", "ROC", ("close",), "close", timeperiod=n)
_add("roc_10", "MOM", ("close",), "close", timeperiod=10)
for n in (10, 20, 50, 100, 200):
    _add(f"sma_distance_{n}", "SMA", ("close",), "close", timeperiod=n)
for n in (9, 12, 20, 26, 50, 100):
    _add(f"ema_distance_{n}", "EMA", ("close",), "close", timeperiod=n)
_add("wma_distance_20", "WMA", ("close",), "close", timeperiod=20)
_add("kama_distance_30", "KAMA", ("close",), "close", timeperiod=30)
for fast, slow in ((5, 20), (10, 50), (50, 200)):
    _add(f"sma_spread_{fast}_{slow}", "APO", ("close",), "close", fastperiod=fast, slowperiod=slow, matype=0)
for i, name in enumerate(("macd_line", "macd_signal", "macd_histogram")):
    _add(name, "MACD", ("close",), "close", i, fastperiod=12, slowperiod=26, signalperiod=9)
for name, function in (("adx_14", "ADX"), ("plus_di_14", "PLUS_DI"), ("minus_di_14", "MINUS_DI")):
    _add(name, function, HLC, "close", timeperiod=14)
for i, name in enumerate(("aroon_down_25", "aroon_up_25")):
    _add(name, "AROON", ("high", "low"), "high", i, timeperiod=25)
for n in (14, 60):
    _add(f"slope_{n}", "LINEARREG_SLOPE", ("close",), "close", timeperiod=n)
_add("trend_fit_20", "CORREL", ("close", "clock"), "close", timeperiod=20)
for n in (7, 14, 21):
    _add(f"rsi_{n}", "RSI", ("close",), "close", timeperiod=n)
_add("stochastic_14", "STOCHF", HLC, "close", fastk_period=14, fastd_period=3)
for i, name in enumerate(("stochastic_slow_14", "stochastic_signal_14")):
    _add(name, "STOCH", HLC, "close", i, fastk_period=14, slowk_period=3, slowd_period=3)
_add("cci_20", "CCI", HLC, "close", timeperiod=20)
_add("chande_14", "CMO", ("close",), "close", timeperiod=14)
_add("trix_15", "TRIX", ("close",), "close", timeperiod=15)
_add("ultimate_oscillator", "ULTOSC", HLC, "close", timeperiod1=7, timeperiod2=14, timeperiod3=28)
_add("donchian_55", "WILLR", HLC, "close", timeperiod=55)
for n in (7, 14, 21):
    _add(f"atr_share_{n}", "NATR", HLC, "close", timeperiod=n)
for n in (10, 20, 60):
    _add(f"realized_volatility_{n}", "STDDEV", ("change",), "change", timeperiod=n)
for i, name in ((0, "bollinger_20"), (2, "bollinger_width_20")):
    _add(name, "BBANDS", ("close",), "close", i, timeperiod=20)
_add("range_14", "TRANGE", HLC, "close")
_add("volume_ratio_20", "SMA", ("volume",), "volume", timeperiod=20)
_add("volume_score_60", "STDDEV", ("volume",), "volume", timeperiod=60)
_add("volume_variation_20", "STDDEV", ("volume",), "volume", timeperiod=20)
_add("on_balance_20", "OBV", ("close", "volume"), "close")
_add("money_flow_20", "AD", (*HLC, "volume"), "close")
_add("money_flow_index_14", "MFI", (*HLC, "volume"), "close", timeperiod=14)
_add("body", "BOP", ("open", *HLC), "open")

PREAMBLE = """
import json, resource, sys, time
import numpy as np

folder, works, facts = sys.argv[1], {}, {}
given = dict(np.load(f"{folder}/bars.npz"))

def serve():
    for run in works.values():
        run()
    print(json.dumps(facts), flush=True)
    made = None
    for line in sys.stdin:
        np.empty((64, len(given["close"]))).fill(0.0)  # see the module's docstring
        began, burnt = time.perf_counter(), time.process_time()
        found = works[line.strip()]()
        print(json.dumps([time.perf_counter() - began, time.process_time() - burnt]), flush=True)
        made = found
        del found
"""

CALLS = """
calls = {}  # one call serves all of its outputs
for function, inputs, start, settings, output in COLUMNS.values():
    calls.setdefault((function, inputs, start, tuple(settings.items())), []).append(output)
"""

TALIB = (
    CALLS
    + """
import talib

def run():
    out = []
    for (function, inputs, start, settings), outputs in calls.items():
        found = getattr(talib, function)(*(given[name] for name in inputs), **dict(settings))
        out += [found[i] for i in outputs] if isinstance(found, tuple) else [found]
    return out

assert len(run()) == len(COLUMNS)
np.save(f"{folder}/talib.npy", talib.CCI(given["high"], given["low"], given["close"], 20))
works["60"] = run
"""
)

POLARS_TALIB = (
    CALLS
    + """
import polars as pl
import polars_talib

frame = pl.DataFrame(given)

def expression(function, inputs, start, settings):
    others = [pl.col("clock")] if function == "CORREL" else []
    return getattr(pl.col(start).ta, function.lower())(*others, **dict(settings))

asked = [expression(*call).alias(str(i)) for i, call in enumerate(calls)]
parts = [(i, output) for i, outputs in enumerate(calls.values()) for output in outputs]

def run():
    made = frame.select(asked)
    return [made.to_series(i).struct.unnest().to_series(output) if made.dtypes[i] == pl.Struct else made.to_series(i)
            for i, output in parts]

assert len(run()) == len(COLUMNS)
works["60"] = run
cci = [call[0] for call in calls].index("CCI")
np.save(f"{folder}/polars_talib.npy", frame.select(asked[cci]).to_series().to_numpy())
"""
)

JOIN = """
import polars as pl

base = pl.DataFrame({"at": given["available_at"]})
higher = {
    timeframe: pl.DataFrame({"at": stored["at"]} | {f"{j}@{timeframe}": x for j, x in enumerate(stored["values"])})
    for timeframe in HIGHER
    if (stored := np.load(f"{folder}/{timeframe}.npz"))
}

def run():
    joined = base
    for table in higher.values():
        joined = joined.join_asof(table, on="at", check_sortedness=False)
    return joined

np.save(f"{folder}/polars_join.npy", run().drop("at").to_numpy()[-2000:])
works["join"] = run
"""

FARM_BARS = """
from farm.bars.frame import Bars
from farm.bars.calendar import AlwaysOpen
from farm.bars.resample import resample
from farm.features import FeatureRecipe, registry, PRESETS

prices = {name: given[name] for name in ("open", "high", "low", "close", "volume")}
bars = Bars("RANDOM", "1min", given["open_time"], given["available_at"], **prices,
            session=given["session"], segment=given["session"] * 0)
"""

FARM = (
    FARM_BARS
    + """
sixty = FeatureRecipe(preset="none", include=tuple(COLUMNS))
heavy = tuple(name for name in PRESETS["full"] if name.startswith(("hmm", "hurst")))
full = FeatureRecipe(preset="full", exclude=heavy)
few = bars.between(0, 10_000)
full.table(few, {}, threads=THREADS)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
table = sixty.table(bars, {}, threads=THREADS)
facts["peak"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
np.save(f"{folder}/farm.npy", table.values[:, table.names.index("cci_20")])
del table
works["60"] = lambda: sixty.table(bars, {}, threads=THREADS)
works["60 on one thread"] = lambda: sixty.table(bars, {})
works["full"] = lambda: full.table(bars, {}, threads=THREADS)
facts["columns"] = len(full.names)
"""
)

FARM_JOIN = (
    FARM_BARS
    + """
from farm.features.asof import asof_runs
from farm.features.table import join
from farm.features.wavelets import DAUBECHIES, multiresolution

higher = {timeframe: resample(bars, timeframe, AlwaysOpen()) for timeframe in HIGHER}
columns = {}
for timeframe, table in higher.items():
    columns[timeframe] = np.random.default_rng(0).normal(size=(10, len(table)))
    np.savez(f"{folder}/{timeframe}.npz", at=table.available_at, values=columns[timeframe])

def run(out):
    for i, (timeframe, table) in enumerate(higher.items()):
        join(out[10 * i : 10 * i + 10], columns[timeframe], asof_runs(bars, table), threads=THREADS)
    return out

joined = run(np.empty((30, len(bars))))
works["join"] = lambda: run(np.empty((30, len(bars))))
works["join in place"] = lambda: run(joined)
np.save(f"{folder}/farm_join.npy", joined[:, -2000:].T)

change = np.diff(np.log(bars.close))
whole = multiresolution(change, DAUBECHIES, 4)
works["wavelets"] = lambda: multiresolution(change, DAUBECHIES, 4)
cut = multiresolution(change[:123_457], DAUBECHIES, 4)
assert np.array_equal(whole[:, :123_457], cut, equal_nan=True)
"""
)


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
