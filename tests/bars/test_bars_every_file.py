"""Every file of real bars is held against its declaration: accepted, or refused for what is wrong with it."""

from pathlib import Path

import pytest

from farm.run.catalogue import Found, check_folder, data_files, read_catalogue

CATALOGUE = Path(__file__).parents[2] / "experiments" / "catalogues" / "real.yaml"


@pytest.fixture(scope="module")
def found(data_folder) -> list[Found]:
    return list(check_folder(data_folder, read_catalogue(CATALOGUE)))


def accepted(found: list[Found], file: str) -> Found:
    return next(each for each in found if each.file == file and each.status == "accepted")


def refused(found: list[Found], file: str) -> str:
    return " | ".join(each.reason for each in found if each.file == file and each.status == "refused as declared")


def test_no_file_is_left_out_and_all_are_in_order(found, data_folder):
    assert {each.file for each in found} == set(data_files(data_folder))
    assert {each.status for each in found} == {"accepted", "refused as declared"}
    assert len(data_files(data_folder)) == 45  # 44 of the manifest, and the dirty one


def test_what_the_manifest_calls_wrong_is_refused_and_named(found):
    assert "prices must be above 0" in refused(found, "multi/LINKUSDT_m30.parquet")
    assert "{date: 2020-08-31, ratio: 4}" in refused(found, "multi/AAPLUSUSD_m15.parquet")
    assert "{date: 2020-08-31, ratio: 5}" in refused(found, "multi/TSLAUSUSD_m15.parquet")
    assert "a day without trades" in refused(found, "daily/VX_futures_contracts_daily_long.parquet")
    assert "shifted by one" in refused(found, "dirty/ZICOM_raw_with_robots_rows.csv.gz")
    assert "`prices: adjusted`" in refused(found, "daily/stocknet_us_daily_long.parquet")


def test_the_hour_between_two_files_of_the_euro_is_found_and_a_third_says_whose_it_is(found):
    minutes, hours = "EURUSD_fx_1m_histdata_201701_201704.parquet", "backtesting_py/EURUSD_1h.parquet"
    assert f"1 h earlier than those of {minutes.removesuffix('.parquet')}" in refused(found, hours)
    assert "1 h later than those of multi/EURUSD_h4 from 2017-03-12" in refused(found, minutes)
    assert accepted(found, hours).loaded[0].report.outside_session == 2
    assert not any(each.file == minutes and each.status == "accepted" for each in found)


def test_every_symbol_of_the_long_file_is_read(found):
    loaded = accepted(found, "daily/stocknet_us_daily_long.parquet").loaded
    assert len(loaded) == 44
    assert sum(each.report.rows for each in loaded) == 53_240


def test_bars_without_a_length_are_read(found):
    months = accepted(found, "backtesting_py/BTCUSD_1mo.parquet").loaded[0]
    assert (months.report.bars, months.report.segments) == (156, 1)
    dollars = accepted(found, "ES_emini_dollar_bars_2015.parquet").loaded[0]
    assert (dollars.report.bars, dollars.report.outside_session, dollars.report.segments) == (11_387, 0, 1)
    assert (dollars.bars.open_time < dollars.bars.available_at).all()
    assert (dollars.bars.open_time[1:] >= dollars.bars.available_at[:-1]).all()


def test_lost_months_are_holes_and_nights_are_not(found):
    perpetual = accepted(found, "FILUSDT_perp_1m_binance.parquet").loaded[0].report
    assert (len(perpetual.holes), perpetual.closures) == (13, 0)
    index = accepted(found, "NIFTY50_index_1m_nse_2012_2021.parquet").loaded[0].report
    assert (len(index.holes), index.closures) == (4, 1_965)
