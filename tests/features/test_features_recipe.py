"""The recipe: what is chosen, how it is joined, what is refused, when its digest changes."""

import linecache
import os
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.bars.calendar import AlwaysOpen
from farm.bars.frame import Bars
from farm.bars.resample import resample
from farm.bars.timeframe import DAY, HOUR, MINUTE, nanoseconds
from farm.errors import BadInput
from farm.features import PRESETS, FeatureRecipe, registry
from farm.features.asof import asof_rows, staleness
from farm.features.laws import causality, find_table_leaks, finiteness, lookback_parity
from farm.features.table import FeatureTable
from farm.testing.feature import random_bars

CORE = FeatureRecipe(timeframes=("15min", "1h"))


@pytest.fixture(scope="module")
def base():
    return random_bars(np.random.default_rng(1), [2600, 100, 2200], "5min")


@pytest.fixture(scope="module")
def higher(base):
    return {timeframe: resample(base, timeframe, AlwaysOpen()) for timeframe in CORE.timeframes}


@pytest.fixture(scope="module")
def table(base, higher):
    return CORE.table(base, higher)


class TestTable:
    def test_has_the_columns_it_names(self, table, base):
        assert table.names == CORE.names
        assert table.values.shape == (len(base), len(CORE.names))
        assert table.values.flags.f_contiguous
        assert list(table.lookback) == list(table.names)
        assert {"rsi_14", "rsi_14@15min", "staleness@1h"} < set(table.names)
        assert "session_sin@1h" not in table.names

    def test_each_column_is_its_feature(self, table, base, higher):
        np.testing.assert_array_equal(table.values[:, table.names.index("adx_14")], registry()["adx_14"].values(base))
        rows = asof_rows(base, higher["1h"])
        expected = registry()["adx_14"].values(higher["1h"])[rows]
        found = table.values[:, table.names.index("adx_14@1h")]
        np.testing.assert_array_equal(found[rows >= 0], expected[rows >= 0])
        assert np.isnan(found[rows < 0]).all()

    def test_gives_rows_in_one_piece(self, table):
        at = np.array([4700, 3, 3, 0])
        rows = table.rows(at)
        np.testing.assert_array_equal(rows, table.values[at])
        assert rows.flags.c_contiguous
        assert table.rows(np.array([], dtype=np.int64)).shape == (0, len(table.names))

    def test_valid_rows_have_every_value_and_others_lack_one(self, table):
        np.testing.assert_array_equal(table.valid, np.isfinite(table.values).all(axis=1))
        assert 0.2 < table.valid.mean() < 0.9

    def test_no_column_reads_what_was_not_available(self, base, higher):
        assert find_table_leaks(CORE.table, base, higher, np.random.default_rng(4), cuts=5) is None

    def test_a_higher_bar_joined_before_its_close_is_caught_by_name(self, base, higher):
        def at_open(decision, higher):
            rows = np.searchsorted(higher["1h"].open_time, decision.open_time, side="right") - 1
            values = np.column_stack([decision.close, higher["1h"].close[rows]])
            return FeatureTable(("close", "close@1h"), values, np.ones(len(values), dtype=bool), {})

        assert find_table_leaks(at_open, base, higher, np.random.default_rng(4)).name == "close@1h"

    def test_a_row_recomputed_from_its_lookbacks_agrees(self, table, base, higher):
        """What a server does that keeps no more bars than the recipe asks for."""
        needed = {"5min": 1} | dict.fromkeys(CORE.timeframes, 1)
        for name, back in table.lookback.items():
            timeframe = name.partition("@")[2] or "5min"
            needed[timeframe] = max(needed[timeframe], back)
        for row in np.random.default_rng(5).choice(np.flatnonzero(table.valid), 10):
            rows = {"5min": row} | {name: asof_rows(base, bars)[row] for name, bars in higher.items()}
            cut = {
                name: bars.between(rows[name] - needed[name] + 1, rows[name] + 1)
                for name, bars in ({"5min": base} | higher).items()
            }
            again = CORE.table(cut["5min"], cut)
            np.testing.assert_allclose(again.values[-1], table.values[row], rtol=1e-9, atol=1e-9)

    def test_columns_that_share_their_beginnings_are_each_their_feature(self, base):
        recipe = FeatureRecipe(preset="full")
        made = recipe.table(base, {})
        for name, column in zip(made.names, made.values.T, strict=True):
            np.testing.assert_array_equal(column, registry()[name].values(base), err_msg=name)

    def test_the_same_bits_every_time(self, table, base, higher):
        assert CORE.table(base, higher).values.tobytes() == table.values.tobytes()


@pytest.fixture(scope="module")
def long():
    return random_bars(np.random.default_rng(8), [70_000, 3000], "15min")


class TestLongSegments:
    """Segments longer than one stretch."""

    recipe = FeatureRecipe(include=("trix_15", "session_gap"))

    def test_stretches_agree_with_the_whole(self, long):
        table = self.recipe.table(long, {})
        for name, column in zip(table.names, table.values.T, strict=True):
            np.testing.assert_allclose(column, registry()[name].values(long), rtol=1e-9, atol=1e-9, err_msg=name)

    def test_threads_and_later_bars_do_not_change_a_bit(self, long):
        table = self.recipe.table(long, {})
        assert self.recipe.table(long, {}, threads=3).values.tobytes() == table.values.tobytes()
        for stop in (59_999, 60_000, 60_001, 70_000):
            cut = self.recipe.table(long.between(0, stop), {})
            np.testing.assert_array_equal(cut.values, table.values[:stop])

    def test_the_segments_are_looked_for_once_however_many_features_there_are(self, long):
        passes = []

        class Counted(Bars):
            def segment_bounds(self):
                passes.append(len(self))
                return super().segment_bounds()

        FeatureRecipe(preset="full").table(Counted(**vars(long)), {})
        assert passes == [len(long)]


class TestAsOf:
    @given(st.data())
    def test_joins_the_last_bar_available_in_the_segment(self, data):
        def series(timeframe, length):
            times = sorted(data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=length, unique=True)))
            times = np.array(times) * MINUTE
            price = np.ones(len(times))
            return Bars(
                "X", timeframe, times - 1, times, *[price] * 5, session=times // DAY, segment=times // (20 * MINUTE)
            )

        decision, higher = series("1min", 40), series("5min", 12)
        rows = asof_rows(decision, higher)
        for i in range(len(decision)):
            known = np.flatnonzero(higher.available_at <= decision.available_at[i])
            same = len(known) > 0 and higher.segment[known[-1]] == decision.segment[i]
            assert rows[i] == (known[-1] if same else -1)

    def test_staleness_counts_lengths_of_the_higher_bar(self, base, higher):
        rows = asof_rows(base, higher["1h"])
        age = staleness(base, higher["1h"], rows)
        waiting = (base.available_at % HOUR) / HOUR
        np.testing.assert_allclose(age[rows >= 0], waiting[rows >= 0])
        assert np.isnan(age[rows < 0]).all()
        assert (rows < 0).any()

    def test_staleness_grows_over_a_gap(self):
        times = np.array([1, 2, 3, 50, 51]) * HOUR
        one = np.ones(5)
        bars = Bars("X", "1h", times - HOUR, times, *[one] * 5, session=times // DAY, segment=times * 0)
        daily = Bars("X", "1d", *[np.array([0, HOUR])[i : i + 1] for i in (0, 1)], *[one[:1]] * 5, *[times[:1] * 0] * 2)
        np.testing.assert_allclose(staleness(bars, daily, asof_rows(bars, daily)) * 24, [0, 1, 2, 49, 50])


class TestChoice:
    def test_include_adds_and_exclude_takes_away(self):
        recipe = FeatureRecipe(preset="small", include=("roc_10", "body"), exclude=("body", "log_return_1"))
        assert recipe.names == (*PRESETS["small"][1:], "roc_10")

    def test_presets_name_registered_features(self):
        assert all(name in registry() for names in PRESETS.values() for name in names)
        assert all(registry()[name].bars_back("1min") <= 21 for name in PRESETS["small"])

    @pytest.mark.parametrize(
        ("choice", "said"),
        [
            ({"include": ["rsi_15"]}, "include names 'rsi_15', which does not exist; nearest: .*rsi_14"),
            ({"exclude": ["bolinger"]}, "nearest: bollinger_20"),
            ({"preset": "cor"}, "nearest: core"),
            ({"timeframes": ["1h", "1h"]}, "one twice"),
            ({"timeframes": ["1 hour"]}, "is not a length"),
            ({"preset": "none"}, "leaves no feature"),
            ({"timeframes": ["10min", "15min", "1h"]}, "are more than 100"),
            ({"keep": 0}, "greater than or equal to 1"),
            ({"presets": "core"}, "presets"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, choice, said):
        with pytest.raises(ValueError, match=said):
            FeatureRecipe(**choice)

    def test_over_budget_is_allowed_on_request(self):
        assert len(FeatureRecipe(timeframes=["10min", "15min", "1h"], allow_over_budget=True).names) > 100

    def test_a_lookback_longer_than_any_segment_is_refused(self, base):
        with pytest.raises(BadInput, match=r"adx_14 looks back 140 bars of 5min, .* RANDOM has 60; exclude"):
            FeatureRecipe(preset="none", include=["adx_14"]).table(base.between(0, 60), {})
        with pytest.raises(BadInput, match="has 0; exclude"):
            FeatureRecipe(preset="small").table(base.between(0, 0), {})

    def test_a_missing_or_shorter_timeframe_is_refused(self, base, higher):
        with pytest.raises(BadInput, match="no bars of 1h were given"):
            CORE.table(base, {"15min": higher["15min"]})
        with pytest.raises(BadInput, match="has 15min, which is not longer than the decision's 1h"):
            CORE.table(higher["1h"], higher)


class TestDigest:
    def test_covers_every_choice(self):
        recipes = [CORE, FeatureRecipe(), FeatureRecipe(keep=10), FeatureRecipe(include=("roc_10",))]
        assert len({recipe.digest() for recipe in recipes}) == 4
        assert CORE.digest() == FeatureRecipe(timeframes=["15min", "1h"]).digest()

    def test_changes_with_the_source_of_a_plug_in(self, plug_in):
        digests = []
        for factor in (2, 2, 3):
            plug_in(
                "from farm.features import Feature\n"
                f"def compute(bars):\n    return bars.close * {factor}\n"
                "FEATURES = (Feature('mine', 'mine', 1, ('close',), 'own', compute, stationary=False),)\n"
            )
            digests.append(FeatureRecipe(include=("mine",)).digest())
        assert digests[0] == digests[1] != digests[2]


class TestPlugIn:
    def test_its_feature_is_a_column(self, plug_in, base):
        plug_in(
            "from farm.features import Feature\n"
            "def compute(bars):\n    return bars.close * 2\n"
            "FEATURES = (Feature('mine', 'mine', 1, ('close',), 'own', compute, stationary=False),)\n"
        )
        table = FeatureRecipe(preset="none", include=("mine",)).table(base, {})
        np.testing.assert_array_equal(table.values[:, 0], base.close * 2)

    def test_a_name_that_is_taken_is_refused(self, plug_in):
        plug_in("from farm.features.momentum import FEATURES")
        with pytest.raises(BadInput, match="two features are called rsi_14"):
            registry()


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Installs source text as a package's features for the length of a test."""

    def install(text):
        (tmp_path / "plugged_features.py").write_text(text)
        linecache.clearcache()
        sys.modules.pop("plugged_features", None)
        module = import_module("plugged_features")
        entry = SimpleNamespace(name="mine", load=lambda: module.FEATURES)
        monkeypatch.setattr("farm.features.registered.entry_points", lambda group: [entry])
        registry.cache_clear()

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield install
    registry.cache_clear()


def real_bars(path, timeframe, start, stop, offset):
    """Bars of a file, one session a day of local time, a segment ending where two bars are over four days apart."""
    table = pq.read_table(path).slice(start, stop - start)
    at = table["timestamp"].cast(pa.timestamp("ns", "UTC")).cast("int64").to_numpy()
    columns = {name: table[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close", "volume")}
    segment = np.concatenate(([0], np.cumsum(np.diff(at) > 4 * DAY)))
    session = (at + offset) // DAY
    return Bars(path.stem, timeframe, at, at + nanoseconds(timeframe), **columns, session=session, segment=segment)


@pytest.fixture(
    scope="module",
    params=[
        ("NIFTY50_index_1m_nse_2012_2021.parquet", 330_000, 345_000, 5 * HOUR + 30 * MINUTE),
        ("FILUSDT_perp_1m_binance.parquet", 30_000, 45_000, 0),
        ("ALGOUSDT_perp_1m_binance.parquet", 80_000, 90_000, 0),
    ],
    ids=lambda given: given[0].partition("_")[0],
)
def real(request):
    if "FARM_DATA" not in os.environ:
        pytest.skip("FARM_DATA is unset: no real bars")
    name, start, stop, offset = request.param
    return real_bars(Path(os.environ["FARM_DATA"]) / name, "1min", start, stop, offset)


@pytest.mark.parametrize("name", registry())
def test_real_bars_obey_the_laws(name, real):
    for law in (causality, lookback_parity, finiteness):
        violation = law(registry()[name], real, np.random.default_rng(9))
        assert violation is None, str(violation)


def test_real_bars_have_complete_rows(real):
    table = FeatureRecipe().table(real, {})
    expected = sum(max(length - 1439, 0) for length in np.diff(real.segment_bounds()))
    assert table.valid.sum() == expected > 0


def test_a_session_cut_into_uneven_bars_is_read_whole():
    """A day has 57.6 bars of 25 minutes: the session's features read 58."""
    base = random_bars(np.random.default_rng(6), [6000], "5min")
    bars = resample(base, "25min", AlwaysOpen())
    for name in ("session_return", "session_sin", "vwap_distance"):
        assert lookback_parity(registry()[name], bars, np.random.default_rng(0)) is None
