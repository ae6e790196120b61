"""An experiment file as text: read it, expand variables, apply overrides, remember where every value was written."""

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from farm.errors import BadInput

Location = tuple[str | int, ...]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_QUOTED_KEY = re.compile(r'found duplicate key "(.*?)" with value')


@dataclass(frozen=True)
class Document:
    """A parsed file: plain values, and where each of them was written.

    ``written`` maps a value's location to ``file:line``, or to the ``--set`` that gave it.
    """

    name: str
    values: dict[str, Any]
    written: Mapping[Location, str]

    def where(self, location: Sequence[str | int]) -> str:
        """Where the deepest part of a location that was written stands; the file where none of it was."""
        for length in range(len(location), 0, -1):
            place = self.written.get(tuple(location[:length]))
            if place is not None:
                return place
        return self.name


def read_document(path: Path, overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None) -> Document:
    """A YAML file's values, with ``${VARIABLE}`` from the environment and ``a.b=c`` overrides applied in their order.

    Raises
    ------
    BadInput
        The file cannot be read, is not YAML, says a key twice or a number that is not finite, names a variable that is
        not set, or an override is not of the form ``a.b=c``.
    """
    environment = os.environ if environment is None else environment
    root = _parse(_text(path), str(path))
    if not isinstance(root, CommentedMap):
        found = "nothing" if root is None else "a list" if isinstance(root, CommentedSeq) else f"only {str(root)!r}"
        raise BadInput(
            f"{path}: holds {found}; an experiment file is a mapping of keys to values, with `name: …` among them"
        )
    reader = _Reader(str(path), environment)
    values = reader.plain(root, ())
    for override in overrides:
        _apply(values, override, reader)
    return Document(str(path), values, reader.written)


@dataclass
class _Reader:
    """Turns parsed nodes into plain values and notes where they stand: in the file, or in the override ``said``."""

    name: str
    environment: Mapping[str, str]
    said: str | None = None
    written: dict[Location, str] = field(default_factory=dict)

    def plain(self, node: Any, location: Location) -> Any:
        if isinstance(node, CommentedMap):
            return {str(key): self._item(node, key, value, (*location, str(key))) for key, value in node.items()}
        if isinstance(node, CommentedSeq):
            return [self._item(node, at, value, (*location, at)) for at, value in enumerate(node)]
        if node is None or isinstance(node, bool):
            return node
        if isinstance(node, int):
            return int(node)
        if isinstance(node, float):
            return self._finite(float(node), location)
        return self._expanded(str(node), location)

    def _item(self, parent: Any, key: Any, value: Any, location: Location) -> Any:
        self.written[location] = self.said or f"{self.name}:{_line(parent, key)}"
        return self.plain(value, location)

    def _place(self, location: Location) -> str:
        return self.said or self.written[location]

    def _finite(self, number: float, location: Location) -> float:
        if not math.isfinite(number):
            name = ".".join(map(str, location))
            raise BadInput(f"{self._place(location)}: {name}: found {number}; numbers in an experiment are finite")
        return number

    def _expanded(self, text: str, location: Location) -> str:
        def value_of(match: re.Match[str]) -> str:
            if match[1] not in self.environment:
                name = ".".join(map(str, location))
                raise BadInput(
                    f"{self._place(location)}: {name}: the variable {match[1]} is not set; set it, or write its value"
                )
            return self.environment[match[1]]

        return _VARIABLE.sub(value_of, text)


def _text(path: Path) -> str:
    if path.is_dir():
        raise BadInput(f"{path}: is a folder; name the experiment file in it")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such experiment file") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror}); name a file that can") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadInput(
            f"{path}:{line}: found byte 0x{content[error.start]:02x}, which is not UTF-8 text; save the file as UTF-8"
        ) from None


def _parse(text: str, name: str) -> Any:
    try:
        return YAML(typ="rt").load(StringIO(text))
    except DuplicateKeyError as error:
        key = _QUOTED_KEY.search(str(error.problem))
        raise BadInput(
            f"{_mark(name, error)}: {key[1] if key else 'a key'} is written twice; write each key once"
        ) from None
    except MarkedYAMLError as error:
        says = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise BadInput(f"{_mark(name, error)}: not valid YAML: {says}; correct the file there{_hint(text)}") from None
    except TypeError as error:  # ruamel's answer to a key that is itself a mapping or a list
        raise BadInput(f"{name}: a key is not plain text ({error}); write keys as words before a colon") from None
    # What escapes ruamel's own scanner and constructors on some broken texts.
    except (AttributeError, IndexError, KeyError, AssertionError, RecursionError, NotImplementedError) as error:
        raise BadInput(f"{name}: not valid YAML ({type(error).__name__}: {error}); correct the file") from None
    except (YAMLError, ValueError) as error:
        raise BadInput(f"{name}: not valid YAML: {str(error).splitlines()[0]}; correct the file") from None


def _hint(text: str) -> str:
    if re.search(r"^ *\t", text, re.MULTILINE):
        return "; YAML indents with spaces, never with tabs"
    if re.search(r": +\{\w+\}[^\s,}]", text):
        return "; a value that begins with { stands in quotes, as in path: '{symbol}.csv'"
    return ""


def _mark(name: str, error: MarkedYAMLError) -> str:
    return f"{name}:{error.problem_mark.line + 1}" if error.problem_mark else name


def _line(parent: Any, key: Any) -> int:
    """The line of an item; of the mapping itself where the item came in by a merge (``<<: *name``)."""
    try:
        place = parent.lc.key(key) if isinstance(parent, CommentedMap) else parent.lc.item(key)
    except KeyError:
        return int(parent.lc.line) + 1
    return int(place[0]) + 1


def _apply(values: dict[str, Any], override: str, reader: _Reader) -> None:
    name, equals, text = override.partition("=")
    path = tuple(name.strip().split("."))
    said = f"--set {override}"
    if not equals or not all(path):
        raise BadInput(f"{said}: is not of the form a.b=value, such as folds.groups=8")
    try:
        value = YAML(typ="rt").load(StringIO(text))
    except (YAMLError, ValueError, TypeError) as error:
        raise BadInput(f"{said}: the value is not valid YAML ({str(error).splitlines()[0]}); quote it") from None
    target = values
    for depth, part in enumerate(path[:-1], start=1):
        if target.get(part) is None:
            target[part] = {}
            reader.written[path[:depth]] = said
        target = target[part]
        if not isinstance(target, dict):
            above, kind = (
                ".".join(path[:depth]),
                "a list" if isinstance(target, list) else f"the single value {target!r}",
            )
            raise BadInput(f"{said}: {above} is {kind}, not a section with keys; set it whole, as in {above}=…")
    for location in [one for one in reader.written if one[: len(path)] == path]:
        del reader.written[location]
    reader.written[path] = reader.said = said
    target[path[-1]] = reader.plain(value, path)
