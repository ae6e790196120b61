"""One study above its fits, pure: out-of-fold rows -> nested pipelines -> bets -> returns -> evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.backtest import Account, Backtest, Orders
from farm.bars import Instrument
from farm.folds import FoldPlan
from farm.labels import Events
from farm.panel import Panel
from farm.stack.lattice import Lattice, Predictions, build_lattice
from farm.stack.nested import Nested, run_nested, run_unnested
from farm.stack.pipeline import Stack
from farm.stack.provenance import Proof, Records, prove
from farm.stack.steps import Market, sign_of

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Role = Literal["candidate", "baseline", "ablation", "sentinel"]

STACK = "stack"


@dataclass(frozen=True, eq=False)
class Trial:
    """One trial of a study, evaluated: what it predicted, and what its bets returned.

    ``predicted[x, h]`` is p(x|h) of the base itself, or what the stack made of it: shape (rows, groups, classes), NaN
    where h is the row's own group. ``headline`` is the one continuous backtest of the mean bet over h, ``late`` the
    same with orders that fill one bar later, ``paths`` are the backtests of the single-fit paths. Buy and hold predicts
    nothing.
    """

    name: str
    role: Role
    predicted: Float | None
    headline: Backtest
    late: Backtest
    paths: tuple[Backtest, ...]

    @property
    def probability(self) -> Float | None:
        """Mean prediction over the other groups, shape (rows, classes)."""
        return None if self.predicted is None else np.nanmean(self.predicted, axis=1)


@dataclass(frozen=True, eq=False)
class Study:
    """A study after its pipelines: its trials by name, the lattice they rest on, and the proof that nothing leaked."""

    trials: tuple[Trial, ...]
    lattice: Lattice
    proof: Proof

    def candidate_returns(self) -> dict[str, Float]:
        """Candidate -> its headline net returns a session: all that the verdict reads of a study."""
        return {trial.name: trial.headline.net for trial in self.trials if trial.role == "candidate"}


@dataclass(frozen=True)
class StudyRecipe:
    """What turns one study's out-of-fold predictions into returns: roles of the models, the stack, the account."""

    roles: Mapping[str, Role]
    stack: Stack | None
    account: Account
    instrument: Instrument

    def run(self, panel: Panel, plan: FoldPlan, predictions: Predictions, records: Records) -> Study:
        """Evaluate every trial of the study.

        Parameters
        ----------
        predictions
            Model -> split -> (decision times in ns UTC, probabilities (n, classes)); joined by key, never by position.
        records
            Model -> split -> what that fit trained on.

        A model without predictions has failed: it has no trial, and a stack with a failed base has none either, for a
        stack of the others would be another trial than the one that was announced.

        Raises
        ------
        BadInput, ValueError
            As `build_lattice`.
        """
        lattice = build_lattice(plan, panel.events.decided_at, predictions)
        market = self._market(panel)
        trials: list[Trial] = []
        proofs: list[Proof] = []

        def proved(nested: Nested, bases: tuple[str, ...]) -> None:
            proofs.append(prove(bases, plan, panel.events, lattice, predictions, records, nested.learned_from))

        alone = (self.stack or Stack()).for_one_base()
        for name, role in self.roles.items():
            if name not in predictions:
                continue
            if role == "baseline":
                trials.append(self._baseline(name, panel, plan, lattice))
                continue
            nested = run_nested(alone, (name,), lattice, plan, panel.events, market)
            trials.append(self._trial(name, role, lattice.probability[name], nested, panel, plan))
            proved(nested, (name,))
        trials.append(self._buy_and_hold(panel))
        bases = tuple(name for name, role in self.roles.items() if role == "candidate")
        if self.stack is not None and len(bases) > 1 and all(name in predictions for name in bases):
            if self.stack.nesting == "pairs":
                nested = run_nested(self.stack.complete(), bases, lattice, plan, panel.events, market)
                trials.append(self._trial(STACK, "candidate", nested.probability, nested, panel, plan))
                proved(nested, bases)
            else:
                nested = run_unnested(self.stack.complete(), bases, lattice, plan, panel.events, market)
                trials.append(self._trial(STACK, "ablation", nested.probability, nested, panel, plan))
        violations = dict.fromkeys(violation for proof in proofs for violation in proof.violations)
        return Study(tuple(trials), lattice, Proof(sum(proof.rows_checked for proof in proofs), tuple(violations)))

    def _market(self, panel: Panel) -> Market:
        rows = panel.events.row
        return Market(
            volatility=panel.events.volatility / panel.bars.close[rows],
            cost=self.account.round_trips(panel.bars, rows, self.instrument),
        )

    def _trial(self, name: str, role: Role, predicted: Float, nested: Nested, panel: Panel, plan: FoldPlan) -> Trial:
        partners = path_partners(plan, plan.group_of(panel.events.decided_at))
        paths = tuple(self._backtest(panel, nested.along(other).size) for other in partners)
        return Trial(name, role, predicted, *self._in_time_and_late(panel, nested.mean().size), paths)

    def _baseline(self, name: str, panel: Panel, plan: FoldPlan, lattice: Lattice) -> Trial:
        """A baseline bets its more probable side every time: it has nothing to learn a threshold from."""
        predicted = lattice.probability[name]
        rows = np.arange(len(predicted))
        partners = path_partners(plan, lattice.group)
        paths = tuple(self._backtest(panel, sign_of(predicted[rows, other])) for other in partners)
        return Trial(name, "baseline", predicted, *self._in_time_and_late(panel, sign_of(lattice.mean(name))), paths)

    def _buy_and_hold(self, panel: Panel) -> Trial:
        held, late = (account.hold(panel.bars, self.instrument) for account in (self.account, self.account.later(1)))
        return Trial("buy_and_hold", "baseline", None, held, late, ())

    def _in_time_and_late(self, panel: Panel, size: Float) -> tuple[Backtest, Backtest]:
        orders = Orders.of_events(panel.events, size)
        late = self.account.later(1).backtest(panel.bars, orders, self.instrument)
        return self.account.backtest(panel.bars, orders, self.instrument), late

    def _backtest(self, panel: Panel, size: Float) -> Backtest:
        return self.account.backtest(panel.bars, Orders.of_events(panel.events, size), self.instrument)


def path_partners(plan: FoldPlan, group: Int) -> list[Int]:
    """For each path, the other group h that each row's prediction p(x|h) is taken from; shape (rows,) a path."""
    partners = []
    for splits in plan.paths():
        other_of = np.array([sum(plan.splits[split]) - own for own, split in enumerate(splits)], dtype=np.int64)
        partners.append(other_of[group])
    return partners


def evaluated_span(events: Events) -> tuple[int, int]:
    """First decision and last exit of the rows a study is judged on, ns UTC."""
    return int(events.decided_at[0]), int(events.exited_at.max())
