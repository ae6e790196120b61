from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.report.curves import block_ends, study_curves
from farm.report.foldmap import pieces

DAY = 86_400 * 10**9


def returns_of(series, symbol="A", trial="m"):
    """Rows of returns.parquet from path -> net returns by session; costs are a hundredth of a percent."""
    parts = []
    for path, net in series.items():
        n = len(net)
        parts.append(
            pa.table(
                {
                    "symbol": [symbol] * n,
                    "trial": [trial] * n,
                    "path": pa.array([path] * n, pa.int32()),
                    "session": pa.array(range(100, 100 + n), pa.int32()).cast(pa.date32()),
                    "gross": np.asarray(net) + 1e-4,
                    "net": np.asarray(net),
                }
            )
        )
    return pa.concat_tables(parts)


@given(n=st.integers(1, 2000), points=st.integers(1, 500))
def test_thinning_keeps_the_last_session_and_no_more_than_was_asked(n, points):
    kept = block_ends(n, points)
    assert len(kept) <= points
    assert kept[-1] == n - 1
    assert (np.diff(kept) > 0).all()


@given(seed=st.integers(0, 2**31), n=st.integers(1, 120), points=st.integers(1, 40))
def test_the_worst_drawdown_survives_thinning(seed, n, points):
    net = np.random.default_rng(seed).normal(0, 0.02, n)
    (curves,) = study_curves(returns_of({-1: net}), points)
    equity = net.cumsum()
    worst = (np.maximum(np.maximum.accumulate(equity), 0) - equity).max()
    assert -curves.net["m"].drawdown.min() == pytest.approx(worst, abs=1e-12)
    assert curves.net["m"].equity[-1] == pytest.approx(equity[-1])


def test_curves_are_joined_by_key_whatever_the_order_of_the_rows():
    rng = np.random.default_rng(0)
    tables = [
        returns_of({path: rng.normal(0, 0.01, 50) for path in (-1, 0, 1, 2)}, symbol, trial)
        for symbol in ("A", "B")
        for trial in ("x", "y")
    ]
    straight = pa.concat_tables(tables)
    shuffled = straight.take(rng.permutation(len(straight)))
    sorted_curves = {curve.symbol: curve for curve in study_curves(straight, 1000)}
    for curve in study_curves(shuffled, 1000):
        same = sorted_curves[curve.symbol]
        for trial in ("x", "y"):
            np.testing.assert_allclose(curve.net[trial].equity, same.net[trial].equity, atol=1e-12)
            np.testing.assert_allclose(curve.gross[trial].band, same.gross[trial].band, atol=1e-12)


def test_the_band_is_of_the_paths_and_not_of_the_headline():
    flat, up, down = np.zeros(10), np.full(10, 0.01), np.full(10, -0.01)
    (curves,) = study_curves(returns_of({-1: flat, 0: up, 1: down}), 100)
    low, _, _, high = curves.net["m"].band
    assert high[-1] == pytest.approx(0.1)
    assert low[-1] == pytest.approx(-0.1)
    assert (curves.net["m"].equity == 0).all()
    assert curves.gross["m"].equity[-1] == pytest.approx(10 * 1e-4)


def test_a_single_path_has_no_band():
    (curves,) = study_curves(returns_of({-1: [0.01], 0: [0.01]}), 10)
    assert curves.net["m"].band is None


def groups(n, purge=0):
    return [
        {"start": 10 * at * DAY, "stop": 10 * (at + 1) * DAY, "embargo_until": (10 * (at + 1) + 1) * DAY,
         "purge_from": (10 * at - purge) * DAY}
        for at in range(n)
    ]  # fmt: skip


def told(found):
    return [(piece.part, piece.start // DAY, piece.stop // DAY) for piece in found]


def test_the_fold_map_leaves_out_the_embargo_after_a_test_group_and_what_is_purged_before_it():
    assert told(pieces(groups(4, purge=2), [1], "cpcv")) == [
        ("train", 0, 8), ("left out", 8, 10), ("test", 10, 20), ("left out", 20, 21), ("train", 21, 30),
        ("train", 30, 40),
    ]  # fmt: skip


def test_neighbouring_test_groups_are_one_block_on_the_fold_map():
    assert told(pieces(groups(4), [1, 2], "cpcv")) == [
        ("train", 0, 10), ("test", 10, 20), ("test", 20, 30), ("left out", 30, 31), ("train", 31, 40),
    ]  # fmt: skip


def test_a_walk_forward_trains_on_the_past_alone_and_on_its_window():
    assert told(pieces(groups(4, purge=1), [2], "walk_forward")) == [
        ("train", 0, 10), ("train", 10, 19), ("left out", 19, 20), ("test", 20, 30),
    ]  # fmt: skip
    assert told(pieces(groups(4, purge=1), [2], "walk_forward", window=1)) == [
        ("train", 10, 19), ("left out", 19, 20), ("test", 20, 30),
    ]  # fmt: skip


@given(n=st.integers(2, 9), data=st.data())
def test_the_pieces_of_a_split_cover_the_span_once(n, data):
    held_out = data.draw(st.sets(st.integers(0, n - 1), min_size=1, max_size=n))
    found = pieces(groups(n), sorted(held_out), "cpcv")
    assert found[0].start == 0
    assert found[-1].stop == 10 * n * DAY
    assert all(before.stop == after.start for before, after in pairwise(found))
