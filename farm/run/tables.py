"""A judged study as tables: out-of-fold rows, and returns by session."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from farm.backtest import Backtest
from farm.labels import sample_weights
from farm.panel import Panel
from farm.pool import PooledPanel
from farm.pooled_study import parts_of
from farm.study import Study

Int = NDArray[np.int64]

OOF_COLUMNS = (
    "symbol", "decided_at", "trial", "model", "split", "group", "label", "weight", "p_down", "p_flat", "p_up",
)  # fmt: skip


def oof_table(panel: Panel, study: Study) -> pa.Table:
    """Out-of-fold rows of every trial that predicts, sorted by trial, split and time.

    Every trial has the same rows, the clock's decisions; where it has no prediction for one, its columns p are null.
    """
    events, lattice = panel.events, study.lattice
    labelled = events.labelled
    weight = np.full(len(events.row), np.nan)
    weight[labelled] = sample_weights(events, np.flatnonzero(labelled))
    rows, others = np.nonzero(lattice.split >= 0)
    split = lattice.split[rows, others]
    order = np.lexsort((rows, split))
    rows, others, split = rows[order], others[order], split[order]
    keys = {
        "decided_at": pa.array(events.decided_at[rows], pa.timestamp("ns", tz="UTC")),
        "split": pa.array(split, pa.int32()),
        "group": pa.array(lattice.group[rows], pa.int32()),
        "label": pa.array(events.label[rows], pa.int8(), mask=~labelled[rows]),
        "weight": pa.array(weight[rows], mask=~labelled[rows]),
    }
    symbol, parts = _symbols(panel, rows), []
    for trial in study.trials:
        if trial.predicted is None:
            continue
        probability = trial.predicted[rows, others]
        name = _constant(trial.name, len(rows))
        columns = {"symbol": symbol, "trial": name, "model": name, **keys}
        columns |= {
            f"p_{side}": pa.array(probability[:, at], from_pandas=True)  # no prediction: null
            for at, side in enumerate(("down", "flat", "up"))
        }
        parts.append(pa.table({column: columns[column] for column in OOF_COLUMNS}))
    return pa.concat_tables(parts).combine_chunks()


def returns_table(symbol: str, study: Study, members: Sequence[str] = ()) -> pa.Table:
    """Returns by session of every trial: path -1 is the headline series, then the single-fit paths.

    Configurations of a search have their headline series alone, and so have the symbols of a pool, under their names.
    """
    parts = []
    every: list[tuple[str, str, tuple[Backtest, ...]]] = [
        (symbol, trial.name, (trial.headline, *trial.paths)) for trial in study.trials
    ]
    every += [(symbol, name, (one,)) for picked in study.picked.values() for name, one in picked.headline.items()]
    for number, own in enumerate(members):
        every += [(own, one.name, (parts_of(one.headline)[number],)) for one in study.trials]
    for whose, name, backtests in every:
        for path, backtest in enumerate(backtests, start=-1):
            n = len(backtest.sessions)
            parts.append(
                pa.table(
                    {
                        "symbol": _constant(whose, n),
                        "trial": _constant(name, n),
                        "path": pa.array(np.full(n, path), pa.int32()),
                        "session": pa.array(backtest.sessions, pa.int32()).cast(pa.date32()),
                        "gross": backtest.gross,
                        "cost": backtest.cost,
                        "net": backtest.net,
                    }
                )
            )
    return pa.concat_tables(parts).combine_chunks()


def _symbols(panel: Panel, rows: Int) -> pa.Array:
    """The symbol of each row: in a pool each one's own."""
    if not isinstance(panel, PooledPanel):
        return _constant(panel.symbol, len(rows))
    names = pa.array([one.symbol for one in panel.members])
    return pa.DictionaryArray.from_arrays(pa.array(panel.member[rows], pa.int32()), names).cast(pa.string())


def _constant(text: str, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), pa.array([text])).cast(pa.string())
