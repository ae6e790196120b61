"""A pooled study above its fits: one lattice, one pipeline a group, one account a symbol, the headline their mean."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from farm.backtest import Backtest, Orders
from farm.backtest.result import Counts, Trades
from farm.bars import Instrument
from farm.bars.timeframe import nanoseconds
from farm.fit import FitRecord, to_ranges
from farm.folds import FoldPlan
from farm.panel import Panel
from farm.pool import PooledPanel
from farm.stack.lattice import Lattice, Predictions, build_lattice
from farm.stack.pipeline import Stack
from farm.stack.provenance import Proof, Records, group_spans, prove
from farm.stack.steps import Market
from farm.study import Study, StudyRecipe, market_of

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class PooledRecipe(StudyRecipe):
    """What turns a pool's out-of-fold predictions into returns; ``instruments`` has one a symbol, in the pool's order.

    Pipelines are fitted on the rows of all symbols together and applied symbol by symbol. Each symbol has an account of
    its own; the pool's returns are the mean of theirs.
    """

    instruments: tuple[Instrument, ...] = ()

    def run_pool(
        self, pool: PooledPanel, plan: FoldPlan, predictions: Sequence[Predictions], records: Sequence[Records]
    ) -> Study:
        """Evaluate every trial of the pool.

        Parameters
        ----------
        predictions
            Of each symbol: model -> split -> (decision times in ns UTC, probabilities (n, classes)).
        records
            Of each symbol: model -> split -> which of its rows that fit trained on.

        Raises
        ------
        BadInput, ValueError
            As `farm.stack.build_lattice`.
        """
        max_age = (self.stack or Stack()).max_age(nanoseconds(pool.bars.timeframe))
        lattices = [
            build_lattice(plan, one.events.decided_at, said, max_age=max_age)
            for one, said in zip(pool.members, predictions, strict=True)
        ]
        spans = group_spans(plan, [one.events for one in pool.members])

        def proof(bases: tuple[str, ...], learned_from: tuple[Int, ...]) -> Proof:
            parts = []
            for number, one in enumerate(pool.members):
                own = tuple(pool.placed(rows, number) for rows in learned_from)
                part = prove(
                    bases, plan, one.events, lattices[number], predictions[number], records[number], own,
                    max_age=max_age, spans=spans,
                )  # fmt: skip
                parts.append(replace(part, violations=tuple(f"{one.symbol}: {said}" for said in part.violations)))
            return Proof.of([*parts, Proof(0, tuple(tail_faults(bases, pool.members, records)))])

        return self.evaluated(pool, plan, joined(pool, lattices), proof)

    def market(self, panel: Panel, columns: Sequence[str]) -> Market:
        """What is known of each event at its decision."""
        pool = _pool(panel)
        parts = [
            market_of(one, self.account, instrument, columns)
            for one, instrument in zip(pool.members, self.instruments, strict=True)
        ]
        return Market.joined(parts).take(pool.order())

    def backtest(self, panel: Panel, size: Float, late: int = 0) -> Backtest:
        """The mean over symbols of what bets of these signed sizes return."""
        return mean_of(self.by_symbol(_pool(panel), size, late))

    def by_symbol(self, pool: PooledPanel, size: Float, late: int = 0) -> list[Backtest]:
        """What bets of these signed sizes return, symbol by symbol."""
        account = self._account(late)
        return [
            account.backtest(one.bars, Orders.of_events(one.events, size[pool.rows_of(number)]), instrument)
            for number, (one, instrument) in enumerate(zip(pool.members, self.instruments, strict=True))
        ]

    def held(self, panel: Panel, late: int = 0) -> Backtest:
        """The mean over symbols of what holding them returns."""
        account = self._account(late)
        members = zip(_pool(panel).members, self.instruments, strict=True)
        return with_parts([account.hold(one.bars, instrument) for one, instrument in members])

    def _in_time_and_late(self, panel: Panel, size: Float) -> tuple[Backtest, Backtest]:
        return with_parts(self.by_symbol(_pool(panel), size)), self.backtest(panel, size, late=1)


@dataclass(frozen=True, eq=False)
class PooledBacktest(Backtest):
    """A mean over symbols that keeps what it is the mean of, in the order of the pool."""

    parts: tuple[Backtest, ...] = ()


def with_parts(backtests: Sequence[Backtest]) -> PooledBacktest:
    """The mean over symbols, with the backtests that it is the mean of."""
    mean = mean_of(backtests)
    return PooledBacktest(**{one.name: getattr(mean, one.name) for one in fields(Backtest)}, parts=tuple(backtests))


def parts_of(headline: Backtest) -> tuple[Backtest, ...]:
    """What a headline is the mean of, symbol by symbol; nothing for a study of one symbol."""
    return headline.parts if isinstance(headline, PooledBacktest) else ()


def joined(pool: PooledPanel, lattices: Sequence[Lattice]) -> Lattice:
    """The lattices of a pool's symbols as one, its rows in the pool's order."""
    order, first = pool.order(), lattices[0]
    return Lattice(
        bases=first.bases,
        probability={base: np.concatenate([one.probability[base] for one in lattices])[order] for base in first.bases},
        split=np.concatenate([one.split for one in lattices])[order],
        group=np.concatenate([one.group for one in lattices])[order],
        age={base: np.concatenate([one.age[base] for one in lattices])[order] for base in first.bases},
    )


def parted(pool: PooledPanel, record: FitRecord) -> list[FitRecord]:
    """What a fit on the pool's rows trained on, as rows of each symbol's own panel."""
    return [
        replace(
            record,
            train=_ranges_of(pool, record.train, number),
            tail=_ranges_of(pool, record.tail, number),
        )
        for number in range(len(pool.members))
    ]


def mean_of(backtests: Sequence[Backtest]) -> Backtest:
    """The mean over symbols: a symbol without a session, or idle in it, counts 0 in it.

    Its capital is the number of symbols, and the money of its trades is counted in the capital of their own symbol, for
    symbols may be traded in several currencies. The backtest itself where there is one symbol alone.
    """
    if len(backtests) == 1:
        return backtests[0]
    sessions = np.unique(np.concatenate([one.sessions for one in backtests]))
    gross, cost = np.zeros(len(sessions)), np.zeros(len(sessions))
    for one in backtests:
        at = np.searchsorted(sessions, one.sessions)
        gross[at] += one.gross / len(backtests)
        cost[at] += one.instrument_cost / len(backtests)
    return Backtest(
        capital=float(len(backtests)),
        point_value=1.0,
        n_bars=sum(one.n_bars for one in backtests),
        cost_multiple=backtests[0].cost_multiple,
        sessions=sessions,
        gross=gross,
        instrument_cost=cost,
        trades=_all_trades(backtests),
        counts=Counts(*(sum(getattr(one.counts, name.name) for one in backtests) for name in fields(Counts))),
    )


def _all_trades(backtests: Sequence[Backtest]) -> Trades:
    """The trades of all symbols in the order of their ends; bars and orders are each symbol's own."""
    money = ("gross", "entry_cost", "exit_cost", "roll_cost")
    columns = {}
    for one in fields(Trades):
        if one.name == "cost_multiple":
            continue
        parts = []
        for backtest in backtests:
            values = getattr(backtest.trades, one.name)
            if one.name in money:
                values = values / backtest.capital
            elif one.name == "quantity":
                values = values * (backtest.point_value / backtest.capital)
            parts.append(values)
        columns[one.name] = np.concatenate(parts)
    order = np.argsort(columns["exited_at"], kind="stable")
    return Trades(**{name: values[order] for name, values in columns.items()}, cost_multiple=backtests[0].cost_multiple)


def tail_faults(bases: Sequence[str], members: Sequence[Panel], records: Sequence[Records]) -> list[str]:
    """Fits of which one symbol's training rows reach into another symbol's early-stopping tail."""
    found = []
    for base in bases:
        for split in records[0].get(base, {}):
            tails, ends = [], []
            for one, own in zip(members, records, strict=True):
                record, events = own[base][split], one.events
                tails += [int(events.decided_at[start]) for start, _ in record.tail]
                ends += [int(events.exited_at[start:stop].max()) for start, stop in record.train]
            if tails and ends and max(ends) >= min(tails):
                found.append(f"base {base}, split {split}: a training row reaches into another symbol's tail")
    return found


def _pool(panel: Panel) -> PooledPanel:
    if not isinstance(panel, PooledPanel):
        raise TypeError(f"{panel.symbol}: a pooled study is made on the panel of a pool, not on that of one symbol")
    return panel


def _ranges_of(pool: PooledPanel, ranges: tuple[tuple[int, int], ...], member: int) -> tuple[tuple[int, int], ...]:
    rows = np.concatenate([np.arange(start, stop) for start, stop in ranges] or [np.zeros(0, dtype=np.int64)])
    return to_ranges(pool.placed(rows, member))
