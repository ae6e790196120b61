"""Real bars have month-long holes; nothing may cross one."""

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from farm.backtest import Orders
from farm.bars import resample
from farm.bars.timeframe import DAY
from farm.config import load_experiment
from farm.panel import Panel

pytestmark = pytest.mark.skipif("FARM_DATA" not in os.environ, reason="FARM_DATA does not name a folder of real bars")

SYMBOL = "FILUSDT_perp_1m_binance"


@pytest.fixture(scope="module")
def experiment():
    return load_experiment(Path(__file__).parents[2] / "experiments" / "real.yaml")


@pytest.fixture(scope="module")
def loaded(experiment):
    return experiment.bars.read(SYMBOL)


@pytest.fixture(scope="module")
def panel(experiment, loaded) -> Panel:
    return experiment.panel.build(loaded.bars, loaded.instrument.calendar)


def test_the_file_has_month_long_holes_and_each_starts_a_segment(loaded) -> None:
    long = [hole for hole in loaded.report.holes if hole.end - hole.start > 20 * DAY]
    assert len(long) >= 10
    assert loaded.report.segments == len(loaded.report.holes) + 1


def test_no_label_and_no_position_crosses_a_hole(experiment, loaded, panel) -> None:
    events = panel.events
    for hole in loaded.report.holes:
        assert not np.any((events.decided_at <= hole.start) & (events.exited_at > hole.start))
    longs = experiment.backtest.backtest(panel.bars, Orders.of_events(events, np.ones(len(events))), loaded.instrument)
    for hole in loaded.report.holes:
        assert not np.any((longs.trades.decided_at <= hole.start) & (longs.trades.exited_at > hole.start))
    assert len(longs.trades) > 1000


def test_features_of_a_segment_know_nothing_of_the_bars_before_the_hole(experiment, loaded, panel) -> None:
    bounds = panel.bars.segment_bounds()
    for first, stop in list(pairwise(bounds))[1:4]:
        alone = loaded.bars.between(*np.searchsorted(loaded.bars.segment, panel.bars.segment[first] + np.array([0, 1])))
        calendar = loaded.instrument.calendar
        bars = resample(alone, "5min", calendar)
        higher = {timeframe: resample(alone, timeframe, calendar) for timeframe in experiment.features.timeframes}
        table = experiment.features.table(bars, higher)
        rows = np.flatnonzero((panel.events.row >= first) & (panel.events.row < stop))
        at = np.searchsorted(bars.available_at, panel.events.decided_at[rows])
        assert np.array_equal(bars.available_at[at], panel.events.decided_at[rows])
        assert np.allclose(table.values[at], panel.values[rows], rtol=1e-9, atol=1e-12)
        assert len(rows) > 100
