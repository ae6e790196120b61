"""Rows with predictions and labels of known nature, for tests of the steps above the bases."""

import dataclasses

import numpy as np

from farm.folds import Cpcv
from farm.labels import Events
from farm.stack import Market, Outcomes, build_lattice

CLASSES = np.array([-1, 0, 1])


def softmax(scores):
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def drawn(rng, probability):
    """A label for every row, drawn from its probabilities."""
    return CLASSES[(rng.random(len(probability))[:, None] > probability.cumsum(axis=1)).sum(axis=1)]


def outcomes(label, move=None, *, cost=0.0, columns=None, length=0):
    """Outcomes of these labels at a volatility of 1%, with one row a bar."""
    n, row = len(label), np.arange(len(label))
    market = Market(np.full(n, 0.01), np.full(n, cost), columns or {}, row, row + length)
    move = label.astype(float) if move is None else move
    return Outcomes(label.astype(np.int8), move, np.ones(n), float(n), row, row + length, market)


def sided(side, sure=1.0):
    """A prediction in two classes: this side with this probability."""
    up = np.where(side > 0, sure, 1 - sure)
    return np.column_stack((1 - up, np.zeros(len(up)), up))


def events_of(label, ret):
    """One event a bar that ends in the next bar, at a volatility of 1%."""
    n, row = len(label), np.arange(len(label))
    known = {
        "row": row, "decided_at": row + 1, "entered_at": row + 1, "exited_at": row + 2, "entry_row": row + 1,
        "exit_row": row + 1, "entry_price": np.ones(n), "exit_price": np.exp(ret), "volatility": np.full(n, 0.01),
        "label": label.astype(np.int8), "labelled": np.ones(n, dtype=bool), "target": label.astype(float), "ret": ret,
        "touch": label.astype(np.int8), "ambiguous": np.zeros(n, dtype=bool), "resolved": np.zeros(n, dtype=bool),
    }  # fmt: skip
    return Events(**{field.name: known[field.name] for field in dataclasses.fields(Events)})


def plan_of(events, groups):
    """Pairs of groups for these events."""
    clock = np.arange(1, len(events) + 3)
    return Cpcv(groups=groups, test_groups=2, embargo="2 bars", lockbox=0).plan(
        events.decided_at, events.exited_at, clock=clock, session=clock // 20
    )


def lattice_of(plan, events, predict):
    """The pair lattice of ``predict(base, train rows, test rows) -> probabilities`` for every base of a mapping."""
    predictions = {base: {} for base in predict}
    for split, held_out in enumerate(plan.splits):
        train = plan.train_rows(events.decided_at, events.exited_at, held_out)
        test = plan.test_rows(events.decided_at, held_out)
        for base, by in predict.items():
            predictions[base][split] = (events.decided_at[test], by(train, test))
    return build_lattice(plan, events.decided_at, predictions)


def interval(differences):
    """Mean and half width of its 95% interval (Student's t)."""
    from scipy.stats import t

    n = len(differences)
    return np.mean(differences), t.ppf(0.975, n - 1) * np.std(differences, ddof=1) / np.sqrt(n)


def session_sharpe(net, rows=20):
    """Sharpe ratio per session of so many rows, 0 where nothing ever happened."""
    sessions = np.add.reduceat(net, np.arange(0, len(net), rows))
    return float(sessions.mean() / sessions.std(ddof=1)) if sessions.std() > 0 else 0.0
