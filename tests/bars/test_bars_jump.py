"""Prices that cannot follow one another: unadjusted splits, foreign stretches, and what holes excuse."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import Bars, CsvBars, Loaded
from farm.bars.jump import Split, jumps
from farm.bars.timeframe import DAY, HOUR
from farm.errors import BadInput

DAYS = 40


def hourly(seed: int = 3, volatility: float = 0.02) -> pd.DataFrame:
    """Forty days of hourly bars of a coin, each opening where the last one closed."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(rng.normal(0, volatility / np.sqrt(24), 24 * DAYS).cumsum())
    open_ = np.concatenate(([100.0], close[:-1]))
    time = pd.date_range("2024-03-01", periods=len(close), freq="1h", tz="UTC")
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    return pd.DataFrame(
        {"timestamp": time, "open": open_, "high": high, "low": low, "close": close, "volume": np.full(len(close), 8.0)}
    )


def scaled(table: pd.DataFrame, start: int, stop: int, factor: float) -> pd.DataFrame:
    table = table.copy()
    table.loc[start : stop - 1, ["open", "high", "low", "close"]] *= factor
    return table


def read(folder: Path, table: pd.DataFrame, **given) -> Loaded:
    table.to_csv(folder / "SYN.csv", index=False)
    settings = {"path": str(folder / "{symbol}.csv"), "symbols": ("SYN",), "timeframe": "1h", "stamp": "open"}
    return CsvBars(**(settings | given)).read("SYN")


@pytest.mark.parametrize(("factor", "ratio"), [(1 / 4, "4"), (1 / 2, "2"), (2 / 3, "1.5"), (10, "0.1")])
def test_an_unadjusted_split_stops_with_the_line_that_would_declare_it(tmp_path, factor, ratio):
    table = scaled(hourly(), 480, len(hourly()), factor)
    with pytest.raises(BadInput, match=r"SYN\.csv, row 481 \(line 482\): opens at") as stopped:
        read(tmp_path, table)
    message = str(stopped.value)
    assert f"`adjustments: {{SYN: [{{date: 2024-03-21, ratio: {ratio}}}]}}`" in message
    assert "`jumps: accept`" in message


def test_declared_splits_put_every_price_in_todays_shares(tmp_path):
    table = scaled(scaled(hourly(), 480, 960, 1 / 4), 720, 960, 1 / 3)
    splits = ({"date": "2024-03-21", "ratio": 4}, {"date": "2024-03-31", "ratio": 3})
    loaded = read(tmp_path, table, adjustments={"SYN": splits})
    np.testing.assert_allclose(loaded.bars.close, hourly().close / 12, rtol=1e-12)
    np.testing.assert_allclose(loaded.bars.volume, np.repeat([96.0, 24.0, 8.0], [480, 240, 240]), rtol=1e-12)
    assert (loaded.report.adjusted, loaded.report.jumps) == (720, ())
    assert loaded.report.fingerprint != read(tmp_path, table, jumps="accept").report.fingerprint


def test_a_split_declared_for_the_wrong_day_does_not_help(tmp_path):
    table = scaled(hourly(), 480, 960, 1 / 4)
    with pytest.raises(BadInput, match="2 of the file's moves are larger"):
        read(tmp_path, table, adjustments={"SYN": ({"date": "2024-03-23", "ratio": 4},)})


def test_a_stretch_of_another_instrument_is_named_from_its_first_row_to_its_last(tmp_path):
    with pytest.raises(BadInput, match="rows 301 to 350 look like prices of another instrument") as stopped:
        read(tmp_path, scaled(hourly(), 300, 350, 7.3))
    assert "row 301" in str(stopped.value)


@pytest.mark.parametrize("factor", [1.12, 0.88])
def test_a_stretch_at_a_near_price_is_named_where_minutes_touch(tmp_path, factor):
    minutes = hourly(volatility=0.005).assign(timestamp=pd.date_range("2024-03-01", periods=960, freq="1min", tz="UTC"))
    given = {"timeframe": "1min"}
    assert read(tmp_path, minutes, **given).report.jumps == ()
    with pytest.raises(BadInput, match="rows 301 to 350 look like prices of another instrument"):
        read(tmp_path, scaled(minutes, 300, 350, factor), **given)
    assert [
        jump.row for jump in read(tmp_path, scaled(minutes, 300, 350, factor), jumps="accept", **given).report.jumps
    ] == [
        301,
        351,
    ]


def test_a_step_that_is_not_undone_is_the_markets(tmp_path):
    minutes = hourly(volatility=0.005).assign(timestamp=pd.date_range("2024-03-01", periods=960, freq="1min", tz="UTC"))
    assert read(tmp_path, scaled(minutes, 300, 960, 1.12), timeframe="1min").report.jumps == ()


def test_another_level_for_ever_may_be_a_unit(tmp_path):
    with pytest.raises(BadInput, match=r"change of unit look like this; .*ratio: 0\.0\d+"):
        read(tmp_path, scaled(hourly(), 300, 960, 17.3))


def test_accepted_jumps_are_listed(tmp_path):
    report = read(tmp_path, scaled(hourly(), 480, 960, 1 / 4), jumps="accept").report
    assert [jump.row for jump in report.jumps] == [481]
    assert report.jumps[0].move == pytest.approx(np.log(1 / 4))


def test_a_hole_of_months_excuses_another_level_and_a_hole_of_hours_does_not(tmp_path):
    table = scaled(hourly(), 480, 960, 2.5)
    later = table.timestamp + pd.to_timedelta(np.where(table.index >= 480, 240, 0), unit="D")
    assert read(tmp_path, table.assign(timestamp=later)).report.jumps == ()
    soon = table.timestamp + pd.to_timedelta(np.where(table.index >= 480, 5, 0), unit="h")
    with pytest.raises(BadInput, match="row 481"):
        read(tmp_path, table.assign(timestamp=soon))


def test_too_few_days_to_know_the_volatility_say_nothing_about_a_hole(tmp_path):
    table = scaled(hourly(), 48, 96, 50.0).iloc[:96]
    apart = table.timestamp + pd.to_timedelta(np.where(table.index >= 48, 5, 0), unit="D")
    assert read(tmp_path, table.assign(timestamp=apart)).report.jumps == ()
    with pytest.raises(BadInput, match="row 49"):
        read(tmp_path, table)


def test_a_crash_inside_bars_is_the_markets(tmp_path):
    table = hourly()
    table.loc[500, "low"] = table.loc[500, "open"] * 0.2
    table.loc[500:, ["close"]] *= 0.3
    table.loc[501:, ["open", "high", "low"]] *= 0.3
    table.loc[500, "low"] = min(table.low[500], table.close[500])
    assert read(tmp_path, table).report.jumps == ()


def test_adjustments_of_a_symbol_that_is_not_read_are_refused():
    with pytest.raises(ValueError, match="adjustments names AAPL"):
        CsvBars(
            path="x",
            symbols=("SYN",),
            timeframe="1h",
            stamp="open",
            adjustments={"AAPL": ({"date": "2020-08-31", "ratio": 4},)},
        )


@given(
    seed=st.integers(0, 2**31),
    at=st.integers(1, 24 * DAYS - 1),
    factor=st.one_of(st.floats(2.2, 50), st.floats(0.02, 0.45)),
)
def test_a_planted_jump_is_found_where_it_is_and_nothing_else(seed, at, factor):
    table = scaled(hourly(seed), at, 24 * DAYS, factor)
    open_time = np.arange(24 * DAYS) * HOUR
    columns = [table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    session = open_time // DAY
    bars = Bars("SYN", "1h", open_time, open_time + HOUR, *columns, session, np.zeros_like(session))
    assert [jump.row for jump in jumps(bars, np.arange(len(bars)))] == [at]


@given(ratio=st.floats(0.01, 100), at=st.integers(0, DAYS))
def test_a_split_changes_no_money_and_no_return_inside_its_sides(ratio, at):
    open_time = np.arange(DAYS) * DAY
    price = np.linspace(50, 150, DAYS)
    volume, zero = np.linspace(1, 9, DAYS), np.zeros(DAYS, dtype=np.int64)
    bars = Bars("SYN", "1d", open_time, open_time + DAY, price, price, price, price, volume, open_time // DAY, zero)
    day = str(np.datetime64(at, "D"))
    split = Split(date=day, ratio=ratio).apply(bars)
    np.testing.assert_allclose(split.close * split.volume, price * volume, rtol=1e-12)
    np.testing.assert_array_equal(split.close[at:], price[at:])
    np.testing.assert_allclose(split.close[:at] * ratio, price[:at], rtol=1e-12)
