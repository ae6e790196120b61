"""What a validation found wrong, in sentences: where it was written, what was found, what would be right."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from farm.config.document import Document, Location
from farm.config.schema import experiment_schema
from farm.section import nearest

_QUOTED = re.compile(r"'(.*?)'")
_SECTION = "should be a section of keys and values"
_SAYS = {
    "missing": "is missing and has no default",
    "dict_type": _SECTION,
    "model_type": _SECTION,
    "model_attributes_type": _SECTION,
    "tuple_type": "should be a list, such as [a, b]",
    "list_type": "should be a list, such as [a, b]",
}


def sentences(document: Document, error: ValidationError) -> list[str]:
    """A sentence for every place of the document with a fault, each beginning with ``file:line`` or the ``--set``."""
    faults = _one_a_place([_fault(document, details) for details in error.errors(include_url=False)])
    return [f"{document.where(fault.location)}: {fault.name}{fault.says}{fault.found}" for fault in faults]


@dataclass(frozen=True)
class _Fault:
    """What is wrong at one place of the file: ``says`` follows ``name``, and ``found`` both."""

    location: Location
    name: str
    says: str
    found: str = ""


def _fault(document: Document, details: ErrorDetails) -> _Fault:
    location, node = _in_file(document, details)
    kind, context = details["type"], details.get("ctx", {})
    found = ""
    if kind == "value_error":
        return _refused(location, node, details["msg"].removeprefix("Value error, "))
    if kind == "unknown_key":
        location = (*location, context["key"])
        says = details["msg"]
    elif kind == "union_tag_invalid":
        location = (*location, context["discriminator"].strip("'"))
        says = f"there is no {context['tag']!r}; {nearest(context['tag'], _QUOTED.findall(context['expected_tags']))}"
    elif kind == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        says = f"needs the key {tag}, which says what kind it is: {' | '.join(_kinds(location))}"
    elif kind == "missing":
        says = _SAYS[kind]
    else:
        says = _SAYS.get(kind, details["msg"].replace("Input should", "should"))
        found = f"; found {_short(details['input'])}"
    return _Fault(location, f"{_name(location)}: ", says, found)


def _refused(location: Location, node: object, message: str) -> _Fault:
    """A section's own refusal; one that begins with the name of its key, as they do, is told at that key's line."""
    first, _, rest = message.partition(" ")
    deeper = location
    for part in first.split("."):
        if not isinstance(node, dict) or part not in node:
            break
        node, deeper = node[part], (*deeper, part)
    if deeper == location:
        return _Fault(location, f"{_name(location)}: ", message)
    return _Fault(deeper, f"{_name((*location, first))} ", rest)


def _one_a_place(faults: Sequence[_Fault]) -> list[_Fault]:
    """One fault a place; of a value that fits none of several forms, the faults inside the form that was meant."""
    kept: dict[Location, _Fault] = {}
    for fault in faults:
        here = fault.location
        if any(len(other.location) > len(here) and other.location[: len(here)] == here for other in faults):
            continue
        before = kept.get(here)
        kept[here] = replace(before, says=f"{before.says} or {fault.says}") if before else fault
    return list(kept.values())


def _kinds(location: Location) -> list[str]:
    """The kinds that a section at a location can have."""
    section = next(part for part in reversed(location) if isinstance(part, str))
    pending: list[Any] = [experiment_schema()]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            described = node.get("properties", {}).get(section, {})
            union = described.get("items", described).get("discriminator")
            if union:
                return sorted(union["mapping"])
            pending += node.values()
    return []


def _in_file(document: Document, details: ErrorDetails) -> tuple[Location, object]:
    """Pydantic's location without the tags of unions, which do not stand in the file, and the value there."""
    node: object = document.values
    location: list[str | int] = []
    for position, part in enumerate(details["loc"]):
        inside = part in node if isinstance(node, dict) else isinstance(node, list) and part in range(len(node))
        if inside:
            node = node[part]  # type: ignore[index]  # one of the two, as the line above says
        elif details["type"] != "missing" or position < len(details["loc"]) - 1:
            continue
        location.append(part)
    return tuple(location), node


def _name(location: Location) -> str:
    return ".".join(str(part) for part in location) or "experiment"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
