"""Indicators and range volatilities (06) and the fractional difference (08).

Registered features are free of price's scale and have finite windows, so what is compared are the functions under
them, in price units. TA-Lib's Wilder and exponential means never forget how they began: ours are given windows so long
that both have, and compared where those are complete. The two recursions that no length makes alike, the parabolic stop
and Kaufman's mean, are compared begun at the same bar, and where what came before has faded. On-balance volume starts
at an arbitrary level: its changes over 20 bars are compared. TA-Lib's bands and deviations are the population's, as
ours; Yang-Zhang takes sample variances of gap and body.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from farm.bars.frame import Bars
from farm.bars.timeframe import DAY
from farm.features import momentum, trend, volatility, volume
from farm.features.averages import above_kaufman_mean
from farm.features.filters import parabolic_stop
from farm.features.fractional import fractional_difference, fractional_weights
from farm.features.moments import above_mean
from farm.features.windows import above_exponential_mean, rolling_sum
from farm.stats import adf

LONG = 700  # bars after which a Wilder mean of 14 has forgotten how it began


class Result(NamedTuple):
    case: str
    source: str
    ours: float
    theirs: float
    difference: float
    tolerance: float


def results() -> list[Result]:
    """One row for every column of the cases, at the bar where it differs most; empty where FARM_TRUTH is unset."""
    folder = os.environ.get("FARM_TRUTH")
    if not folder:
        return []
    return [row for name in NAMES for row in results_of(name)]


def results_of(name: str) -> list[Result]:
    folder = Path(os.environ["FARM_TRUTH"])
    if name == "fracdiff_ffd_d0.4":
        return _fractional(folder)
    talib = name in INDICATORS
    case = _case(folder, "06_indicators_volatility", "talib_GOOG_1d" if talib else "volatility_GOOG_1d")
    bars = daily(pd.read_csv(folder / case["inputs"]["ohlcv"]))
    theirs = pd.read_csv(folder / case["expected"]["per_bar_csv"])[name].to_numpy(np.float64)
    ours = np.asarray((INDICATORS if talib else VOLATILITIES)[name](bars))
    if name == "obv":
        theirs = theirs - np.r_[np.full(20, np.nan), theirs[:-20]]
    rows = np.flatnonzero(~np.isnan(ours) & ~np.isnan(theirs))
    assert len(rows) >= 20
    assert rows[-1] == len(theirs) - 1
    # as numpy.allclose: a tolerance relative to the value where that is above one
    differences = np.abs(ours[rows] - theirs[rows]) / np.maximum(np.abs(theirs[rows]), 1.0)
    worst = rows[int(np.argmax(differences))]
    found = float(ours[worst]), float(theirs[worst]), float(differences.max())
    return [Result(f"{case['id']}/{name}", case["source"], *found, case["tol"])]


def _fractional(folder: Path) -> list[Result]:
    case = _case(folder, "08_stationarity_breaks_drift", "fracdiff_ffd_d0.4")
    closes = pd.read_csv(folder / "goog_log_close.csv", header=None)[0].to_numpy(np.float64)
    weights = fractional_weights(case["inputs"]["d"], case["inputs"]["threshold"])
    series = fractional_difference(closes, case["inputs"]["d"], case["inputs"]["threshold"])
    there, expected = series[~np.isnan(series)], case["expected"]
    ours = {
        "n_weights": len(weights),
        "weight_last": weights[-1],
        "first_value": there[0],
        "last_value": there[-1],
        "corr_with_original": np.corrcoef(there, closes[-len(there) :])[0, 1],
        "adf_lag1": adf(there, lags=1).statistic,
    }
    numbers = [(name, float(value), float(expected[name])) for name, value in ours.items()]
    numbers += [(f"weights[{i}]", float(weights[i]), theirs) for i, theirs in enumerate(expected["weights_first5"])]
    return [
        Result(f"{case['id']}/{name}", case["source"], mine, theirs, abs(mine - theirs), case["tol"])
        for name, mine, theirs in numbers
    ]


def _case(folder: Path, file: str, case_id: str) -> dict:
    cases = json.loads((folder / f"{file}.json").read_text())["cases"]
    return next(case for case in cases if case["id"] == case_id)


def daily(table: pd.DataFrame) -> Bars:
    at = np.arange(len(table)) * DAY
    columns = {name: table[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "volume")}
    return Bars("GOOG", "1d", at, at + DAY, **columns, session=at // DAY, segment=at * 0)


def _band(bars: Bars, deviations: float) -> np.ndarray:
    above, deviation = above_mean(bars.close, 20)
    return bars.close - above + deviations * deviation


def _stop(bars: Bars) -> np.ndarray:
    """The stop at every hundredth bar, begun at the first as TA-Lib's is."""
    out = np.full(len(bars), np.nan)
    for row in {*range(99, len(bars), 100), len(bars) - 1}:
        out[row] = parabolic_stop(bars.high[: row + 1], bars.low[: row + 1], row + 1)[-1]
    return out


def _trix(bars: Bars) -> np.ndarray:
    return momentum.triple_mean_change(bars, period=15, window=400)


def _after(rows: int, values: np.ndarray) -> np.ndarray:
    """The values without those of the first rows, which theirs remembers the beginning in."""
    return np.where(np.arange(len(values)) < rows, np.nan, values)


_MACD = {"fast": LONG, "slow": LONG}
_WILDER = {"period": 14, "window": LONG}
INDICATORS: dict[str, Callable[[Bars], np.ndarray]] = {
    "rsi14": partial(momentum.relative_strength, **_WILDER),
    "atr14": partial(volatility.average_true_range, **_WILDER),
    "natr14": lambda bars: 100 * np.asarray(volatility.atr_share(bars, **_WILDER)),
    "macd": lambda bars: trend.macd_line(bars.close, **_MACD),
    "macd_signal": lambda bars: (
        trend.macd_line(bars.close, **_MACD) - trend.macd_histogram(bars.close, **_MACD, signal=LONG)
    ),
    "macd_hist": lambda bars: trend.macd_histogram(bars.close, **_MACD, signal=LONG),
    "adx14": partial(trend.directional_index, **_WILDER),
    "plus_di14": partial(trend.plus_direction, **_WILDER),
    "minus_di14": partial(trend.minus_direction, **_WILDER),
    "bb_up": partial(_band, deviations=2),
    "bb_mid": partial(_band, deviations=0),
    "bb_low": partial(_band, deviations=-2),
    "ema20": lambda bars: bars.close - above_exponential_mean(bars.close, 2 / 21, LONG),
    "sma50": lambda bars: bars.close - trend.above_simple_mean(bars, window=50),
    "cci20": partial(momentum.commodity_channel, window=20),
    "willr14": lambda bars: momentum.stochastic(bars, window=14) - 100,
    "stoch_slowk": partial(momentum.slow_stochastic, window=14, smooth=3),
    "stoch_slowd": partial(momentum.stochastic_signal, window=14, smooth=3),
    "roc10": partial(momentum.rate_of_change, over=10),
    "mfi14": partial(volume.money_flow_index, window=14),
    "obv": lambda bars: rolling_sum(volume.signed_volume(bars), 20),
    "trange": volatility.true_range,
    "aroon_up25": partial(trend.aroon_up, window=25),
    "aroon_down25": partial(trend.aroon_down, window=25),
    "trix15": _trix,
    "kama30": lambda bars: _after(1800, bars.close - above_kaufman_mean(bars, period=30, window=1500)),
    "sar": _stop,
    "linreg_slope14": lambda bars: trend.regression_slope(bars.close, window=14),
    "stddev20_pop": lambda bars: above_mean(bars.close, 20)[1],
}
VOLATILITIES: dict[str, Callable[[Bars], np.ndarray]] = {
    "parkinson": partial(volatility.parkinson, window=20),
    "garman_klass": partial(volatility.garman_klass, window=20),
    "rogers_satchell": partial(volatility.rogers_satchell, window=20),
    "yang_zhang": partial(volatility.yang_zhang, window=20),
    "gk_yz": partial(volatility.garman_klass_yang_zhang, window=20),
    "close_to_close": lambda bars: above_mean(volatility.bar_return(bars), 20)[1] * np.sqrt(20 / 19),
}
NAMES = (*INDICATORS, *VOLATILITIES, "fracdiff_ffd_d0.4")


@pytest.mark.parametrize("name", NAMES)
def test_agrees_with_the_reference(name: str) -> None:
    if "FARM_TRUTH" not in os.environ:
        pytest.skip("FARM_TRUTH is unset: no reference values")
    for row in results_of(name):
        assert row.difference <= row.tolerance, row


def test_every_column_of_the_references_is_compared() -> None:
    if "FARM_TRUTH" not in os.environ:
        pytest.skip("FARM_TRUTH is unset: no reference values")
    folder = Path(os.environ["FARM_TRUTH"])
    columns = {
        name
        for case_id in ("talib_GOOG_1d", "volatility_GOOG_1d")
        for name in pd.read_csv(
            folder / _case(folder, "06_indicators_volatility", case_id)["expected"]["per_bar_csv"], nrows=1
        ).columns
    }
    assert columns - {"i"} == {*INDICATORS, *VOLATILITIES}
