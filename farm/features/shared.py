"""Series that many features start from, computed once for each segment of a table."""

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property, wraps
from inspect import signature
from typing import Concatenate, ParamSpec, Self, TypeVar, cast

from farm.bars.frame import Bars

P = ParamSpec("P")
T = TypeVar("T")


class Segment(Bars):
    """Bars of one segment, and what features computed from them and share."""

    @classmethod
    def cut(cls, bars: Bars, start: int, stop: int) -> Self:
        """The bars at positions ``start`` to ``stop`` (excluded), as views, with nothing kept yet."""
        names = [field.name for field in fields(bars) if field.name not in ("symbol", "timeframe")]
        return cls(bars.symbol, bars.timeframe, **{name: getattr(bars, name)[start:stop] for name in names})

    @cached_property
    def kept(self) -> dict[object, object]:
        """Results of shared functions by function and settings; nobody writes into them."""
        return {}


def shared(function: Callable[Concatenate[Bars, P], T]) -> Callable[Concatenate[Bars, P], T]:
    """The function, remembering its result on the segment it is called with; a segment belongs to one thread."""

    usual = {p.name: p.default for p in signature(function).parameters.values() if p.default is not p.empty}

    @wraps(function)
    def once(bars: Bars, *args: P.args, **settings: P.kwargs) -> T:
        if not isinstance(bars, Segment):
            return function(bars, *args, **settings)
        key = (function, args, *(usual | settings).items())
        if key not in bars.kept:
            bars.kept[key] = function(bars, *args, **settings)
        return bars.kept[key]  # type: ignore[return-value]  # the key holds the function itself

    return cast(Callable[Concatenate[Bars, P], T], once)
