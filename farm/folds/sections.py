"""The ``folds`` section of an experiment: purged k-fold, combinatorial purged cross-validation, walk forward."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from farm.bars.frame import Int
from farm.folds.embargo import Embargo, EmbargoField, TradingTime, parse_embargo
from farm.folds.groups import held_out_groups
from farm.folds.plan import FoldPlan, make_plan
from farm.section import Section

_ONE_SESSION: Embargo = parse_embargo("1 session")


class _FoldSection(Section):
    groups: int = Field(ge=2, description="contiguous blocks of the development span with equal numbers of decisions")
    embargo: EmbargoField = Field(_ONE_SESSION, description="'1 session', '30 bars' or a fraction of the bars")
    lockbox: float = Field(0.1, ge=0, lt=0.5, description="the sealed last fraction of the span")


class Cpcv(_FoldSection):
    """Combinatorial purged cross-validation: every choice of ``test_groups`` groups is held out once.

    Advances in Financial Machine Learning, chapter 12. Two held-out groups are what nested stacking needs.
    """

    kind: Literal["cpcv"] = "cpcv"
    test_groups: int = Field(2, ge=1, description="groups held out together")

    @model_validator(mode="after")
    def _combinations(self) -> Self:
        held_out_groups(self.groups, self.test_groups)
        return self

    def plan(
        self,
        decided: Int,
        exited: Int,
        *,
        clock: Int,
        session: Int,
        also: Sequence[tuple[Int, Int]] = (),
    ) -> FoldPlan:
        """The fold plan of a study.

        Parameters
        ----------
        decided, exited
            When each event of the study's clock was decided and its label known, int64 ns UTC, in order of ``decided``:
            the groups have equal numbers of them.
        clock, session
            When each bar of the decision timeframe in the development span became available (int64 ns UTC), and the
            number of its session.
        also
            The same of the study's other panels: purge and embargo are by the union of all intervals.

        Raises
        ------
        BadInput
            Too few events for the groups, or a split that would train on nothing.
        ValueError
            Events that are unsorted or outside the span.

        Examples
        --------
        >>> import numpy as np
        >>> clock = np.arange(12)
        >>> folds = Cpcv(groups=4, test_groups=2, embargo="1 bar")
        >>> plan = folds.plan(clock, np.minimum(clock + 1, 11), clock=clock, session=clock // 6)
        >>> plan.splits[1], plan.train_rows(clock, np.minimum(clock + 1, 11), plan.splits[1]).tolist()
        ((0, 2), [11])
        """
        splits = held_out_groups(self.groups, self.test_groups)
        time = TradingTime(clock, session)
        return make_plan(
            "cpcv", splits, decided, exited, n_groups=self.groups, embargo=self.embargo, time=time, also=also
        )


class KFold(_FoldSection):
    """Purged k-fold: each group is held out once. AFML, section 7.4."""

    kind: Literal["kfold"] = "kfold"

    def plan(
        self,
        decided: Int,
        exited: Int,
        *,
        clock: Int,
        session: Int,
        also: Sequence[tuple[Int, Int]] = (),
    ) -> FoldPlan:
        """The fold plan of a study; arguments and errors as in ``Cpcv.plan``."""
        splits = held_out_groups(self.groups, 1)
        time = TradingTime(clock, session)
        return make_plan(
            "kfold", splits, decided, exited, n_groups=self.groups, embargo=self.embargo, time=time, also=also
        )


class WalkForwardFolds(_FoldSection):
    """Walk forward: each group after the first ``train_groups`` is tested by what was trained on groups before it.

    Expanding: on all of them; otherwise on the last ``train_groups``. Training lies before its test, so the embargo
    is a gap: a training label must have ended that long before the test group starts.
    """

    kind: Literal["walk_forward"] = "walk_forward"
    expanding: bool = Field(True, description="train on all earlier groups, not on the last train_groups alone")
    train_groups: int = Field(1, ge=1, description="groups before the first tested one")

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        if self.train_groups >= self.groups:
            raise ValueError(f"train_groups is {self.train_groups} of {self.groups} groups; leave at least one to test")
        return self

    def plan(
        self,
        decided: Int,
        exited: Int,
        *,
        clock: Int,
        session: Int,
        also: Sequence[tuple[Int, Int]] = (),
    ) -> FoldPlan:
        """The fold plan of a study; arguments and errors as in ``Cpcv.plan``."""
        return make_plan(
            "walk_forward",
            tuple((group,) for group in range(self.train_groups, self.groups)),
            decided,
            exited,
            n_groups=self.groups,
            embargo=self.embargo,
            time=TradingTime(clock, session),
            window=0 if self.expanding else self.train_groups,
            also=also,
        )


Folds = Annotated[Cpcv | KFold | WalkForwardFolds, Field(discriminator="kind")]
