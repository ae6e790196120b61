"""Real files with their known defects: what is read must make sense."""

import numpy as np
import pandas as pd
import pytest

from farm.bars import Loaded, ParquetBars, resample
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
    # The calendar has today's hours, to 16:00 in Chicago; in 2011 the future traded to 16:30 after a halt.
    assert report.outside_session == 256


def test_declaring_another_timeframe_is_refused(data_folder):
    with pytest.raises(BadInput, match="most common step is 60 s"):
        read(data_folder, FIL, timeframe="5min")


def test_one_section_reads_both_markets_each_on_its_own_calendar(data_folder):
    source = ParquetBars(path=f"{data_folder}/{{symbol}}.parquet", symbols=(NIFTY, FIL), timeframe="1min", stamp="open")
    kinds = {symbol: source.read(symbol).instrument.calendar.kind for symbol in source.symbols}
    assert kinds == {NIFTY: "exchange", FIL: "always"}
