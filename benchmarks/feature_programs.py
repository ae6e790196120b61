"""What each tool runs in its own process: it reads the bars, does every work once, and then what it is asked for.

A program finds COLUMNS, HIGHER and THREADS defined before it. The peers' environments have no Farm.
"""

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
        np.empty((64, len(given["close"]))).fill(0.0)  # see benchmarks.features
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
