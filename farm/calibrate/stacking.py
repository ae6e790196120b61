"""The leak, shown: the same bases under an ordinary stack, pair nesting and full nested cross-validation.

Design and definitions: DESIGN section 5 of this project, after Varma and Simon (2006) and Cawley and Talbot (2010), who
showed what happens when a choice sees what it is scored on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from farm.calibrate.designs import Design, Rows
from farm.folds import Cpcv, FoldPlan
from farm.stack import Calibrate, Combine, Market, Size, build_lattice, run_nested, run_unnested
from farm.stack.lattice import Lattice
from farm.stack.nested import outcomes_of
from farm.stack.pipeline import Decision, fit_pipeline
from farm.stack.steps import sign_of

Float = NDArray[np.float64]
Int = NDArray[np.int64]

GROUPS = 10
COST = 0.001
SESSION = 50
_STEPS = (Calibrate(), Combine(), Size())


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.1)


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(50)


def _memory() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(3, weights="distance")


BASES: Mapping[str, Callable[[], Any]] = {"logistic": _logistic, "neighbours": _neighbours, "memory": _memory}


@dataclass(frozen=True)
class Scores:
    """One way to predict, on one seed: areas under the ROC curve, and the Sharpe ratio per session of 50 rows.

    ``pooled`` ranks all rows together, ``within`` is the mean of the groups' own areas: class rates that differ between
    groups move the first and not the second. ``fits`` counts trained bases.
    """

    pooled: float
    within: float
    sharpe: float
    fits: int


def score_seed(design: Design, seed: int) -> dict[str, Scores]:
    """Scores of every base alone and of the three ways to stack them, by name."""
    rows = design.make(seed)
    events = rows.events
    clock = np.arange(1, len(events.row) + design.watched + 1)
    plan = Cpcv(groups=GROUPS, test_groups=2, embargo=f"{design.watched} bars", lockbox=0).plan(
        events.decided_at, events.exited_at, clock=clock, session=clock // SESSION
    )
    market = Market(np.full(len(clock) - design.watched, 0.01), np.full(len(clock) - design.watched, COST))
    names = tuple(BASES)
    with threadpool_limits(1):
        lattice = _pair_fits(rows, plan)
        pairs, singles = len(plan.splits), len(plan.groups)
        found = {
            name: _scored(Decision(lattice.mean(name), sign_of(lattice.mean(name))), rows, lattice.group, pairs)
            for name in names
        }
        ordinary = run_unnested(_STEPS, names, lattice, plan, events, market).mean()
        nested = run_nested(_STEPS, names, lattice, plan, events, market).mean()
        full = _fully_nested(rows, plan, lattice, market)
    found["ordinary stack"] = _scored(ordinary, rows, lattice.group, len(names) * pairs)
    found["pair nesting"] = _scored(nested, rows, lattice.group, len(names) * pairs)
    found["full nested"] = _scored(full, rows, lattice.group, len(names) * (pairs + singles))
    return found


def _pair_fits(rows: Rows, plan: FoldPlan) -> Lattice:
    """One fit of every base for every pair of groups: the lattice that all three ways share."""
    predictions: dict[str, dict[int, tuple[Int, Float]]] = {name: {} for name in BASES}
    for split, held_out in enumerate(plan.splits):
        test = plan.test_rows(rows.events.decided_at, held_out)
        for name in BASES:
            predictions[name][split] = (rows.events.decided_at[test], _fit(name, rows, plan, held_out, test))
    return build_lattice(plan, rows.events.decided_at, predictions)


def _fully_nested(rows: Rows, plan: FoldPlan, lattice: Lattice, market: Market) -> Decision:
    """Nested cross-validation: F_g as in pair nesting, applied to bases that were trained on all groups but g.

    Memoised: the inner predictions are those of the pair fits, so only one more fit a base and group is needed.
    """
    events = rows.events
    probability = np.full((len(events.row), 3), np.nan)
    size = np.full(len(events.row), np.nan)
    for group in range(len(plan.groups)):
        train = plan.train_rows(events.decided_at, events.exited_at, (group,))
        inner = {name: lattice.probability[name][train, group] for name in BASES}
        fitted = fit_pipeline(_STEPS, inner, outcomes_of(events, train), market.take(train))
        own = np.flatnonzero(lattice.group == group)
        outer = {name: _fit(name, rows, plan, (group,), own) for name in BASES}
        decision = fitted.apply(outer, market.take(own))
        probability[own], size[own] = decision.probability, decision.size
    return Decision(probability, size)


def _fit(name: str, rows: Rows, plan: FoldPlan, held_out: tuple[int, ...], test: Int) -> Float:
    train = plan.train_rows(rows.events.decided_at, rows.events.exited_at, held_out)
    model = BASES[name]().fit(rows.features[train], rows.events.label[train])
    up = model.predict_proba(rows.features[test])[:, 1]
    return np.column_stack((1 - up, np.zeros(len(up)), up))


def _scored(decision: Decision, rows: Rows, group: Int, fits: int) -> Scores:
    from sklearn.metrics import roc_auc_score

    lean, label = decision.probability[:, 2] - decision.probability[:, 0], rows.events.label > 0
    within = [roc_auc_score(label[group == one], lean[group == one]) for one in np.unique(group)]
    net = decision.size * rows.events.ret - np.abs(decision.size) * COST
    sessions = np.add.reduceat(net, np.arange(0, len(net), SESSION))
    spread = sessions.std(ddof=1)
    return Scores(
        pooled=float(roc_auc_score(label, lean)),
        within=float(np.mean(within)),
        sharpe=float(sessions.mean() / spread) if spread > 0 else 0.0,
        fits=fits,
    )
