"""Contracts joined to one series: a roll makes no return, is decided before it, and is listed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars import AlwaysOpen, Bars, ContractBars, Loaded
from farm.bars.continuous import BeforeExpiry, ByVolume, Contract, continuous
from farm.bars.timeframe import DAY
from farm.errors import BadInput

ALWAYS = AlwaysOpen()
FIRST = int(np.datetime64("2024-01-01", "D").astype(int))
EXPIRIES = (30, 60, 90, 120)


def underlying(seed: int = 0, days: int = 121) -> np.ndarray:
    return 100 * np.exp(np.random.default_rng(seed).normal(0, 0.01, days).cumsum())


def contract(number: int, price: np.ndarray, carry: float = 0.03) -> Contract:
    """Daily bars of one contract: the underlying times its own premium; most traded in its last month, up to 8 days."""
    days = np.arange(max(EXPIRIES[number] - 65, 0), EXPIRIES[number] + 1)
    close = price[days] * (1 + carry) ** number
    left = EXPIRIES[number] - days
    volume = np.where((left >= 8) & (left < 38), 1000.0, 100.0)
    at = (FIRST + days) * DAY
    zero = np.zeros(len(days), dtype=np.int64)
    bars = Bars("C", "1d", at, at + DAY, close, close * 1.01, close * 0.99, close, volume, FIRST + days, zero)
    return Contract(f"C{number}", FIRST + EXPIRIES[number], bars)


def contracts(seed: int = 0, carry: float = 0.03) -> list[Contract]:
    return [contract(number, underlying(seed), carry) for number in range(len(EXPIRIES))]


RULES = pytest.mark.parametrize("rule", [BeforeExpiry(sessions=5), ByVolume()], ids=["before_expiry", "volume"])


@RULES
@given(seed=st.integers(0, 2**31), carry=st.floats(-0.2, 0.3))
def test_with_ratios_the_returns_are_the_underlyings_on_every_day(rule, seed, carry):
    bars, rolls = continuous(contracts(seed, carry), rule, "ratio", "C", ALWAYS)
    price = underlying(seed)[bars.session - FIRST]
    assert len(rolls) == 3
    np.testing.assert_allclose(np.diff(np.log(bars.close)), np.diff(np.log(price)), atol=1e-12)
    np.testing.assert_allclose(bars.high / bars.close, 1.01, rtol=1e-12)


@RULES
def test_a_planted_gap_is_a_return_where_nothing_is_adjusted(rule):
    bars, rolls = continuous(contracts(), rule, "none", "C", ALWAYS)
    moves = np.diff(np.log(bars.close)) - np.diff(np.log(underlying()[bars.session - FIRST]))
    at = np.searchsorted(bars.open_time, [roll.time for roll in rolls])
    np.testing.assert_allclose(moves[at - 1], np.log(1.03), rtol=1e-9)
    np.testing.assert_allclose(np.delete(moves, at - 1), 0, atol=1e-12)


@RULES
def test_with_differences_the_points_are_the_held_contracts(rule):
    made = contracts()
    bars, rolls = continuous(made, rule, "difference", "C", ALWAYS)
    raw, _ = continuous(made, rule, "none", "C", ALWAYS)
    steps = np.diff(bars.close) - np.diff(raw.close)
    at = np.searchsorted(bars.open_time, [roll.time for roll in rolls])
    np.testing.assert_allclose(steps[at - 1], [roll.before - roll.after for roll in rolls], rtol=1e-9)
    np.testing.assert_allclose(np.delete(steps, at - 1), 0, atol=1e-9)
    assert bars.close[-1] == raw.close[-1]


def test_the_calendar_rule_leaves_its_sessions_unheld():
    bars, rolls = continuous(contracts(), BeforeExpiry(sessions=5), "ratio", "C", ALWAYS)
    assert [roll.time // DAY - FIRST for roll in rolls] == [26, 56, 86]  # on day 25 there are five sessions left
    assert [(roll.out_of, roll.into) for roll in rolls] == [("C0", "C1"), ("C1", "C2"), ("C2", "C3")]
    assert bars.session[-1] == FIRST + 115


def test_the_volume_rule_rolls_on_the_session_after_the_volume_moved():
    _, rolls = continuous(contracts(), ByVolume(), "ratio", "C", ALWAYS)
    assert [roll.time // DAY - FIRST for roll in rolls] == [24, 54, 84]  # the next one leads from day 23 on


@RULES
@given(cut=st.integers(20, 120))
def test_what_is_held_does_not_change_with_what_comes_later(rule, cut):
    whole, _ = continuous(contracts(), rule, "none", "C", ALWAYS)
    until = FIRST + cut
    known = [
        Contract(one.name, one.expiry, one.bars.between(0, int(np.searchsorted(one.bars.session, until))))
        for one in contracts()
    ]
    then, _ = continuous(known, rule, "none", "C", ALWAYS)
    np.testing.assert_array_equal(then.close, whole.close[: len(then)])
    assert len(then) == np.searchsorted(whole.session, until)


def test_contracts_without_a_common_bar_are_not_joined():
    one, other = contracts()[0], contracts()[3]
    with pytest.raises(BadInput, match="contracts C0 and C3 have no bar in common before the roll"):
        continuous([one, other], BeforeExpiry(sessions=0), "ratio", "C", ALWAYS)


def test_differences_below_zero_are_refused():
    with pytest.raises(BadInput, match="not above 0; use `adjust: ratio`"):
        continuous(contracts(carry=-0.7), BeforeExpiry(), "difference", "C", ALWAYS)


def long_table(made: list[Contract]) -> pd.DataFrame:
    parts = []
    for one in made:
        frame = one.bars.frame()[["open_time", "open", "high", "low", "close", "volume"]]
        expiry = str(np.datetime64(one.expiry, "D"))
        parts.append(frame.rename(columns={"open_time": "timestamp"}).assign(contract=one.name, expiry=expiry))
    return pd.concat(parts, ignore_index=True)


def read(folder: Path, table: pd.DataFrame, **given) -> Loaded:
    table.to_parquet(folder / "SYN.parquet")
    settings = {"path": str(folder / "{symbol}.parquet"), "symbols": ("SYN",), "timeframe": "1d", "stamp": "open"}
    return ContractBars(**(settings | given)).read("SYN")


def test_a_long_file_is_joined_and_every_row_is_accounted_for(tmp_path):
    table = long_table(contracts())
    loaded = read(tmp_path, table)
    expected, rolls = continuous(contracts(), BeforeExpiry(), "ratio", "SYN", ALWAYS)
    np.testing.assert_array_equal(loaded.bars.close, expected.close)
    report = loaded.report
    assert report.rolls == rolls
    assert report.rows == len(table) == report.bars + report.not_held
    assert (report.segments, report.missing_time) == (1, 0)
    others = {read(tmp_path, table, adjust=adjust).report.fingerprint for adjust in ("difference", "none")}
    assert len(others | {report.fingerprint}) == 3


def test_a_bad_row_of_a_contract_is_named_by_its_row_in_the_file(tmp_path):
    table = long_table(contracts())
    table.loc[40, "low"] = 0.0
    with pytest.raises(BadInput, match=r"SYN\.parquet, row 41: .*above 0"):
        read(tmp_path, table)
    report = read(tmp_path, table, on_bad_rows="quarantine").report
    assert [bad.row for bad in report.quarantined] == [41]
    assert report.rows == report.bars + report.not_held + 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expiry": "soon"}, "row 8: expiry 'soon' is no date"),
        ({"expiry": "2031-01-01"}, "row 8: contract C0 expires on 2024-01-31 and on 2031-01-01"),
        ({"contract": None}, "row 8: no contract"),
    ],
)
def test_a_row_without_contract_or_last_day_is_named(tmp_path, change, says):
    table = long_table(contracts())
    for column, value in change.items():
        table.loc[7, column] = value
    with pytest.raises(BadInput, match=says):
        read(tmp_path, table)


def test_a_file_without_contracts_says_which_columns_it_has(tmp_path):
    with pytest.raises(BadInput, match=r"no column contract; the file has timestamp, .*expiry"):
        read(tmp_path, long_table(contracts()).drop(columns="contract"))


def test_activity_of_joined_contracts_is_refused():
    with pytest.raises(ValueError, match="activity bars of joined contracts"):
        ContractBars(path="x", symbols=("VX",), timeframe="1d", stamp="open", activity={"kind": "volume", "size": 5})


@pytest.mark.parametrize("roll", [{"kind": "before_expiry", "sessions": 5}, {"kind": "volume"}])
def test_five_years_of_vix_futures_become_one_series(data_folder, roll):
    symbol = "daily/VX_futures_contracts_daily_long"
    given = {"path": f"{data_folder}/{{symbol}}.parquet", "symbols": (symbol,), "timeframe": "1d", "stamp": "open"}
    with pytest.raises(BadInput, match="prices must be above 0"):  # days without trades
        ContractBars(**given, roll=roll).read(symbol)
    loaded = ContractBars(**given, roll=roll, on_bad_rows="quarantine").read(symbol)
    report = loaded.report
    assert report.rows == 9_342 == report.bars + report.not_held + report.outside_session + len(report.quarantined)
    assert len(report.rolls) == 52
    raw = ContractBars(**given, roll=roll, adjust="none", on_bad_rows="quarantine").read(symbol).bars
    # Contango: the unadjusted series hides what holding the future lost.
    assert loaded.bars.close[-1] / loaded.bars.close[0] < 0.05 < 0.5 < raw.close[-1] / raw.close[0]
