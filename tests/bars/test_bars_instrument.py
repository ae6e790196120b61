"""Money per tick and per fill, and which instrument a symbol gets."""

import numpy as np
import pytest

from farm.bars import Instrument, instrument_for
from farm.bars.instrument import instruments_folder, read_instrument
from farm.errors import BadInput

MINE = """
name: mine
symbols: [ABC*]
asset: fx
currency: EUR
calendar: {kind: always}
tick_size: 0.5
point_value: 10
lot: 1
commission: {kind: COMMISSION, value: 2}
slippage: {kind: ticks, value: 3}
source: made up for a test
"""


def mine(folder, text=MINE) -> Instrument:
    path = folder / "mine.yaml"
    path.write_text(text.replace("COMMISSION", "per_contract"))
    return read_instrument(path)


def test_every_instrument_that_comes_with_farm_is_sound_and_names_its_source():
    paths = sorted(instruments_folder().glob("*.yaml"))
    assert len(paths) >= 5
    for path in paths:
        instrument = read_instrument(path)
        assert instrument.name == path.stem
        assert len(instrument.source) > 20


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("NIFTY50_index_1m_nse_2012_2021", "nse_index"),
        ("FILUSDT_perp_1m_binance", "binance_perp"),
        ("folder/FILUSDT_perp_1m_binance", "binance_perp"),
        ("SYN_A", "synthetic"),
        ("MES", "cme_equity_micro"),
        ("ES", "cme_equity_emini"),
        ("ES_emini_future_1m_cme_201101_a", "cme_equity_emini"),
        ("MGC", "comex_gold_micro"),
        ("GC", "comex_gold"),
        ("SI", "comex_silver"),
        ("NQ", "cme_nasdaq_emini"),
        ("MNQ", "cme_nasdaq_micro"),
        ("RTY", "cme_russell_emini"),
        ("M2K", "cme_russell_micro"),
        ("CL", "nymex_crude"),
        ("MCL", "nymex_crude_micro"),
        ("SPY_1m_ninjatrader_2011", "us_etf"),
        ("multi/AAPLUSUSD_m15", "us_equity"),
        ("EURUSD_fx_1m_histdata_201701_201704", "fx_usd"),
        ("EURUSD", "fx_usd"),
        ("multi/EURUSD_h4", "fx_usd_utc4h"),
        ("USDJPY", "fx_jpy"),
        ("EURGBP", "fx_gbp"),
        ("XAUUSD", "metal_spot"),
        ("multi/BTCUSD_m30", "crypto_usd"),
        ("multi/LINKUSDT_m30", "crypto_usdt"),
        ("BTCUSDT", "crypto_usdt"),
    ],
)
def test_a_symbol_gets_the_instrument_whose_pattern_fits(symbol, name):
    assert instrument_for(symbol, None).name == name


@pytest.mark.parametrize(
    ("symbol", "money", "currency"),
    [
        ("MES", 1.25, "USD"),
        ("ES", 12.5, "USD"),
        ("MNQ", 0.5, "USD"),
        ("NQ", 5.0, "USD"),
        ("M2K", 0.5, "USD"),
        ("RTY", 5.0, "USD"),
        ("MGC", 1.0, "USD"),
        ("GC", 10.0, "USD"),
        ("SI", 25.0, "USD"),
        ("MCL", 1.0, "USD"),
        ("CL", 10.0, "USD"),
        ("SPY", 0.01, "USD"),
        ("USDJPY", 0.001, "JPY"),
    ],
)
def test_a_tick_is_worth_what_the_exchange_says(symbol, money, currency):
    instrument = instrument_for(symbol, None)
    assert instrument.tick_size * instrument.point_value == pytest.approx(money, rel=1e-12)
    assert instrument.currency == currency


def test_no_symbol_fits_two_of_the_instruments_that_come_with_farm():
    for path in sorted(instruments_folder().glob("*.yaml")):
        for pattern in read_instrument(path).symbols:
            symbol = pattern.replace("*", "").replace("?", "4")
            assert instrument_for(symbol, None).name == path.stem


@pytest.mark.parametrize(
    ("symbol", "price", "money"),
    [
        ("ES", 4000.0, 2 * (2.1 + 0.25 * 12.5)),  # two contracts: commission and a quarter of a tick each
        ("MES", 4000.0, 2 * (0.25 + 1.0) * 1.25),  # volatility not told: high
        ("MGC", 1900.0, 2 * (0.15 + 1.5) * 1.0),
        ("SPY", 500.0, 2 * 500 * 0.8e-4),
        ("AAPL", 200.0, 2 * 200 * 1.8e-4),
        ("EURUSD", 1.1, 2 * 1.1 * 0.5e-4),
        ("USDJPY", 150.0, 2 * 150 * 0.5e-4),
        ("BTCUSD", 60_000.0, 2 * 60_000 * 11e-4),
        ("LTCUSDT", 80.0, 2 * 80 * 12e-4),
    ],
)
def test_two_contracts_cost_what_the_file_says(symbol, price, money):
    found = instrument_for(symbol, None).fill_cost(np.array([price]), np.array([-2.0]))
    np.testing.assert_allclose(found, [money], rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "money"), [("per_contract", 2 * 2), ("ticks", 2 * 0.5 * 10 * 2), ("bps", 2e-4 * 100 * 10 * 2)]
)
def test_costs_are_in_money_and_the_side_does_not_matter(tmp_path, kind, money):
    instrument = mine(tmp_path, MINE.replace("COMMISSION", kind))
    slippage = 3 * 0.5 * 10 * 2
    for quantity in (2.0, -2.0):
        found = instrument.fill_cost(np.array([100.0]), np.array([quantity]))
        np.testing.assert_allclose(found, [money + slippage], rtol=1e-15)


@pytest.mark.parametrize(
    ("symbol", "calm", "wild"),
    [
        ("MES", 1.875, 3.125),  # .5 ticks of commission and 2 * .5 or 2 * 1 of slippage, at 1.25 USD
        ("MGC", 1.80, 3.30),  # .3 and 2 * .75 or 2 * 1.5, at 1 USD
        ("MNQ", 1.74, 2.24),  # 2 * .62 USD and 2 * .5 or 2 * 1 ticks of .5 USD
        ("CL", 14.60, 24.60),  # 2 * 2.3 USD and 2 * .5 or 2 * 1 ticks of 10 USD
    ],
)
def test_a_round_trip_costs_more_when_volatility_is_high(symbol, calm, wild):
    price = np.array([100.0, 100.0])
    fill = instrument_for(symbol, None).fill_cost(price, np.array([1.0, -1.0]), np.array([False, True]))
    np.testing.assert_allclose(2 * fill, [calm, wild], rtol=1e-12)


def test_slippage_by_volatility_may_mix_kinds_of_cost(tmp_path):
    by_volatility = "{kind: by_volatility, low: {kind: bps, value: 1}, high: {kind: ticks, value: 2}}"
    instrument = mine(tmp_path, MINE.replace("{kind: ticks, value: 3}", by_volatility))
    fill = instrument.fill_cost(np.array([100.0, 100.0]), np.array([3.0, 3.0]), np.array([False, True]))
    np.testing.assert_allclose(fill, [3 * (2 + 1e-4 * 100 * 10), 3 * (2 + 2 * 0.5 * 10)], rtol=1e-15)
    with pytest.raises(BadInput, match=r"mine\.yaml: slippage: by_volatility: high: Field required"):
        mine(tmp_path, MINE.replace("{kind: ticks, value: 3}", "{kind: by_volatility, low: {kind: bps, value: 1}}"))


def test_choosing_by_name_or_by_file_wins_over_patterns(tmp_path):
    assert instrument_for("SYN", {"SYN": "nse_equity"}).name == "nse_equity"
    mine(tmp_path)
    assert instrument_for("SYN", {"SYN": str(tmp_path / "mine.yaml")}).name == "mine"


def test_a_symbol_without_an_instrument_is_told_which_there_are():
    with pytest.raises(BadInput, match=r"symbol GOLD fits no instrument.*binance_perp.*nse_index.*instruments: \{GOLD"):
        instrument_for("GOLD", None)
    with pytest.raises(BadInput, match=r"'gold' of symbol GOLD: no file .*; there are binance_perp"):
        instrument_for("GOLD", {"GOLD": "gold"})


def test_a_symbol_that_fits_two_instruments_asks_for_a_choice(tmp_path):
    mine(tmp_path)
    (tmp_path / "other.yaml").write_text(MINE.replace("ABC*", "A?C"))
    with pytest.raises(BadInput, match="symbol ABC fits mine and other"):
        instrument_for("ABC", None, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("tick_size: 0.5", "tick_size: 0", "tick_size: Input should be greater than 0"),
        ("lot: 1", "lots: 1", "lots"),
        ("kind: always", "kind: sometimes", "calendar"),
        ("currency: EUR", "currency: euro", "currency"),
        ("asset: fx", "asset: [fx", "not a YAML file"),
        (MINE, "- a list", "a mapping of keys to values, found list"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(tmp_path, old, new, says):
    with pytest.raises(BadInput, match=r"mine\.yaml") as stopped:
        mine(tmp_path, MINE.replace(old, new))
    assert says in str(stopped.value)
