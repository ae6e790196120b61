"""From bars on disk to a stored panel and its fold plan: the first stage of a run, one symbol at a time."""

import ctypes
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
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
from farm.models import installed
from farm.panel import Panel, PanelRecipe
from farm.run.panels import BuiltPanel, StoredPanel, build_panels
from farm.run.source import source_digest
from farm.section import digest
from farm.sentinels import prove_truncation
from farm.store import Store
from farm.study import evaluated_span


@dataclass(frozen=True)
class PanelSpec:
    """One symbol to prepare; small enough to travel."""

    experiment: Experiment
    symbol: str


@dataclass(frozen=True)
class Member:
    """One symbol of a pool: what its panel is stored under, and the fingerprint of its data."""

    symbol: str
    instrument: Instrument
    panel_key: str
    fingerprint: str


@dataclass(frozen=True)
class PreparedStudy:
    """What the driver keeps of a study's panels: their keys, the fold plan, and what the report says of them.

    What has no further name is the clock's panel; ``panels`` has all of them by their recipes' digests. A pool has
    ``members``, in the order of their names, whose panels up to the session ``sealed`` its own is joined from.
    """

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
    panels: dict[str, StoredPanel] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    sealed: int | None = None

    @property
    def member_keys(self) -> tuple[str, ...]:
        """What the panels of a pool's symbols are stored under."""
        return tuple(one.panel_key for one in self.members)

    @property
    def stored_panels(self) -> list[str]:
        """Keys of all stored panels that the study is made of."""
        return sorted(set(self.member_keys) or {one.key for one in self.panels.values()})

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose data it is made of."""
        return tuple(one.symbol for one in self.members) or (self.symbol,)

    @property
    def currency(self) -> str:
        """What its money is counted in; a pool may have several."""
        instruments = [one.instrument for one in self.members] or [self.instrument]
        return ", ".join(dict.fromkeys(one.currency for one in instruments))

    @property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each symbol's data."""
        return {one.symbol: one.fingerprint for one in self.members} or {self.symbol: self.about["data"]["fingerprint"]}

    def panel_of(self, recipe: PanelRecipe) -> StoredPanel:
        """The panel that models of a recipe read."""
        return self.panels[recipe.digest()]

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
                "panels": {recipe: StoredPanel(**panel) for recipe, panel in plain["panels"].items()},
            }
        )


def prepare_study(spec: PanelSpec) -> PreparedStudy:
    """Build and store the panels of one symbol, unless they are stored already, and plan its folds."""
    experiment = spec.experiment.of(spec.symbol)
    store = Store(experiment.where)
    before = prepared_key(experiment, spec.symbol)
    loaded = experiment.bars.read(spec.symbol)
    panels = build_panels(experiment, loaded, installed(), store)
    prepared = describe(experiment, loaded, panels)
    panel = panels[experiment.panel.digest()].panel
    with threadpool_limits(1):  # more threads would add in another order, and the last bits stand in the summary
        diagnostics = diagnose(panel, experiment.folds.embargo)
    about = {"diagnostics": diagnostics.plain(), "truncation": truncated(experiment, loaded, panels)}
    prepared = replace(prepared, about={**prepared.about, **about})
    if before is not None and before == prepared_key(experiment, spec.symbol):
        store.put_json("prepared", before, prepared.plain())
    give_memory_back()
    return prepared


def truncated(experiment: Experiment, loaded: Loaded, panels: Mapping[str, BuiltPanel]) -> dict[str, Any]:
    """What is left of each panel's rows when later bars are cut away: rows compared, and every difference."""
    seed, threads = experiment.seed, experiment.threads
    proofs = {
        one.models[0] if one.models else experiment.decisions.timeframe: prove_truncation(
            one.recipe, loaded.bars, loaded.instrument.calendar, one.panel, seed=seed, threads=threads
        )
        for one in panels.values()
    }
    return {
        "rows_checked": sum(proof.rows_checked for proof in proofs.values()),
        "violations": [f"panel of {who}: {found}" for who, proof in proofs.items() for found in proof.violations],
    }


def give_memory_back() -> None:
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
    return prepared if all(store.has("panels", one.key) for one in prepared.panels.values()) else None


def prepared_key(experiment: Experiment, symbol: str) -> str | None:
    """Digest of all that makes a prepared study, with a local file's size and time of change in place of its content.

    None where the bars are no local file.
    """
    experiment = experiment.of(symbol)
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
            experiment.panel.digest(),
            sorted({recipe.digest() for recipe in experiment.recipes(installed()).values()}),
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
                "run/panels",
                "diagnostics",
                "sentinels",
                "stats",
                "backtest/regime",
            ),
            version("statsmodels"),
        ]
    )


def describe(experiment: Experiment, loaded: Loaded, panels: Mapping[str, BuiltPanel]) -> PreparedStudy:
    """The study of its panels: its fold plan, checked on all of them, and what is worth saying about data and labels.

    Raises
    ------
    BadInput
        Too few events, in the study or of a base, for groups and splits; the message names the base.
    """
    clock = panels[experiment.panel.digest()]
    panel, events = clock.panel, clock.panel.events
    experiment.backtest.require_data(panel.bars)
    if len(panel) == 0:
        raise BadInput(
            f"{panel.symbol}: no decision is left after sampling and feature warm-up ({panel.dropped}); give more "
            "bars, a lower decisions.events.threshold or features with a shorter lookback"
        )
    own = [one for one in panels.values() if one is not clock]
    for one in own:
        _refuse_nothing(one)
    try:
        plan = experiment.folds.plan(
            events.decided_at,
            events.exited_at,
            clock=panel.bars.available_at,
            session=panel.bars.session,
            also=[(one.panel.events.decided_at, one.panel.events.exited_at) for one in own],
        )
        plan.check(events.decided_at, events.exited_at, min_train=experiment.verdict.min_events_per_group)
    except BadInput as error:
        raise BadInput(f"{panel.symbol}: {error}") from error
    for one in own:
        _check_base(one, plan, experiment.verdict.min_events_per_group)
    check_pipeline(experiment, plan, panel)
    described = {recipe: one.describe() for recipe, one in panels.items()}
    return PreparedStudy(
        symbol=panel.symbol,
        instrument=loaded.instrument,
        panel_key=clock.key,
        values_digest=described[experiment.panel.digest()].values_digest,
        plan=plan,
        span=evaluated_span(events),
        n_events=len(panel),
        n_features=len(panel.names),
        n_bytes=max(one.n_bytes for one in described.values()),
        sessions=len(np.unique(panel.bars.session)),
        sessions_per_year=loaded.instrument.calendar.sessions_per_year,
        about={
            "data": asdict(loaded.report),
            "decisions": panel.dropped,
            "labels": asdict(label_quality(events, experiment.labels)),
            "implied_null_share": experiment.labels.implied_null_share(),
            "budget": asdict(feature_budget(panel, plan, experiment.features.keep)),
            "suspicious_features": [suspect for one in panels.values() for suspect in suspects_of(one, one is clock)],
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
        panels=described,
    )


def suspects_of(built: BuiltPanel, is_clocks: bool = True) -> list[dict[str, Any]]:
    """Features of a panel that probably know the future; those of a base's own panel are named with its bars."""
    panel, events = built.panel, built.panel.events
    labelled = events.labelled
    suspects = suspicious_features(
        panel.values[labelled],
        panel.names,
        events.label[labelled],
        average_uniqueness(events.row[labelled], events.exit_row[labelled]),
    )
    found = [asdict(suspect) for suspect in suspects]
    bars = "" if is_clocks else f" on a base's {built.recipe.own_timeframe} bars"
    return [{**one, "name": f"{one['name']}{bars}"} for one in found]


def check_pipeline(experiment: Experiment, plan: FoldPlan, panel: Panel) -> None:
    """Refuse steps that need more labelled rows than there are outside some group."""
    needed, events = (1 if experiment.stack is None else experiment.stack.min_rows()), panel.events
    for group in range(len(plan.groups)):
        rows = plan.train_rows(events.decided_at, events.exited_at, (group,))
        left = int(np.count_nonzero(events.labelled[rows]))
        if left < needed:
            raise BadInput(
                f"stack.steps: {panel.symbol}: they need {needed} labelled decisions outside each group, and outside "
                f"group {group} there are {left}; calibrate by sigmoid instead of isotonic, or give more decisions"
            )


def _refuse_nothing(built: BuiltPanel) -> None:
    panel, window = built.panel, built.recipe.window
    if len(panel) == 0:
        long = "" if window is None else f" a window under {window} bars,"
        raise BadInput(
            f"models.{built.models[0]}: {panel.symbol}: no decision of it is left ({panel.dropped}); give it{long} a "
            "shorter timeframe or features with a shorter lookback, or give more bars"
        )


def _check_base(built: BuiltPanel, plan: FoldPlan, min_train: int) -> None:
    events, who = built.panel.events, f"models.{built.models[0]}: {built.panel.symbol}"
    group = plan.group_of(events.decided_at)
    empty = np.setdiff1d(np.arange(len(plan.groups)), group)
    if len(empty):
        raise BadInput(
            f"{who}: it has no decision in group {empty[0]} ({built.panel.dropped}), so that nothing of it could be "
            "combined there; lower folds.groups, or give it a shorter timeframe, window or lookback"
        )
    try:
        plan.check(events.decided_at, events.exited_at, min_train=min_train)
    except BadInput as error:
        raise BadInput(f"{who}: {error}") from error
