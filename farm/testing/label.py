"""What a kind of labels must pass: inherit :class:`LabelConformance`, give a recipe, run pytest.

.. code-block:: python

    class TestMine(LabelConformance):
        @pytest.fixture
        def recipe(self):
            return MyLabels(horizon=20)
"""

import pickle
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from farm.backtest import Orders
from farm.bars.frame import Bars, Float
from farm.labels import Events, LabelKind
from farm.section import Section
from farm.testing.feature import random_bars

PRICES = ("open", "high", "low", "close")


class LabelConformance:
    """Laws of labels, on bars with holes, jumps and a stretch where nothing moves.

    ``mirrors``: whether turning the price upside down turns the labels. Set it to False for a kind that means to treat
    up and down unequally.
    """

    mirrors = True

    @pytest.fixture
    def recipe(self) -> LabelKind:
        """The labels under test, entering at the next open."""
        raise NotImplementedError("give the suite a fixture called recipe that returns the labels to test")

    @pytest.fixture
    def bars(self) -> Bars:
        """Five-minute bars in four segments, two of them too short for most labels."""
        return random_bars(np.random.default_rng(5), [900, 40, 2, 600], "5min")

    @pytest.fixture
    def events(self, recipe: LabelKind, bars: Bars) -> Events:
        """The events of every bar."""
        return recipe.label(bars, np.arange(len(bars)))

    def test_there_is_something_to_hold_to_the_laws(self, events: Events) -> None:
        """Most decisions of these bars are labelled, some are cut off, and both sides occur."""
        assert events.labelled.mean() > 0.5
        assert not events.labelled.all()
        assert {-1, 1} <= set(events.label[events.labelled].tolist())

    def test_what_ended_by_a_moment_does_not_know_what_came_after(self, recipe: LabelKind, bars: Bars) -> None:
        """Labels known at t are the same, bit for bit, when every later bar is cut off or another."""
        rng = np.random.default_rng(23)
        whole = recipe.label(bars, np.arange(len(bars)))
        for now in rng.integers(200, len(bars) - 1, 12):
            known = _ended(whole, bars, now)
            for other in (bars.between(0, now + 1), _other_from(bars, now + 1, rng)):
                _same(known, _ended(recipe.label(other, np.arange(len(other))), other, now))

    def test_what_is_known_at_the_decision_does_not_know_what_came_after(self, recipe: LabelKind, bars: Bars) -> None:
        """Which bars decide, and their volatility, are the same when every later bar is another."""
        rng = np.random.default_rng(29)
        whole = recipe.label(bars, np.arange(len(bars)))
        for now in rng.integers(200, len(bars) - 1, 12):
            again = recipe.label(_other_from(bars, now + 1, rng), np.arange(len(bars)))
            ours, theirs = whole.take(whole.row <= now), again.take(again.row <= now)
            np.testing.assert_array_equal(ours.row, theirs.row)
            np.testing.assert_array_equal(ours.volatility, theirs.volatility)

    def test_a_segment_is_labelled_as_if_it_were_alone(self, recipe: LabelKind, bars: Bars, events: Events) -> None:
        """Nothing crosses from one segment into another."""
        for first, last in pairwise(bars.segment_bounds()):
            alone = recipe.label(bars.between(first, last), np.arange(last - first))
            moved = replace(
                alone, row=alone.row + first, entry_row=alone.entry_row + first, exit_row=alone.exit_row + first
            )
            _same(moved, events.take((events.row >= first) & (events.row < last)))

    def test_each_is_the_same_among_few_as_among_all(self, recipe: LabelKind, bars: Bars, events: Events) -> None:
        """A label does not depend on which other bars decide."""
        few = np.flatnonzero(np.random.default_rng(31).random(len(bars)) < 0.2)
        _same(recipe.label(bars, few), events.take(np.isin(events.row, few)))

    def test_no_event_outlasts_what_is_watched(self, recipe: LabelKind, bars: Bars, events: Events) -> None:
        """Exits lie inside the window; an event that met no barrier used all of it, or all of its segment."""
        watched = recipe.bars_watched(bars.timeframe)
        held = events.exit_row - events.row
        assert ((held >= 1) & (held <= watched)).all()
        timed = events.labelled & (events.touch == 0)
        assert (held[timed] == watched).all()
        cut = ~events.labelled & (held < watched)
        bounds = bars.segment_bounds()
        last = bounds[np.searchsorted(bounds, events.row, side="right")] - 1
        assert (events.exit_row[cut] == last[cut]).all()
        assert not events.labelled[events.exit_row > last].any()

    def test_a_kind_without_barriers_touches_none(self, recipe: LabelKind, events: Events) -> None:
        """``touches`` is declared truly."""
        if recipe.touches:
            assert (events.touch != 0).any()
        else:
            assert not events.touch.any()
            assert not events.ambiguous.any()

    def test_every_event_can_be_traded(self, bars: Bars, events: Events) -> None:
        """The backtest's guard accepts an order for every event, labelled or not."""
        Orders.of_events(events, np.ones(len(events))).require_no_lookahead(bars)

    def test_times_prices_and_return_fit_together(self, bars: Bars, events: Events) -> None:
        """Each event says when it was decided, entered and known, and what it returned."""
        np.testing.assert_array_equal(events.decided_at, bars.available_at[events.row])
        np.testing.assert_array_equal(events.entered_at, bars.open_time[events.entry_row])
        np.testing.assert_array_equal(events.exited_at, bars.available_at[events.exit_row])
        np.testing.assert_allclose(events.ret, np.log(events.exit_price / events.entry_price), atol=1e-15)
        assert (events.volatility > 0).all()

    def test_the_target_is_what_the_kind_says_a_model_learns(self, recipe: LabelKind, events: Events) -> None:
        """A class is its own target, a number is finite, and what is not labelled has none."""
        done = events.take(events.labelled)
        assert set(np.unique(events.label).tolist()) <= {-1, 0, 1}
        assert np.isnan(events.target[~events.labelled]).all()
        if recipe.learns == "class":
            np.testing.assert_array_equal(done.target, done.label)
        else:
            assert np.isfinite(done.target).all()
            assert len(np.unique(done.target)) > 3

    def test_the_unit_of_the_price_does_not_matter(self, recipe: LabelKind, bars: Bars, events: Events) -> None:
        """Prices in another unit give the same labels, with prices and volatility in that unit."""
        other = recipe.label(_with_prices(bars, *(1024 * getattr(bars, name) for name in PRICES)), np.arange(len(bars)))
        for name in ("row", "entry_row", "exit_row", "label", "labelled", "touch", "ambiguous"):
            np.testing.assert_array_equal(getattr(other, name), getattr(events, name), err_msg=name)
        for name in ("entry_price", "exit_price", "volatility"):
            np.testing.assert_allclose(getattr(other, name), 1024 * getattr(events, name), rtol=1e-9, err_msg=name)
        for name in ("ret", "target"):
            np.testing.assert_allclose(getattr(other, name), getattr(events, name), atol=1e-9, err_msg=name)

    def test_a_price_upside_down_turns_the_labels(self, recipe: LabelKind, bars: Bars, events: Events) -> None:
        """Falls become rises: labels change sign, but for bars that reached both barriers, where a rule decides."""
        if not self.mirrors:
            return
        level = 2 * bars.high.max()
        turned = _with_prices(bars, level - bars.open, level - bars.low, level - bars.high, level - bars.close)
        other = recipe.label(turned, np.arange(len(bars)))
        np.testing.assert_array_equal(other.row, events.row)
        clear = ~events.ambiguous
        np.testing.assert_array_equal(other.label[clear], -events.label[clear])
        np.testing.assert_array_equal(other.labelled, events.labelled)
        np.testing.assert_array_equal(other.exit_row, events.exit_row)

    def test_chance_gives_the_share_that_is_implied(self, recipe: LabelKind) -> None:
        """On a driftless walk the share of up is the implied one, within four standard errors of separate labels."""
        rng = np.random.default_rng(37)
        bars = random_bars(rng, [60_000], "5min")
        close = 1e6 + np.cumsum(rng.normal(size=len(bars)))
        walk = _with_prices(bars, *([close] * 4))
        rows = np.arange(200, len(bars), recipe.bars_watched("5min") + 1)
        events = recipe.label(walk, rows)
        side = (events.touch if recipe.touches else events.label)[events.labelled]
        sided, null = np.count_nonzero(side), recipe.implied_null_share()
        assert sided > 100
        assert abs(np.count_nonzero(side == 1) / sided - null) < 4 * np.sqrt(null * (1 - null) / sided)

    def test_bars_may_be_read_only(self, recipe: LabelKind, bars: Bars) -> None:
        """Bars are memory shared by many workers."""
        for field in fields(bars):
            if field.name not in ("symbol", "timeframe"):
                getattr(bars, field.name).setflags(write=False)
        recipe.label(bars, np.arange(len(bars)))

    def test_no_bars_and_no_rows_give_no_events(self, recipe: LabelKind, bars: Bars) -> None:
        """Nothing in, nothing out."""
        none = np.array([], dtype=np.int64)
        assert len(recipe.label(bars, none)) == 0
        assert len(recipe.label(bars.between(0, 0), none)) == 0

    @pytest.mark.parametrize("rows", [[5, 5], [6, 5], [-1, 5], [5, 10**9]])
    def test_impossible_rows_are_refused(self, recipe: LabelKind, bars: Bars, rows: list[int]) -> None:
        """Rows out of order or outside the bars are a ``ValueError``."""
        with pytest.raises(ValueError, match="rows must ascend"):
            recipe.label(bars, np.array(rows))

    def test_travels_and_is_written_down(self, recipe: LabelKind) -> None:
        """Pickled, or written out and read again, it is the same value with the same digest."""
        assert isinstance(recipe, Section)
        assert pickle.loads(pickle.dumps(recipe)) == recipe
        again = type(recipe).model_validate(recipe.model_dump(mode="json"))
        assert again == recipe
        assert again.digest() == recipe.digest()


def _same(one: Events, other: Events) -> None:
    for field in fields(Events):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name), err_msg=field.name)


def _ended(events: Events, bars: Bars, now: int) -> Events:
    """Labelled events whose label was known when bar ``now`` closed."""
    return events.take(events.labelled & (events.exited_at <= bars.available_at[now]))


def _with_prices(bars: Bars, open_: Float, high: Float, low: Float, close: Float) -> Bars:
    return replace(bars, open=open_, high=high, low=low, close=close)


def _other_from(bars: Bars, start: int, rng: np.random.Generator) -> Bars:
    """The bars with other prices from position ``start`` on."""
    factor = np.ones(len(bars))
    factor[start:] = np.exp(np.cumsum(0.01 * rng.standard_normal(len(bars) - start)))
    return _with_prices(bars, *(getattr(bars, name) * factor for name in PRICES))
