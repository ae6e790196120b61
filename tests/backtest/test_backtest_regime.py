"""Which regime a session is in, and what was earned in each."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backtest import Orders, buy_and_hold, by_regime, session_regimes, simulate
from farm.bars.instrument import ByVolatility, PerContract, Ticks

SEEDS = st.integers(0, 2**32 - 1)
BARS_A_SESSION = 8


@pytest.fixture(scope="session")
def long_market(make_bars):
    """150 sessions of eight bars whose volatility comes and goes."""

    def make(seed, sessions=150):
        rng = np.random.default_rng(seed)
        wide = np.repeat(np.exp(np.sin(np.arange(sessions) / 8)), BARS_A_SESSION)
        close = 100 * np.exp(np.cumsum(rng.normal(0, 1e-3, len(wide)) * wide))
        open_ = np.append(100.0, close[:-1])
        return make_bars(open_, close, session=np.repeat(np.arange(sessions), BARS_A_SESSION))

    return make


def told_session_by_session(bars):
    """Both regimes of every session as one would tell them, from the bars before it."""
    sessions = np.unique(bars.session)
    variance, last, figures, told = [], [], [], []
    for session in sessions:
        figures.append(np.mean(variance[-5:]) if len(variance) >= 5 else np.nan)
        usual = [figure for figure in figures[-60:] if figure == figure]
        volatility = "unknown"
        if len(usual) >= 20:
            volatility = "high" if figures[-1] > np.median(usual) else "low"
        trend = "unknown"
        if len(last) >= 60:
            steps = np.sign([last[-1] - np.mean(last[-20:]), np.mean(last[-20:]) - np.mean(last[-60:])])
            trend = {2: "up", -2: "down"}.get(int(steps.sum()), "sideways")
        told.append((volatility, trend))
        rows = np.flatnonzero(bars.session == session)
        before = np.where(rows == 0, bars.open[0], bars.close[rows - 1])
        variance.append(np.sum(np.log(bars.close[rows] / before) ** 2))
        last.append(bars.close[rows[-1]])
    return told


def test_regimes_are_those_told_session_by_session(long_market):
    bars = long_market(1)
    found = session_regimes(bars)
    told = told_session_by_session(bars)
    assert list(zip(found.volatility.tolist(), found.trend.tolist(), strict=True)) == told
    assert {name for pair in told for name in pair} == {"unknown", "low", "high", "up", "down", "sideways"}


@given(SEEDS, st.integers(1, 149))
def test_a_session_s_regime_knows_neither_the_session_nor_what_comes_after(long_market, seed, session):
    bars = long_market(seed)
    first = session * BARS_A_SESSION
    rng = np.random.default_rng(seed)
    changed = {}
    for name in ("open", "high", "low", "close"):
        changed[name] = getattr(bars, name).copy()
        changed[name][first:] *= rng.uniform(0.5, 2.0, len(bars) - first)
    whole, other = session_regimes(bars), session_regimes(replace(bars, **changed))
    assert (whole.volatility[: session + 1] == other.volatility[: session + 1]).all()
    assert (whole.trend[: session + 1] == other.trend[: session + 1]).all()
    part = session_regimes(bars.between(0, first + 1))
    assert (whole.volatility[: session + 1] == part.volatility).all()


def test_a_jump_over_a_hole_or_a_roll_is_no_volatility(long_market):
    bars = long_market(2)
    at = 100 * BARS_A_SESSION
    later = np.arange(len(bars)) >= at
    jumped = replace(bars, **{name: getattr(bars, name) * np.where(later, 1.5, 1.0) for name in ("open", "close")})
    plain = session_regimes(bars).volatility
    assert (session_regimes(jumped).volatility != plain).any()
    for mark in ({"segment": later.astype(np.int64)}, {"rolled": np.arange(len(bars)) == at}):
        assert (session_regimes(replace(jumped, **mark)).volatility == plain).all()


def test_no_bars_have_no_regimes(long_market):
    assert len(session_regimes(long_market(1).between(0, 0)).volatility) == 0


# ---- Slippage by volatility


def test_every_fill_slips_by_the_regime_of_its_session(long_market, make_instrument):
    bars = long_market(3)
    slippage = ByVolatility(low=Ticks(value=0.5), high=Ticks(value=3.0))
    free = PerContract(value=0)
    trades = simulate(
        bars, buy_and_hold_a_session(bars), make_instrument(lot=0.1, commission=free, slippage=slippage), 10_000.0
    ).trades
    volatility = session_regimes(bars).volatility[bars.session[trades.entry_row]]
    ticks = trades.entry_cost / trades.quantity / (0.25 * 5.0)
    np.testing.assert_allclose(ticks, np.where(volatility == "low", 0.5, 3.0), rtol=1e-12)
    assert set(volatility) == {"unknown", "low", "high"}


def buy_and_hold_a_session(bars):
    """Long from the second bar of every session to its end: orders decided at its first close."""
    row = np.arange(0, len(bars), BARS_A_SESSION)
    exit_row = row + BARS_A_SESSION - 1
    return Orders.of_arrays(row, row + 1, exit_row, bars.open[row + 1], bars.close[exit_row], np.ones(len(row)))


# ---- Results by regime


def test_the_rows_of_each_kind_sum_to_the_whole(long_market, make_instrument):
    bars = long_market(5)
    held = simulate(bars, buy_and_hold(bars), make_instrument(lot=0.01), 10_000.0)
    rows = by_regime(held, session_regimes(bars), 250.0)
    for kind in ("volatility", "trend"):
        mine = [row for row in rows if row.by == kind]
        assert sum(row.sessions for row in mine) == 150
        assert sum(row.net_return for row in mine) == pytest.approx(held.net.sum(), abs=1e-12)
        assert all(row.regime.startswith(kind) for row in mine)


def test_a_sharpe_ratio_stands_inside_its_interval_and_is_that_of_its_sessions(long_market, make_instrument):
    bars = long_market(5)
    held = simulate(bars, buy_and_hold(bars), make_instrument(lot=0.01), 10_000.0)
    regimes = session_regimes(bars)
    high = next(row for row in by_regime(held, regimes, 250.0) if row.regime == "volatility high")
    net = held.net[regimes.volatility == "high"]
    assert high.sharpe == pytest.approx(net.mean() / net.std(ddof=1) * np.sqrt(250.0))
    assert high.low < high.sharpe < high.high
    assert by_regime(held, regimes, 250.0, seed=3) == by_regime(held, regimes, 250.0, seed=3)


def test_few_or_idle_sessions_tell_nothing(long_market, make_instrument):
    bars = long_market(5, sessions=30)
    held = simulate(bars, buy_and_hold(bars), make_instrument(lot=0.01), 10_000.0)
    rows = {row.regime: row for row in by_regime(held, session_regimes(bars), 250.0)}
    assert rows["volatility unknown"].sharpe is not None  # 24 sessions
    few = rows.keys() - {"volatility unknown", "trend unknown"}
    assert few
    assert all((rows[name].sharpe, rows[name].low, rows[name].high) == (None, None, None) for name in few)
    idle = replace(held, gross=0 * held.gross, instrument_cost=0 * held.gross)
    assert all(row.sharpe is None and row.net_return == 0 for row in by_regime(idle, session_regimes(bars), 250.0))


def test_regimes_of_other_bars_are_refused(long_market, make_instrument):
    bars = long_market(5)
    held = simulate(bars, buy_and_hold(bars), make_instrument(lot=0.01), 10_000.0)
    with pytest.raises(ValueError, match="of 30 sessions, but the backtest has 150"):
        by_regime(held, session_regimes(long_market(5, sessions=30)), 250.0)
