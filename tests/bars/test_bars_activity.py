"""Volume and dollar bars: full, anchored to the session, never known too early, the same wherever the data start."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from farm.bars import Activity, AlwaysOpen, Bars, ExchangeCalendar, ParquetBars, resample
from farm.bars.segment import place
from farm.bars.timeframe import HOUR, MINUTE
from farm.errors import BadInput

ALWAYS = AlwaysOpen()
CME = ExchangeCalendar(name="CME Globex Equity")
CALENDARS = pytest.mark.parametrize("calendar", [ALWAYS, CME], ids=["always", "cme"])
START = int(pd.Timestamp("2024-03-04 23:00", tz="UTC").as_unit("ns").value)  # the open of a session in Chicago
LENGTH = 2 * 1440


def bars_of(seed: int, holes: list[tuple[int, int]], calendar=ALWAYS) -> Bars:
    """Two days of minutes with random volumes, many of them 0, and holes."""
    rng = np.random.default_rng(seed)
    there = rng.random(LENGTH) < 0.8
    for at, length in holes:
        there[at : at + length] = False
    there[[0, -1]] = True
    open_time = START + np.flatnonzero(there) * MINUTE
    open_time = open_time[calendar.session_of(open_time) >= 0]
    placed = place(open_time, MINUTE, calendar, HOUR)
    close = 100 * np.exp(rng.normal(0, 0.001, len(open_time)).cumsum())
    volume = np.maximum(rng.integers(-20, 60, len(open_time)), 0).astype(float)
    volume[np.flatnonzero(np.diff(placed.session, prepend=-1))] = 1.0
    columns = (close, close * 1.001, close * 0.999, close, volume)
    return Bars("SYN", "1min", open_time, placed.available_at, *columns, placed.session, placed.segment)


def same(one: Bars, other: Bars) -> bool:
    names = [f.name for f in fields(one) if f.name not in ("symbol", "timeframe")]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


cases = {
    "seed": st.integers(0, 2**31),
    "holes": st.lists(st.tuples(st.integers(0, LENGTH), st.integers(1, 300)), max_size=3),
    "kind": st.sampled_from(["volume", "dollar"]),
    "lots": st.sampled_from([1, 50, 700, 5_000]),
}


def activity(kind: str, lots: int) -> Activity:
    return Activity(kind=kind, size=lots * (1 if kind == "volume" else 100 * 50))


@CALENDARS
@given(**cases)
def test_every_bar_is_full_but_the_last_of_a_session_and_not_longer_than_needed(calendar, seed, holes, kind, lots):
    base, spec = bars_of(seed, holes, calendar), activity(kind, lots)
    made = spec.make(base, calendar, 50.0)
    traded = base.volume * (1 if kind == "volume" else base.close * 50.0)
    for number in range(len(made)):
        inside = (base.open_time >= made.open_time[number]) & (base.available_at <= made.available_at[number])
        amount = traded[inside]
        last_of_session = number + 1 == len(made) or made.session[number + 1] != made.session[number]
        assert amount.sum() >= spec.size * (1 - 1e-12) or last_of_session
        assert amount[:-1].sum() < spec.size
        assert made.volume[number] == pytest.approx(base.volume[inside].sum())
        assert made.high[number] == base.high[inside].max()
        assert made.low[number] == base.low[inside].min()
        assert (made.open[number], made.close[number]) == (base.open[inside][0], base.close[inside][-1])
        assert set(base.session[inside]) == {made.session[number]}
        assert set(base.segment[inside]) == {made.segment[number]}
    assert (made.open_time[1:] >= made.available_at[:-1]).all()


@CALENDARS
@given(**cases, cut=st.integers(0, LENGTH))
def test_what_is_known_at_a_time_does_not_change_with_what_comes_later(calendar, seed, holes, kind, lots, cut):
    base, spec = bars_of(seed, holes, calendar), activity(kind, lots)
    until = START + cut * MINUTE
    known = base.between(0, int(np.searchsorted(base.available_at, until, side="right")))
    whole = spec.make(base, calendar, 50.0)
    readable = whole.between(0, int(np.searchsorted(whole.available_at, until, side="right")))
    then = spec.make(known, calendar, 50.0, known_until=until)
    assert same(then.between(0, len(readable)), readable)
    # What the clock alone closes at the end of the data, the whole emits only where its data reach as far.
    assert (then.available_at[len(readable) :] > base.available_at[-1]).all()


@CALENDARS
@given(**cases, first=st.integers(0, LENGTH))
@example(
    seed=192, holes=[(0, 211)], kind="volume", lots=1, first=1018
)  # starts where a session's last bar has no volume
def test_bars_do_not_depend_on_where_the_file_starts(calendar, seed, holes, kind, lots, first):
    base, spec = bars_of(seed, holes, calendar), activity(kind, lots)
    later = base.between(min(first, len(base)), len(base))
    whole, part = spec.make(base, calendar, 50.0), spec.make(later, calendar, 50.0)
    assert same(part, whole.between(len(whole) - len(part), len(whole)))


def test_what_a_hole_cuts_off_is_left_out_and_counting_starts_afresh():
    base = bars_of(1, [(600, 120)])
    base = replace(base, volume=np.ones(len(base)))
    made = Activity(kind="volume", size=100).make(base, ALWAYS)
    after = base.open_time[np.flatnonzero(np.diff(base.segment))[0] + 1]
    assert after in made.open_time
    assert made.volume.min() > 0
    assert len(set(made.volume[made.open_time < after])) <= 2  # full ones, and the rest of the first UTC day


def test_sessions_without_volume_are_refused():
    base = bars_of(2, [])
    middle = np.unique(base.session)[1]
    silent = replace(base, volume=np.where(base.session == middle, 0.0, base.volume))
    with pytest.raises(BadInput, match=r"SYN: dollar bars need volume, and 1 of 3 sessions, the first on 2024-03-05"):
        Activity(kind="dollar", size=1000).make(silent, ALWAYS)


@pytest.mark.parametrize("at", [0, -1])
def test_a_session_that_the_data_hold_a_part_of_may_have_traded_at_another_time(at):
    base = bars_of(2, [])
    part = np.unique(base.session)[at]
    silent = replace(base, volume=np.where(base.session == part, 0.0, base.volume))
    made = Activity(kind="volume", size=100).make(silent, ALWAYS)
    assert part not in set(made.session)
    assert len(made)


def test_bars_by_activity_are_decided_on_as_they_are_and_make_no_clock_bars():
    made = Activity(kind="volume", size=100).make(bars_of(3, []), ALWAYS)
    assert same(resample(made, "1min", ALWAYS), made)
    with pytest.raises(BadInput, match="do not end with bins of 5min"):
        resample(made, "5min", ALWAYS)


def test_a_file_becomes_dollar_bars_and_another_fingerprint(data_folder):
    symbol = "ES_emini_future_1m_cme_201101_a"
    given = {"path": f"{data_folder}/{{symbol}}.parquet", "symbols": (symbol,), "timeframe": "1min", "stamp": "open"}
    by_time = ParquetBars(**given).read(symbol)
    size = 2e9
    loaded = ParquetBars(**given, activity={"kind": "dollar", "size": size}).read(symbol)
    money = by_time.bars.volume * by_time.bars.close * 50
    assert 0.9 * money.sum() / size < len(loaded.bars) <= money.sum() / size + loaded.report.sessions
    assert loaded.report.bars == len(by_time.bars)
    assert loaded.report.fingerprint != by_time.report.fingerprint
    spread = np.log(loaded.bars.close[1:] / loaded.bars.open[1:])
    clock = resample(by_time.bars, "30min", by_time.instrument.calendar)
    kurtosis = [float(pd.Series(each).kurt()) for each in (spread, np.log(clock.close / clock.open))]
    assert kurtosis[0] < kurtosis[1]  # what they are made for: returns nearer to the normal


def test_a_size_beyond_every_session_gives_the_sessions(data_folder):
    symbol = "ES_emini_future_1m_cme_201101_a"
    given = {"path": f"{data_folder}/{{symbol}}.parquet", "symbols": (symbol,), "timeframe": "1min", "stamp": "open"}
    loaded = ParquetBars(**given, activity={"kind": "volume", "size": 1e12}).read(symbol)
    assert len(loaded.bars) == loaded.report.sessions == 12
    whole = resample(ParquetBars(**given).read(symbol).bars, "1d", loaded.instrument.calendar)
    np.testing.assert_array_equal(loaded.bars.volume, whole.volume)
    np.testing.assert_array_equal(loaded.bars.available_at, whole.available_at)


def test_a_file_with_not_one_bar_says_so(tmp_path, table):
    table.to_parquet(tmp_path / "SYN.parquet")
    given = {"path": str(tmp_path / "{symbol}.parquet"), "symbols": ("SYN",), "timeframe": "1min", "stamp": "open"}
    with pytest.raises(BadInput, match=r"SYN\.parquet: holds not one volume bar of 1e\+09; choose a smaller size"):
        ParquetBars(**given, activity={"kind": "volume", "size": 1e9}).read("SYN")


def test_a_planted_early_stamp_is_seen_by_the_law():
    base, spec = bars_of(4, []), Activity(kind="volume", size=200)
    whole = spec.make(base, ALWAYS)
    hasty = replace(whole, available_at=whole.available_at - MINUTE)
    until = int(hasty.available_at[5])
    known = spec.make(base.between(0, int(np.searchsorted(base.available_at, until, side="right"))), ALWAYS)
    readable = [bars.between(0, int(np.searchsorted(bars.available_at, until, "right"))) for bars in (whole, hasty)]
    assert same(known, readable[0])
    assert not same(known, readable[1])
