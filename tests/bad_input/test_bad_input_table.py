"""Every way to give Farm something wrong: exit code 2, one message that helps, nothing half written.

A row of the table is: the source of bars, what is broken, and what the message must say. ``{file}`` is the experiment
file, ``{data}`` the data file, ``{line: text}`` the number of the experiment's line that holds the text.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest

Case = Any  # what the fixture case_of makes: an experiment in a folder of its own
Invoke = Callable[[Sequence[str]], int]
Break = Callable[[Case], object]


def swap(old: str, new: str) -> Break:
    return lambda case: case.replace(old, new)


def cell(row: int, column: str, value: str) -> Break:
    return lambda case: case.cell(row, column, value)


def given(*sets: str) -> Break:
    return lambda case: case.sets.extend(sets)


def written(content: bytes) -> Break:
    return lambda case: case.file.write_bytes(content)


def data_written(content: bytes) -> Break:
    return lambda case: case.data.write_bytes(content)


def data_cut(case: Case) -> None:
    content = case.data.read_bytes()
    case.data.write_bytes(content[: len(content) // 2])


def cut_in_a_row(case: Case) -> None:
    content = case.data.read_bytes()
    case.data.write_bytes(content[: content.rindex(b",", 0, content.index(b"\n", 5000))])


def table(change: Callable[[pd.DataFrame], pd.DataFrame]) -> Break:
    return lambda case: case.table(change)


def lines(change: Callable[[list[str]], list[str]]) -> Break:
    return lambda case: case.lines(change)


def no_instrument(case: Case) -> None:
    case.data.rename(case.folder / "UNHEARD.csv")
    case.replace("SYN-BARS", "UNHEARD")


def home_below_a_file(case: Case) -> None:
    (case.folder / "regular").write_text("a file")
    case.sets.append(f"home={case.folder / 'regular' / 'home'}")


def isotonic_of_few(case: Case) -> None:
    case.replace("{kind: calibrate}", "{kind: calibrate, method: isotonic}")
    case.replace("threshold: 1}", "threshold: 2}")


TABLE: dict[str, tuple[str, Break, tuple[str, ...]]] = {
    # the experiment file itself
    "experiment missing": (
        "synthetic",
        lambda case: setattr(case, "absent", True),
        ("{file}", "no such experiment file"),
    ),
    "experiment is a folder": ("synthetic", lambda case: case.file.mkdir(), ("{file}: is a folder",)),
    "experiment empty": ("synthetic", written(b""), ("{file}: holds nothing", "mapping of keys to values")),
    "experiment truncated": (
        "synthetic",
        written(b"name: sound\nseed: 7\nbars: {source: synthetic, yea"),
        ("{file}:3", "not valid YAML"),
    ),
    "experiment is a list": ("synthetic", written(b"- name: sound\n- seed: 7\n"), ("{file}: holds a list", "mapping")),
    "experiment is prose": ("synthetic", written(b"please run"), ("{file}: holds only 'please run'",)),
    "experiment with tabs": (
        "synthetic",
        written(b"name: sound\nbars:\n\tsource: csv\n"),
        ("{file}:3", "never with tabs"),
    ),
    "experiment not UTF-8": (
        "synthetic",
        written(b"name: sound\nseed: 7 # \xe9t\xe9\n"),
        ("{file}:2", "0xe9", "save the file as UTF-8"),
    ),
    "experiment with a NUL": ("synthetic", written(b"name: a\x00b\n"), ("{file}", "not valid YAML", "#x0000")),
    "alias of nothing": ("synthetic", swap("seed: 7", "seed: *nothing"), ("{file}:2", "undefined alias")),
    "duplicate key": ("synthetic", swap("seed: 7", "seed: 7\nseed: 8"), ("{file}:3", "seed is written twice", "once")),
    "unknown key": (
        "synthetic",
        swap("max_bars", "max_bar"),
        ("{file}:{line: max_bar}", "labels.max_bar", "did you mean 'max_bars'"),
    ),
    "unknown section": (
        "synthetic",
        swap("decisions:", "decision:"),
        ("{file}:{line: decision}", "did you mean 'decisions'"),
    ),
    "missing key": ("synthetic", swap("up: 2.0, ", ""), ("{file}:{line: labels}", "labels.up", "is missing")),
    "missing section": ("synthetic", swap("backtest:", "#"), ("{file}: backtest", "is missing")),
    "wrong type": (
        "synthetic",
        swap("groups: 4", "groups: four"),
        ("{file}:{line: groups: four}", "folds.groups", "integer", "found 'four'"),
    ),
    "a value for a section": (
        "synthetic",
        swap("backtest: {costs: instrument, capital: 100000}", "backtest: 100000"),
        ("{file}:{line: backtest}", "section of keys and values", "found 100000"),
    ),
    "a value for a list": (
        "csv",
        swap("symbols: [SYN-BARS]", "symbols: SYN-BARS"),
        ("{file}:{line: symbols}", "write [SYN-BARS] for one symbol"),
    ),
    "out of range": (
        "synthetic",
        swap("lockbox: 0.1", "lockbox: 0.9"),
        ("{file}:{line: lockbox}", "folds.lockbox", "less than 0.5", "found 0.9"),
    ),
    "unknown kind": (
        "synthetic",
        swap("kind: cpcv", "kind: cpvc"),
        ("{file}:{line: cpvc}", "folds.kind", "did you mean 'cpcv'"),
    ),
    "no kind": (
        "synthetic",
        swap("kind: cpcv, ", ""),
        ("{file}:{line: folds}", "needs the key kind", "cpcv | kfold | walk_forward"),
    ),
    "unknown source": (
        "csv",
        swap("source: csv", "source: excel"),
        ("{file}:{line: excel}", "no 'excel'", "csv, parquet, synthetic"),
    ),
    "infinite number": (
        "synthetic",
        swap("up: 2.0", "up: .inf"),
        ("{file}:{line: .inf}", "labels.up", "found inf", "finite"),
    ),
    "no number": (
        "synthetic",
        swap("C: 1.0", "C: .nan"),
        ("{file}:{line: .nan}", "models.linear.params.C", "found nan", "finite"),
    ),
    "unset variable": (
        "csv",
        swap("path: ./{symbol}", "path: ${FARM_NO_SUCH_FOLDER}/{symbol}"),
        ("{file}:{line: FARM_NO}", "bars.path", "FARM_NO_SUCH_FOLDER is not set"),
    ),
    "name unfit for a path": (
        "synthetic",
        swap("name: sound", "name: ../sound"),
        ("{file}:1", "name", "'../sound'", "letters"),
    ),
    # what --set says
    "set without a value": ("synthetic", given("folds.groups"), ("--set folds.groups", "a.b=value")),
    "set of a wrong type": (
        "synthetic",
        given("folds.groups=four"),
        ("--set folds.groups=four", "integer", "found 'four'"),
    ),
    "set of an unknown key": ("synthetic", given("folds.grups=4"), ("--set folds.grups=4", "did you mean 'groups'")),
    "set below a value": ("synthetic", given("seed.x=4"), ("--set seed.x=4", "seed is the single value 7")),
    "set of half a list": (
        "synthetic",
        given("features.timeframes=[1h"),
        ("--set features.timeframes=[1h", "not valid YAML"),
    ),
    # sections that do not fit together
    "pairs with three test groups": (
        "synthetic",
        swap("test_groups: 2", "test_groups: 3"),
        ("{file}:{line: test_groups}", "folds.test_groups is 3", "judged on pairs: cpcv with test_groups 2"),
    ),
    "pairs with k-fold": (
        "synthetic",
        swap("kind: cpcv, groups: 4, test_groups: 2", "kind: kfold, groups: 4"),
        ("{file}:{line: kfold}", "folds.kind is kfold", "judged on pairs"),
    ),
    "pairs with walk forward": (
        "synthetic",
        swap("kind: cpcv, groups: 4, test_groups: 2", "kind: walk_forward, groups: 4"),
        ("{file}:{line: walk_forward}", "folds.kind is walk_forward"),
    ),
    "all groups held out": (
        "synthetic",
        swap("groups: 4, test_groups: 2", "groups: 2, test_groups: 2"),
        ("{file}:{line: groups: 2}", "folds", "at most 1"),
    ),
    "entry at the close": (
        "synthetic",
        swap("max_bars: 8", "max_bars: 8, entry: close"),
        ("{file}:{line: labels}", "labels.entry is close", "next_open"),
    ),
    "regression without a regressor": (
        "synthetic",
        swap("max_bars: 8", "max_bars: 8, timeout: regression"),
        (
            "{file}:{line: linear}",
            "models.linear: logistic predicts classes",
            "labels.timeout regression",
            "a regressor",
        ),
    ),
    "a base that learns from the close it decides at": (
        "synthetic",
        swap("params: {C: 1.0}", "labels: {kind: triple_barrier, up: 1, down: 1, max_bars: 4, entry: close}"),
        ("{file}:{line: linear}", "models.linear.labels.entry is close", "next_open"),
    ),
    "a classifier whose own labels are numbers": (
        "synthetic",
        swap("params: {C: 1.0}", "labels: {kind: regression, horizon: 4}"),
        ("{file}:{line: linear}", "models.linear: logistic predicts classes", "labels.kind regression", "a regressor"),
    ),
    "a base finer than the data": (
        "synthetic",
        swap("params: {C: 1.0}", "timeframe: 10s, features: {preset: small}"),
        ("{file}:{line: linear}", "models.linear.timeframe is 10s, finer than the data's"),
    ),
    "a pipeline that sizes before it predicts": (
        "synthetic",
        swap("{kind: calibrate}", "{kind: size}"),
        ("{file}:{line: stack}", "size turns what is predicted into a bet, so it is the last step"),
    ),
    "a pipeline with too few rows for its calibration": (
        "synthetic",
        isotonic_of_few,
        ("{file}:{line: stack}", "need 500 labelled decisions outside each group", "calibrate by sigmoid"),
    ),
    "stack that does not combine": (
        "synthetic",
        swap("{kind: combine}", "{kind: size}"),
        ("{file}:{line: stack}", "kind combine"),
    ),
    "one file for two symbols": (
        "csv",
        swap("./{symbol}.csv\n  symbols: [SYN-BARS]", "one.csv\n  symbols: [SYN-A, SYN-B]"),
        ("{file}:{line: one.csv}", "bars.path", "write {symbol}"),
    ),
    "symbol without an instrument": (
        "csv",
        no_instrument,
        ("{file}: symbol UNHEARD", "fits no instrument", "instruments: {UNHEARD: NAME}"),
    ),
    "unknown instrument": (
        "csv",
        swap("stamp: open", "stamp: open\n  instruments: {SYN-BARS: nowhere}"),
        ("{file}: instrument 'nowhere'", "SYN-BARS", "there are", "cme_equity_micro"),
    ),
    # models and features
    "unknown model": (
        "synthetic",
        swap("uses: logistic, params", "uses: logistik, params"),
        ("{file}:{line: logistik}", "models.linear", "did you mean logistic"),
    ),
    "unknown import path": (
        "synthetic",
        swap("uses: logistic, params: {C: 1.0}", "uses: sklearn.ensemble.ExtraTreeClassifier"),
        ("{file}:{line: ExtraTree}", "models.linear", "ExtraTreesClassifier"),
    ),
    "unknown model parameter": (
        "synthetic",
        swap("{C: 1.0}", "{K: 1.0}"),
        ("{file}:{line: K: 1.0}", "models.linear", "no parameter 'K'", "C"),
    ),
    "wrong model parameter": (
        "synthetic",
        swap("{C: 1.0}", "{C: -1.0}"),
        ("{file}:{line: C: -1.0}", "models.linear", "C", "-1"),
    ),
    "early stopping of what cannot": (
        "synthetic",
        swap("{C: 1.0}}", "{C: 1.0}, early_stopping: {}}"),
        ("{file}:{line: early}", "models.linear", "cannot stop early"),
    ),
    "reserved model name": (
        "synthetic",
        swap("  linear:", "  stack:"),
        ("{file}:{line:   stack}", "models.stack", "another one"),
    ),
    "no model": ("synthetic", given("models={}"), ("--set models={}", "at least 1")),
    "unknown feature": (
        "synthetic",
        swap("preset: small", "preset: small, include: [rsi_15]"),
        ("{file}:{line: rsi_15}", "features.include", "'rsi_15'", "rsi_14"),
    ),
    "unknown preset": (
        "synthetic",
        swap("preset: small", "preset: smal"),
        ("{file}:{line: smal}", "features.preset", "small"),
    ),
    "higher timeframe not longer": (
        "synthetic",
        swap("timeframes: [1h]", "timeframes: [15min]"),
        ("{file}:{line: timeframes}", "features.timeframes has 15min", "longer"),
    ),
    "decision finer than the bars": (
        "synthetic",
        swap("timeframe: 15min", "timeframe: 1min"),
        ("{file}: timeframe 1min is finer than the bars (5min)", "5min or longer"),
    ),
    "not a timeframe": (
        "synthetic",
        swap("timeframe: 15min", "timeframe: 15m"),
        ("{file}:{line: 15m}", "decisions.timeframe", "'15m'", "5min or 1h"),
    ),
    "embargo that is no length": (
        "synthetic",
        swap("5 bars", "5 cars"),
        ("{file}:{line: 5 cars}", "folds.embargo", "'5 cars'", "1 session"),
    ),
    # what only the data can tell
    "more groups than events": (
        "synthetic",
        given("decisions.events.threshold=40", "folds.groups=8"),
        ("--set folds.groups=8", "SYN-A", "5 events cannot fill 8 groups", "lower folds.groups"),
    ),
    "too few events to train on": (
        "synthetic",
        swap("threshold: 1}", "threshold: 12}"),
        ("{file}:{line: folds}", "keeps", "to train on", "lower folds.groups"),
    ),
    "lookback longer than the data": (
        "synthetic",
        given("bars.years=0.002", "folds.lockbox=0", "features.preset=core"),
        ("{file}: feature", "SYN-A", "looks back 109 bars", "exclude the feature"),
    ),
    "decisions over the limit": (
        "synthetic",
        swap("limit: 20000", "limit: 100"),
        ("{file}:{line: limit}", "SYN-A", "decisions.limit = 100", "threshold: "),
    ),
    "home below a regular file": (
        "synthetic",
        home_below_a_file,
        ("{file}: home", "regular", "cannot be written", "FARM_HOME"),
    ),
    # data files: as a whole
    "CSV missing": ("csv", lambda case: case.data.unlink(), ("{data}", "no such file")),
    "CSV empty": ("csv", data_written(b""), ("{data}", "empty", "header")),
    "CSV with a header alone": ("csv", lines(lambda text: text[:1]), ("{data}", "no bar left of 0 rows")),
    "CSV cut in a row": ("csv", cut_in_a_row, ("{data}, row 100 (line 101)", "volume")),
    "CSV that is not text": ("csv", data_written(bytes(range(256)) * 40), ("{data}", "CSV")),
    "CSV without a column": (
        "csv",
        lines(lambda text: [line.rpartition(",")[0] for line in text]),
        ("{data}", "no column is the volume", "time, open, high, low, close", "columns: {volume: NAME}"),
    ),
    "CSV of another delimiter": (
        "csv",
        lines(lambda text: [line.replace(",", ";") for line in text]),
        ("{data}", "no column is the time", "time;open"),
    ),
    "CSV rows longer than the header": (
        "csv",
        lines(lambda text: [text[0], *(line + ",1" for line in text[1:])]),
        ("{data}", "more fields"),
    ),
    "Parquet missing": ("parquet", lambda case: case.data.unlink(), ("{data}", "no such file")),
    "Parquet empty": ("parquet", data_written(b""), ("{data}", "not a whole Parquet file")),
    "Parquet truncated": ("parquet", data_cut, ("{data}", "not a whole Parquet file")),
    "Parquet that is a CSV": (
        "parquet",
        data_written(b"time,open,high,low,close,volume\n"),
        ("{data}", "not a whole Parquet file"),
    ),
    "Parquet without a column": (
        "parquet",
        table(lambda rows: rows.drop(columns="high")),
        ("{data}", "no column is the high", "time, open, low"),
    ),
    "Parquet with a text price": (
        "parquet",
        table(lambda rows: rows.assign(open=rows["open"].astype(str))),
        ("{data}", "column open", "must be numbers"),
    ),
    "Parquet with naive times": (
        "parquet",
        table(lambda rows: rows.assign(time=rows["time"].dt.tz_localize(None))),
        ("{data}", "carry no zone", "`zone`"),
    ),
    "Parquet with high below low": (
        "parquet",
        table(lambda rows: rows.assign(high=rows["high"].where(rows.index != 41, 1.0))),
        ("{data}, row 42", "high 1 is below low", "quarantine"),
    ),
    "Parquet with epoch times": (
        "parquet",
        table(lambda rows: rows.assign(time=rows["time"].astype("int64"))),
        ("{data}", "time_format", "epoch_ms"),
    ),
    "two closes": (
        "csv",
        lines(lambda text: [text[0] + ",adj_close", *(line + "," + line.split(",")[4] for line in text[1:])]),
        ("{data}", "an adjusted close (adj_close)", "`prices: quoted`", "`prices: adjusted`"),
    ),
    "a file loaded twice": (
        "csv",
        lines(lambda text: [*text, *text[1:]]),
        ("{data}, row 4001 (line 4002)", "4000 rows are exact copies of earlier ones", "loaded twice"),
    ),
    "files in the wrong order": (
        "csv",
        lines(lambda text: [text[0], *text[2000:], *text[1:2000]]),
        ("{data}", "2 stretches that do not overlap", "put the file in order"),
    ),
    "a long file": (
        "csv",
        lines(lambda text: [text[0] + ",ticker", *(f"{line},{n}" for n in "AB" for line in text[1:])]),
        ("{data}", "With its ticker this looks like a long file", "`symbol_column`"),
    ),
    "a symbol that a long file does not have": (
        "csv",
        lambda case: (
            case.lines(lambda text: [text[0] + ",ticker", *(line + ",SYN-BAR" for line in text[1:])]),
            case.replace("stamp: open", "stamp: open\n  symbol_column: ticker"),
        ),
        ("{data}", "no row whose ticker is SYN-BARS", "did you mean 'SYN-BAR'"),
    ),
    "a line of another file": (
        "csv",
        lines(lambda text: [*text[:42], "robots.txt,,,,,", *text[42:]]),
        ("{data}", "line of another file"),
    ),
    "a calendar of another market": (
        "csv",
        swap("stamp: open", "stamp: open\n  instruments: {SYN-BARS: nse_index}"),
        (
            "{data}, row 1 (line 2)",
            "outside the sessions of nse_index",
            "`instruments`",
            "`outside_session: drop_anyway`",
        ),
    ),
    "a gap filled beyond a hole": (
        "csv",
        swap("stamp: open", "stamp: open\n  gaps: {kind: forward, max: 2h}"),
        ("{file}", "gaps of 2h", "max_gap: 1h"),
    ),
    # data files: one row
    "text in a price": (
        "csv",
        cell(42, "close", "n/a"),
        ("{data}, row 42 (line 43)", "close 'n/a' is not a number", "quarantine"),
    ),
    "no price": ("csv", cell(42, "close", ""), ("{data}, row 42 (line 43)", "missing or not finite")),
    "negative price": ("csv", cell(42, "low", "-3"), ("{data}, row 42 (line 43)", "above 0")),
    "infinite price": ("csv", cell(42, "high", "inf"), ("{data}, row 42 (line 43)", "not finite")),
    "high below low": ("csv", cell(42, "high", "3"), ("{data}, row 42 (line 43)", "high 3 is below low", "quarantine")),
    "high below close": (
        "csv",
        lambda case: (case.cell(42, "low", "1"), case.cell(42, "high", "2")),
        ("{data}, row 42 (line 43)", "at least the open and the close"),
    ),
    "negative volume": ("csv", cell(42, "volume", "-1"), ("{data}, row 42 (line 43)", "volume -1", "at least 0")),
    "no time": ("csv", cell(42, "time", "yesterdayZ"), ("{data}, row 42 (line 43)", "'yesterdayZ' is not a time")),
    "naive times": (
        "csv",
        lines(lambda text: [line.replace("Z,", ",") for line in text]),
        ("{data}", "carry no zone", "`zone`"),
    ),
    "one naive time": ("csv", cell(42, "time", "2021-03-01T03:25:00"), ("{data}", "some of its times carry a zone")),
    "zoned times and a zone": (
        "csv",
        swap("stamp: open", "stamp: open\n  zone: UTC"),
        ("{data}", "zone of their own", "leave `zone: UTC` out"),
    ),
    "unknown zone": (
        "csv",
        swap("stamp: open", "stamp: open\n  zone: Mars/Olympus"),
        ("{file}:{line: Mars}", "bars.zone", "IANA"),
    ),
    "a bar twice": ("csv", lines(lambda text: [*text[:43], *text[42:]]), ("{data}, row 43 (line 44)", "exact copy")),
    "a time twice": (
        "csv",
        lambda case: case.cell(43, "time", "2021-03-01T03:25:00Z"),
        ("{data}, row 43 (line 44)", "second, different bar of 2021-03-01T03:25:00", "keep one"),
    ),
    "times out of order": (
        "csv",
        lines(lambda text: [*text[:42], text[43], text[42], *text[44:]]),
        ("{data}, row 43 (line 44)", "comes after", "put the file in order"),
    ),
    "bars of another timeframe": (
        "csv",
        swap("timeframe: 5min", "timeframe: 1min"),
        ("{data}", "most common step is 300 s", "`timeframe: 1min`"),
    ),
    "a bar off the grid": (
        "csv",
        cell(42, "time", "2021-03-01T03:26:00Z"),
        ("{data}, row 42 (line 43)", "not on the 5min grid"),
    ),
}


@pytest.mark.parametrize("kind", ["synthetic", "csv", "parquet"])
def test_what_is_broken_below_is_sound_before(
    kind: str, case_of: Callable[[str], Case], invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    assert invoke(case_of(kind).argv("check")) == 0, capsys.readouterr().err


@pytest.mark.parametrize("what", TABLE)
def test_bad_input_ends_with_2_and_one_message(
    what: str, case_of: Callable[[str], Case], invoke: Invoke, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, breaks, says = TABLE[what]
    case = case_of(kind)
    breaks(case)
    argv = case.argv()
    before = case.data.read_bytes() if case.data is not None and case.data.exists() else None
    files = {path for path in case.folder.rglob("*") if path.is_file()}

    assert invoke(argv) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("farm: ")
    assert told.err.count("\n") == 1, f"more than one line:\n{told.err}"
    assert "Traceback" not in told.err
    for part in says:
        assert expected(part, case) in told.err, f"{expected(part, case)!r} is not said:\n{told.err}"
    assert before is None or case.data.read_bytes() == before
    left = {path for path in case.folder.rglob("*") if path.is_file()} - files
    assert {path.parent.parent for path in left} <= {case.home / "panels"}, f"more than a stored panel is left: {left}"


@pytest.mark.parametrize("what", ["experiment truncated", "times out of order"])
def test_a_process_of_its_own_says_the_same(what: str, case_of: Callable[[str], Case]) -> None:
    kind, breaks, says = TABLE[what]
    case = case_of(kind)
    breaks(case)
    done = subprocess.run(
        [sys.executable, "-m", "farm.cli", *case.argv()], capture_output=True, text=True, check=False, env=os.environ
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("farm: ")
    assert "Traceback" not in done.stderr
    for part in says:
        assert expected(part, case) in done.stderr


def expected(part: str, case: Case) -> str:
    part = re.sub(r"\{line: (.*?)\}", lambda match: str(case.line_of(match[1])), part)
    part = part.replace("{file}", str(case.file))
    return part.replace("{data}", "" if case.data is None else case.data.name)
