"""Two files of one instrument: a clock that is off is found, with its hours and its weeks."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, Bars, FxWeek, resample
from farm.bars.compare import compare, stop_where_they_disagree
from farm.bars.segment import place
from farm.bars.timeframe import DAY, HOUR, MINUTE
from farm.errors import BadInput

FX = FxWeek()
START = pd.Timestamp("2024-02-04", tz="UTC").as_unit("ns").value  # a Sunday
WEEKS = 4


def half_hours(seed: int = 0) -> Bars:
    """Four weeks of half-hour bars of a currency, around the clock but for weekends."""
    open_time = START + np.arange(WEEKS * 7 * 48) * 30 * MINUTE
    open_time = open_time[FX.session_of(open_time) >= 0]
    placed = place(open_time, 30 * MINUTE, FX, HOUR)
    close = np.exp(np.random.default_rng(seed).normal(0, 0.001, len(open_time)).cumsum())
    columns = (close, close, close, close, np.ones(len(close)))
    return Bars("MIN", "30min", open_time, placed.available_at, *columns, placed.session, placed.segment)


def hourly(bars: Bars, timeframe: str = "1h") -> Bars:
    """The same prices in longer bars on the grid of UTC, by another vendor."""
    whole_day = replace(bars, session=bars.open_time // DAY)
    return replace(resample(whole_day, timeframe, AlwaysOpen()), symbol="HOUR")


def later(bars: Bars, lag: int, since: int = 0) -> Bars:
    moved = np.where(bars.open_time >= since, lag, 0)
    return replace(bars, open_time=bars.open_time + moved, available_at=bars.available_at + moved)


@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_the_same_prices_agree_whatever_their_timeframe(timeframe):
    found = compare(half_hours(), hourly(half_hours(), timeframe))
    assert found.shifts == ()
    assert found.correlation == pytest.approx(1, abs=1e-9)
    assert found.ratio == pytest.approx(1, abs=1e-9)
    stop_where_they_disagree("X.csv", found, "HOUR")


@given(lag=st.integers(-24, 24).filter(bool), seed=st.integers(0, 2**31))
def test_a_clock_that_is_off_is_found_with_its_sign(lag, seed):
    bars = half_hours(seed)
    found = compare(later(bars, lag * 30 * MINUTE), hourly(bars))
    assert {shift.lag for shift in found.shifts} == {lag * 30 * MINUTE}
    assert sum(shift.end - shift.start for shift in found.shifts) >= (WEEKS - 1) * 7 * DAY
    back = compare(hourly(bars), later(bars, lag * 30 * MINUTE))
    assert {shift.lag for shift in back.shifts} == {-lag * 30 * MINUTE}


def test_a_forgotten_change_to_summer_time_is_named_from_its_week_on():
    bars = half_hours()
    since = START + 2 * 7 * DAY
    found = compare(later(bars, HOUR, since), hourly(bars, "4h"))
    assert [(shift.start, shift.lag) for shift in found.shifts] == [(since, HOUR)]
    with pytest.raises(
        BadInput, match=r"X\.csv: its times are 1 h later than those of HOUR from 2024-02-18 to 2024-03-0"
    ):
        stop_where_they_disagree("X.csv", found, "HOUR")


@given(noise=st.floats(0.0, 0.0004), seed=st.integers(0, 2**31))
def test_another_vendors_prices_are_no_shift(noise, seed):
    bars = half_hours(seed)
    other = hourly(bars)
    rough = other.close * np.exp(np.random.default_rng(seed + 1).normal(0, noise, len(other)))
    assert compare(bars, replace(other, close=rough)).shifts == ()


def test_another_instrument_is_told_from_a_late_one():
    found = compare(half_hours(0), hourly(half_hours(1)))
    with pytest.raises(BadInput, match=r"its returns correlate with those of HOUR by -?0\.\d\d at best"):
        stop_where_they_disagree("X.csv", found, "HOUR")


def test_files_of_other_years_cannot_be_compared():
    bars = half_hours()
    with pytest.raises(BadInput, match="MIN and HOUR have 0 returns in common, at least 20 are needed"):
        compare(bars, later(hourly(bars), 365 * DAY))
