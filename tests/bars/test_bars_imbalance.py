"""Imbalance bars: decided by the past alone, never shorter or longer than declared, and refused without volume."""

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, Bars, ExchangeCalendar, ParquetBars
from farm.bars.imbalance import Imbalance, signs
from farm.bars.segment import place
from farm.bars.timeframe import HOUR, MINUTE, SECOND
from farm.errors import BadInput

ALWAYS = AlwaysOpen()
CME = ExchangeCalendar(name="CME Globex Equity")
CALENDARS = pytest.mark.parametrize("calendar", [ALWAYS, CME], ids=["always", "cme"])
START = int(pd.Timestamp("2024-03-04 23:00", tz="UTC").as_unit("ns").value)
LENGTH = 2 * 1440


def bars_of(seed: int, holes: list[tuple[int, int]], calendar=ALWAYS, drift: float = 0.0) -> Bars:
    rng = np.random.default_rng(seed)
    there = rng.random(LENGTH) < 0.9
    for at, length in holes:
        there[at : at + length] = False
    there[[0, -1]] = True
    open_time = START + np.flatnonzero(there) * MINUTE
    open_time = open_time[calendar.session_of(open_time) >= 0]
    placed = place(open_time, MINUTE, calendar, HOUR)
    close = np.round(100 + rng.normal(drift, 0.02, len(open_time)).cumsum(), 2)
    volume = rng.integers(0, 60, len(open_time)).astype(float)
    volume[np.flatnonzero(np.diff(placed.session, prepend=-1))] = 1.0
    columns = (close, close + 0.01, close - 0.01, close, volume)
    return Bars("SYN", "1min", open_time, placed.available_at, *columns, placed.session, placed.segment)


def same(one: Bars, other: Bars) -> bool:
    names = [f.name for f in fields(one) if f.name not in ("symbol", "timeframe")]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


cases = {
    "seed": st.integers(0, 2**31),
    "holes": st.lists(st.tuples(st.integers(0, LENGTH), st.integers(1, 300)), max_size=3),
    "kind": st.sampled_from(["volume_imbalance", "dollar_imbalance"]),
    "expected": st.sampled_from([5, 30, 120]),
}


@CALENDARS
@given(**cases, cut=st.integers(1, LENGTH))
def test_bars_known_at_a_time_are_the_same_to_the_bit_whatever_comes_later(calendar, seed, holes, kind, expected, cut):
    base, spec = bars_of(seed, holes, calendar), Imbalance(kind=kind, expected=expected)
    until = START + cut * MINUTE
    known = base.between(0, int(np.searchsorted(base.available_at, until, side="right")))
    whole = spec.make(base, calendar, 50.0)
    readable = whole.between(0, int(np.searchsorted(whole.available_at, until, side="right")))
    then = spec.make(known, calendar, 50.0, known_until=until)
    assert same(then.between(0, len(readable)), readable)
    assert (then.available_at[len(readable) :] > base.available_at[-1]).all()


@CALENDARS
@given(**cases, drift=st.sampled_from([0.0, 0.05, -0.05]))
def test_no_bar_is_shorter_or_longer_than_declared_but_the_last_of_a_session(
    calendar, seed, holes, kind, expected, drift
):
    base, spec = bars_of(seed, holes, calendar, drift), Imbalance(kind=kind, expected=expected)
    made = spec.make(base, calendar)
    for number in range(len(made)):
        inside = (base.open_time >= made.open_time[number]) & (base.available_at <= made.available_at[number])
        last = number + 1 == len(made) or made.session[number + 1] != made.session[number]
        assert inside.sum() <= expected * spec.spread + 1e-9
        assert inside.sum() * spec.spread >= expected or last
        assert len(set(base.session[inside])) == len(set(base.segment[inside])) == 1
        assert made.volume[number] == base.volume[inside].sum()
    assert (made.open_time[1:] >= made.available_at[:-1]).all()


def test_after_a_hole_nothing_of_before_is_remembered():
    base = bars_of(3, [(600, 200)])
    after = base.between(int(np.flatnonzero(np.diff(base.segment))[0]) + 1, len(base))
    other = bars_of(99, [(600, 200)])
    before = other.between(0, int(np.flatnonzero(np.diff(other.segment))[0]) + 1)
    names = [f.name for f in fields(Bars) if f.name not in ("symbol", "timeframe")]
    joined = replace(base, **{name: np.concatenate([getattr(before, name), getattr(after, name)]) for name in names})
    spec = Imbalance(kind="volume_imbalance", expected=20)
    one, two = (spec.make(each, ALWAYS) for each in (base, joined))
    later = [each.between(int(np.searchsorted(each.segment, 1)), len(each)) for each in (one, two)]
    assert len(later[0]) > 10
    assert same(*later)


def test_one_sided_trading_closes_bars_sooner_than_trading_to_and_fro():
    n, half = 4000, 2000
    step = 20 * SECOND
    at, zero = np.arange(n) * step, np.zeros(n, dtype=np.int64)
    price = 100 + 0.01 * (np.arange(n) % 2)
    price[half:] += 0.02 * np.arange(n - half)
    bars = Bars("SYN", "20s", at, at + step, price, price, price, price, np.full(n, 10.0), zero, zero)
    made = Imbalance(kind="volume_imbalance", expected=50, span_base=2000).make(bars, ALWAYS)
    length = np.diff(made.open_time)
    early = made.open_time[:-1] < at[half]
    assert length[~early].mean() < length[early].mean()


def test_the_tick_rule_keeps_its_sign_where_the_price_stands_still():
    price = np.array([10.0, 11, 11, 10, 10, 12])
    opened = np.array([10.0, 10, 11, 11, 10, 12.5])
    at, zero = np.arange(6) * MINUTE, np.zeros(6, dtype=np.int64)
    bars = Bars("SYN", "1min", at, at + MINUTE, opened, price, price, price, price, zero, zero)
    fresh = np.array([True, False, False, False, False, True])
    assert signs(bars, fresh).tolist() == [0, 1, 1, -1, -1, -1]  # the last one against its own open


def test_sessions_without_volume_are_refused():
    base = bars_of(2, [])
    silent = replace(base, volume=np.where(base.session == np.unique(base.session)[1], 0.0, base.volume))
    with pytest.raises(BadInput, match=r"SYN: dollar bars need volume, and 1 of 3 sessions, the first on 2024-03-05"):
        Imbalance(kind="dollar_imbalance", expected=50).make(silent, ALWAYS)


def test_a_memory_shorter_than_a_bar_is_refused():
    with pytest.raises(ValueError, match="span_base 20 is shorter than one bar of 50 base bars"):
        Imbalance(kind="volume_imbalance", expected=50, span_base=20)


def test_a_file_becomes_imbalance_bars(data_folder):
    symbol = "ES_emini_future_1m_cme_201101_a"
    given = {"path": f"{data_folder}/{{symbol}}.parquet", "symbols": (symbol,), "timeframe": "1min", "stamp": "open"}
    activity = {"kind": "dollar_imbalance", "expected": 30}
    loaded = ParquetBars(**given, activity=activity).read(symbol)
    assert loaded.report.bars / (30 * 5) < len(loaded.bars) < loaded.report.bars / (30 / 5)
    assert loaded.bars.volume.sum() <= ParquetBars(**given).read(symbol).bars.volume.sum()
