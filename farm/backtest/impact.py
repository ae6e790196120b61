"""What an order costs because it moves the market: the square-root law."""

from typing import Literal

import numpy as np
from pydantic import Field

from farm.backtest.regime import session_starts, squared_moves
from farm.bars.frame import Bars, Float, Int
from farm.errors import BadInput
from farm.section import Section

_SESSIONS = 20


class SquareRootImpact(Section):
    """A fill costs its notional times ``coefficient * volatility * sqrt(quantity / volume)``.

    Volatility and volume are those of a day: the realised volatility and the mean volume of the 20 sessions up to the
    fill, the present one as far as it has come. The length of the span cancels out of the law, so an unfinished session
    does no harm. The volume of the bars counts contracts or shares, as quantities do. Coefficients near 1 are what most
    studies find.

    References
    ----------
    Almgren, Thum, Hauptmann & Li (2005), Direct Estimation of Equity Market Impact, Risk 18(7). Tóth, Lempérière,
    Deremble, de Lataillade, Kockelkoren & Bouchaud (2011), Anomalous Price Impact and the Critical Nature of Liquidity
    in Financial Markets, Physical Review X 1, 021006.

    Examples
    --------
    >>> minute, close = 60 * 10**9, np.array([100.0, 101.0, 100.0, 101.0])
    >>> times, zeros, volume = np.arange(4) * minute, np.zeros(4, dtype=np.int64), np.full(4, 1000.0)
    >>> bars = Bars("X", "1min", times, times + minute, close, close, close, close, volume, zeros, zeros)
    >>> law = SquareRootImpact(kind="square_root", coefficient=1.0)
    >>> law.fill_cost(bars, np.array([3, 3]), np.array([100.0, 100.0]), np.array([1.0, 4.0]), 1.0).round(4)
    array([0.0273, 0.218 ])
    """

    kind: Literal["square_root"] = "square_root"
    coefficient: float = Field(gt=0)

    def fill_cost(self, bars: Bars, known: Int, price: Float, quantity: Float, point_value: float) -> Float:
        """Cost of each fill in money.

        Parameters
        ----------
        bars
            Bars that were traded.
        known
            Position of the last bar that had closed before each fill.
        price, quantity
            Of each fill; the quantity's sign does not matter.
        point_value
            Money that a contract gains when the price rises by one point.

        Raises
        ------
        BadInput
            There is no volume in the bars, or none in the sessions up to a fill.
        """
        self.require_volume(bars)
        size = np.abs(quantity)
        share = self.coefficient * np.sqrt(self._variance_a_contract(bars, known) * size)
        return np.asarray(share * price * point_value * size)

    def require_volume(self, bars: Bars) -> None:
        """Refuse bars without any volume: the law has nothing to measure an order against."""
        if not (bars.volume > 0).any():
            raise BadInput(
                f"{bars.symbol}: backtest.impact is a law about volume, and the volume of all {len(bars)} bars is 0; "
                "leave `impact` out and put a larger slippage, or bring bars with volume"
            )

    def _variance_a_contract(self, bars: Bars, known: Int) -> Float:
        starts = session_starts(bars)
        first = starts[np.maximum(np.searchsorted(starts, known, side="right") - _SESSIONS, 0)]
        moved, traded = (_between(values, first, known) for values in (squared_moves(bars), bars.volume))
        silent = np.flatnonzero(traded <= 0)
        if len(silent):
            at = np.datetime64(int(bars.available_at[known[silent[0]]]), "ns").astype("datetime64[s]")
            raise BadInput(
                f"{bars.symbol}: backtest.impact needs volume, and the {_SESSIONS} sessions up to {at} UTC have none; "
                "leave `impact` out, or bring bars with volume throughout"
            )
        return np.asarray(moved / traded)


def _between(values: Float, first: Int, last: Int) -> Float:
    """Sum of the values from ``first`` to ``last``, both included."""
    total = np.concatenate(([0.0], np.cumsum(values)))
    return np.asarray(total[last + 1] - total[first])
