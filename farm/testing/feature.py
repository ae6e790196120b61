"""What a feature must pass: inherit :class:`FeatureConformance`, name the feature, run pytest.

.. code-block:: python

    class TestMine(FeatureConformance):
        @pytest.fixture
        def feature(self):
            return MY_FEATURE
"""

import pickle
from collections.abc import Sequence

import numpy as np
import pytest

from farm.bars.frame import Bars
from farm.bars.timeframe import DAY, nanoseconds
from farm.features import laws
from farm.features.feature import Feature


def random_bars(
    rng: np.random.Generator, segments: Sequence[int], timeframe: str = "15min", level: float = 20_000
) -> Bars:
    """Bars of a 24x7 market around a price ``level``, one segment of each length given, two days apart.

    They hold what breaks careless features: changing volatility, a jump, a stretch where nothing moves and nothing
    trades, and a longer one without volume.

    Returns
    -------
    Bars
        ``sum(segments)`` bars; times are int64 ns UTC.

    >>> len(random_bars(np.random.default_rng(0), [3, 2]))
    5
    """
    n, step = sum(segments), nanoseconds(timeframe)
    segment = np.repeat(np.arange(len(segments)), segments)
    moves = rng.standard_t(4, n) * 1e-3 * np.exp(np.sin(np.arange(n) / 50))
    moves[rng.integers(n)] += 0.1
    still = np.zeros(n, dtype=bool)
    silent = np.zeros(n, dtype=bool)
    still[n // 3 : n // 3 + n // 6] = True
    silent[n // 3 : n // 3 + n // 3] = True
    close = level * np.exp(np.cumsum(np.where(still, 0.0, moves)))
    open_ = np.where(still, close, close * np.exp(1e-3 * rng.normal(size=n)))
    wick = np.where(still, 0.0, rng.exponential(1e-3, size=(2, n)))
    times = np.arange(n) * step + segment * 2 * DAY
    return Bars(
        symbol="RANDOM",
        timeframe=timeframe,
        open_time=times,
        available_at=times + step,
        open=open_,
        high=np.maximum(open_, close) * (1 + wick[0]),
        low=np.minimum(open_, close) * (1 - wick[1]),
        close=close,
        volume=np.where(silent, 0.0, rng.poisson(50, n).astype(np.float64)),
        session=times // DAY,
        segment=segment,
    )


class FeatureConformance:
    """The laws of :mod:`farm.features.laws`, one test each, for the feature of the fixture."""

    @pytest.fixture
    def feature(self) -> Feature:
        """The feature under test."""
        raise NotImplementedError("give the suite a fixture called feature that returns the Feature to test")

    @pytest.fixture
    def bars(self, feature: Feature) -> Bars:
        """Three segments, one of them shorter than the lookback."""
        back = feature.bars_back("15min")
        return random_bars(np.random.default_rng(7), [2 * back + 300, max(back // 2, 1), back + 150])

    @pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
    def test_obeys_the_law_of(self, law: laws.Law, feature: Feature, bars: Bars) -> None:
        """Each law, at random moments."""
        violation = law(feature, bars, np.random.default_rng(11))
        assert violation is None, str(violation)

    def test_a_segment_starts_it_afresh(self, feature: Feature, bars: Bars) -> None:
        """What a segment gives does not depend on the segments before it, and begins when the lookback is complete."""
        start = int(bars.segment_bounds()[-2])
        alone = feature.values(bars.between(start, len(bars)))
        np.testing.assert_array_equal(feature.values(bars)[start:], alone)
        assert np.isnan(alone[: feature.bars_back(bars.timeframe) - 1]).all()

    def test_leaves_its_bars_alone(self, feature: Feature, bars: Bars) -> None:
        """Bars may be read-only memory shared by many workers."""
        for name in ("open", "high", "low", "close", "volume", "open_time", "available_at", "session", "segment"):
            getattr(bars, name).setflags(write=False)
        feature.values(bars)

    def test_travels_to_a_worker(self, feature: Feature, bars: Bars) -> None:
        """Pickled and read back it gives the same bits."""
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(feature)).values(bars), feature.values(bars))

    def test_says_where_it_comes_from(self, feature: Feature) -> None:
        """Name, group and source are given."""
        assert feature.name
        assert feature.group
        assert feature.source
        assert feature.lookback >= 1
