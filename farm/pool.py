"""A pool: the panels of several symbols as one, in time, for a model that learns from all of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from farm.bars import Bars
from farm.bars.frame import Float, Int
from farm.folds import FoldPlan, lockbox_start
from farm.folds.sections import Folds
from farm.labels import Events
from farm.panel import Panel
from farm.section import Section

POOL = "pool"
"""What the study of a pool is called where a study is called by its symbol."""

SHARED_OUT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ray_train": ("lightgbm", "xgboost"), "xgboost_ray": ("xgboost",)}
)
"""Engine -> the models whose fits it shares out to workers."""


def _not_given(value: object) -> bool:
    return value is None


class Pool(Section):
    """All symbols of the experiment as one study: one model of each kind learns from all of them, and is judged once.

    Groups are cut at common times, so that no fit learns from what other symbols did while its test rows were open.
    Symbols weigh equally: in the fits, in the pipelines above them, and in the headline, which is their mean.

    ``engine`` is how a fit is made. ``process`` joins the rows of all symbols in one worker's memory. ``ray_train``
    trains XGBoost or LightGBM on so many ``workers`` at once (2 where none is written), by Ray Train: each reads its
    share of the rows, block by block, and nobody ever holds the joined matrix. ``xgboost_ray`` does the same with
    XGBoost by xgboost-ray's actors, where that library is installed.
    """

    engine: Literal["process", "ray_train", "xgboost_ray"] = "process"
    workers: int | None = Field(default=None, ge=1, exclude_if=_not_given)

    @model_validator(mode="before")
    @classmethod
    def _with_its_workers(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("engine", "process") != "process" and data.get("workers") is None:
            return {**data, "workers": 2}
        return data

    @model_validator(mode="after")
    def _workers_of_an_engine_that_has_them(self) -> Self:
        if self.engine == "process" and self.workers is not None:
            raise ValueError(
                "workers is for an engine that shares a fit out, and engine process makes it in one; take it out"
            )
        return self


def _nothing() -> Int:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class PooledEvents(Events):
    """Events of several symbols in the order of their decisions; ``member`` is the number of each one's symbol.

    Rows are positions in the bars of all symbols, one symbol's after another's, so that events overlap those of their
    own symbol alone: uniqueness is a symbol's own.
    """

    member: Int

    def weighed(self, rows: NDArray[np.int64] | NDArray[np.bool_], weight: Float) -> Float:
        """The weights scaled so that those of every symbol add up to the same, and all to what they did."""
        member = self.member[rows]
        total = np.bincount(member, weight)
        symbols = int(np.count_nonzero(total))
        if symbols < 2:
            return weight
        share = np.divide(weight.sum() / symbols, total, out=np.zeros(len(total)), where=total > 0)
        return np.asarray(weight * share[member])

    def apart(self, rows: Int) -> list[Int]:
        """The rows by symbol."""
        member = self.member[rows]
        return [rows[member == one] for one in np.unique(member)]


@dataclass(frozen=True, eq=False)
class PooledPanel(Panel):
    """The panels of several symbols as one matrix, its rows in the order of their decisions, for `farm.fit.fit`.

    At one moment symbols stand in the order of their names. ``member`` is the number of each row's symbol, ``place``
    the row's position in that symbol's panel. Bars have the symbols alone: ``bars`` is empty.
    """

    members: tuple[Panel, ...] = ()
    member: Int = field(default_factory=_nothing)
    place: Int = field(default_factory=_nothing)

    def sessions(self) -> Int:
        """The session of each decision, in days since 1970-01-01, by its own symbol's calendar."""
        return np.concatenate([one.sessions() for one in self.members])[self.order()]

    def order(self) -> Int:
        """For each row its position where one symbol's rows stand after another's."""
        first = np.cumsum([0, *(len(one) for one in self.members)])[:-1]
        return np.asarray(first[self.member] + self.place)

    def placed(self, rows: Int, member: int) -> Int:
        """Of these rows those of one symbol, as rows of its own panel."""
        return self.place[rows[self.member[rows] == member]]

    def rows_of(self, member: int) -> Int:
        """The rows of one symbol, in the order of its own panel."""
        return np.flatnonzero(self.member == member)


def pooled(members: Sequence[Panel], columns: Sequence[str] | None = None) -> PooledPanel:
    """The panels of several symbols, in the order of their names, as one.

    Parameters
    ----------
    columns
        Names of the features to join; all where it is None. Each value that is joined is copied.

    Raises
    ------
    ValueError
        The panels have different features or timeframes, or stand in another order.
    """
    symbols, first = [one.symbol for one in members], members[0]
    if symbols != sorted(set(symbols)):
        raise ValueError(f"a pool has its symbols once, in the order of their names, found {', '.join(symbols)}")
    for one in members:
        if (one.names, one.bars.timeframe) != (first.names, first.bars.timeframe):
            raise ValueError(
                f"{one.symbol} has other features or decision bars than {first.symbol}; a pool has one set"
            )
    number = np.repeat(np.arange(len(members)), [len(one) for one in members])
    place = np.concatenate([np.arange(len(one)) for one in members])
    order = np.argsort(np.concatenate([one.events.decided_at for one in members]), kind="stable")
    names = first.names if columns is None else tuple(columns)
    at = [first.names.index(name) for name in names]
    values = np.empty((len(order), len(names)))
    target = np.empty_like(order)
    target[order] = np.arange(len(order))
    stop = 0
    for one in members:
        start, stop = stop, stop + len(one)
        if names:
            values[target[start:stop]] = one.values if columns is None else one.values[:, at]
    return PooledPanel(
        symbol=POOL,
        names=names,
        values=values,
        events=_events(members, number, order),
        bars=_no_bars(first.bars),
        dropped=_added(one.dropped for one in members),
        members=tuple(members),
        member=number[order],
        place=place[order],
    )


def _events(members: Sequence[Panel], number: Int, order: Int) -> PooledEvents:
    first_bar = np.cumsum([0, *(len(one.bars) for one in members)])[:-1]
    columns = {}
    for name in [one.name for one in fields(Events)]:
        joined = np.concatenate([getattr(one.events, name) for one in members])
        if name in ("row", "entry_row", "exit_row"):
            joined = joined + first_bar[number]
        columns[name] = joined[order]
    return PooledEvents(**columns, member=number[order])


def _no_bars(like: Bars) -> Bars:
    return replace(like.between(0, 0), symbol=POOL)


def _added(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total


def common_lockbox(sessions: Sequence[tuple[Int, Int]], fraction: float) -> int | None:
    """The first sealed session of a pool, in days since 1970-01-01; None where nothing is sealed.

    It is cut at one time for all symbols, so that nobody learns from one symbol of what is sealed of another: where
    that fraction of all their bars lies behind it.

    Parameters
    ----------
    sessions
        Of each symbol: its sessions, lockbox and all, and how many bars each has.

    Raises
    ------
    BadInput
        As `farm.folds.lockbox_start`.
    """
    day = np.concatenate([days for days, _ in sessions])
    bars = np.repeat(day, np.concatenate([counts for _, counts in sessions]))
    bars.sort()
    start = lockbox_start(bars, fraction)
    return int(bars[start]) if start < len(bars) else None


def before(panel: Panel, session: int | None) -> Panel:
    """The part of a panel that ends before a session, as views: bars before it, and events up to the first to reach it.

    The panel itself where nothing of it lies behind.
    """
    if session is None or len(panel.bars) == 0 or panel.bars.session[-1] < session:
        return panel
    n_bars = int(np.searchsorted(panel.bars.session, session))
    reaches = panel.events.exit_row >= n_bars
    n_events = int(np.argmax(reaches)) if reaches.any() else len(panel)
    return replace(
        panel,
        values=panel.values[:n_events],
        events=panel.events.take(slice(0, n_events)),
        bars=panel.bars.between(0, n_bars),
        dropped={**panel.dropped, "behind the pool's lockbox": len(panel) - n_events},
    )


def plan_pool(pool: PooledPanel, folds: Folds) -> FoldPlan:
    """The fold plan of a pool: groups of equal numbers of its decisions, cut at common times.

    Decisions of one moment share a group. A label that is open while a group is held out is purged whichever symbol it
    is of, and sessions of several calendars end where the latest of them does.

    Raises
    ------
    BadInput
        As the section's own ``plan``.
    """
    clock = np.concatenate([one.bars.available_at for one in pool.members])
    session = np.concatenate([one.bars.session for one in pool.members])
    order = np.lexsort((-session, clock))
    clock, session = clock[order], session[order]
    if folds.embargo.unit == "bar":  # as many moments at which a bar of any symbol closes, not as many bars of them all
        clock, at = np.unique(clock, return_index=True)
        session = session[at]
    return folds.plan(pool.events.decided_at, pool.events.exited_at, clock=clock, session=session)
