"""Which orders of steps make sense, and why the others do not."""

from collections.abc import Sequence
from itertools import pairwise

from farm.stack.meta_label import MetaLabel
from farm.stack.steps import Step

_DECIDING = ("meta_label", "threshold", "size")


def require_order(steps: Sequence[Step]) -> None:
    """Refuse steps that cannot work in this order.

    Raises
    ------
    ValueError
        Beginning with the key ``steps``: what was found, and what would be right.
    """
    kinds: list[str] = [step.kind for step in steps]
    found = f"found steps {kinds}"
    for kind in ("combine", "choose", *_DECIDING):
        if kinds.count(kind) > 1:
            where = "; it is the last step" if kind == "size" else ""
            raise ValueError(f"steps: a stack has at most one step of kind {kind}{where}, exactly once; {found}")
    _require_one_prediction(steps, kinds, found)
    if "size" in kinds and kinds[-1] != "size":
        raise ValueError(f"steps: size turns what is predicted into a bet, so it is the last step; {found}")
    if "threshold" in kinds and kinds.index("threshold") < len(kinds) - 1 - kinds.count("size"):
        raise ValueError(f"steps: threshold leaves out bets, so it stands last, before size alone; {found}")
    if "meta_label" in kinds and not set(kinds[kinds.index("meta_label") + 1 :]) <= set(_DECIDING):
        raise ValueError(
            f"steps: meta_label judges a finished prediction, so only threshold and size follow it; {found}"
        )
    if "choose" in kinds and "combine" in kinds[kinds.index("choose") :]:
        raise ValueError(f"steps: choose leaves one prediction, so there is nothing to combine after it; {found}")
    if any(one == other == "calibrate" for one, other in pairwise(kinds)):
        raise ValueError(f"steps: calibrate twice in a row is once too often; {found}")


def _require_one_prediction(steps: Sequence[Step], kinds: Sequence[str], found: str) -> None:
    by_name = any(isinstance(step, MetaLabel) and step.primary is not None for step in steps)
    if "combine" not in kinds and "choose" not in kinds and not by_name:
        raise ValueError(
            "steps: several bases have to become one prediction, and a stack does that exactly once; write a step of "
            f"kind combine or choose, or name a primary in meta_label; {found}"
        )
