"""The tables of a run: one sorted Parquet file each, streamed study by study, byte-equal for equal results."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from farm.ledger import TrialStart
from farm.store import Store, whole_file

_ROWS_PER_GROUP = 1 << 17


def write_stacked(path: Path, store: Store, kind: str, keys: Iterable[str]) -> int:
    """Write the stored tables of a kind below one another; the number of rows. One study is in memory at a time."""
    rows = 0
    with ExitStack() as open_files:
        writer: pq.ParquetWriter | None = None
        for key in keys:
            table = store.get_table(kind, key)
            if writer is None:
                draft = open_files.enter_context(whole_file(path))
                writer = open_files.enter_context(pq.ParquetWriter(draft, table.schema, compression="zstd"))
            writer.write_table(table, row_group_size=_ROWS_PER_GROUP)
            rows += len(table)
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
    with whole_file(path) as draft:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), draft, compression="zstd")
