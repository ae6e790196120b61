"""Real files with their known defects: what is read must make sense."""

import numpy as np
import pandas as pd
import pytest

from farm.bars import Loaded, ParquetBars, instrument_for, resample
from farm.bars.timeframe import DAY, MINUTE
from farm.errors import BadInput

NIFTY = "NIFTY50_index_1m_nse_2012_2021"
FIL = "FILUSDT_perp_1m_binance"


def read(folder, symbol, **given) -> Loaded:
    settings = {"path": f"{folder}/{{symbol}}.parquet", "symbols": (symbol,), "timeframe": "1min", "stamp": "open"}
    return ParquetBars(**(settings | given)).read(symbol)


@pytest.fixture(scope="module")
def nifty(data_folder) -> Loaded:
    return read(data_folder, NIFTY)


@pytest.fixture(scope="module")
def fil(data_folder) -> Loaded:
    return read(data_folder, FIL)


def test_the_index_keeps_what_was_traded_in_sessions(nifty):
    report = nifty.report
    assert (report.rows, report.bars, report.outside_session, report.sessions) == (741_430, 738_371, 3_059, 1_975)
    counts = np.unique(nifty.bars.session, return_counts=True)[1]
    assert counts.max() == 375
    assert (counts == 375).mean() > 0.98
    assert 0.95 < (counts == 375).sum() / 1_975 < 1


def test_the_index_breaks_where_months_and_an_hour_are_lost(nifty):
    starts = [str(pd.Timestamp(hole.start))[:10] for hole in nifty.report.holes]
    assert starts == ["2012-11-12", "2013-10-14", "2016-08-31", "2018-04-30"]
    assert [hole.trading_time // MINUTE for hole in nifty.report.holes] == [75, 73, 14_250, 8_250]


def test_weekend_sessions_of_the_index_are_there_and_halts_break_nothing(nifty):
    lengths = {"2013-05-11": 90, "2015-02-28": 375, "2019-10-27": 60, "2020-02-01": 375, "2020-11-14": 60}
    found = {date: (nifty.bars.session == pd.Timestamp(date).as_unit("ns").value // DAY).sum() for date in lengths}
    assert all(lengths[date] - 2 <= found[date] <= lengths[date] for date in lengths)
    halted = nifty.bars.session == pd.Timestamp("2020-03-13").as_unit("ns").value // DAY
    assert 300 < halted.sum() < 375
    assert len(set(nifty.bars.segment[halted])) == 1


def test_the_index_makes_75_bars_of_five_minutes_a_session(nifty):
    counts = np.unique(resample(nifty.bars, "5min", nifty.instrument.calendar).session, return_counts=True)[1]
    assert counts.max() == 75
    assert np.median(counts) == 75


def test_the_perpetual_is_whole_but_for_its_lost_months(fil):
    report = fil.report
    assert (report.rows, report.bars, report.outside_session) == (902_880, 902_880, 0)
    assert (report.segments, len(report.holes), report.sessions) == (14, 13, 627)
    assert report.missing_time == sum(hole.trading_time for hole in report.holes)
    assert report.extra_columns == ("trades", "taker_buy_volume")
    assert len(resample(fil.bars, "5min", fil.instrument.calendar)) == 902_880 // 5
    assert len(resample(fil.bars, "1d", fil.instrument.calendar)) == 627


def test_a_real_price_below_zero_is_found(data_folder):
    given = {"timeframe": "30min", "instruments": {"multi/LINKUSDT_m30": "synthetic"}, "max_gap": "4h"}
    with pytest.raises(BadInput, match=r"LINKUSDT_m30\.parquet, row \d+: .*prices must be above 0\. 1 of 78836 rows"):
        read(data_folder, "multi/LINKUSDT_m30", **given)
    report = read(data_folder, "multi/LINKUSDT_m30", on_bad_rows="quarantine", **given).report
    assert (report.rows - report.bars, len(report.quarantined)) == (1, 1)


def test_a_future_that_trades_at_night_lies_in_the_exchanges_sessions(data_folder):
    symbol = "ES_emini_future_1m_cme_201101_a"
    report = read(data_folder, symbol, instruments={symbol: "cme_equity_micro"}).report
    assert (report.rows, report.sessions, report.segments) == (15_946, 12, 1)
    assert report.outside_session == 1  # the closing print of the holiday, at 10:30 in Chicago


def test_the_hours_of_2011_and_2015_leave_nothing_of_the_future_outside(data_folder):
    report = read(data_folder, "ES_emini_future_1m_cme_201101_a").report
    assert report.missing_time // MINUTE < 7 * 60  # the halts are the calendar's, not missing
    bars_of_2015 = pd.read_parquet(data_folder / "ES_emini_dollar_bars_2015.parquet").timestamp
    stamps = pd.DatetimeIndex(bars_of_2015).as_unit("ns").asi8
    outside = instrument_for("ES", None).calendar.session_of(stamps) < 0
    assert outside.sum() <= 3


def test_an_etf_with_pre_and_post_market_lies_in_extended_hours(data_folder):
    report = read(data_folder, "SPY_1m_ninjatrader_2011").report
    assert (report.rows, report.outside_session, report.sessions, report.segments) == (14_180, 0, 20, 1)
    regular = read(data_folder, "SPY_1m_ninjatrader_2011", instruments={"SPY_1m_ninjatrader_2011": "us_equity"})
    assert np.unique(regular.bars.session, return_counts=True)[1].max() == 390


def test_currencies_are_whole_but_for_an_hour_that_summer_time_shifts(data_folder):
    report = read(data_folder, "EURUSD_fx_1m_histdata_201701_201704").report
    # From 12 March on the file is an hour late: its Fridays end at 18:00 in New York, its Sundays begin there.
    assert (report.rows, report.outside_session, report.segments) == (122_100, 416, 1)
    broker = read(data_folder, "multi/EURUSD_h4", timeframe="4h").report
    assert (broker.segments, broker.missing_time) == (1, 0)
    assert broker.outside_session == 73  # Christmas and New Year's days


def test_a_day_of_a_share_is_its_session(data_folder):
    loaded = read(data_folder, "backtesting_py/GOOG_1d", timeframe="1d")
    assert (loaded.report.bars, loaded.report.missing_time, loaded.report.segments) == (2_148, 0, 1)
    hours = loaded.bars.available_at - loaded.bars.open_time
    assert (hours == 390 * MINUTE).mean() > 0.98


@pytest.mark.parametrize(
    ("symbol", "timeframe", "splits"),
    [
        ("multi/AAPLUSUSD_m15", "15min", [("2020-08-31", 4)]),
        ("multi/TSLAUSUSD_m15", "15min", [("2020-08-31", 5), ("2022-08-25", 3)]),
        ("nse_1m/FEDERALBNK_1m", "1min", [("2015-07-03", 2)]),
    ],
)
def test_real_splits_are_named_one_after_the_other_until_all_are_declared(data_folder, symbol, timeframe, splits):
    given = {"timeframe": timeframe, "instruments": {symbol: "nse_equity"} if "nse" in symbol else {}}
    declared = []
    for date, ratio in splits:
        with pytest.raises(BadInput, match=rf"{{date: {date}, ratio: {ratio}}}"):
            read(data_folder, symbol, adjustments={symbol: declared}, **given)
        declared.append({"date": date, "ratio": ratio})
    loaded = read(data_folder, symbol, adjustments={symbol: declared}, **given)
    assert loaded.report.jumps == ()
    assert loaded.report.adjusted > 0


@pytest.mark.parametrize("symbol", ["ALGOUSDT_perp_1m_binance", "DOTUSDT_perp_1m_binance"])
def test_another_level_after_a_hole_of_months_is_no_jump(data_folder, symbol):
    loaded = read(data_folder, symbol)
    assert loaded.report.jumps == ()
    across = np.flatnonzero(np.diff(loaded.bars.segment))
    assert np.abs(np.log(loaded.bars.open[across + 1] / loaded.bars.close[across])).max() > 1


def test_declaring_another_timeframe_is_refused(data_folder):
    with pytest.raises(BadInput, match="most common step is 60 s"):
        read(data_folder, FIL, timeframe="5min")


def test_one_section_reads_both_markets_each_on_its_own_calendar(data_folder):
    source = ParquetBars(path=f"{data_folder}/{{symbol}}.parquet", symbols=(NIFTY, FIL), timeframe="1min", stamp="open")
    kinds = {symbol: source.read(symbol).instrument.calendar.kind for symbol in source.symbols}
    assert kinds == {NIFTY: "exchange", FIL: "always"}
