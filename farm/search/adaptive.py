"""Searches that adapt: what they ask next depends on what they were told, in fixed batches and in trial order.

A search is a small machine of two verbs. It never sees when an answer came, only that a whole batch was answered, so
the same answers give the same search on any number of workers, and after any number of kills.
"""

import importlib.util
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from pydantic import Field

from farm.errors import BadInput
from farm.search.dimension import Choice, Dimension, FloatRange, IntRange
from farm.search.samplers import QuasiRandom
from farm.search.space import Point, Space, same_point
from farm.section import Section

State = Literal["finished", "pruned", "failed", "abandoned"]

_TRIES = 10  # points that TPE may propose in vain before an evenly spread one is taken


@dataclass(frozen=True)
class Asked:
    """One question: the loss of configuration ``number`` (1 is the first) on ``splits`` of the search's own list."""

    number: int
    point: Point
    splits: tuple[int, ...]


@dataclass(frozen=True)
class Configuration:
    """One configuration that a search tried, and what became of it.

    ``splits`` are those it was fitted on, ``loss`` the last one told (None where none was). ``pruned`` was dropped
    before its last split, ``failed`` could not be fitted, ``abandoned`` was asked and never told.
    """

    number: int
    point: Point
    splits: tuple[int, ...]
    loss: float | None
    state: State


class Adapting(Protocol):
    """A search over one model of one study."""

    def ask(self) -> list[Asked]:
        """The next batch, empty when the search is over; every question of it is answered before the next is asked."""
        ...

    def tell(self, losses: Sequence[float | None]) -> None:
        """The answers to the last batch in its order; infinity for a configuration that could not be fitted.

        None stands for one that will never be answered: then the search is over.
        """
        ...

    def tried(self) -> tuple[Configuration, ...]:
        """All configurations asked for so far, in trial order."""
        ...


class Tpe(Section):
    """Tree-structured Parzen estimators: what did well so far is tried more densely (Bergstra et al. 2011; Optuna's).

    ``batch`` configurations are asked at a time, so that so many can be fitted side by side; the first ``startup`` are
    drawn at random. Where it proposes nothing new that the constraints allow, the next of the points that fill the
    space evenly is tried.
    """

    kind: Literal["tpe"] = "tpe"
    batch: int = Field(default=4, ge=1)
    startup: int = Field(default=8, ge=1)

    def begin(self, space: Space, count: int, fixed: Mapping[str, Any], seed: int, splits: Sequence[int]) -> "Adapting":
        """A search for ``count`` configurations, each judged on all of the splits.

        Raises
        ------
        BadInput
            Optuna is not installed.
        """
        if importlib.util.find_spec("optuna") is None:
            raise BadInput("search.sampler tpe needs Optuna: install ohlcv-farm[search], or choose quasi_random")
        return _TpeSearch(self, space, count, fixed, seed, tuple(splits))


class Halving(Section):
    """Successive halving over splits: all configurations meet a few splits, the better half of them twice as many.

    After each of the ``rungs`` but the last the worse half is dropped, and the others keep what they were fitted on.
    Nothing is dropped before its whole rung was told (synchronous, unlike ASHA), so that the search repeats. Sources:
    Karnin et al. (2013); Jamieson and Talwalkar (2016).
    """

    kind: Literal["halving"] = "halving"
    rungs: int = Field(default=3, ge=2, le=8)
    sampler: QuasiRandom = QuasiRandom()

    def begin(self, space: Space, count: int, fixed: Mapping[str, Any], seed: int, splits: Sequence[int]) -> "Adapting":
        """A search for ``count`` configurations, the last survivors judged on all of the splits.

        Raises
        ------
        BadInput
            The splits are too few for so many rungs.
        """
        if len(splits) < 2 ** (self.rungs - 1):
            raise BadInput(
                f"search.sampler.rungs is {self.rungs}, and the first rung of {len(splits)} splits would hold none; "
                f"at most {len(splits).bit_length()} rungs, or more groups"
            )
        return _HalvingSearch(self, self.sampler.points(space, count, fixed, seed), _mixed(splits, seed))


class _TpeSearch:
    def __init__(
        self, section: Tpe, space: Space, count: int, fixed: Mapping[str, Any], seed: int, splits: tuple[int, ...]
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=section.startup)
        self._study = optuna.create_study(direction="minimize", sampler=sampler)
        self._batch, self._count, self._splits = section.batch, count, splits
        self._space, self._fixed, self._seed = space, fixed, seed
        self._asked: list[tuple[Any, Asked]] = []
        self._told: list[float | None] = []
        self._known: set[str] = set()

    def ask(self) -> list[Asked]:
        wanted = min(self._batch, self._count - len(self._asked))
        first = len(self._asked)
        while len(self._asked) < first + wanted:
            proposed = self._propose()
            if proposed is None:
                break
            trial, point = proposed
            self._asked.append((trial, Asked(len(self._asked) + 1, point, self._splits)))
        return [asked for _, asked in self._asked[first:]]

    def tell(self, losses: Sequence[float | None]) -> None:
        from optuna.trial import TrialState

        waiting = self._asked[len(self._told) :]
        for (trial, _), value in zip(waiting, losses, strict=True):
            if value is not None and math.isfinite(value):
                self._study.tell(trial, value)
            else:
                self._study.tell(trial, state=TrialState.FAIL)
            self._told.append(value)

    def tried(self) -> tuple[Configuration, ...]:
        told: list[float | None] = [*self._told, *[None] * (len(self._asked) - len(self._told))]
        return tuple(
            Configuration(asked.number, asked.point, asked.splits, _finite(value), _state(value))
            for (_, asked), value in zip(self._asked, told, strict=True)
        )

    def _propose(self) -> tuple[Any, Point] | None:
        """The next configuration that the constraints allow and that was not asked before, or None."""
        from optuna.trial import TrialState

        distributions = {name: _distribution(dimension) for name, dimension in self._space.space.items()}
        for _ in range(_TRIES):
            trial = self._study.ask(distributions)
            point = {name: _value(self._space.space[name], value) for name, value in trial.params.items()}
            if same_point(point) not in self._known and self._space.allows(point, self._fixed):
                self._known.add(same_point(point))
                return trial, point
            self._study.tell(trial, state=TrialState.FAIL)
        spread = QuasiRandom().points(self._space, self._count + len(self._known), self._fixed, self._seed)
        unknown = [one for one in spread if same_point(one) not in self._known]
        if not unknown:
            return None
        point = unknown[0]
        self._known.add(same_point(point))
        self._study.enqueue_trial({name: _proposal(self._space.space[name], value) for name, value in point.items()})
        return self._study.ask(distributions), point


class _HalvingSearch:
    def __init__(self, section: Halving, points: Sequence[Point], splits: tuple[int, ...]) -> None:
        self._left = [
            Configuration(number, point, (), None, "abandoned") for number, point in enumerate(points, start=1)
        ]
        self._out: list[Configuration] = []
        self._rungs = [splits[: math.ceil(len(splits) / 2**back)] for back in reversed(range(section.rungs))]
        self._rung = 0

    def ask(self) -> list[Asked]:
        if self._rung == len(self._rungs) or not self._left:
            return []
        splits = self._rungs[self._rung]
        self._left = [replace(one, splits=splits, state="abandoned") for one in self._left]
        return [Asked(one.number, one.point, splits) for one in self._left]

    def tell(self, losses: Sequence[float | None]) -> None:
        last = self._rung == len(self._rungs) - 1
        unanswered = None in losses
        told = [
            replace(one, loss=_finite(value), state=_state(value, last=last))
            for one, value in zip(self._left, losses, strict=True)
        ]
        self._out += [one for one in told if one.state == "failed"]
        alive = [one for one in told if one.state != "failed"]
        if not last and not unanswered:  # a survivor counts as abandoned until it has met every split
            ranked = sorted(alive, key=lambda one: (one.loss, one.number))
            dropped = {one.number for one in ranked[math.ceil(len(ranked) / 2) :]}
            self._out += [replace(one, state="pruned") for one in alive if one.number in dropped]
            alive = [one for one in alive if one.number not in dropped]
        self._left = alive
        self._rung += 1

    def tried(self) -> tuple[Configuration, ...]:
        asked = [one for one in self._left if one.splits]
        return tuple(sorted((*self._out, *asked), key=lambda one: one.number))


def _state(told: float | None, *, last: bool = True) -> State:
    if told is not None and not math.isfinite(told):
        return "failed"
    return "finished" if told is not None and last else "abandoned"


def _finite(told: float | None) -> float | None:
    return told if told is not None and math.isfinite(told) else None


def _mixed(splits: Sequence[int], seed: int) -> tuple[int, ...]:
    """The splits in an order of chance, so that the first rung does not lie in the first groups alone."""
    import numpy as np

    return tuple(int(split) for split in np.random.default_rng(seed).permutation(np.asarray(splits)))


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match dimension:
        case Choice():
            return CategoricalDistribution(range(len(dimension.of)))
        case FloatRange():
            return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
        case IntRange():
            return IntDistribution(dimension.low, dimension.high, log=dimension.log)


def _proposal(dimension: Dimension, value: Any) -> Any:
    return dimension.of.index(value) if isinstance(dimension, Choice) else value


def _value(dimension: Dimension, proposed: Any) -> Any:
    match dimension:
        case Choice():
            return dimension.of[proposed]
        case FloatRange():
            return dimension.rounded(proposed)
        case IntRange():
            return int(proposed)
