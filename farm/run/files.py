"""The tables of a run: one sorted Parquet file each, streamed study by study, byte-equal for equal results."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farm.ledger import TrialStart
from farm.store import Store

_ROWS_PER_GROUP = 1 << 17


def write_stacked(path: Path, store: Store, kind: str, keys: Iterable[str]) -> int:
    """Write the stored tables of a kind below one another; the number of rows. One study is in memory at a time."""
    temporary = path.with_name(f".{path.name}.writing")
    writer: pq.ParquetWriter | None = None
    rows = 0
    for key in keys:
        table = store.get_table(kind, key)
        if writer is None:
            writer = pq.ParquetWriter(temporary, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=_ROWS_PER_GROUP)
        rows += len(table)
    if writer is not None:
        writer.close()
        temporary.replace(path)
    return rows


def write_trials(path: Path, trials: Iterable[TrialStart], status: Mapping[str, str]) -> None:
    """Write this run's trials with role and status, by symbol and then in the order of the experiment."""
    rows: list[dict[str, Any]] = [
        {
            "symbol": trial.symbol,
            "trial": trial.name,
            "role": trial.role,
            "status": status[trial.identity],
            "identity": trial.identity,
            "instrument": trial.instrument,
            "span_start": trial.start,
            "span_end": trial.end,
            "params": trial.params,
        }
        for trial in trials
    ]
    time = pa.timestamp("ns", tz="UTC")
    text = pa.string()
    schema = pa.schema(
        {
            "symbol": text, "trial": text, "role": text, "status": text, "identity": text, "instrument": text,
            "span_start": time, "span_end": time, "params": text,
        }
    )  # fmt: skip
    temporary = path.with_name(f".{path.name}.writing")
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")
    temporary.replace(path)
