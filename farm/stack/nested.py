"""Nesting on the pair lattice (DESIGN section 5): the pipeline that serves a group never saw that group's labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from farm.folds import FoldPlan
from farm.labels import Events, average_uniqueness, sample_weights
from farm.models.threads import pinned
from farm.stack.lattice import Lattice, mean_over_others
from farm.stack.pipeline import Decision, Missing, fit_pipeline
from farm.stack.steps import MapStep, Market, Outcomes, Step

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nested:
    """A pipeline's output for every row x and other group h: F_g(p(x|h)), where g is the row's own group.

    ``probability`` has shape (rows, groups, classes), ``size`` (rows, groups); NaN where h is the row's own group.
    A row without a prediction has the size 0, and NaN for its probability.
    ``learned_from`` lists, for each group g, the rows its pipeline was fitted on: the set D_g.
    """

    probability: Float
    size: Float
    learned_from: tuple[Int, ...]

    def mean(self) -> Decision:
        """The bag over h: mean prediction and mean signed size of every row."""
        return Decision(mean_over_others(self.probability), mean_over_others(self.size))

    def along(self, other: Int) -> Decision:
        """One path: for every row the output at the given other group."""
        rows = np.arange(len(other))
        return Decision(self.probability[rows, other], self.size[rows, other])


def run_nested(
    steps: Sequence[Step] | Callable[[int], Sequence[MapStep | Step]],
    bases: Sequence[str],
    lattice: Lattice,
    plan: FoldPlan,
    events: Events,
    market: Market,
    missing: Missing = "abstain",
) -> Nested:
    """Fit F_g on D_g for every group g and apply it to g.

    D_g holds p(x|g) for the labelled rows x of all other groups, purged and embargoed against g: predictions by models
    trained on neither g nor x's own group. Rows without a label are served, and never learned from. Where ``steps`` is
    a function it gives the steps of F_g.
    """
    n_groups = len(plan.groups)
    probability = np.full_like(lattice.probability[bases[0]], np.nan)
    size = np.full(lattice.split.shape, np.nan)
    learned_from = []
    for group in range(n_groups):
        rows = plan.train_rows(events.decided_at, events.exited_at, (group,))
        rows = rows[events.labelled[rows]]
        learned_from.append(rows)
        with pinned(1):  # what BLAS adds up in one order on one machine it would not on another
            own_steps = steps(group) if callable(steps) else steps
            fitted = fit_pipeline(
                own_steps, _inputs(lattice, bases, rows, group), outcomes_of(events, rows), market.take(rows), missing
            )
        own = np.flatnonzero(lattice.group == group)
        for other in range(n_groups):
            if other != group:
                for part in events.apart(own):
                    decision = fitted.apply(_inputs(lattice, bases, part, other), market.take(part))
                    probability[part, other] = decision.probability
                    size[part, other] = decision.size
    return Nested(probability, size, tuple(learned_from))


def run_unnested(
    steps: Sequence[Step],
    bases: Sequence[str],
    lattice: Lattice,
    plan: FoldPlan,
    events: Events,
    market: Market,
    missing: Missing = "abstain",
) -> Nested:
    """Ordinary out-of-fold stacking, which leaks: F is fitted on the mean predictions of the other groups.

    The base predictions of those groups were made by models that knew this group's labels. It exists to be compared
    with; every ``h`` of the result holds the same.
    """
    means = {base: lattice.mean(base) for base in bases}
    n_groups = len(plan.groups)
    probability = np.full_like(lattice.probability[bases[0]], np.nan)
    size = np.full(lattice.split.shape, np.nan)
    learned_from = []
    for group in range(n_groups):
        rows = plan.train_rows(events.decided_at, events.exited_at, (group,))
        rows = rows[events.labelled[rows]]
        learned_from.append(rows)
        with pinned(1):  # what BLAS adds up in one order on one machine it would not on another
            inputs = {base: means[base][rows] for base in bases}
            fitted = fit_pipeline(steps, inputs, outcomes_of(events, rows), market.take(rows), missing)
        own = np.flatnonzero(lattice.group == group)
        for part in events.apart(own):
            decision = fitted.apply({base: means[base][part] for base in bases}, market.take(part))
            for other in range(n_groups):
                if other != group:
                    probability[part, other] = decision.probability
                    size[part, other] = decision.size
    return Nested(probability, size, tuple(learned_from))


def outcomes_of(events: Events, rows: Int) -> Outcomes:
    """What a pipeline may learn from these rows: labels, moves, and weights made from these rows alone.

    Rows begin and end in time, not in bars: those of a pool's symbols count other bars.
    """
    relative = events.volatility[rows] / events.entry_price[rows]
    return Outcomes(
        label=events.label[rows],
        move=events.ret[rows] / relative,
        weight=sample_weights(events, rows),
        independent=float(average_uniqueness(events.entry_row[rows], events.exit_row[rows]).sum()),
        start=events.decided_at[rows],
        end=events.exited_at[rows],
    )


def _inputs(lattice: Lattice, bases: Sequence[str], rows: Int, other: int) -> dict[str, Float]:
    return {base: lattice.probability[base][rows, other] for base in bases}
