"""Every kind of labels obeys the laws, and the laws can be broken."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from farm.bars.frame import Bars
from farm.labels import (
    AdaptiveBarrier,
    Directional,
    Events,
    Ewma,
    HorizonBarrier,
    LabelKind,
    Labels,
    Regression,
    Threshold,
    TrendScanning,
    TripleBarrier,
    strongest_trend,
)
from farm.testing.feature import random_bars
from farm.testing.label import LabelConformance

RECIPES: tuple[LabelKind, ...] = (
    TripleBarrier(up=2.0, down=2.0, max_bars=12),
    TripleBarrier(up=1.5, down=1.5, horizon="H10", timeout="sign", ambiguous="nearest"),
    TripleBarrier(up=2.0, down=2.0, max_bars=12, timeout="regression"),
    HorizonBarrier(horizon="H20"),
    HorizonBarrier(horizon=6, timeout="sign"),
    AdaptiveBarrier(up=2.0, down=2.0, horizon="1h"),
    Directional(horizon="H5"),
    Threshold(horizon="H10", threshold=1.5),
    Regression(horizon="H20", clip=0.5),
    TrendScanning(horizon="H20"),
    TrendScanning(horizon=12, shortest=2, neutral_below=8.0),
)


class TestEveryKind(LabelConformance):
    @pytest.fixture(params=RECIPES, ids=lambda recipe: f"{recipe.kind}-{recipe.digest()[:4]}")
    def recipe(self, request: pytest.FixtureRequest) -> LabelKind:
        return request.param


class TestUnequalBarriers(LabelConformance):
    mirrors = False

    @pytest.fixture
    def recipe(self) -> LabelKind:
        return TripleBarrier(up=6.0, down=4.0, max_bars=120, volatility=Ewma(span=50))


def test_no_kind_of_the_union_is_forgotten() -> None:
    assert {type(recipe) for recipe in RECIPES} == set(get_args(get_args(Labels)[0]))


class EndsWithTheWinner(TrendScanning):
    """Trend scanning with the leak that it invites: the label ends with the winning trend."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        events = super().label(bars, rows, finer)
        whole = np.flatnonzero(events.labelled)
        ends = events.exit_row.copy()
        best = np.zeros(len(whole))
        for length in range(self.shortest, self.bars_watched(bars.timeframe) + 1):
            t = np.abs(strongest_trend(bars.close, events.row[whole], length, length))
            ends[whole] = np.where(t > best, events.row[whole] + length, ends[whole])
            best = np.maximum(best, t)
        price = bars.close[ends]
        return replace(
            events,
            exit_row=ends,
            exited_at=bars.available_at[ends],
            exit_price=price,
            ret=np.log(price / events.entry_price),
        )


class ByTheSample(Regression):
    """A target clipped at quantiles of the whole sample."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        events = super().label(bars, rows, finer)
        low, high = np.nanquantile(events.target, (0.01, 0.99)) if events.labelled.any() else (0.0, 0.0)
        return replace(events, target=np.clip(events.target, low, high))


class WithoutHoles(Directional):
    """Labels that look over a hole."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        return super().label(replace(bars, segment=np.zeros_like(bars.segment)), rows, finer)


class AtAMeanPrice(Directional):
    """An exit at a price that the exit bar need not have traded."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        events = super().label(bars, rows, finer)
        price = (events.entry_price + events.exit_price) / 2
        return replace(events, exit_price=price, ret=np.log(price / events.entry_price))


class InCurrency(Threshold):
    """A threshold in units of the price."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        events = super().label(bars, rows, finer)
        move = np.where(events.labelled, events.exit_price - events.entry_price, 0.0)
        label = np.sign(move) * (np.abs(move) >= 50.0)
        return replace(events, label=label.astype(np.int8), target=np.where(events.labelled, label, np.nan))


class Hopeful(Directional):
    """A third of the decisions count as up, whatever came."""

    def label(self, bars: Bars, rows: np.ndarray, finer: Bars | None = None) -> Events:
        events = super().label(bars, rows, finer)
        label = np.where((events.row % 3 == 0) & events.labelled, 1, events.label)
        return replace(events, label=label.astype(np.int8), target=np.where(events.labelled, label, np.nan))


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (EndsWithTheWinner(horizon="H10"), "what_ended_by_a_moment_does_not_know_what_came_after"),
        (ByTheSample(horizon="H10"), "what_ended_by_a_moment_does_not_know_what_came_after"),
        (WithoutHoles(horizon="H10"), "a_segment_is_labelled_as_if_it_were_alone"),
        (WithoutHoles(horizon="H10"), "every_event_can_be_traded"),
        (AtAMeanPrice(horizon="H10"), "every_event_can_be_traded"),
        (InCurrency(horizon="H10", threshold=1.0), "the_unit_of_the_price_does_not_matter"),
        (Hopeful(horizon="H10"), "a_price_upside_down_turns_the_labels"),
        (Hopeful(horizon="H10"), "chance_gives_the_share_that_is_implied"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_laws_can_be_broken(broken: LabelKind, law: str) -> None:
    suite = LabelConformance()
    bars = random_bars(np.random.default_rng(5), [900, 40, 2, 600], "5min")
    given = {"recipe": broken, "bars": bars, "events": broken.label(bars, np.arange(len(bars)))}
    test = getattr(suite, f"test_{law}")
    wanted = test.__code__.co_varnames[1 : test.__code__.co_argcount]
    with pytest.raises((AssertionError, ValueError)):
        test(**{name: given[name] for name in wanted})
