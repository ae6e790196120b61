"""From an experiment file to an ``Experiment``, or to one message that says what to change."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from farm.config.document import Document, read_document
from farm.config.experiment import Experiment
from farm.config.fault import sentences
from farm.errors import BadInput

_SHOWN = 5
_KEYS = re.compile(r"(?<![\w./-])[a-z_]+(?:\.[\w-]+)+|^[a-z_]+(?=:)")
_DATA_FILE = re.compile(r"\S*[./]\S*[,:] ")


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment that a YAML file describes.

    Parameters
    ----------
    path
        The file; UTF-8 text.
    overrides
        ``a.b=c``: values that stand in place of the file's, as ``--set`` gives them; ``c`` is YAML.

    Raises
    ------
    BadInput
        Names the file and line (or the override) of each fault, at most five, what was found and what would be right.
    """
    return _validated(read_document(Path(path), overrides))


@contextmanager
def experiment_at_hand(path: str | Path, overrides: Sequence[str] = ()) -> Iterator[Experiment]:
    """The experiment of a file for a block of work; a BadInput raised in the block is told with the line it is about.

    The rooms that find a fault later, such as too few events for ``folds.groups``, know keys but not the file.
    """
    document = read_document(Path(path), overrides)
    experiment = _validated(document)
    try:
        yield experiment
    except BadInput as error:
        place = _place_of(document, str(error))
        if place is None:
            raise
        raise BadInput(f"{place}: {error}") from error


def _place_of(document: Document, message: str) -> str | None:
    """Where the first key that a message names, or its section, is written; None where it begins with a data file."""
    for match in _KEYS.finditer(message):
        location = tuple(match[0].split("."))
        if location[:1] in document.written:
            return document.where(location)
    return None if _DATA_FILE.match(message) else document.name


def _validated(document: Document) -> Experiment:
    try:
        return Experiment.model_validate(document.values)
    except ValidationError as error:
        faults = sentences(document, error)
    more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    raise BadInput("\n".join(faults[:_SHOWN] + more))
