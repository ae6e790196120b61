"""Features against independent references and hand-made bars."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib

from farm.bars.frame import Bars
from farm.bars.timeframe import DAY, HOUR
from farm.features import registry
from farm.features.moments import above_mean
from farm.features.momentum import relative_strength
from farm.features.trend import directional_index, macd_histogram
from farm.features.volatility import average_true_range
from farm.features.windows import above_exponential_mean
from farm.testing.feature import random_bars

LONG = 700  # windows in which Wilder's and exponential means have forgotten how they began


def daily(table):
    at = np.arange(len(table)) * DAY
    columns = {name: table[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")}
    return Bars("GOOG", "1d", at, at + DAY, **columns, session=at // DAY, segment=at * 0)


@pytest.fixture(scope="module")
def truth():
    if "FARM_TRUTH" not in os.environ:
        pytest.skip("FARM_TRUTH is unset: no reference values")
    return Path(os.environ["FARM_TRUTH"])


@pytest.fixture(scope="module")
def goog(truth):
    return daily(pd.read_csv(truth / "ind_GOOG_1d_input.csv.gz"))


@pytest.fixture(scope="module")
def reference(truth):
    return pd.read_csv(truth / "ind_GOOG_1d_talib.csv.gz")


def agree(found, expected, start=0, tolerance=1e-9):
    found, expected = np.asarray(found)[start:], np.asarray(expected)[start:]
    there = ~np.isnan(found)
    assert there.sum() > len(found) / 4
    np.testing.assert_allclose(found[there], expected[there], rtol=tolerance, atol=tolerance)


class TestAgainstTaLib:
    def test_wilder_means_in_a_long_window(self, goog, reference):
        agree(relative_strength(goog, window=LONG), reference.rsi14)
        agree(average_true_range(goog, window=LONG), reference.atr14)
        agree(directional_index(goog, window=LONG), reference.adx14)

    def test_exponential_means_in_a_long_window(self, goog, reference):
        agree(macd_histogram(goog.close, fast=LONG, slow=LONG, signal=LONG), reference.macd_hist)
        agree(goog.close - above_exponential_mean(goog.close, 2 / 21, LONG), reference.ema20)

    def test_registered_windows_differ_by_what_they_forget(self, goog, reference):
        found = registry()["rsi_14"].values(goog)
        assert np.nanmax(np.abs(found - reference.rsi14)[300:]) < 1.0

    def test_finite_windows_exactly(self, goog, reference):
        agree(registry()["cci_20"].values(goog), reference.cci20)
        agree(registry()["roc_10"].values(goog), reference.roc10)
        agree(registry()["stochastic_14"].values(goog), 100 + reference.willr14)
        band = (goog.close - reference.bb_mid) / (reference.bb_up - reference.bb_mid)
        agree(registry()["bollinger_20"].values(goog), band)
        agree(goog.close - above_mean(goog.close, 50)[0], reference.sma50)


@pytest.mark.parametrize("name", ["parkinson", "garman_klass"])
def test_range_volatility_matches_the_reference(name, goog, truth):
    expected = pd.read_csv(truth / "ind_GOOG_1d_vol20.csv.gz")[name]
    agree(registry()[f"{name}_20"].values(goog), expected, tolerance=1e-10)


def test_range_volatility_recovers_a_known_sigma():
    rng = np.random.default_rng(5)
    steps = rng.normal(0, 0.01 / np.sqrt(2000), size=(3000, 2000)).cumsum(axis=1)
    start = np.concatenate(([0.0], steps[:-1, -1])).cumsum()[:, None]
    path = 100 * np.exp(start + np.concatenate((np.zeros((3000, 1)), steps), axis=1))
    table = {"open": path[:, 0], "high": path.max(1), "low": path.min(1), "close": path[:, -1], "volume": path[:, 0]}
    bars = daily(pd.DataFrame(table))
    for name in (
        "parkinson_20",
        "garman_klass_20",
        "rogers_satchell_20",
        "yang_zhang_20",
        "garman_klass_yang_zhang_20",
        "realized_volatility_60",
    ):
        variance = np.nanmean(registry()[name].values(bars) ** 2)
        assert np.sqrt(variance) == pytest.approx(0.01, rel=0.04), name


def test_an_adx_without_ties_is_talibs():
    bars = random_bars(np.random.default_rng(2), [2500])
    moving = bars.between(1400, 2500)
    expected = talib.ADX(moving.high, moving.low, moving.close, 14)
    np.testing.assert_allclose(directional_index(moving, window=300)[700:], expected[700:], atol=1e-5)


NEUTRAL = {
    "rsi_14": 50.0,
    "stochastic_14": 50.0,
    "volume_ratio_20": 1.0,
    "volatility_ratio_10_60": 1.0,
    "range_14": 1.0,
    "realized_kurtosis_20": 3.0,
    "variance_ratio_5_60": 1.0,
    "ultimate_oscillator": 50.0,
    "money_flow_index_14": 50.0,
    "notional_ratio_20": 1.0,
    "volume_trend_5_20": 1.0,
    "amihud_ratio_20_100": 1.0,
    "downside_share_20": 0.5,
    "volatility_rank_100": 0.5,
    "volume_rank_100": 0.5,
    "hurst_128": 0.5,
    "hmm_rising": 0.5,
    "overlap": 1.0,
    "aroon_up_25": 100.0,
    "still_share_20": 1.0,
}
NEUTRAL |= dict.fromkeys(("cci_20", "adx_14", "bollinger_20", "volume_score_60", "body", "vwap_distance"), 0.0)
NEUTRAL |= dict.fromkeys(
    (
        "direction_20",
        "realized_skewness_60",
        "sma_distance_200",
        "sma_spread_10_50",
        "kama_distance_30",
        "macd_signal",
        "slope_60",
        "trend_fit_20",
        "parabolic_distance",
        "vortex_14",
        "chande_14",
        "trix_15",
        "yang_zhang_20",
        "jump_share_20",
        "on_balance_20",
        "money_flow_20",
        "vwap_distance_20",
        "run_10",
        "session_place",
        "session_gap",
        "previous_range_place",
        "trend_regime",
        "choppiness_14",
        "wavelet_detail_2",
        "fractional_40",
        "corwin_schultz_20",
        "kyle_lambda_20",
        "bulk_imbalance_20",
    ),
    0.0,
)


@pytest.mark.parametrize(("name", "value"), NEUTRAL.items())
def test_without_movement_or_volume_the_neutral_value_stands(name, value):
    at = np.arange(400) * HOUR
    flat, none = np.full(400, 0.1), np.zeros(400)
    bars = Bars("FLAT", "1h", at, at + HOUR, flat, flat, flat, flat, none, session=at // DAY, segment=at * 0)
    found = registry()[name].values(bars)
    assert set(found[~np.isnan(found)]) == {value}


class TestSession:
    """Two sessions of four hourly bars, prices rising by one an hour."""

    @pytest.fixture
    def bars(self):
        hours = np.concatenate([np.arange(4) + 9 + 24 * day for day in range(30)])
        at, price = hours * HOUR, 100.0 + np.arange(120)
        volume = np.tile([1.0, 0.0, 3.0, 0.0], 30)
        return Bars(
            "UP", "1h", at, at + HOUR, price, price + 1, price, price + 1, volume, session=at // DAY, segment=at * 0
        )

    def values(self, name, bars):
        return registry()[name].values(bars)[-4:]

    def test_return_starts_at_the_first_open(self, bars):
        np.testing.assert_allclose(self.values("session_return", bars), np.log((217 + np.arange(4.0)) / 216))

    def test_time_starts_at_the_first_open(self, bars):
        angle = 2 * np.pi * np.arange(1, 5) / 24
        np.testing.assert_allclose(self.values("session_sin", bars), np.sin(angle))
        np.testing.assert_allclose(self.values("session_cos", bars), np.cos(angle))

    def test_vwap_weighs_by_the_session_s_volume(self, bars):
        typical = 216 + np.arange(4) + 2 / 3
        vwap = [typical[0], typical[0], (typical[0] + 3 * typical[2]) / 4, (typical[0] + 3 * typical[2]) / 4]
        spans = average_true_range(bars)[-4:]
        np.testing.assert_allclose(self.values("vwap_distance", bars), (217 + np.arange(4) - vwap) / spans)

    def test_vwap_without_any_volume_is_the_plain_mean(self, bars):
        silent = replace(bars, volume=np.zeros(120))
        mean = 216 + np.arange(4) / 2 + 2 / 3
        found = self.values("vwap_distance", silent) * average_true_range(bars)[-4:]
        np.testing.assert_allclose(found, 217 + np.arange(4) - mean)

    def test_the_session_before_is_the_whole_one_before(self, bars):
        """It went from 212 to 216; this one opens five higher and stands at 222 to 225."""
        gap = np.where(np.arange(120) >= 116, 5.0, 0.0)
        lifted = replace(bars, **{name: getattr(bars, name) + gap for name in ("open", "high", "low", "close")})
        close = 222 + np.arange(4)
        np.testing.assert_allclose(self.values("previous_close_distance", lifted), np.log(close / 216))
        np.testing.assert_allclose(self.values("session_gap", lifted), np.full(4, np.log(221 / 216)))
        np.testing.assert_allclose(self.values("previous_session_return", lifted), np.full(4, np.log(216 / 212)))
        np.testing.assert_allclose(self.values("previous_range_place", lifted), (2 * close - 212 - 216) / 4)

    def test_extremes_are_those_of_the_session_so_far(self, bars):
        low = replace(bars, low=bars.low - np.tile([0.0, 4.0, 0.0, 0.0], 30))
        found = self.values("session_low_distance", low) * average_true_range(low)[-4:]
        np.testing.assert_allclose(found, [1, 5, 6, 7])
        np.testing.assert_allclose(self.values("session_high_distance", low), 0)
        np.testing.assert_allclose(self.values("session_place", low), 1)

    def test_weekdays_go_round_in_a_week(self, bars):
        found = registry()["weekday_sin"].values(bars)
        monday = np.datetime64("1970-01-05")
        days = (np.datetime64("1970-01-01") + bars.session - monday).astype(int) % 7
        np.testing.assert_allclose(found, np.sin(2 * np.pi * days / 7), atol=1e-15)


def test_the_registry_is_read_only():
    with pytest.raises(TypeError):
        registry()["mine"] = registry()["rsi_14"]
