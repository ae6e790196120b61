"""What is otherwise for some symbols: how one experiment holds daily, hourly and minute files."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from farm.section import Section

_WHICH = ("kind", "source")


class Difference(Section):
    """Parts of an experiment's sections that are otherwise for the symbols that fit a pattern.

    A part takes the place of the experiment's, key by key; a section whose ``kind`` (or ``source``) is another
    takes its place whole. What is the same for all studies, or they would be no family (models, selection,
    stack, verdict), cannot differ.
    """

    bars: dict[str, Any] = Field(default_factory=dict)
    decisions: dict[str, Any] = Field(default_factory=dict)
    features: dict[str, Any] = Field(default_factory=dict)
    labels: dict[str, Any] = Field(default_factory=dict)
    folds: dict[str, Any] = Field(default_factory=dict)
    backtest: dict[str, Any] = Field(default_factory=dict)

    @model_serializer(mode="wrap")
    def parts(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The sections that differ, with what differs in them."""
        return {name: part for name, part in plain(self).items() if part}


Each = dict[str, Difference]
"""Patterns of symbols, and what is otherwise for those that fit; where several fit, the last one wins."""


def fitting(each: Each, symbol: str) -> tuple[str, ...]:
    """The patterns that a symbol fits, in their order; ``*`` and ``?`` as in a catalogue.

    >>> fitting({"*": Difference(), "*_h4": Difference(), "SPY": Difference()}, "multi/EURUSD_h4")
    ('*', '*_h4')
    """
    return tuple(pattern for pattern in each if fnmatchcase(symbol, pattern))


def differing(values: Mapping[str, Any], differences: Mapping[str, Any]) -> dict[str, Any]:
    """Values with the differences in place of what they are about.

    >>> differing({"a": 1, "b": {"kind": "x", "c": 2, "d": 3}}, {"b": {"c": 4}})
    {'a': 1, 'b': {'kind': 'x', 'c': 4, 'd': 3}}
    >>> differing({"a": 1, "b": {"kind": "x", "c": 2, "d": 3}}, {"b": {"kind": "y"}})
    {'a': 1, 'b': {'kind': 'y'}}
    """
    return {**values, **{key: _one(values.get(key), other) for key, other in differences.items()}}


def _one(value: Any, other: Any) -> Any:
    if not isinstance(value, Mapping) or not isinstance(other, Mapping):
        return other
    another = any(which in other and other[which] != value.get(which) for which in _WHICH)
    return dict(other) if another else differing(value, other)
