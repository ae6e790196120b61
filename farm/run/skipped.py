"""Symbols that cannot be prepared: each stops the run before any fit or, where that was asked for, is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from farm.config import Experiment
from farm.errors import BadInput
from farm.run.prepare import PanelSpec, PreparedStudy, prepare_study, stored_study


@dataclass(frozen=True)
class Skipped:
    """A symbol that was left out of a run, and the words that say why; it counts as a study that cannot be judged."""

    symbol: str
    reason: str


def prepare_or_skip(spec: PanelSpec) -> PreparedStudy | Skipped:
    """The prepared study of a symbol; what was wrong with it where the experiment skips bad symbols."""
    if spec.experiment.bars.on_bad_symbol == "stop":
        return prepare_study(spec)
    try:
        return prepare_study(spec)
    except BadInput as error:
        return Skipped(spec.symbol, str(error))


def stored_or_none(experiment: Experiment, symbol: str) -> PreparedStudy | None:
    """The study that is stored; None where there is none, also for a symbol that will be skipped."""
    try:
        return stored_study(experiment, symbol)
    except BadInput:
        if experiment.bars.on_bad_symbol == "stop":
            raise
        return None


def refuse_if_nothing_is_left(skipped: Sequence[Skipped], n_symbols: int) -> None:
    """Raise BadInput when every symbol was skipped, with the first one's reason."""
    if skipped and len(skipped) == n_symbols:
        raise BadInput(
            f"bars.on_bad_symbol is skip, but not one of {n_symbols} symbols is left; {skipped[0].symbol}: "
            f"{skipped[0].reason}"
        )
