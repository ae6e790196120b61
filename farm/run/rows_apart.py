"""The rows of one split of a pool, symbol by symbol, and how they are dealt to the workers of a distributed fit.

No matrix is touched here: what travels is which rows of which stored panel, their classes and their weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from farm.bars.frame import Float, Int
from farm.errors import BadInput
from farm.fit import FitRecord, to_ranges
from farm.folds import FoldPlan
from farm.folds.embargo import fraction_of
from farm.labels import sample_weights
from farm.panel import Panel
from farm.store import Store

BLOCK_ROWS = 65_536


@dataclass(frozen=True, eq=False)
class Block:
    """Rows ``start`` to ``stop`` (excluded) of one stored panel, with a class number and a weight each.

    Of the panel only the first ``length`` rows are read. The sentinel's features are ``turned`` by so many rows, in a
    circle.
    """

    key: str
    start: int
    stop: int
    code: NDArray[np.int8]
    weight: Float
    length: int
    turned: int = 0

    def values(self, store: Store) -> Float:
        """The rows' features, read from the store in place; the mapping is given back with them."""
        values = _features(store, self.key, self.length)
        first = (self.start - self.turned) % self.length
        beyond = first + self.stop - self.start - self.length
        if beyond <= 0:
            return values[first : first + self.stop - self.start]
        return np.concatenate((values[first:], values[:beyond]))


@dataclass(frozen=True, eq=False)
class Sampled:
    """Single rows of one stored panel, without classes and weights; otherwise as a `Block`."""

    key: str
    rows: Int
    length: int
    turned: int = 0

    def values(self, store: Store) -> Float:
        """A copy of the rows' features."""
        return _features(store, self.key, self.length)[(self.rows - self.turned) % self.length]


def _features(store: Store, key: str, length: int) -> Float:
    values: Float = store.open_arrays("panels", key)["values"]
    return values[:length]


@dataclass(frozen=True, eq=False)
class MemberRows:
    """Rows of one symbol's panel that a split trains on, watches to stop early, and predicts."""

    train: Int
    tail: Int
    test: Int


def rows_of_split(panels: Sequence[Panel], plan: FoldPlan, split: int, tail: float | None) -> list[MemberRows]:
    """The rows of every symbol, equal to those of the joined panel.

    Parameters
    ----------
    tail
        The part of all train rows, the last in time, that early stopping watches; None without it.

    Raises
    ------
    BadInput
        Early stopping leaves no row to train on.
    """
    held_out = plan.splits[split]
    train = [plan.train_rows(one.events.decided_at, one.events.exited_at, held_out) for one in panels]
    train = [rows[one.events.labelled[rows]] for rows, one in zip(train, panels, strict=True)]
    tails = [rows[:0] for rows in train]
    if tail is not None:
        train, tails = _with_tails(panels, train, tail)
    tests = [plan.test_rows(one.events.decided_at, held_out) for one in panels]
    return [MemberRows(*rows) for rows in zip(train, tails, tests, strict=True)]


def _with_tails(panels: Sequence[Panel], train: list[Int], fraction: float) -> tuple[list[Int], list[Int]]:
    """As `farm.folds.inner_tail` cuts the rows of all symbols in the order of time."""
    decided = np.sort(np.concatenate([one.events.decided_at[rows] for one, rows in zip(panels, train, strict=True)]))
    first = decided[len(decided) - max(1, fraction_of(len(decided), fraction))]
    kept, tails = [], []
    for one, rows in zip(panels, train, strict=True):
        before = one.events.decided_at[rows] < first
        tails.append(rows[~before])
        kept.append(rows[before & (one.events.exited_at[rows] < first)])
    if not sum(map(len, kept)):
        raise BadInput(
            f"early stopping: {len(decided)} train rows leave none to fit on once the tail and those whose label "
            "reaches it are taken; lower the fraction or labels.max_bars, or train without early stopping"
        )
    return kept, tails


def weights_of(panels: Sequence[Panel], rows: Sequence[Int]) -> list[Float]:
    """The weight of every row: those of each symbol add up to the same, as in `farm.pool.PooledEvents`."""
    total, symbols = sum(map(len, rows)), sum(len(own) > 0 for own in rows)
    weights = []
    for one, own in zip(panels, rows, strict=True):
        weight = sample_weights(one.events, own)
        weights.append(weight * (total / symbols / weight.sum()) if len(own) and symbols > 1 else weight)
    return weights


def classes_of(panels: Sequence[Panel], rows: Sequence[Int]) -> NDArray[np.int8]:
    """The classes that these rows have, sorted."""
    return np.unique(np.concatenate([one.events.label[own] for one, own in zip(panels, rows, strict=True)]))


def balanced(codes: Sequence[NDArray[np.int8]], weights: Sequence[Float]) -> list[Float]:
    """Weights under which every class weighs the same in total, as `farm.models.rows.balanced` makes them."""
    total = np.bincount(np.concatenate(codes), np.concatenate(weights))
    factor = total.sum() / (len(total) * total)
    return [weight * factor[code] for code, weight in zip(codes, weights, strict=True)]


def blocks_of(
    panels: Sequence[Panel],
    keys: Sequence[str],
    rows: Sequence[Int],
    codes: Sequence[NDArray[np.int8]],
    weights: Sequence[Float],
    turned: Sequence[int],
    most: int = BLOCK_ROWS,
) -> Iterator[Block]:
    """These rows in blocks of contiguous ones, of at most so many; an argument has one part a symbol."""
    for panel, key, own, code, weight, by in zip(panels, keys, rows, codes, weights, turned, strict=True):
        at = 0
        for start, stop in to_ranges(own):
            for first in range(start, stop, most):
                n = min(first + most, stop) - first
                yield Block(key, first, first + n, code[at : at + n], weight[at : at + n], len(panel), by)
                at += n


def sampled(
    panels: Sequence[Panel], keys: Sequence[str], rows: Sequence[Int], turned: Sequence[int], most: int, seed: int
) -> list[Sampled]:
    """At most so many of these rows, drawn evenly from those of all symbols; an argument has one part a symbol."""
    ends = np.cumsum([len(own) for own in rows])
    total = int(ends[-1])
    drawn = np.arange(total)
    if total > most:
        drawn = np.sort(np.random.default_rng(seed).choice(total, most, replace=False, shuffle=False))
    parts = np.split(drawn, np.searchsorted(drawn, ends[:-1]))
    return [
        Sampled(key, own[part - (end - len(own))], len(panel), by)
        for panel, key, own, by, part, end in zip(panels, keys, rows, turned, parts, ends.tolist(), strict=True)
        if len(part)
    ]


def dealt(blocks: Sequence[Block], workers: int) -> list[list[Block]]:
    """The blocks dealt to workers: nearly equal numbers of rows, every worker some, the same for the same blocks.

    Raises
    ------
    ValueError
        There are fewer rows than workers.
    """
    if sum(block.stop - block.start for block in blocks) < workers:
        raise ValueError(f"there are fewer rows than {workers} workers; give fewer workers")
    pieces = list(blocks)
    while len(pieces) < workers:
        largest = max(range(len(pieces)), key=lambda at: pieces[at].stop - pieces[at].start)
        pieces[largest : largest + 1] = _halves(pieces[largest])
    hands: list[list[int]] = [[] for _ in range(workers)]
    held = [0] * workers
    for at in sorted(range(len(pieces)), key=lambda at: (pieces[at].start - pieces[at].stop, at)):
        least = held.index(min(held))
        hands[least].append(at)
        held[least] += pieces[at].stop - pieces[at].start
    return [[pieces[at] for at in sorted(hand)] for hand in hands]


def _halves(block: Block) -> list[Block]:
    middle = (block.stop - block.start) // 2
    return [
        replace(block, stop=block.start + middle, code=block.code[:middle], weight=block.weight[:middle]),
        replace(block, start=block.start + middle, code=block.code[middle:], weight=block.weight[middle:]),
    ]


def record_of(
    rows: MemberRows, every: Sequence[MemberRows], split: int, seed: int, names: tuple[str, ...]
) -> FitRecord:
    """What a split trained on, as one symbol's rows; the numbers are of the whole fit."""
    return FitRecord(
        split=split,
        seed=seed,
        train=to_ranges(rows.train),
        tail=to_ranges(rows.tail),
        n_train=sum(len(one.train) for one in every),
        n_tail=sum(len(one.tail) for one in every),
        n_test=sum(len(one.test) for one in every),
        kept=names,
    )
