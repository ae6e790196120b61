"""The final fit, what would be deployed: bases refitted on the development span, a pipeline on all their OOF rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from farm.fit import FittedBase, fit_seed, train_base, with_tail
from farm.labels import Events
from farm.models import Catalog, Model
from farm.panel import Panel
from farm.selection import Selection
from farm.stack.lattice import Lattice
from farm.stack.nested import outcomes_of
from farm.stack.pipeline import Decision, FittedPipeline, fit_pipeline
from farm.stack.steps import Market, Outcomes, Step

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_WHOLE_SPAN = -1  # in the place of a split's number: a final fit holds nothing out


@dataclass(frozen=True, eq=False)
class FinalModel:
    """One candidate as it would be deployed: its bases by name, and the pipeline above them.

    A base trained on the whole span has seen more rows than those whose predictions its pipeline learned from:
    ``training_growth`` is the ratio, at least 1.
    """

    bases: Mapping[str, FittedBase]
    pipeline: FittedPipeline
    training_growth: float

    def decide(self, values: Float, market: Market) -> Decision:
        """Predictions and bets for rows of features, shape (rows, panel features), that nothing here was fitted on."""
        with threadpool_limits(1):
            return self.pipeline.apply({name: base.predict(values) for name, base in self.bases.items()}, market)


def fit_base_finally(
    panel: Panel, name: str, model: Model, catalog: Catalog, *, seed: int, threads: int, keep: int, selection: Selection
) -> FittedBase:
    """One base refitted on every labelled row of a panel; ``seed`` is the experiment's.

    Early stopping, scaling and selection stay inside, as in every fit.
    """
    events = panel.events
    rows, tail = with_tail(events, np.flatnonzero(events.labelled), model)
    own_seed = fit_seed(seed, name, _WHOLE_SPAN)
    return train_base(panel, rows, tail, model, catalog, seed=own_seed, threads=threads, keep=keep, selection=selection)


def fit_pipeline_finally(
    steps: Sequence[Step], bases: Sequence[str], lattice: Lattice, events: Events
) -> FittedPipeline:
    """The pipeline above the bases, fitted on all rows x and other groups h with input p(x|h) and weight 1/(N-1).

    Rows stay in the order of their decisions, each as often as there are other groups.
    """
    rows, other = np.nonzero((lattice.split >= 0) & events.labelled[:, None])
    inputs = {base: lattice.probability[base][rows, other] for base in bases}
    with threadpool_limits(1):  # what BLAS adds up in one order on one machine it would not on another
        return fit_pipeline(steps, inputs, _repeated(events, rows, lattice.split.shape[1] - 1))


def _repeated(events: Events, rows: Int, times: int) -> Outcomes:
    once = np.flatnonzero(events.labelled)
    outcomes = outcomes_of(events, once)
    at = np.searchsorted(once, rows)
    return Outcomes(
        label=outcomes.label[at],
        move=outcomes.move[at],
        weight=outcomes.weight[at] / times,
        independent=outcomes.independent,
        start=outcomes.start[at],
        end=outcomes.end[at],
    )
