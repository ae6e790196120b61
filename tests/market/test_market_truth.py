"""The artificial market: its bars are sound, what is planted is there, and what is not planted is not."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import skew

from farm.bars import SyntheticBars
from farm.bars.market import simulate_market
from farm.features import FeatureRecipe, suspicious_features
from farm.labels import TripleBarrier, average_uniqueness
from farm.panel import Decisions, PanelRecipe

DAY = 288


def market(n_days=180, seed=0, **planted):
    values = {"edge": 0.0, "drift": 0.0, "leak": 0.0} | planted
    return simulate_market(n_days * DAY, DAY, np.random.default_rng(seed), **values)


def next_shock(found):
    """The next log return in units of its own volatility, aligned with the signal before it."""
    return np.diff(np.log(found.close)) / found.volatility[1:]


@pytest.mark.parametrize("planted", [{}, {"edge": 0.2}, {"drift": 0.9}, {"leak": 3.0}, {"edge": 1.0, "drift": 0.5}])
def test_bars_are_sound(planted):
    found = market(40, **planted)
    assert (found.low > 0).all()
    assert (found.high >= np.maximum(found.open, found.close)).all()
    assert (found.low <= np.minimum(found.open, found.close)).all()
    assert (found.volume > 0).all()
    assert np.array_equal(found.open[1:], found.close[:-1])
    for price in (found.open, found.high, found.low, found.close):
        np.testing.assert_allclose(price, np.round(price / 0.01) * 0.01, rtol=0, atol=1e-9)
    assert (np.abs(found.signal) <= 1).all()
    assert all(np.isfinite(getattr(found, field.name)).all() for field in fields(found))


def test_the_same_values_give_the_same_market_and_other_names_and_seeds_another():
    source = SyntheticBars(markets={"SYN-A": {}, "SYN-B": {}}, timeframe="1h", years=0.1, seed=3)
    again = SyntheticBars(markets={"SYN-A": {}}, timeframe="1h", years=0.1, seed=3)
    other = SyntheticBars(markets={"SYN-A": {}}, timeframe="1h", years=0.1, seed=4)
    assert np.array_equal(source.market("SYN-A").close, again.market("SYN-A").close)
    assert source.read("SYN-A").report.fingerprint == again.read("SYN-A").report.fingerprint
    assert not np.array_equal(source.market("SYN-A").close, source.market("SYN-B").close)
    assert not np.array_equal(source.market("SYN-A").close, other.market("SYN-A").close)


def test_a_planted_edge_is_the_slope_of_the_next_return_on_the_signal():
    found = market(edge=0.2)
    shock, signal = next_shock(found), found.signal[:-1]
    slope = np.sum(shock * signal) / np.sum(signal**2)
    error = 1 / np.sqrt(np.sum(signal**2))
    assert error < 0.02
    assert abs(slope - 0.2) < 4 * error


@pytest.mark.parametrize("planted", [{}, {"drift": 0.8}])
def test_without_an_edge_the_signal_says_nothing_of_the_next_return(planted):
    found = market(**planted)
    shock, signal = next_shock(found), found.signal[:-1]
    assert abs(np.corrcoef(shock, signal)[0, 1]) < 4 / np.sqrt(len(shock))
    assert abs(shock.mean()) < 4 / np.sqrt(len(shock))


def test_volatility_clusters():
    absolute = np.abs(np.diff(np.log(market().close)))
    assert np.corrcoef(absolute[:-50], absolute[50:])[0, 1] > 0.1


def barrier_excess(found, n_windows=16):
    """Dispersion of the up share over windows, in units of what chance gives: about 1 when the rate does not drift."""
    bars = SyntheticBars(markets={"SYN": {}}, years=1).read("SYN").bars.between(0, len(found.close))
    price = {name: getattr(found, name) for name in ("open", "high", "low", "close", "volume")}
    bars = type(bars)(**{field.name: price.get(field.name, getattr(bars, field.name)) for field in fields(bars)})
    events = TripleBarrier(up=1, down=1, max_bars=6).label(bars, np.arange(50, len(bars) - 1, 4))
    touched = np.flatnonzero(events.label != 0)
    up = [window.mean() for window in np.array_split(events.label[touched] > 0, n_windows)]
    return np.var(up, ddof=1) / (0.25 * n_windows / len(touched))


def test_drift_moves_the_rates_at_which_barriers_are_touched_but_earns_nothing():
    assert np.mean([barrier_excess(market(seed=seed)) for seed in range(3)]) < 2
    assert np.mean([barrier_excess(market(seed=seed, drift=0.9)) for seed in range(3)]) > 3
    shock = next_shock(market(drift=0.9))
    windows = np.array([window.mean() * np.sqrt(len(window)) for window in np.array_split(shock, 16)])
    assert (np.abs(windows) < 4).all()
    skews = [skew(window) for window in np.array_split(shock, 16)]
    assert max(skews) > 0.3
    assert min(skews) < -0.3


def test_a_planted_leak_is_named_and_an_honest_market_is_not():
    recipe = PanelRecipe(
        Decisions(timeframe="15min"), FeatureRecipe(preset="core"), TripleBarrier(up=1, down=1, max_bars=8), 0.0
    )

    def suspects(leak):
        source = SyntheticBars(markets={"SYN": {"leak": leak}}, timeframe="15min", years=0.4, seed=5)
        loaded = source.read("SYN")
        panel = recipe.build(loaded.bars, loaded.instrument.calendar)
        known, events = panel.events.labelled, panel.events
        weight = average_uniqueness(events.row[known], events.exit_row[known])
        return suspicious_features(panel.values[known], panel.names, events.label[known], weight)

    assert not suspects(0.0)
    named = [suspect.name for suspect in suspects(2.0)]
    assert named
    assert all(name.startswith("volume") or name == "vwap_distance" for name in named)
