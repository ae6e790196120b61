"""A pool before its fits: its symbols are prepared one by one, and its folds planned over all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from farm.bars import Instrument, Loaded
from farm.config import Experiment
from farm.diagnostics import feature_budget
from farm.errors import BadInput
from farm.folds import FoldPlan
from farm.labels import label_quality
from farm.models import installed
from farm.panel import Panel
from farm.pool import POOL, PooledPanel, before, common_lockbox, plan_pool, pooled
from farm.run.panels import BuiltPanel, StoredPanel, build_panels, open_panel
from farm.run.prepare import (
    Member,
    PanelSpec,
    PreparedStudy,
    check_pipeline,
    give_memory_back,
    prepared_key,
    suspects_of,
    truncated,
)
from farm.run.source import source_digest
from farm.section import digest
from farm.store import Store
from farm.study import evaluated_span

_SUMMED = ("rows", "bars", "outside_session", "missing_time", "sessions", "segments", "adjusted", "not_held")
_LISTED = ("quarantined", "holes", "jumps", "rolls")


@dataclass(frozen=True)
class PreparedMember:
    """What is kept of one symbol of a pool: its stored panel, its sessions with their bars, and what was found in it.

    ``sessions`` has the first and last bar's session and all between them, lockbox and all, with the number of bars.
    """

    symbol: str
    instrument: Instrument
    panel: StoredPanel
    sessions: tuple[tuple[int, ...], tuple[int, ...]]
    about: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """The member as JSON-able values."""
        return {**asdict(self), "instrument": self.instrument.model_dump(mode="json")}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> "PreparedMember":
        """The member that was stored as ``plain()``."""
        return cls(
            **{
                **plain,
                "instrument": Instrument.model_validate(plain["instrument"]),
                "panel": StoredPanel(**plain["panel"]),
                "sessions": (tuple(plain["sessions"][0]), tuple(plain["sessions"][1])),
            }
        )


@dataclass(frozen=True)
class PoolSpec:
    """A pool to plan; small enough to travel."""

    experiment: Experiment
    members: tuple[PreparedMember, ...]


def prepare_member(spec: PanelSpec) -> PreparedMember:
    """Build and store the panel of one symbol of a pool, unless it is stored already."""
    experiment, store = spec.experiment, Store(spec.experiment.where)
    key = _member_key(experiment, spec.symbol)
    loaded = experiment.bars.read(spec.symbol)
    panels = build_panels(experiment, loaded, installed(), store)
    member = describe_member(experiment, loaded, panels)
    if key is not None and key == _member_key(experiment, spec.symbol):
        store.put_json("prepared", key, member.plain())
    give_memory_back()
    return member


def stored_member(experiment: Experiment, symbol: str) -> PreparedMember | None:
    """The prepared member of a file that has not been touched since; None otherwise."""
    store, key = Store(experiment.where), _member_key(experiment, symbol)
    if key is None or not store.has("prepared", key):
        return None
    member = PreparedMember.of(store.get_json("prepared", key))
    return member if store.has("panels", member.panel.key) else None


def _member_key(experiment: Experiment, symbol: str) -> str | None:
    alone = prepared_key(experiment, symbol)
    return None if alone is None else digest([alone, "of a pool", source_digest("run/pool")])


def describe_member(experiment: Experiment, loaded: Loaded, panels: Mapping[str, BuiltPanel]) -> PreparedMember:
    """One symbol of a pool, and what is worth saying about its data.

    Raises
    ------
    BadInput
        Its models want more than one panel, or no decision is left.
    """
    if len(panels) > 1:
        reads = next(one for one in panels.values() if one.recipe != experiment.panel).models[0]
        raise BadInput(f"models.{reads}: models of a pool read one row of features a decision, and it reads windows")
    (built,) = panels.values()
    panel = built.panel
    experiment.backtest.require_data(panel.bars)
    if len(panel) == 0:
        raise BadInput(
            f"{panel.symbol}: no decision is left after sampling and feature warm-up ({panel.dropped}); give more "
            "bars, a lower decisions.events.threshold or features with a shorter lookback, or leave the symbol out"
        )
    days, counts = np.unique(loaded.bars.session, return_counts=True)
    return PreparedMember(
        symbol=panel.symbol,
        instrument=loaded.instrument,
        panel=built.describe(),
        sessions=(tuple(days.tolist()), tuple(counts.tolist())),
        about={
            "data": asdict(loaded.report),
            "truncation": truncated(experiment, loaded, panels),
            "suspicious_features": suspects_of(built),
        },
    )


def prepare_pool(spec: PoolSpec) -> PreparedStudy:
    """The study of a pool from the stored panels of its members."""
    store = Store(spec.experiment.where)
    return describe_pool(spec.experiment, spec.members, [open_panel(store, one.panel.key) for one in spec.members])


def built_pool(experiment: Experiment) -> tuple[PreparedStudy, PooledPanel]:
    """The study of a pool and its joined panel, of what is stored and of what is built here; nothing is written."""
    store, members, panels = Store(experiment.where), [], []
    for symbol in sorted(experiment.bars.symbols):
        member = stored_member(experiment.of(symbol), symbol)
        if member is not None:
            panels.append(open_panel(store, member.panel.key))
        else:
            own = experiment.of(symbol)
            loaded = own.bars.read(symbol)
            built = build_panels(own, loaded, installed())
            member = describe_member(own, loaded, built)
            panels += [one.panel for one in built.values()]
        members.append(member)
    study = describe_pool(experiment, members, panels)
    return study, pooled([before(one, study.sealed) for one in panels])


def describe_pool(experiment: Experiment, members: Sequence[PreparedMember], panels: Sequence[Panel]) -> PreparedStudy:
    """The study of a pool: its common lockbox, its fold plan, and what is worth saying about all its symbols.

    Raises
    ------
    BadInput
        A symbol lies wholly behind the common lockbox, or there are too few events for groups and splits.
    """
    days = [tuple(np.array(part, dtype=np.int64) for part in one.sessions) for one in members]
    sealed = common_lockbox([(one[0], one[1]) for one in days], experiment.folds.lockbox)
    kept = [before(one, sealed) for one in panels]
    for one in kept:
        if len(one) == 0:
            raise BadInput(
                f"pool: all of {one.symbol} lies behind the pool's lockbox, which begins at one time for all symbols, "
                f"on {np.datetime64(sealed, 'D')}; leave the symbol out, or lower folds.lockbox"
            )
    pool = pooled(kept, columns=())
    try:
        plan = plan_pool(pool, experiment.folds)
        plan.check(pool.events.decided_at, pool.events.exited_at, min_train=experiment.verdict.min_events_per_group)
    except BadInput as error:
        raise BadInput(f"{POOL}: {error}") from error
    check_pipeline(experiment, plan, pool)
    joined = _stored(experiment, members, pool, sealed)
    _check_engine(experiment, joined.n_features)
    return PreparedStudy(
        symbol=POOL,
        instrument=_instrument(members),
        panel_key=joined.key,
        values_digest=joined.values_digest,
        plan=plan,
        span=evaluated_span(pool.events),
        n_events=len(pool),
        n_features=joined.n_features,
        n_bytes=joined.n_bytes,
        sessions=len(np.unique(np.concatenate([np.unique(one.bars.session) for one in kept]))),
        sessions_per_year=max(one.instrument.calendar.sessions_per_year for one in members),
        about=_about(experiment, members, pool, plan),
        panels={experiment.panel.digest(): joined},
        members=tuple(
            Member(one.symbol, one.instrument, one.panel.key, one.about["data"]["fingerprint"]) for one in members
        ),
        sealed=sealed,
    )


def _about(
    experiment: Experiment, members: Sequence[PreparedMember], pool: PooledPanel, plan: FoldPlan
) -> dict[str, Any]:
    """What a reader of the run should know of a pool beside its results."""
    events, kept = pool.events, pool.members
    # The budget is of all features, though none had to be joined to count the events.
    budget = feature_budget(replace(pool, names=kept[0].names), plan, experiment.features.keep)
    return {
        "data": _data(members),
        "decisions": pool.dropped,
        "labels": asdict(label_quality(events, experiment.labels)),
        "implied_null_share": experiment.labels.implied_null_share(),
        "budget": asdict(budget),
        "suspicious_features": [
            {**found, "name": f"{found['name']} of {one.symbol}"}
            for one in members
            for found in one.about["suspicious_features"]
        ],
        "truncation": {
            "rows_checked": sum(one.about["truncation"]["rows_checked"] for one in members),
            "violations": [
                f"{one.symbol}: {found}" for one in members for found in one.about["truncation"]["violations"]
            ],
        },
        "groups": [asdict(group) for group in plan.groups],
        "splits": [
            {
                "held_out": list(held_out),
                "n_train": len(plan.train_rows(events.decided_at, events.exited_at, held_out)),
            }
            for held_out in plan.splits
        ],
        "bars": sum(len(one.bars) for one in kept),
        "segments": sum(int(one.bars.segment[-1] - one.bars.segment[0] + 1) for one in kept),
        "members": [
            {"symbol": one.symbol, "instrument": one.instrument.name, "events": len(panel), "sealed": sealed_away}
            for one, panel in zip(members, kept, strict=True)
            for sealed_away in [panel.dropped.get("behind the pool's lockbox", 0)]
        ],
    }


def _check_engine(experiment: Experiment, n_features: int) -> None:
    """Refuse a choice among features where no process sees the rows that it would be made on."""
    pool = experiment.pool
    if (
        pool is not None
        and pool.engine != "process"
        and not experiment.selection.keeps_all(n_features, experiment.features.keep)
    ):
        raise BadInput(
            f"pool.engine {pool.engine} trains on all {n_features} features, for nobody holds the rows that a choice "
            f"among them is made on; set features.keep: {n_features} and no selection.max_correlation, or name fewer "
            "features, or use engine process"
        )


def _stored(
    experiment: Experiment, members: Sequence[PreparedMember], pool: PooledPanel, sealed: int | None
) -> StoredPanel:
    """What planning the fits needs to know of the joined panel, which is itself stored nowhere."""
    values = digest([POOL, sealed, source_digest("pool"), [(one.symbol, one.panel.values_digest) for one in members]])
    first = members[0].panel
    n_features = first.n_features
    return StoredPanel(
        key=values,
        values_digest=values,
        timeframe=experiment.decisions.timeframe,
        window=None,
        n_events=len(pool),
        n_features=n_features,
        n_bytes=8 * n_features * len(pool),
        dropped=pool.dropped,
    )


def _instrument(members: Sequence[PreparedMember]) -> Instrument:
    """The instrument of all symbols; where they have several, the first one under the names of them all."""
    names = list(dict.fromkeys(one.instrument.name for one in members))
    return members[0].instrument.model_copy(update={"name": ", ".join(names)})


def _data(members: Sequence[PreparedMember]) -> dict[str, Any]:
    """What became of the rows of all files."""
    reports = [one.about["data"] for one in members]
    files = list(dict.fromkeys(str(one["file"]) for one in reports))
    return {
        **reports[0],
        **{name: sum(one[name] for one in reports) for name in (*_SUMMED, "closures", "short_gaps", "filled")},
        **{name: [found for one in reports for found in one[name]] for name in _LISTED},
        "file": files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more",
        "extra_columns": sorted({column for one in reports for column in one["extra_columns"]}),
        "fingerprint": digest([one["fingerprint"] for one in reports]),
    }
