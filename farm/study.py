"""One study above its fits, pure: out-of-fold rows -> nested pipelines -> bets -> returns -> evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from farm.backtest import Account, Backtest, Orders
from farm.bars import Instrument
from farm.bars.timeframe import nanoseconds
from farm.folds import FoldPlan
from farm.labels import Events
from farm.panel import Panel
from farm.search import Choices, Pick
from farm.stack.ablation import Variant, variants
from farm.stack.lattice import Lattice, Predictions, build_lattice, mean_over_others
from farm.stack.memo import remembering
from farm.stack.nested import Nested, outcomes_of, run_nested, run_unnested
from farm.stack.pipeline import Stack
from farm.stack.provenance import Proof, Records, prove
from farm.stack.steps import MapStep, Market, Step, sign_of

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Role = Literal["candidate", "baseline", "ablation", "sentinel"]

Proving = Callable[[tuple[str, ...], tuple[Int, ...]], Proof]

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
        """Mean prediction over the other groups, shape (rows, classes); NaN in rows without one."""
        return None if self.predicted is None else mean_over_others(self.predicted)


@dataclass(frozen=True, eq=False)
class Study:
    """A study after its pipelines: its trials by name, the lattice they rest on, and the proof that nothing leaked.

    ``picked`` says of each searched model what its trial was picked from.
    """

    trials: tuple[Trial, ...]
    lattice: Lattice
    proof: Proof
    picked: Mapping[str, "PickedFrom"] = field(default_factory=dict)

    def candidate_returns(self) -> dict[str, Float]:
        """Candidate -> its headline net returns a session: all that the verdict reads of a study."""
        return {trial.name: trial.headline.net for trial in self.trials if trial.role == "candidate"}


@dataclass(frozen=True, eq=False)
class PickedFrom:
    """The configurations of one searched model: the headline returns of each, its mean loss, and each group's choice.

    They are trials that count, and no more is made of them: a verdict, with its paths and scores, is given to what was
    picked. ``loss`` is the mean over the groups g of the loss on D_g.
    """

    headline: Mapping[str, Backtest]
    loss: Mapping[str, float]
    chosen: tuple[str, ...]


@dataclass(frozen=True)
class StudyRecipe:
    """What turns one study's out-of-fold predictions into returns: roles of the models, the stack, the account.

    A searched model of ``choices`` has a role, its configurations have none: one of them stands for it in each group.
    ``families`` of the models (boosting, sequence and so on) are what an ablation of the stack goes by.
    """

    roles: Mapping[str, Role]
    stack: Stack | None
    account: Account
    instrument: Instrument
    families: Mapping[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)

    def run(
        self,
        panel: Panel,
        plan: FoldPlan,
        predictions: Predictions,
        records: Records,
        own: Mapping[str, Events] | None = None,
    ) -> Study:
        """Evaluate every trial of the study, all at the rows of the clock's panel.

        Parameters
        ----------
        panel
            The clock's.
        predictions
            Model -> split -> (decision times in ns UTC, probabilities (n, classes)); joined by key, never by position.
        records
            Model -> split -> what that fit trained on, by rows of the events it learned from.
        own
            Events of the models that have a panel of their own; the others learn from the clock's.

        A model without predictions has failed: it has no trial, and a stack with a failed base has none either, for a
        stack of the others would be another trial than the one that was announced.

        Raises
        ------
        BadInput, ValueError
            As `build_lattice`.
        """
        stack, own = self.stack or Stack(), own or {}
        max_age = stack.max_age(nanoseconds(panel.bars.timeframe))
        times = {name: events.decided_at for name, events in own.items()}
        lattice = build_lattice(plan, panel.events.decided_at, predictions, own=times, max_age=max_age)

        def proof(bases: tuple[str, ...], learned_from: tuple[Int, ...]) -> Proof:
            return prove(
                bases, plan, panel.events, lattice, predictions, records, learned_from, own=own, max_age=max_age
            )

        return self.evaluated(panel, plan, lattice, proof)

    @remembering()
    def evaluated(self, panel: Panel, plan: FoldPlan, lattice: Lattice, proof: Proving) -> Study:
        """Every trial above a lattice of predictions; ``proof`` is called with each pipeline's bases and rows."""
        stack, predictions = self.stack or Stack(), lattice.bases
        market = self.market(panel, stack.reads())
        trials: list[Trial] = []
        proofs: list[Proof] = []

        def proved(nested: Nested, bases: tuple[str, ...]) -> None:
            proofs.append(proof(bases, nested.learned_from))

        choices = self.choices.left(predictions)
        picked: dict[str, PickedFrom] = {}
        for name, role in self.roles.items():
            if name in choices.searched:
                configurations = choices.searched[name]
                picked[name], predicted = self._pick(name, choices, lattice, panel, plan, market)
                nested = run_nested(
                    partial(_after, choices, (name,), stack.for_one_base()),
                    configurations,
                    lattice,
                    plan,
                    panel.events,
                    market,
                    stack.missing,
                )
                trials.append(self._trial(name, role, predicted, nested, panel, plan))
                proved(nested, configurations)
                continue
            if name not in predictions or role == "sentinel":
                continue
            if role == "baseline":
                trials.append(self._baseline(name, panel, plan, lattice))
                continue
            nested = run_nested(stack.for_one_base(), (name,), lattice, plan, panel.events, market, stack.missing)
            trials.append(self._trial(name, role, lattice.probability[name], nested, panel, plan))
            proved(nested, (name,))
        trials.append(self._buy_and_hold(panel))
        bases = self.bases()
        if (
            self.stack is not None
            and list(self.roles.values()).count("candidate") > 1
            and all(name in predictions or name in choices.searched for name in bases)
        ):
            searched = tuple(name for name in bases if name in choices.searched)
            steps = partial(_after, choices, searched, stack.complete()) if searched else stack.complete()
            bases = tuple(one for name in bases for one in choices.searched.get(name, (name,)))
            if self.stack.nesting == "pairs":
                nested = run_nested(steps, bases, lattice, plan, panel.events, market, stack.missing)
                trials.append(self._trial(STACK, "candidate", nested.probability, nested, panel, plan))
                proved(nested, bases)
            else:
                nested = run_unnested(self.stack.complete(), bases, lattice, plan, panel.events, market, stack.missing)
                trials.append(self._trial(STACK, "ablation", nested.probability, nested, panel, plan))
            if self.stack.ablation:
                for variant in self.variants():
                    run, steps = run_nested if variant.nested else run_unnested, variant.steps(stack.complete())
                    nested = run(steps, variant.bases, lattice, plan, panel.events, market, stack.missing)
                    trials.append(self._trial(variant.name, "ablation", nested.probability, nested, panel, plan))
        return Study(tuple(trials), lattice, Proof.of(proofs), picked)

    def bases(self) -> tuple[str, ...]:
        """What the stack stands on: every candidate, and the rules that a meta-label takes its side from."""
        candidates = [name for name, role in self.roles.items() if role == "candidate"]
        return tuple(dict.fromkeys([*candidates, *(self.stack or Stack()).primaries()]))

    def variants(self) -> tuple[Variant, ...]:
        """The ways in which the stack is taken apart."""
        return variants({name: self.families.get(name, "") for name in self.bases()})

    def _pick(
        self, name: str, choices: Choices, lattice: Lattice, panel: Panel, plan: FoldPlan, market: Market
    ) -> tuple[PickedFrom, Float]:
        """What a searched model is picked from, and its predictions: in each group those of the group's choice."""
        names, stack = choices.searched[name], self.stack or Stack()
        chosen: list[str] = []
        losses: list[list[float]] = []
        predicted = np.full_like(lattice.probability[names[0]], np.nan)
        for group in range(len(plan.groups)):
            rows = plan.train_rows(panel.events.decided_at, panel.events.exited_at, (group,))
            rows = rows[panel.events.labelled[rows]]
            known = outcomes_of(panel.events, rows).at(market.take(rows))
            inputs = {one: lattice.probability[one][rows, group] for one in names}
            chosen.append(choices.pick((name,), group).fit(inputs, known).chosen[name])
            every = Pick(objective=choices.objective, searched={name: names}).losses(inputs, known)
            losses.append([every[one] for one in names])
            own = lattice.group == group
            predicted[own] = lattice.probability[chosen[-1]][own]
        headline = {}
        for one in names:
            nested = run_nested(stack.for_one_base(), (one,), lattice, plan, panel.events, market, stack.missing)
            headline[one] = self.backtest(panel, nested.mean().size)
        mean_loss = dict(zip(names, np.mean(losses, axis=0).tolist(), strict=True))
        return PickedFrom(headline, mean_loss, tuple(chosen)), predicted

    def _trial(self, name: str, role: Role, predicted: Float, nested: Nested, panel: Panel, plan: FoldPlan) -> Trial:
        partners = path_partners(plan, plan.group_of(panel.events.decided_at))
        paths = tuple(self.backtest(panel, nested.along(other).size) for other in partners)
        return Trial(name, role, predicted, *self._in_time_and_late(panel, nested.mean().size), paths)

    def _baseline(self, name: str, panel: Panel, plan: FoldPlan, lattice: Lattice) -> Trial:
        """A baseline bets its more probable side every time: it has nothing to learn a threshold from."""
        predicted = lattice.probability[name]
        rows = np.arange(len(predicted))
        partners = path_partners(plan, lattice.group)
        paths = tuple(self.backtest(panel, sign_of(predicted[rows, other])) for other in partners)
        return Trial(name, "baseline", predicted, *self._in_time_and_late(panel, sign_of(lattice.mean(name))), paths)

    def _buy_and_hold(self, panel: Panel) -> Trial:
        return Trial("buy_and_hold", "baseline", None, self.held(panel, late=0), self.held(panel, late=1), ())

    def _in_time_and_late(self, panel: Panel, size: Float) -> tuple[Backtest, Backtest]:
        return self.backtest(panel, size), self.backtest(panel, size, late=1)

    def market(self, panel: Panel, columns: Sequence[str]) -> Market:
        """What is known of each event at its decision."""
        return market_of(panel, self.account, self.instrument, columns)

    def backtest(self, panel: Panel, size: Float, late: int = 0) -> Backtest:
        """What bets of these signed sizes, one an event, return; ``late`` is how many bars later orders fill."""
        return self._account(late).backtest(panel.bars, Orders.of_events(panel.events, size), self.instrument)

    def held(self, panel: Panel, late: int = 0) -> Backtest:
        """What holding all the time returns."""
        return self._account(late).hold(panel.bars, self.instrument)

    def _account(self, late: int) -> Account:
        return self.account.later(late) if late else self.account


def _after(choices: Choices, models: Sequence[str], steps: Sequence[Step], group: int) -> list[MapStep | Step]:
    """The steps of F_g, after the choice among the configurations of searched models."""
    return [choices.pick(models, group), *steps]


def market_of(panel: Panel, account: Account, instrument: Instrument, columns: Sequence[str] = ()) -> Market:
    """What is known of each event of a panel at its decision: volatility, costs, and these features."""
    events = panel.events
    return Market(
        volatility=events.volatility / panel.bars.close[events.row],
        cost=account.round_trips(panel.bars, events.row, instrument),
        columns={name: panel.values[:, panel.names.index(name)] for name in columns},
        start=events.row,
        end=events.exit_row,
    )


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
