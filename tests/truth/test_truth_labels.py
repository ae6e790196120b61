"""Labels, uniqueness and sampling against published and peer values; ``results()`` gives the rows of the truth table.

Where a published value rests on another definition, the reason is said beside the comparison and the definition of
``farm.labels`` is compared with the value that the same source gives for it.
"""

import itertools
import json
import math
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from farm.bars.frame import Bars
from farm.labels import (
    Atr,
    average_uniqueness,
    concurrency,
    cusum_events,
    draw_probabilities,
    exponential_deviation,
    return_attribution,
    sequential_bootstrap,
    time_decay,
    triple_barrier,
)

FOLDER = os.environ.get("FARM_TRUTH")
FILES = ("04_05_uniqueness_triple_barrier.json", "05_triple_barrier_ohlc.json")
DAY = np.timedelta64(1, "D")


class Result(NamedTuple):
    """One comparison; of many values ``ours`` and ``theirs`` are how many, ``difference`` is the largest."""

    case: str
    source: str
    ours: float
    theirs: float
    difference: float
    tolerance: float


def results() -> list[Result]:
    """One row for every comparison of every case about labels; empty where FARM_TRUTH is unset."""
    return [row for case in cases() for row in compare(case)]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Largest difference, of values above 1 the relative one; infinite where shapes or missing values differ."""
    if ours.shape != theirs.shape or (np.isnan(ours) != np.isnan(theirs)).any():
        return math.inf
    gaps = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    return float(np.nanmax(gaps)) if gaps.size else 0.0


def cases() -> Iterator[dict[str, Any]]:
    for name in FILES if FOLDER else ():
        yield from json.loads((Path(FOLDER) / name).read_text())["cases"]


Compared = Iterator[tuple[str, object, object]]


def intervals(matrix: list[list[float]]) -> tuple[np.ndarray, np.ndarray]:
    """First and last bar of each column of an indicator matrix."""
    cells = np.array(matrix) > 0
    return cells.argmax(axis=0), len(cells) - 1 - cells[::-1].argmax(axis=0)


def book_uniqueness(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    start, end = intervals(inputs["ind_matrix"])
    yield "concurrency", concurrency(start, end, len(inputs["ind_matrix"])), expected["concurrency"]
    yield "average_uniqueness", average_uniqueness(start, end), expected["avg_uniqueness_per_label"]
    yield "mean over cells", average_uniqueness(start, end, average="cells"), expected["avg_uniqueness_all_cells"]
    yield "mean over labels", average_uniqueness(start, end, average="labels"), expected["avg_of_label_means"]
    yield "probabilities after label 1", draw_probabilities(start, end, [1]), np.array([5, 3, 6]) / 14


def expected_uniqueness(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    start, end = intervals(inputs["ind_matrix"])
    plain = sequential = 0.0
    for drawn in itertools.product(range(len(start)), repeat=inputs["sample_length"]):
        k = list(drawn)
        unique = average_uniqueness(start[k], end[k], average="cells")
        plain += unique / len(start) ** len(k)
        sequential += unique * math.prod(draw_probabilities(start, end, k[:n])[k[n]] for n in range(len(k)))
    yield "standard bootstrap", plain, expected["expected_avg_uniqueness_standard"]
    yield "sequential bootstrap", sequential, expected["expected_avg_uniqueness_sequential"]


def events_of_mlfinlab(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    start, end = np.array(inputs["start_bar"]), np.array(inputs["end_bar_inclusive"])
    counted = np.bincount(concurrency(start, end, inputs["n_bars"])[1:23])
    yield "counts of concurrency", counted, list(expected["concurrency_counts_over_bars_1_22"].values())
    yield "average_uniqueness", average_uniqueness(start, end), expected["avg_uniqueness"]


def decay(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    yield "time_decay", time_decay(inputs["avg_uniqueness"], inputs["c"]), expected["weights"]


@cache
def dollar_bars(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times, closes and daily volatility of the sample (NaN where there is none), and its bars a day back (or -1)."""
    table = pd.read_csv(Path(str(FOLDER)) / name.split()[0])
    times = pd.to_datetime(table["date_time"]).to_numpy("datetime64[ns]")
    close = table["close"].to_numpy()
    back = np.searchsorted(times, times - DAY) - 1
    daily = np.where(back >= 0, close / close[back] - 1, np.nan)
    return times, close, exponential_deviation(daily, 100.0), back


def daily_volatility(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    _, _, volatility, back = dollar_bars(inputs["data"])
    mine = volatility[back >= 0]
    yield "number of values", len(mine), expected["n"]
    yield "last", mine[-1], expected["last"]
    yield "first", mine[~np.isnan(mine)][0], expected["first_valid"]
    yield "every 100th", mine[99::100][: len(expected["values_every_100"])], expected["values_every_100"]


def cusum(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    _, close, _, _ = dollar_bars(inputs["data"])
    yield "events", cusum_events(close, inputs["cusum_threshold"]), expected["events_h0_02"]
    by_threshold = expected["n_events_by_h"]
    yield "counts", [len(cusum_events(close, float(h))) for h in by_threshold], list(by_threshold.values())
    yield "changing threshold", len(cusum_events(close, close * 1e-5)), expected["n_dynamic_close_x_1e_5"]


def on_closes(inputs: dict[str, Any], rows: np.ndarray, up: float, down: float) -> pd.DataFrame:
    """Barriers on closes alone: bars whose four prices are the close, entered at it.

    The watch ends at the first bar at or after so many days, another number of bars for each event, so that each event
    is labelled on its own. mlfinlab's touches are strict and ours inclusive: the same on prices that never tie.
    """
    times, close, volatility, _ = dollar_bars(inputs["data"])
    span = int(inputs["vertical"].split()[0]) * DAY
    last = np.searchsorted(times, times[rows] + span)
    parts = []
    for i, t1 in zip(rows, last, strict=True):
        path = close[i : t1 + 1]
        bars = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), path))
        width = np.full(len(path), np.nan)
        width[0] = volatility[i] * close[i]
        found = triple_barrier(bars, up=up, down=down, max_bars=t1 - i, volatility=width, entry="close")
        parts.append(found.set_axis(found.index + i).assign(end=found["end"].to_numpy() + i))
    return pd.concat(parts)


def rows_above(inputs: dict[str, Any], rows: np.ndarray) -> np.ndarray:
    _, _, volatility, _ = dollar_bars(inputs["data"])
    return rows[volatility[rows] > inputs["min_ret"]]


def compared_events(inputs: dict[str, Any], up: float, down: float, told: list[dict[str, Any]]) -> Compared:
    _, close, volatility, _ = dollar_bars(inputs["data"])
    rows = rows_above(inputs, cusum_events(close, inputs["cusum_threshold"]))
    yield "events", rows, [event["t0"] for event in told]
    yield "volatility", volatility[rows], [event["trgt"] for event in told]
    found = on_closes(inputs, rows, up, down)
    ended = [event for event in told if event["t1"] is not None]
    yield "labelled", found.index, [event["t0"] for event in ended]
    yield "end", found["end"], [event["t1"] for event in ended]
    yield "label", found["label"], [event["bin_first_touch"] for event in ended]
    kinds = {"pt": "up", "sl": "down", "t1": "time"}
    yield "touch", found["touch"].to_numpy() == [kinds[event["kind"]] for event in ended], np.ones(len(ended))
    # on closes a touch is told at the close, which lies beyond the barrier: the exit is that bar's "open"
    yield "return", np.expm1(found["ret"]), [event["ret"] for event in ended]


def barriers_without_side(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    if "events" in expected:
        up, down = inputs["pt_sl"]
        yield from compared_events(inputs, up, down, expected["events"])
        yield from published_weights(inputs)
        return
    up, down = inputs["pt_sl"]
    yield from compared_events(inputs, up, down, expected["honest_rule_uses_sl"])
    # AFML snippet 3.6 puts the upper multiple in the place of the lower: said openly, it gives the book's answer
    for what, ours, theirs in compared_events(inputs, up, up, expected["book_rule_sl_equals_pt_when_no_side"]):
        yield f"book's rule: {what}", ours, theirs


def published_weights(inputs: dict[str, Any]) -> Compared:
    """Constants that mlfinlab's test_sample_weights asserts (barriers of 4, two days), to its six digits.

    They count the return of the start bar, earned before the entry, as AFML snippet 4.10 does; ours by default do not.
    """
    _, close, _, _ = dollar_bars(inputs["data"])
    inputs = {**inputs, "vertical": "2 days"}
    found = on_closes(inputs, rows_above(inputs, cusum_events(close, inputs["cusum_threshold"])), 4, 4)
    start, end = found.index.to_numpy(), found["end"].to_numpy()
    weights = return_attribution(start, end, np.diff(np.log(close), prepend=np.nan), include_start=True)
    yield "published attribution", np.round(weights[[0, 3]], 6), [0.781807, 1.627944]
    yield "published decay", np.round(time_decay(average_uniqueness(start, end), 0.5)[0], 6), 0.582191


def every_bar(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    _, close, _, _ = dollar_bars(inputs["data"])
    rows = rows_above(inputs, np.arange(41, len(close)))
    yield "events", len(rows), expected["n"]
    # an event of the last days has no vertical barrier there: open to the end, and no label unless touched
    found = on_closes(inputs, rows, *inputs["pt_sl"])
    touches, told = found["touch"].value_counts(), expected["kind_counts"]
    yield "touches", [touches["up"], touches["down"], touches["time"]], [told["pt"], told["sl"], told["t1"]]
    yield "unlabelled", len(rows) - len(found), told["open"]
    yield "sum of labels", found["label"].sum(), expected["bin_first_touch_sum"]
    yield "sum of ends", found["end"].sum(), expected["t1_checksum"]


def barriers_on_ohlc(inputs: dict[str, Any], expected: dict[str, Any]) -> Compared:
    folder = Path(str(FOLDER))
    bars = pd.read_csv(folder / inputs["ohlc"])
    told = pd.read_csv(folder / expected["per_bar_csv"], index_col="i")
    width = atr(bars, inputs["atr_period"])
    yield "average true range", width, told["atr"]
    told = told[told["t1"] >= 0]
    summary = expected["summary"]
    for rule in expected["rules"]:
        found = triple_barrier(
            bars, up=inputs["k_up"], down=inputs["k_dn"], max_bars=inputs["max_bars"], volatility=width,
            entry="close", ambiguous=rule,
        )  # fmt: skip
        yield f"{rule}: labelled", found.index, told.index
        yield f"{rule}: end", found["end"], told["t1"]
        yield f"{rule}: label", found["label"], told[f"label_{rule}"]
        yield f"{rule}: ambiguous", found["ambiguous"], told["ambiguous"]
        if f"counts_{rule}" in summary:
            counts = found["label"].value_counts()
            yield (
                f"{rule}: counts",
                [counts[int(float(k))] for k in summary[f"counts_{rule}"]],
                list(summary[f"counts_{rule}"].values()),
            )
        if rule == "stop_first":  # the file's returns are simple, ours are log returns
            yield "stop_first: exit", bars["close"][found.index] * np.exp(found["ret"]), told["exit_stop_first"]
            yield "stop_first: return", np.expm1(found["ret"]), told["ret_stop_first"]
            yield "stop_first: mean return", np.expm1(found["ret"]).mean(), summary["mean_ret_stop_first"]
            yield "number labelled", len(found), summary["n_labelled"]
            yield "number ambiguous", found["ambiguous"].sum(), summary["n_ambiguous"]
            yield "unresolved tail", np.isfinite(width).sum() - len(found), summary["n_unresolved_tail"]
            yield "sum of ends", found["end"].sum(), summary["t1_checksum"]


def atr(bars: pd.DataFrame, window: int) -> np.ndarray:
    prices = {name: bars[name].to_numpy(dtype=np.float64) for name in ("open", "high", "low", "close", "volume")}
    still = {name: np.zeros(len(bars), dtype=np.int64) for name in ("open_time", "available_at", "session", "segment")}
    return Atr(window=window).of(Bars(symbol="", timeframe="1min", **prices, **still))


COMPARISONS: dict[str, Callable[[dict[str, Any], dict[str, Any]], Compared]] = {
    "uniqueness_book": book_uniqueness,
    "seq_bootstrap": expected_uniqueness,
    "concurrency_uniqueness": events_of_mlfinlab,
    "time_decay": decay,
    "daily_vol": daily_volatility,
    "cusum": cusum,
    "triple_barrier_every_bar": every_bar,
    "triple_barrier_": barriers_without_side,
    "tb_ohlc": barriers_on_ohlc,
}


def compare(case: dict[str, Any]) -> list[Result]:
    """Every comparison of a case, by the first kind that its id begins with."""
    kind = next(kind for kind in COMPARISONS if case["id"].startswith(kind))
    rows = []
    for what, ours, theirs in COMPARISONS[kind](case["inputs"], case["expected"]):
        own, their = np.asarray(ours, float), np.asarray(theirs, float)
        shown = (own.item(), their.item()) if own.size == their.size == 1 else (own.size, their.size)
        rows.append(Result(f"{case['id']}/{what}", case["source"], *shown, difference(own, their), case["tol"]))
    return rows


@pytest.mark.skipif(FOLDER is None, reason="FARM_TRUTH is not set: no truth cases here")
@pytest.mark.parametrize("case", list(cases()), ids=lambda case: case["id"])
def test_labels_agree_with_the_truth(case):
    for row in compare(case):
        assert row.difference <= row.tolerance, row


@pytest.mark.skipif(FOLDER is None, reason="FARM_TRUTH is not set: no truth cases here")
def test_a_wrong_value_would_be_noticed():
    case = next(case for case in cases() if case["id"] == "uniqueness_book_matrix")
    case["expected"]["avg_uniqueness_per_label"][1] += 1e-9
    assert any(row.difference > row.tolerance for row in compare(case))


def test_draws_reach_the_exact_expectation_of_the_book():
    start, end = np.array([0, 2, 4]), np.array([2, 3, 5])
    rng = np.random.default_rng(11)
    unique = [
        average_uniqueness(start[k], end[k], average="cells")
        for k in (sequential_bootstrap(start, end, 3, rng) for _ in range(4000))
    ]
    assert abs(np.mean(unique) - 0.7056703753105827) < 4 * np.std(unique) / math.sqrt(len(unique))
