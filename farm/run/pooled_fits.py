"""Fits of a pool as they are made, stored and read: told apart by symbol, and joined again where they are judged."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from farm.fit import FitRecord
from farm.models import installed
from farm.panel import Panel
from farm.pool import PooledPanel, before, pooled
from farm.pooled_study import PooledRecipe, parted
from farm.run.chunks import FitChunk
from farm.run.panels import open_panel
from farm.run.prepare import PreparedStudy
from farm.stack.lattice import Predictions
from farm.stack.provenance import Records
from farm.store import Store
from farm.study import Study, StudyRecipe

Int = NDArray[np.int64]
Float = NDArray[np.float64]


def open_fitted(store: Store, chunk: FitChunk) -> Panel:
    """What the fits of a chunk read: a stored panel in place, or those of a pool's symbols joined."""
    if not chunk.members:
        return open_panel(store, chunk.panel_key)
    named = [model.wants(installed()).columns for model in chunk.models]
    columns = None if None in named else list(dict.fromkeys(name for one in named for name in one or ()))
    return open_pool(store, chunk.members, chunk.sealed, columns)


def open_pool(
    store: Store, keys: Sequence[str], sealed: int | None, columns: Sequence[str] | None = None
) -> PooledPanel:
    """The stored panels of a pool's symbols joined; of their features these columns, or all."""
    return pooled([before(open_panel(store, key), sealed) for key in keys], columns)


def pool_columns(pool: PooledPanel, rows: Int) -> dict[str, pa.Array]:
    """What tells the predictions of a pool's rows apart beside their decision times: the number of their symbols."""
    return {"member": pa.array(pool.member[rows], pa.int32())}


def records_by_symbol(pool: PooledPanel, record: FitRecord) -> list[dict[str, Any]]:
    """What is stored of one fit: for each symbol, which of its rows it trained on."""
    return [one.plain() for one in parted(pool, record)]


def fits_table(parts: Sequence[tuple[int, int, Int, Float]], records: Sequence[Sequence[dict[str, Any]]]) -> pa.Table:
    """Fits of one model on a pool as a chunk is stored.

    Parameters
    ----------
    parts
        Split, number of the symbol, decision times and probabilities of its rows.
    records
        By fit, what it trained on of each symbol.
    """
    lengths = [len(times) for _, _, times, _ in parts]
    probability = np.concatenate([said for _, _, _, said in parts])
    table = pa.table(
        {
            "model": pa.array(np.zeros(sum(lengths)), pa.int32()),
            "split": pa.array(np.repeat([split for split, _, _, _ in parts], lengths), pa.int32()),
            "decided_at": pa.array(np.concatenate([times for _, _, times, _ in parts]), pa.int64()),
            **{name: probability[:, at] for at, name in enumerate(("p_down", "p_flat", "p_up"))},
            "member": pa.array(np.repeat([member for _, member, _, _ in parts], lengths), pa.int32()),
        }
    )
    return table.replace_schema_metadata({"records": json.dumps([records], sort_keys=True)})


def read_pool(store: Store, chunks: Sequence[FitChunk], n_members: int) -> tuple[list[Predictions], list[Records]]:
    """Predictions and records by symbol, model and split, of stored chunks."""
    said: list[dict[str, dict[int, tuple[Int, Float]]]] = [{} for _ in range(n_members)]
    records: list[dict[str, dict[int, FitRecord]]] = [{} for _ in range(n_members)]
    for chunk in chunks:
        table = store.get_table("fits", chunk.key)
        columns = {name: table[name].to_numpy() for name in ("model", "split", "member", "decided_at")}
        probability = np.column_stack([table[name].to_numpy() for name in ("p_down", "p_flat", "p_up")])
        of_models: list[list[list[dict[str, Any]]]] = json.loads(table.schema.metadata[b"records"])
        for number, (name, fits) in enumerate(zip(chunk.names, of_models, strict=True)):
            for by_symbol in fits:
                split = by_symbol[0]["split"]
                fitted = (columns["model"] == number) & (columns["split"] == split)
                for member, plain in enumerate(by_symbol):
                    rows = fitted & (columns["member"] == member)
                    said[member].setdefault(name, {})[split] = (columns["decided_at"][rows], probability[rows])
                    records[member].setdefault(name, {})[split] = FitRecord.of(plain)
    return list(said), list(records)


def evaluated_pool(
    recipe: StudyRecipe, prepared: PreparedStudy, store: Store, chunks: Sequence[FitChunk]
) -> tuple[PooledPanel, PooledRecipe, Study, Records]:
    """The pool, its recipe, every trial of it, and the records of the fits as its first symbol tells them."""
    pool = open_pool(store, prepared.member_keys, prepared.sealed, columns=())
    predictions, records = read_pool(store, chunks, len(prepared.members))
    instruments = tuple(one.instrument for one in prepared.members)
    own = {name: getattr(recipe, name) for name in StudyRecipe.__dataclass_fields__}
    of_pool = PooledRecipe(**own, instruments=instruments)
    return pool, of_pool, of_pool.run_pool(pool, prepared.plan, predictions, records), records[0]
