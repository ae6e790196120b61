"""Cumulative returns for the eye: the headline series of every trial, and the band of its single-fit paths."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from farm.stats.resample import optimal_block_length, resampled_rows

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_HEADLINE = -1
_HISTORIES = 400  # enough for the 2.5% and 97.5% of a band that is looked at, not read from
_FEWEST_SESSIONS = 8  # the bootstrap's least


@dataclass(frozen=True, eq=False)
class Curve:
    """One trial's cumulative return and drawdown, fractions of the capital, one value a kept session.

    ``band`` has the rows lowest, 10%, 90%, highest of the single-fit paths, shape (4, sessions); None under two paths.
    ``returns`` are those of all sessions, ``kept`` the numbers of the kept ones.
    """

    equity: Float
    drawdown: Float
    band: Float | None
    returns: Float
    kept: Int

    @cached_property
    def luck(self) -> Float | None:
        """Where the equity of 95% of resampled histories lies, rows low and high, shape (2, sessions).

        None for returns too few to resample, or all the same. Stationary bootstrap of the session returns (Politis and
        Romano 1994), pointwise: at each session the 2.5% and 97.5% of the histories.
        """
        if len(self.returns) < _FEWEST_SESSIONS or np.ptp(self.returns) == 0:
            return None
        rows = resampled_rows(len(self.returns), _HISTORIES, optimal_block_length(self.returns), seed=0)
        return np.quantile(self.returns[rows].cumsum(axis=1)[:, self.kept], (0.025, 0.975), axis=0)


@dataclass(frozen=True, eq=False)
class StudyCurves:
    """The curves of one study: ``sessions`` in days since 1970-01-01; ``net`` and ``gross`` by trial."""

    symbol: str
    sessions: Int
    net: dict[str, Curve]
    gross: dict[str, Curve]


def study_curves(returns: pa.Table, points: int) -> Iterator[StudyCurves]:
    """The curves of every study in a table of session returns, thinned to at most ``points`` sessions each.

    Every kept session is the last one of its block. The equity and the band are those of that session, the drawdown is
    the worst of the block, so that no fall is thinned away.
    """
    symbols = returns["symbol"].combine_chunks().dictionary_encode()
    codes = symbols.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(symbols.dictionary) + 1))
    for at, symbol in enumerate(symbols.dictionary.to_pylist()):
        yield _curves(symbol, returns.take(order[bounds[at] : bounds[at + 1]]), points)


def block_ends(n: int, points: int) -> Int:
    """The last position of each of at most ``points`` blocks of equal length, the last block being the shorter one.

    >>> block_ends(10, 4).tolist(), block_ends(3, 4).tolist()
    ([2, 5, 8, 9], [0, 1, 2])
    """
    length = -(-n // points)
    return np.minimum(np.arange(length - 1, n + length - 1, length), n - 1)


def _curves(symbol: str, rows: pa.Table, points: int) -> StudyCurves:
    trials = rows["trial"].combine_chunks().dictionary_encode()
    trial, path = trials.indices.to_numpy(), rows["path"].to_numpy()
    days = pc.cast(rows["session"], pa.int32()).to_numpy().astype(np.int64)
    sessions, row = np.unique(days, return_inverse=True)
    n_paths = int(path.max()) + 2
    column = trial * n_paths + path + 1
    columns, place = np.unique(column, return_inverse=True)
    kept = block_ends(len(sessions), points)
    series = []
    for name in ("net", "gross"):
        matrix = np.zeros((len(sessions), len(columns)))
        matrix[row, place] = rows[name].to_numpy()
        series.append(
            {
                trial_name: _curve(
                    matrix[:, columns // n_paths == code], columns[columns // n_paths == code] % n_paths - 1, kept
                )
                for code, trial_name in enumerate(trials.dictionary.to_pylist())
            }
        )
    return StudyCurves(symbol, sessions[kept], series[0], series[1])


def _curve(returns: Float, path: Int, kept: Int) -> Curve:
    equity = returns.cumsum(axis=0)
    headline = equity[:, path == _HEADLINE][:, 0]
    below = headline - np.maximum(np.maximum.accumulate(headline), 0)
    starts = np.concatenate(([0], kept[:-1] + 1))
    paths = equity[kept][:, path != _HEADLINE]
    band = np.quantile(paths, (0, 0.1, 0.9, 1), axis=1) if paths.shape[1] > 1 else None
    own = returns[:, path == _HEADLINE][:, 0].copy()
    return Curve(headline[kept], np.minimum.reduceat(below, starts), band, own, kept)
