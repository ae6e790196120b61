"""From bars on disk to a stored panel and its fold plan: the first stage of a run, one symbol at a time."""

import ctypes
import hashlib
import sys
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from farm.bars import Instrument, Loaded, SyntheticBars, instrument_for
from farm.config import Experiment
from farm.diagnostics import diagnose, feature_budget
from farm.errors import BadInput
from farm.features import suspicious_features
from farm.folds import FoldPlan
from farm.labels import average_uniqueness, label_quality
from farm.panel import Panel
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store
from farm.study import evaluated_span


@dataclass(frozen=True)
class PanelSpec:
    """One symbol to prepare; small enough to travel."""

    experiment: Experiment
    symbol: str


@dataclass(frozen=True)
class PreparedStudy:
    """What the driver keeps of a study's panel: its keys, its fold plan, and what the report says of it."""

    symbol: str
    instrument: Instrument
    panel_key: str
    values_digest: str
    plan: FoldPlan
    span: tuple[int, int]
    n_events: int
    n_features: int
    n_bytes: int
    sessions: int
    sessions_per_year: float
    about: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """The study as JSON-able values."""
        return {**asdict(self), "instrument": self.instrument.model_dump(mode="json")}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "PreparedStudy":
        """The study that was stored as ``plain()``."""
        return cls(
            **{
                **plain,
                "instrument": Instrument.model_validate(plain["instrument"]),
                "plan": FoldPlan.of(plain["plan"]),
                "span": (plain["span"][0], plain["span"][1]),
            }
        )


def prepare_study(spec: PanelSpec) -> PreparedStudy:
    """Build and store the panel of one symbol, unless it is stored already, and plan its folds."""
    experiment = spec.experiment
    store = Store(experiment.where)
    before = prepared_key(experiment, spec.symbol)
    loaded = experiment.bars.read(spec.symbol)
    key = panel_key(experiment, loaded)
    if not store.has("panels", key):
        panel = experiment.panel.build(loaded.bars, loaded.instrument.calendar, threads=experiment.threads)
        store.put_arrays("panels", key, panel.arrays(), panel.text())
    panel = open_panel(store, key)
    prepared = describe(experiment, loaded, panel, key)
    with threadpool_limits(1):  # more threads would add in another order, and the last bits stand in the summary
        diagnostics = diagnose(panel, experiment.folds.embargo)
    prepared = replace(prepared, about={**prepared.about, "diagnostics": diagnostics.plain()})
    if before is not None and before == prepared_key(experiment, spec.symbol):
        store.put_json("prepared", before, prepared.plain())
    _give_memory_back()
    return prepared


def _give_memory_back() -> None:
    """Return what building a panel took: the same worker process fits next, for as long as the run lasts."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's own; other C libraries have none
        if trim is not None:
            trim(0)


def stored_study(experiment: Experiment, symbol: str) -> PreparedStudy | None:
    """The prepared study of a file that has not been touched since, so that resuming reads no bars; None otherwise."""
    store = Store(experiment.where)
    key = prepared_key(experiment, symbol)
    if key is None or not store.has("prepared", key):
        return None
    prepared = PreparedStudy.of(store.get_json("prepared", key))
    return prepared if store.has("panels", prepared.panel_key) else None


def prepared_key(experiment: Experiment, symbol: str) -> str | None:
    """Digest of all that makes a prepared study, with a local file's size and time of change in place of its content.

    None where the bars are no local file.
    """
    touched = None
    if not isinstance(experiment.bars, SyntheticBars):
        path = Path(experiment.bars.file(symbol))
        if not path.is_file():
            return None
        touched = [path.stat().st_size, path.stat().st_mtime_ns]
    chosen = None if isinstance(experiment.bars, SyntheticBars) else experiment.bars.instruments
    return digest(
        [
            experiment.bars.digest(),
            symbol,
            touched,
            instrument_for(symbol, chosen).digest(),
            experiment.panel.digest_parts(),
            experiment.folds.digest(),
            experiment.verdict.digest(),
            source_digest(
                "bars",
                "features",
                "labels",
                "folds",
                "panel",
                "study",
                "run/prepare",
                "diagnostics",
                "stats",
                "backtest/regime",
            ),
            version("statsmodels"),
        ]
    )


def open_panel(store: Store, key: str) -> Panel:
    """A stored panel, read in place by every worker of a node."""
    arrays = store.open_arrays("panels", key)
    return Panel.of(arrays, arrays.meta)


def panel_key(experiment: Experiment, loaded: Loaded) -> str:
    """Digest of all that can change a panel: data, recipe, and the source of the rooms that make it."""
    sources = source_digest("bars", "labels", "folds/lockbox", "panel")
    return digest([loaded.report.fingerprint, experiment.panel.digest_parts(), sources])


def describe(experiment: Experiment, loaded: Loaded, panel: Panel, key: str) -> PreparedStudy:
    """The study of a panel: its fold plan, checked, and what is worth saying about data and labels."""
    events, folds = panel.events, experiment.folds
    experiment.backtest.require_data(panel.bars)
    if len(panel) == 0:
        raise BadInput(
            f"{panel.symbol}: no decision is left after sampling and feature warm-up ({panel.dropped}); give more "
            "bars, a lower decisions.events.threshold or features with a shorter lookback"
        )
    try:
        plan = folds.plan(
            events.decided_at, events.exited_at, clock=panel.bars.available_at, session=panel.bars.session
        )
        plan.check(events.decided_at, events.exited_at, min_train=experiment.verdict.min_events_per_group)
    except BadInput as error:
        raise BadInput(f"{panel.symbol}: {error}") from error
    labelled = events.labelled
    suspects = suspicious_features(
        panel.values[labelled],
        panel.names,
        events.label[labelled],
        average_uniqueness(events.row[labelled], events.exit_row[labelled]),
    )
    return PreparedStudy(
        symbol=panel.symbol,
        instrument=loaded.instrument,
        panel_key=key,
        values_digest=_values_digest(panel),
        plan=plan,
        span=evaluated_span(events),
        n_events=len(panel),
        n_features=len(panel.names),
        n_bytes=panel.values.nbytes,
        sessions=len(np.unique(panel.bars.session)),
        sessions_per_year=loaded.instrument.calendar.sessions_per_year,
        about={
            "data": asdict(loaded.report),
            "decisions": panel.dropped,
            "labels": asdict(label_quality(events, experiment.labels)),
            "implied_null_share": experiment.labels.implied_null_share(),
            "budget": asdict(feature_budget(panel, plan, experiment.features.keep)),
            "suspicious_features": [asdict(suspect) for suspect in suspects],
            "groups": [asdict(group) for group in plan.groups],
            "splits": [
                {
                    "held_out": list(held_out),
                    "n_train": len(plan.train_rows(events.decided_at, events.exited_at, held_out)),
                }
                for held_out in plan.splits
            ],
            "bars": len(panel.bars),
            "segments": int(panel.bars.segment[-1] - panel.bars.segment[0] + 1),
        },
    )


def _values_digest(panel: Panel) -> str:
    """Digest of what a fit can see: feature names and values, and the events."""
    hasher = hashlib.blake2b(repr(panel.names).encode(), digest_size=16)
    for name, array in sorted(panel.arrays().items()):
        if not name.startswith("bars."):
            hasher.update(name.encode())
            hasher.update(np.ascontiguousarray(array).view(np.uint8).data)
    return hasher.hexdigest()
